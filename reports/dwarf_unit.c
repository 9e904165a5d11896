/* SPDX-License-Identifier: BSD-3-Clause */
/* Units of .debug_info, their abbreviations, and the index from addresses to units.
 * Invariant: the index is built from every unit's root DIE and nothing else is
 *            decoded before a lookup needs it. .debug_aranges is not consulted:
 *            clang writes none, and reading the roots costs about a page fault a unit. */
#include "dwarf_priv.h"

#include <stdlib.h>

#include "memory.h"

enum { MAX_ABBREV_ATTRIBUTES = 1 << 20 };

struct dwarf *
dwarf_new(struct dwarf_budget *budget, const char *path)
{
    struct dwarf *d = memory_zalloc(1, sizeof *d);

    d->budget = budget;
    d->path = path;
    return d;
}

/* ---- abbreviations ---- */

/* Reads the attribute list of an abbreviation. False at the end of it or of the data. */
static bool
next_attribute(struct cursor *c, struct abbrev_attribute *a)
{
    uint64_t name = cursor_uleb(c), form = cursor_uleb(c);

    a->implicit = form == DW_FORM_implicit_const ? cursor_sleb(c) : 0;
    a->name = name > UINT16_MAX ? UINT16_MAX : (uint16_t)name;
    a->form = form > UINT16_MAX ? UINT16_MAX : (uint16_t)form;
    return !c->bad && (name || form);
}

static void
add_abbrev(struct abbrevs *list, const struct unit *u, struct cursor *c, uint64_t code)
{
    struct abbrev a = {.code = code, .first = (uint32_t)list->attribute_count};
    struct abbrev_attribute attribute;

    a.tag = (uint16_t)cursor_uleb(c);
    a.children = cursor_u8(c);
    while (next_attribute(c, &attribute) && list->attribute_count < MAX_ABBREV_ATTRIBUTES) {
        int size = form_fixed_size(u, attribute.form);

        a.fixed = size < 0 || a.fixed < 0 ? -1 : a.fixed + size;
        GROW(list->attributes, list->attribute_count, list->attribute_room);
        list->attributes[list->attribute_count++] = attribute;
    }
    a.count = (uint32_t)list->attribute_count - a.first;
    if (c->bad)
        return;
    GROW(list->list, list->count, list->room);
    list->list[list->count++] = a;
}

static int
by_code(const void *a, const void *b)
{
    uint64_t x = ((const struct abbrev *)a)->code, y = ((const struct abbrev *)b)->code;

    return x < y ? -1 : x > y;
}

static struct abbrevs *
read_abbrevs(const struct unit *u)
{
    struct abbrevs *list = memory_zalloc(1, sizeof *list);
    struct cursor c = cursor_from(u->dwarf->abbrev, u->abbrev_offset);
    bool sorted = true;

    for (uint64_t code; (code = cursor_uleb(&c)) && !c.bad;) {
        if (list->count && code < list->list[list->count - 1].code)
            sorted = false;
        add_abbrev(list, u, &c, code);
    }
    if (!sorted)
        qsort(list->list, list->count, sizeof *list->list, by_code);
    return list;
}

static void
free_abbrevs(struct abbrevs *a)
{
    if (!a)
        return;
    free(a->list);
    free(a->attributes);
    free(a);
}

const struct abbrevs *
unit_abbrevs(struct unit *u)
{
    struct dwarf *d = u->dwarf;
    uint32_t shape = (uint32_t)u->version << 16 | (uint32_t)u->offset_size << 8 | u->address_size;
    struct abbrevs **slot = &d->slots[(u->abbrev_offset * 0x9e3779b97f4a7c15u) >> 58];

    if (*slot && (*slot)->offset == u->abbrev_offset && (*slot)->shape == shape)
        return *slot;
    free_abbrevs(*slot);
    *slot = read_abbrevs(u);
    (*slot)->offset = u->abbrev_offset;
    (*slot)->shape = shape;
    return *slot;
}

const struct abbrev *
abbrevs_find(const struct abbrevs *a, uint64_t code)
{
    struct abbrev key = {.code = code};

    if (code && code <= a->count && a->list[code - 1].code == code)
        return &a->list[code - 1];
    return a->count ? bsearch(&key, a->list, a->count, sizeof key, by_code) : NULL;
}

/* ---- root DIEs ---- */

struct root {
    struct value name, comp_dir, dwo_name, low, high, ranges;
};

static void
take_root(struct unit *u, struct root *r, unsigned name, const struct value *v)
{
    switch (name) {
    case DW_AT_name: r->name = *v; break;
    case DW_AT_comp_dir: r->comp_dir = *v; break;
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name: r->dwo_name = *v; break;
    case DW_AT_low_pc: r->low = *v; break;
    case DW_AT_high_pc: r->high = *v; break;
    case DW_AT_ranges: r->ranges = *v; break;
    case DW_AT_language: u->language = (uint16_t)v->u; break;
    case DW_AT_stmt_list:
        u->stmt_list = v->u;
        u->has_lines = true;
        break;
    case DW_AT_addr_base:
    case DW_AT_GNU_addr_base: u->addr_base = v->u; break;
    case DW_AT_str_offsets_base: u->str_offsets_base = v->u; break;
    case DW_AT_rnglists_base: u->rnglists_base = v->u; break;
    case DW_AT_GNU_ranges_base: u->split_ranges_base = v->u; break;
    case DW_AT_GNU_dwo_id:
        u->dwo_id = v->u;
        u->has_dwo_id = true;
        break;
    }
}

/* The abbreviation `code` by a linear search: the root's is nearly always the first. */
static bool
find_root_abbrev(const struct unit *u, struct cursor *c, uint64_t code)
{
    struct abbrev_attribute skipped;

    *c = cursor_from(u->dwarf->abbrev, u->abbrev_offset);
    while (!c->bad) {
        uint64_t here = cursor_uleb(c);

        cursor_uleb(c);
        cursor_u8(c);
        if (here == code)
            return !c->bad;
        if (here == 0)
            return false;
        while (next_attribute(c, &skipped))
            ;
    }
    return false;
}

static void
add_unit_range(void *context, uint64_t low, uint64_t high)
{
    struct unit *u = context;
    struct dwarf *d = u->dwarf;

    GROW(d->unit_ranges, d->unit_range_count, d->unit_range_room);
    d->unit_ranges[d->unit_range_count++] = (struct unit_range){low, high, 0, (uint32_t)(u - d->units)};
}

static void
read_root(struct unit *u)
{
    struct cursor die = cursor_part(u->dwarf->info, u->first_die, u->end - u->first_die), abbrev;
    struct abbrev_attribute a;
    struct root r = {0};
    struct value v;
    uint64_t code = cursor_uleb(&die);

    if (!code || !find_root_abbrev(u, &abbrev, code))
        return;
    while (next_attribute(&abbrev, &a) && form_read(u, &die, a.form, a.implicit, &v))
        take_root(u, &r, a.name, &v);
    u->name = value_string(u, &r.name);
    u->comp_dir = value_string(u, &r.comp_dir);
    u->dwo_name = value_string(u, &r.dwo_name);
    value_address(u, &r.low, &u->low_pc);
    ranges_read(u, &r.low, &r.high, &r.ranges, add_unit_range, u);
}

/* ---- unit headers ---- */

/* Where the tables of a contribution start when no attribute says: right after its header. */
static void
set_default_bases(struct unit *u)
{
    if (u->version < 5)
        return;
    u->str_offsets_base = u->offset_size == 8 ? 16 : 8;
    u->addr_base = u->offset_size == 8 ? 16 : 8;
    u->rnglists_base = u->offset_size == 8 ? 20 : 12;
}

static bool
read_header(struct unit *u, struct cursor *c)
{
    uint64_t length = cursor_u32(c);

    u->offset_size = 4;
    if (length == 0xffffffff) {
        length = cursor_u64(c);
        u->offset_size = 8;
    }
    if (c->bad || length > cursor_left(c) || length == 0)
        return false;
    u->end = (uint64_t)(c->at - u->dwarf->info.data) + length;
    u->version = cursor_u16(c);
    u->type = DW_UT_compile;
    if (u->version >= 5) {
        u->type = cursor_u8(c);
        u->address_size = cursor_u8(c);
        u->abbrev_offset = cursor_fixed(c, u->offset_size);
        if (u->type == DW_UT_skeleton || u->type == DW_UT_split_compile) {
            u->dwo_id = cursor_u64(c);
            u->has_dwo_id = true;
        } else if (u->type == DW_UT_type || u->type == DW_UT_split_type) {
            cursor_skip(c, 8 + u->offset_size);
        }
    } else {
        u->abbrev_offset = cursor_fixed(c, u->offset_size);
        u->address_size = cursor_u8(c);
    }
    u->first_die = (uint64_t)(c->at - u->dwarf->info.data);
    set_default_bases(u);
    return !c->bad && u->first_die <= u->end;
}

static bool
understood(const struct unit *u)
{
    return u->version >= 2 && u->version <= 5 && (u->address_size == 8 || u->address_size == 4) &&
           u->type != DW_UT_type && u->type != DW_UT_split_type;
}

static int
by_low(const void *a, const void *b)
{
    const struct unit_range *x = a, *y = b;

    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static void
sort_unit_ranges(struct dwarf *d)
{
    uint64_t highest = 0;

    if (d->unit_range_count)
        qsort(d->unit_ranges, d->unit_range_count, sizeof *d->unit_ranges, by_low);
    for (size_t i = 0; i < d->unit_range_count; i++) {
        if (d->unit_ranges[i].high > highest)
            highest = d->unit_ranges[i].high;
        d->unit_ranges[i].highest = highest;
    }
}

/* False: no unit at all. */
bool
dwarf_read_units(struct dwarf *d)
{
    uint64_t at = 0;

    while (at < d->info.size) {
        struct cursor c = cursor_from(d->info, at);
        struct unit u = {.dwarf = d, .offset = at};

        if (!read_header(&u, &c))
            break;
        if (understood(&u)) {
            GROW(d->units, d->unit_count, d->unit_room);
            d->units[d->unit_count++] = u;
        }
        at = u.end;
    }
    for (size_t i = 0; i < d->unit_count; i++)
        read_root(&d->units[i]);
    sort_unit_ranges(d);
    return d->unit_count > 0;
}

struct unit *
dwarf_unit_at(struct dwarf *d, uint64_t offset)
{
    size_t low = 0, high = d->unit_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->units[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < d->unit_count && offset >= d->units[low].first_die ? &d->units[low] : NULL;
}
