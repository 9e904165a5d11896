/* SPDX-License-Identifier: BSD-3-Clause */
/* Line number programs of DWARF 2 to 5, and lookups in their rows.
 * Invariant: rows of a sequence are sorted by address, one row an address (the
 *            last one wins), and cover [low, high) of their sequence.
 * See DWARF 5, section 6.2. */
#include "dwarf_priv.h"

#include <stdlib.h>

#include "memory.h"

enum {
    DW_LNS_copy = 1,
    DW_LNS_advance_pc,
    DW_LNS_advance_line,
    DW_LNS_set_file,
    DW_LNS_set_column,
    DW_LNS_negate_stmt,
    DW_LNS_set_basic_block,
    DW_LNS_const_add_pc,
    DW_LNS_fixed_advance_pc,
};

enum { DW_LNE_end_sequence = 1, DW_LNE_set_address, DW_LNE_define_file };

enum { DW_LNCT_path = 1, DW_LNCT_directory_index };

enum { MAX_ROWS = 1 << 24, MAX_ENTRIES = 1 << 20, MAX_MOVES = 1 << 20 };

struct program {
    struct unit *unit;
    struct unit shape; /* its sizes are the line table's own, for form_read */
    struct detail *detail;
    struct cursor code;
    uint8_t minimum_length, opcode_base, line_range;
    int8_t line_base;
    uint8_t lengths[256];
    /* the state machine */
    uint64_t address;
    uint32_t file, line, column;
    size_t first_row; /* of the open sequence */
};

static void
add_directory(struct detail *d, const char *name)
{
    GROW(d->directories, d->directory_count, d->directory_room);
    d->directories[d->directory_count++] = name;
}

static void
add_file(struct detail *d, const char *name, uint64_t directory)
{
    GROW(d->files, d->file_count, d->file_room);
    d->files[d->file_count++] = (struct line_file){name, directory};
}

static void
read_old_tables(struct program *p, struct cursor *c)
{
    const char *name;

    add_directory(p->detail, p->unit->comp_dir);
    while ((name = cursor_string(c)) && *name && p->detail->directory_count < MAX_ENTRIES)
        add_directory(p->detail, name);
    add_file(p->detail, NULL, 0); /* files count from 1 */
    while ((name = cursor_string(c)) && *name && p->detail->file_count < MAX_ENTRIES) {
        add_file(p->detail, name, cursor_uleb(c));
        cursor_uleb(c);
        cursor_uleb(c);
    }
}

/* A DWARF 5 table: a list of formats, then entries made of them. */
static void
read_entries(struct program *p, struct cursor *c, bool files)
{
    struct {
        uint64_t content;
        unsigned form;
    } formats[16];

    unsigned format_count = cursor_u8(c);
    uint64_t count;

    for (unsigned i = 0; i < format_count; i++) {
        uint64_t content = cursor_uleb(c), form = cursor_uleb(c);

        if (i < 16) {
            formats[i].content = content;
            formats[i].form = form > UINT16_MAX ? UINT16_MAX : (unsigned)form;
        }
    }
    count = cursor_uleb(c);
    if (format_count > 16 || (format_count == 0 && count))
        cursor_fail(c);
    for (uint64_t i = 0; i < count && i < MAX_ENTRIES && !c->bad; i++) {
        const char *path = NULL;
        uint64_t directory = 0;
        struct value v;

        for (unsigned f = 0; f < format_count && form_read(&p->shape, c, formats[f].form, 0, &v); f++) {
            if (formats[f].content == DW_LNCT_path)
                path = value_string(&p->shape, &v);
            else if (formats[f].content == DW_LNCT_directory_index)
                directory = v.u;
        }
        if (c->bad)
            break;
        if (files)
            add_file(p->detail, path, directory);
        else
            add_directory(p->detail, path);
    }
}

static bool
read_header(struct program *p)
{
    struct unit *u = p->unit;
    struct cursor c = cursor_from(u->dwarf->line, u->stmt_list), tables;
    uint64_t length = cursor_u32(&c), header;

    p->shape = *u;
    p->shape.offset_size = 4;
    if (length == 0xffffffff) {
        length = cursor_u64(&c);
        p->shape.offset_size = 8;
    }
    if (c.bad || length > cursor_left(&c))
        return false;
    c.end = c.at + length;
    p->shape.version = cursor_u16(&c);
    if (p->shape.version < 2 || p->shape.version > 5)
        return false;
    if (p->shape.version == 5) {
        p->shape.address_size = cursor_u8(&c);
        cursor_u8(&c); /* segment selectors: none on x86-64 */
    }
    header = cursor_fixed(&c, p->shape.offset_size);
    if (c.bad || header > cursor_left(&c))
        return false;
    p->code = c;
    cursor_skip(&p->code, header);
    tables = c;
    tables.end = p->code.at;
    p->minimum_length = cursor_u8(&tables);
    if (p->shape.version >= 4)
        cursor_u8(&tables); /* operations an instruction: 1 here */
    cursor_u8(&tables);     /* default is_stmt */
    p->line_base = (int8_t)cursor_u8(&tables);
    p->line_range = cursor_u8(&tables);
    p->opcode_base = cursor_u8(&tables);
    for (unsigned i = 1; i < p->opcode_base; i++)
        p->lengths[i] = cursor_u8(&tables);
    p->detail->line_version = (uint8_t)p->shape.version;
    if (p->shape.version < 5) {
        read_old_tables(p, &tables);
    } else {
        read_entries(p, &tables, false);
        read_entries(p, &tables, true);
    }
    return p->line_range != 0 && p->opcode_base != 0;
}

static void
reset(struct program *p)
{
    p->address = 0;
    p->file = p->line = 1;
    p->column = 0;
    p->first_row = p->detail->row_count;
}

static void
add_row(struct program *p)
{
    struct detail *d = p->detail;
    struct line_row row = {p->address, p->file, p->line,
                           p->column > UINT16_MAX ? UINT16_MAX : (uint16_t)p->column};

    if (d->row_count > p->first_row && d->rows[d->row_count - 1].address == row.address)
        d->row_count--;
    if (d->row_count >= MAX_ROWS)
        return;
    GROW(d->rows, d->row_count, d->row_room);
    d->rows[d->row_count++] = row;
}

static int
by_address(const void *a, const void *b)
{
    uint64_t x = ((const struct line_row *)a)->address, y = ((const struct line_row *)b)->address;

    return x < y ? -1 : x > y;
}

/* Insertion sort, because programs are sorted already but for a rare few rows; up to a limit. */
static void
sort_rows(struct line_row *rows, size_t count)
{
    size_t moves = 0;

    for (size_t i = 1; i < count && moves < MAX_MOVES; i++) {
        struct line_row row = rows[i];
        size_t at = i;

        for (; at > 0 && rows[at - 1].address > row.address; at--, moves++)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
    if (moves >= MAX_MOVES)
        qsort(rows, count, sizeof *rows, by_address);
}

static void
end_sequence(struct program *p)
{
    struct detail *d = p->detail;
    struct line_sequence s = {
        .first = p->first_row, .count = d->row_count - p->first_row, .high = p->address};

    if (s.count) {
        sort_rows(d->rows + s.first, s.count);
        s.low = d->rows[s.first].address;
    }
    if (s.count && s.low < s.high) {
        GROW(d->sequences, d->sequence_count, d->sequence_room);
        d->sequences[d->sequence_count++] = s;
    } else {
        d->row_count = p->first_row;
    }
    reset(p);
}

static void
run_extended(struct program *p, struct cursor *c)
{
    uint64_t size = cursor_uleb(c);
    struct cursor op;

    if (size > cursor_left(c) || size == 0) {
        cursor_fail(c);
        return;
    }
    op = (struct cursor){c->at, c->at + size, false};
    cursor_skip(c, size);
    switch (cursor_u8(&op)) {
    case DW_LNE_end_sequence: end_sequence(p); break;
    case DW_LNE_set_address: p->address = cursor_fixed(&op, size - 1 > 8 ? 8 : (unsigned)size - 1); break;
    case DW_LNE_define_file: {
        const char *name = cursor_string(&op);

        if (p->detail->file_count < MAX_ENTRIES)
            add_file(p->detail, name, cursor_uleb(&op));
        break;
    }
    }
}

static void
run_special(struct program *p, unsigned opcode)
{
    unsigned n = opcode - p->opcode_base;

    p->address += (uint64_t)(n / p->line_range) * p->minimum_length;
    p->line += (uint32_t)(p->line_base + (int)(n % p->line_range));
    add_row(p);
}

static void
run_standard(struct program *p, struct cursor *c, unsigned opcode)
{
    switch (opcode) {
    case DW_LNS_copy: add_row(p); break;
    case DW_LNS_advance_pc: p->address += cursor_uleb(c) * p->minimum_length; break;
    case DW_LNS_advance_line: p->line += (uint32_t)cursor_sleb(c); break;
    case DW_LNS_set_file: p->file = (uint32_t)cursor_uleb(c); break;
    case DW_LNS_set_column: p->column = (uint32_t)cursor_uleb(c); break;
    case DW_LNS_negate_stmt:
    case DW_LNS_set_basic_block: break;
    case DW_LNS_const_add_pc:
        p->address += (uint64_t)((255 - p->opcode_base) / p->line_range) * p->minimum_length;
        break;
    case DW_LNS_fixed_advance_pc: p->address += cursor_u16(c); break;
    default:
        for (unsigned i = 0; i < p->lengths[opcode]; i++)
            cursor_uleb(c);
    }
}

static int
by_low(const void *a, const void *b)
{
    uint64_t x = ((const struct line_sequence *)a)->low, y = ((const struct line_sequence *)b)->low;

    return x < y ? -1 : x > y;
}

static void
sort_sequences(struct detail *d)
{
    uint64_t highest = 0;

    if (d->sequence_count)
        qsort(d->sequences, d->sequence_count, sizeof *d->sequences, by_low);
    for (size_t i = 0; i < d->sequence_count; i++) {
        if (d->sequences[i].high > highest)
            highest = d->sequences[i].high;
        d->sequences[i].highest = highest;
    }
}

void
lines_read(struct unit *u, struct detail *detail)
{
    struct program p = {.unit = u, .detail = detail};

    if (!u->has_lines || !read_header(&p))
        return;
    reset(&p);
    while (!p.code.bad && cursor_left(&p.code)) {
        unsigned opcode = cursor_u8(&p.code);

        if (opcode >= p.opcode_base)
            run_special(&p, opcode);
        else if (opcode == 0)
            run_extended(&p, &p.code);
        else
            run_standard(&p, &p.code, opcode);
    }
    detail->row_count = p.first_row; /* an unfinished sequence covers nothing */
    sort_sequences(detail);
}

static const struct line_row *
find_row(const struct line_row *rows, size_t count, uint64_t address)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (rows[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &rows[low - 1] : NULL;
}

/* NULL: no sequence of the unit covers the address. */
const struct line_row *
lines_find(const struct detail *d, uint64_t address)
{
    size_t low = 0, high = d->sequence_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->sequences[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && d->sequences[low - 1].highest > address) {
        const struct line_sequence *s = &d->sequences[--low];

        if (address < s->high)
            return find_row(d->rows + s->first, s->count, address);
    }
    return NULL;
}

/* The parts of a file's path: compilation directory, directory, name. */
void
lines_file(const struct unit *u, const struct detail *d, uint32_t file, const char *parts[3])
{
    uint64_t directory;

    parts[0] = parts[1] = parts[2] = NULL;
    if (file >= d->file_count || !d->files[file].name)
        return;
    directory = d->files[file].directory;
    parts[2] = d->files[file].name;
    if (directory < d->directory_count && (directory || d->line_version >= 5))
        parts[1] = d->directories[directory];
    parts[0] = u->comp_dir;
    if (directory == 0)
        parts[0] = NULL; /* directory 0 is the compilation directory itself */
    if (directory == 0 && !parts[1])
        parts[1] = u->comp_dir;
}
