/* SPDX-License-Identifier: BSD-3-Clause */
/* Code ranges of a DIE: low/high, .debug_ranges (DWARF 3 and 4), .debug_rnglists (5).
 * See DWARF 5, sections 2.17.3 and 7.25. */
#include "dwarf_priv.h"

enum {
    DW_RLE_end_of_list,
    DW_RLE_base_addressx,
    DW_RLE_startx_endx,
    DW_RLE_startx_length,
    DW_RLE_offset_pair,
    DW_RLE_base_address,
    DW_RLE_start_end,
    DW_RLE_start_length,
};

struct sink {
    range_fn *each;
    void *context;
};

static void
emit(struct sink *sink, uint64_t low, uint64_t high)
{
    /* Linkers put -1 or -2 (or 0, which costs nothing) where a dropped function was. */
    if (low < high && low < UINT64_MAX - 1)
        sink->each(sink->context, low, high);
}

static uint64_t
indexed(const struct unit *u, struct cursor *c)
{
    struct value v = {VALUE_ADDRESS_INDEX, cursor_uleb(c), NULL};
    uint64_t address = UINT64_MAX;

    value_address(u, &v, &address);
    return address;
}

static void
read_rnglist(const struct unit *u, uint64_t offset, struct sink *sink)
{
    struct cursor c = cursor_from(u->dwarf->rnglists, offset);
    uint64_t base = u->low_pc, low, high;

    while (!c.bad) {
        switch (cursor_u8(&c)) {
        case DW_RLE_base_addressx: base = indexed(u, &c); continue;
        case DW_RLE_base_address: base = cursor_fixed(&c, u->address_size); continue;
        case DW_RLE_startx_endx:
            low = indexed(u, &c);
            high = indexed(u, &c);
            break;
        case DW_RLE_startx_length:
            low = indexed(u, &c);
            high = low + cursor_uleb(&c);
            break;
        case DW_RLE_offset_pair:
            low = base + cursor_uleb(&c);
            high = base + cursor_uleb(&c);
            if (base >= UINT64_MAX - 1)
                continue;
            break;
        case DW_RLE_start_end:
            low = cursor_fixed(&c, u->address_size);
            high = cursor_fixed(&c, u->address_size);
            break;
        case DW_RLE_start_length:
            low = cursor_fixed(&c, u->address_size);
            high = low + cursor_uleb(&c);
            break;
        default: return;
        }
        if (!c.bad)
            emit(sink, low, high);
    }
}

static void
read_old_list(const struct unit *u, uint64_t offset, struct sink *sink)
{
    struct cursor c = cursor_from(u->dwarf->ranges, offset);
    uint64_t base = u->low_pc;
    uint64_t select = u->address_size == 8 ? UINT64_MAX : UINT32_MAX;

    for (;;) {
        uint64_t low = cursor_fixed(&c, u->address_size), high = cursor_fixed(&c, u->address_size);

        if (c.bad || (low == 0 && high == 0))
            return;
        if (low == select)
            base = high;
        else
            emit(sink, base + low, base + high);
    }
}

static void
read_list(const struct unit *u, const struct value *v, struct sink *sink)
{
    if (u->version < 5) {
        read_old_list(u, v->u + u->ranges_base, sink);
    } else if (v->kind == VALUE_LIST_INDEX) {
        struct cursor c;

        if (v->u > UINT32_MAX)
            return;
        c = cursor_part(u->dwarf->rnglists, u->rnglists_base + v->u * u->offset_size, u->offset_size);
        if (!c.bad)
            read_rnglist(u, u->rnglists_base + cursor_fixed(&c, u->offset_size), sink);
    } else {
        read_rnglist(u, v->u, sink);
    }
}

void
ranges_read(const struct unit *u, const struct value *low, const struct value *high,
            const struct value *ranges, range_fn *each, void *context)
{
    struct sink sink = {each, context};
    uint64_t from, to;

    if (ranges->kind != VALUE_NONE) {
        read_list(u, ranges, &sink);
    } else if (value_address(u, low, &from) && high->kind != VALUE_NONE) {
        if (!value_address(u, high, &to))
            to = from + high->u;
        emit(&sink, from, to);
    }
}
