/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions and inlined calls of a unit, from a walk over its DIEs, and their names.
 * Invariant: a function's parent has a smaller index. */
#include "dwarf_priv.h"

#include <stdlib.h>

#include "memory.h"

enum { MAX_DEPTH = 256, MAX_HOPS = 16, MAX_FUNCTIONS = 1 << 24, MAX_RANGES = 1 << 24 };

struct walk {
    struct unit *unit;
    struct detail *detail;
    int32_t enclosing[MAX_DEPTH]; /* function that holds the DIEs of each depth */
    unsigned depth;
    uint32_t function; /* the one whose ranges are being added */
};

struct die {
    struct value low, high, ranges, call_file, call_line, call_column;
};

static void
add_range(void *context, uint64_t low, uint64_t high)
{
    struct walk *w = context;
    struct detail *d = w->detail;

    GROW(d->ranges, d->range_count, d->range_room);
    d->ranges[d->range_count++] = (struct function_range){low, high, 0, w->function};
    if (!d->functions[w->function].low || low < d->functions[w->function].low)
        d->functions[w->function].low = low;
}

static void
take(struct die *die, unsigned name, const struct value *v)
{
    switch (name) {
    case DW_AT_low_pc: die->low = *v; break;
    case DW_AT_high_pc: die->high = *v; break;
    case DW_AT_ranges: die->ranges = *v; break;
    case DW_AT_call_file: die->call_file = *v; break;
    case DW_AT_call_line: die->call_line = *v; break;
    case DW_AT_call_column: die->call_column = *v; break;
    }
}

/* Index of the new function; that of the enclosing one if this DIE has no code. */
static int32_t
add_function(struct walk *w, uint64_t offset, const struct abbrev *a, const struct die *die)
{
    int32_t parent = w->enclosing[w->depth];
    bool inlined = a->tag == DW_TAG_inlined_subroutine;
    struct detail *d = w->detail;
    size_t ranges = d->range_count;

    if (d->function_count >= MAX_FUNCTIONS || d->range_count >= MAX_RANGES)
        return parent;
    GROW(d->functions, d->function_count, d->function_room);
    d->functions[d->function_count] = (struct function){
        .die = offset,
        .parent = parent,
        .call_file = (uint32_t)die->call_file.u,
        .call_line = (uint32_t)die->call_line.u,
        .call_column = die->call_column.u > UINT16_MAX ? UINT16_MAX : (uint16_t)die->call_column.u,
        .depth = (uint16_t)w->depth,
        .inlined = inlined,
    };
    w->function = (uint32_t)d->function_count++;
    ranges_read(w->unit, &die->low, &die->high, &die->ranges, add_range, w);
    if (d->range_count == ranges && !(inlined && parent >= 0)) {
        d->function_count--;
        return parent;
    }
    return (int32_t)w->function;
}

static bool
is_function(const struct abbrev *a)
{
    return a->tag == DW_TAG_subprogram || a->tag == DW_TAG_inlined_subroutine;
}

/* Reads a DIE's attributes; false at damage. */
static bool
walk_die(struct walk *w, struct cursor *c, uint64_t offset, const struct abbrevs *abbrevs,
         const struct abbrev *a)
{
    const struct abbrev_attribute *list = abbrevs->attributes + a->first;
    int32_t function = w->enclosing[w->depth];
    struct die die = {0};
    struct value v;

    if (a->fixed >= 0 && !is_function(a)) {
        cursor_skip(c, (uint64_t)a->fixed);
    } else {
        for (uint32_t i = 0; i < a->count; i++) {
            if (!form_read(w->unit, c, list[i].form, list[i].implicit, &v))
                return false;
            take(&die, list[i].name, &v);
        }
        if (is_function(a))
            function = add_function(w, offset, a, &die);
    }
    if (a->children) {
        if (w->depth + 1 >= MAX_DEPTH)
            return false;
        w->enclosing[++w->depth] = function;
    }
    return !c->bad;
}

static int
by_low(const void *a, const void *b)
{
    const struct function_range *x = a, *y = b;

    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->function < y->function ? -1 : x->function > y->function;
}

static void
sort_ranges(struct detail *d)
{
    uint64_t highest = 0;

    if (d->range_count)
        qsort(d->ranges, d->range_count, sizeof *d->ranges, by_low);
    for (size_t i = 0; i < d->range_count; i++) {
        if (d->ranges[i].high > highest)
            highest = d->ranges[i].high;
        d->ranges[i].highest = highest;
    }
}

void
functions_read(struct unit *u, struct detail *detail)
{
    struct walk w = {.unit = u, .detail = detail};
    struct cursor c = cursor_part(u->dwarf->info, u->first_die, u->end - u->first_die);
    const struct abbrevs *abbrevs = unit_abbrevs(u);

    w.enclosing[0] = -1;
    while (!c.bad && cursor_left(&c)) {
        uint64_t offset = (uint64_t)(c.at - u->dwarf->info.data), code = cursor_uleb(&c);
        const struct abbrev *a;

        if (code == 0) {
            if (w.depth <= 1)
                break;
            w.depth--;
            continue;
        }
        a = abbrevs_find(abbrevs, code);
        if (!a || !walk_die(&w, &c, offset, abbrevs, a))
            break;
        if (w.depth == 0)
            break; /* a root without children */
    }
    sort_ranges(detail);
}

/* The innermost function there: the smallest range, the deepest of equal ones. */
const struct function *
functions_find(const struct detail *d, uint64_t address)
{
    const struct function *best = NULL;
    uint64_t best_size = UINT64_MAX;
    size_t low = 0, high = d->range_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && d->ranges[low - 1].highest > address) {
        const struct function_range *r = &d->ranges[--low];
        const struct function *f = &d->functions[r->function];
        uint64_t size = r->high - r->low;

        if (address >= r->high)
            continue;
        if (!best || f->depth > best->depth || (f->depth == best->depth && size < best_size)) {
            best = f;
            best_size = size;
        }
    }
    return best;
}

/* ---- names ---- */

/* Languages whose plain names are what the linker sees: C and assembly. DWARF 5, section 7.12. */
static bool
plain_names_are_exact(unsigned language)
{
    switch (language) {
    case 0x01: /* C89 */
    case 0x02: /* C */
    case 0x0c: /* C99 */
    case 0x1d: /* C11 */
    case 0x2c: /* C17 */
    case 0x8001: return true;
    }
    return false;
}

struct name_search {
    const char *linkage, *plain;
    struct value next; /* the DIE this one completes */
};

static bool
read_names(struct unit *u, uint64_t offset, struct name_search *s)
{
    const struct abbrevs *abbrevs = unit_abbrevs(u);
    struct cursor c = cursor_part(u->dwarf->info, offset, u->end - offset);
    const struct abbrev *a = abbrevs_find(abbrevs, cursor_uleb(&c));

    s->next = (struct value){0};
    for (uint32_t i = 0; a && i < a->count; i++) {
        const struct abbrev_attribute *at = &abbrevs->attributes[a->first + i];
        struct value v;

        if (!form_read(u, &c, at->form, at->implicit, &v))
            return false;
        if (at->name == DW_AT_linkage_name || at->name == DW_AT_MIPS_linkage_name)
            s->linkage = value_string(u, &v);
        else if (at->name == DW_AT_name && !s->plain)
            s->plain = value_string(u, &v);
        else if (at->name == DW_AT_abstract_origin || at->name == DW_AT_specification)
            s->next = v;
    }
    return a != NULL;
}

const char *
function_name(struct dwarf *d, uint64_t offset, bool *exact)
{
    struct name_search s = {0};
    bool plain_exact = false;

    for (int hop = 0; d && hop < MAX_HOPS; hop++) {
        struct unit *u = dwarf_unit_at(d, offset);

        if (!u || !read_names(u, offset, &s) || s.linkage)
            break;
        if (s.plain && plain_names_are_exact(u->language))
            plain_exact = true;
        if (s.next.kind == VALUE_ALTERNATE)
            d = d->alternate;
        else if (s.next.kind != VALUE_REFERENCE)
            break;
        offset = s.next.u;
    }
    *exact = s.linkage || plain_exact;
    return s.linkage ? s.linkage : s.plain;
}
