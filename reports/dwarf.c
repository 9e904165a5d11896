/* SPDX-License-Identifier: BSD-3-Clause */
/* Lookups: from an address to its unit, from the unit's rows and functions to frames.
 * Invariant: a unit with decoded detail is on its budget's list, newest first;
 *            the list's bytes stay below the limit but for the unit in use. */
#include "dwarf.h"

#include <stdlib.h>

#include "dwarf_priv.h"
#include "memory.h"

struct dwarf *
dwarf_open(struct elf_file *elf, const char *path, struct elf_file *alternate, struct dwarf_budget *budget)
{
    struct dwarf *d = dwarf_new(budget, path);

    d->info = elf_section(elf, ".debug_info");
    d->abbrev = elf_section(elf, ".debug_abbrev");
    d->str = elf_section(elf, ".debug_str");
    d->line = elf_section(elf, ".debug_line");
    d->line_str = elf_section(elf, ".debug_line_str");
    d->ranges = elf_section(elf, ".debug_ranges");
    d->rnglists = elf_section(elf, ".debug_rnglists");
    d->addr = elf_section(elf, ".debug_addr");
    d->str_offsets = elf_section(elf, ".debug_str_offsets");
    if (alternate)
        d->alternate = dwarf_open(alternate, NULL, NULL, budget);
    if (!dwarf_read_units(d)) {
        dwarf_close(d);
        return NULL;
    }
    return d;
}

/* ---- detail and its budget ---- */

static void
unlink_unit(struct dwarf_budget *b, struct unit *u)
{
    *(u->newer ? &u->newer->older : &b->newest) = u->older;
    *(u->older ? &u->older->newer : &b->oldest) = u->newer;
    u->newer = u->older = NULL;
}

static void
link_newest(struct dwarf_budget *b, struct unit *u)
{
    u->older = b->newest;
    *(b->newest ? &b->newest->newer : &b->oldest) = u;
    b->newest = u;
}

static void
drop_detail(struct unit *u)
{
    struct detail *d = u->detail;

    if (!d)
        return;
    unlink_unit(u->dwarf->budget, u);
    u->dwarf->budget->used -= d->bytes;
    dwarf_close(d->split);
    elf_close(d->split_file);
    free(d->functions);
    free(d->ranges);
    free(d->rows);
    free(d->sequences);
    free(d->directories);
    free(d->files);
    free(d);
    u->detail = NULL;
}

static size_t
measure(const struct detail *d)
{
    return d->function_room * sizeof *d->functions + d->range_room * sizeof *d->ranges +
           d->row_room * sizeof *d->rows + d->sequence_room * sizeof *d->sequences +
           d->directory_room * sizeof *d->directories + d->file_room * sizeof *d->files + sizeof *d;
}

static struct detail *
read_detail(struct unit *u)
{
    struct detail *d = memory_zalloc(1, sizeof *d);
    struct unit *full;

    lines_read(u, d);
    full = split_open(u, d);
    functions_read(full ? full : u, d);
    d->bytes = measure(d);
    return d;
}

static struct detail *
detail_of(struct unit *u)
{
    struct dwarf_budget *b = u->dwarf->budget;

    if (u->detail) {
        unlink_unit(b, u);
        link_newest(b, u);
        return u->detail;
    }
    u->detail = read_detail(u);
    b->used += u->detail->bytes;
    link_newest(b, u);
    while (b->used > b->limit && b->oldest != u)
        drop_detail(b->oldest);
    return u->detail;
}

void
dwarf_close(struct dwarf *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->unit_count; i++)
        drop_detail(&d->units[i]);
    for (size_t i = 0; i < ABBREV_SLOTS; i++)
        if (d->slots[i]) {
            free(d->slots[i]->list);
            free(d->slots[i]->attributes);
            free(d->slots[i]);
        }
    dwarf_close(d->alternate);
    elf_close(d->package);
    free(d->units);
    free(d->unit_ranges);
    free(d);
}

/* ---- lookups ---- */

static void
name_frame(struct dwarf *d, const struct function *f, struct dwarf_frame *frame)
{
    frame->function = function_name(d, f->die, &frame->exact_name);
    frame->function_low = f->inlined ? 0 : f->low;
    frame->inlined = f->inlined;
}

static size_t
build_frames(struct unit *u, uint64_t address, struct dwarf_frame *frames)
{
    struct detail *d = detail_of(u);
    struct dwarf *names = d->split ? d->split : u->dwarf;
    const struct function *f = functions_find(d, address);
    const struct line_row *row = lines_find(d, address);
    size_t count = 0;

    if (!f && !row)
        return 0;
    frames[0] = (struct dwarf_frame){0};
    if (row) {
        lines_file(u, d, row->file, frames[0].parts);
        frames[0].line = row->line;
        frames[0].column = row->column;
    }
    for (; f; f = f->parent < 0 ? NULL : &d->functions[f->parent]) {
        name_frame(names, f, &frames[count++]);
        if (!f->inlined || f->parent < 0 || count == DWARF_MAX_FRAMES)
            break;
        frames[count] = (struct dwarf_frame){.line = f->call_line, .column = f->call_column};
        lines_file(u, d, f->call_file, frames[count].parts);
    }
    if (count == 0)
        return 1;
    frames[count - 1].inlined = false;
    return count;
}

/* Units overlap only in strange files; then the one that starts last is asked first. */
size_t
dwarf_lookup(struct dwarf *d, uint64_t address, struct dwarf_frame frames[DWARF_MAX_FRAMES])
{
    size_t low = 0, high = d->unit_range_count, count = 0;
    unsigned tries = 0;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (d->unit_ranges[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && d->unit_ranges[low - 1].highest > address && count == 0 && tries < 64) {
        const struct unit_range *r = &d->unit_ranges[--low];

        if (address >= r->high)
            continue;
        count = build_frames(&d->units[r->unit], address, frames);
        tries++;
    }
    return count;
}
