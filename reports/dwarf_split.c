/* SPDX-License-Identifier: BSD-3-Clause */
/* Split DWARF: the .dwo file or the .dwp package that holds what a skeleton unit leaves out.
 * Both DWARF 5's and GNU's earlier form. See DWARF 5, sections 7.3.2 and 7.3.5. */
#include "dwarf_priv.h"

#include <stdlib.h>

#include "memory.h"

/* Columns of a package index; GNU's version 2 numbers rnglists' predecessors apart. */
enum { SECT_INFO = 1, SECT_ABBREV = 3, SECT_STR_OFFSETS = 6, SECT_RNGLISTS = 8 };

static struct dwarf *
split_dwarf(struct unit *skeleton, struct elf_file *elf)
{
    struct dwarf *whole = skeleton->dwarf, *d = dwarf_new(whole->budget, whole->path);

    d->info = elf_section(elf, ".debug_info.dwo");
    d->abbrev = elf_section(elf, ".debug_abbrev.dwo");
    d->str = elf_section(elf, ".debug_str.dwo");
    d->str_offsets = elf_section(elf, ".debug_str_offsets.dwo");
    d->rnglists = elf_section(elf, ".debug_rnglists.dwo");
    d->ranges = whole->ranges;
    d->addr = whole->addr;
    d->line = whole->line;
    d->line_str = whole->line_str;
    return d;
}

static struct span
part(struct span s, uint64_t offset, uint64_t size)
{
    struct cursor c = cursor_part(s, offset, size);

    return c.bad ? (struct span){NULL, 0} : (struct span){c.at, size};
}

/* Narrows the sections of a package to one unit's contributions. */
static bool
narrow(struct dwarf *d, struct span index, uint64_t id)
{
    struct cursor c = cursor_from(index, 0), hashes, rows, names, offsets, sizes;
    uint32_t version = cursor_u32(&c), columns = cursor_u32(&c), units = cursor_u32(&c),
             slots = cursor_u32(&c);
    uint64_t at = 16;
    uint32_t row = 0;

    if ((version & 0xffff) != 5 && version != 2)
        return false;
    if (c.bad || columns > 16 || slots > index.size / 12 || units > index.size)
        return false;
    hashes = cursor_part(index, at, (uint64_t)slots * 8);
    rows = cursor_part(index, at += (uint64_t)slots * 8, (uint64_t)slots * 4);
    names = cursor_part(index, at += (uint64_t)slots * 4, (uint64_t)columns * 4);
    for (uint32_t i = 0; i < slots && row == 0; i++) {
        uint64_t hash = cursor_u64(&hashes);
        uint32_t candidate = cursor_u32(&rows);

        if (hash == id)
            row = candidate;
    }
    if (row == 0 || row > units)
        return false;
    at += (uint64_t)columns * 4;
    offsets = cursor_part(index, at + (uint64_t)(row - 1) * columns * 4, (uint64_t)columns * 4);
    sizes = cursor_part(index, at + ((uint64_t)units + row - 1) * columns * 4, (uint64_t)columns * 4);
    for (uint32_t i = 0; i < columns; i++) {
        uint32_t name = cursor_u32(&names), offset = cursor_u32(&offsets), size = cursor_u32(&sizes);

        if (name == SECT_INFO)
            d->info = part(d->info, offset, size);
        else if (name == SECT_ABBREV)
            d->abbrev = part(d->abbrev, offset, size);
        else if (name == SECT_STR_OFFSETS)
            d->str_offsets = part(d->str_offsets, offset, size);
        else if (name == SECT_RNGLISTS && version != 2)
            d->rnglists = part(d->rnglists, offset, size);
    }
    return !sizes.bad;
}

static struct elf_file *
open_package(struct dwarf *d)
{
    if (!d->package_tried && d->path) {
        char *name = memory_printf("%s.dwp", d->path);

        d->package = elf_open(name);
        free(name);
    }
    d->package_tried = true;
    return d->package;
}

/* Where the compiler wrote it, or beside the program, where it may have been moved. */
static struct elf_file *
open_dwo(const struct unit *u)
{
    const char *slash = u->dwarf->path ? strrchr(u->dwarf->path, '/') : NULL;
    const char *base = strrchr(u->dwo_name, '/');
    struct elf_file *elf;
    char *name;

    name = u->dwo_name[0] == '/' || !u->comp_dir ? memory_string(u->dwo_name)
                                                 : memory_printf("%s/%s", u->comp_dir, u->dwo_name);
    elf = elf_open(name);
    free(name);
    if (elf || !slash)
        return elf;
    name = memory_printf("%.*s/%s", (int)(slash - u->dwarf->path), u->dwarf->path,
                         base ? base + 1 : u->dwo_name);
    elf = elf_open(name);
    free(name);
    return elf;
}

/* What only the skeleton knows. */
static void
complete(struct unit *u, const struct unit *skeleton)
{
    u->addr_base = skeleton->addr_base;
    u->low_pc = skeleton->low_pc;
    u->ranges_base = skeleton->split_ranges_base;
    u->comp_dir = skeleton->comp_dir;
}

static struct unit *
find_unit(struct dwarf *d, const struct unit *skeleton)
{
    dwarf_read_units(d);
    for (size_t i = 0; i < d->unit_count; i++) {
        struct unit *u = &d->units[i];

        if (!u->has_dwo_id || !skeleton->has_dwo_id || u->dwo_id == skeleton->dwo_id) {
            complete(u, skeleton);
            return u;
        }
    }
    return NULL;
}

static struct unit *
use(struct unit *skeleton, struct elf_file *elf, bool package, struct detail *detail)
{
    struct dwarf *d = split_dwarf(skeleton, elf);
    struct unit *u = NULL;

    if (!package || narrow(d, elf_section(elf, ".debug_cu_index"), skeleton->dwo_id))
        u = find_unit(d, skeleton);
    if (u)
        detail->split = d;
    else
        dwarf_close(d);
    return u;
}

struct unit *
split_open(struct unit *u, struct detail *detail)
{
    struct elf_file *elf;
    struct unit *full = NULL;

    if (!u->dwo_name || u->dwarf->path == NULL)
        return NULL;
    elf = open_package(u->dwarf);
    if (elf)
        full = use(u, elf, true, detail);
    if (full)
        return full;
    elf = open_dwo(u);
    if (!elf)
        return NULL;
    full = use(u, elf, false, detail);
    if (full)
        detail->split_file = elf;
    else
        elf_close(elf);
    return full;
}
