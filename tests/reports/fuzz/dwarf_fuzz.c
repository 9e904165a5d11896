/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes at all as an ELF file with debug information, and as its own alternate file. */
#include <stdlib.h>

#include "reports/demangle.h"
#include "reports/dwarf.h"
#include "reports/symtab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

size_t sink; /* so that the strings are read */

static size_t
use(const struct dwarf_frame *f)
{
    size_t n = f->function ? strlen(f->function) : 0;

    for (int i = 0; i < 3; i++)
        n += f->parts[i] ? strlen(f->parts[i]) : 0;
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dwarf_budget budget = {.limit = 1 << 20};
    struct elf_file *elf = elf_open_memory(data, size);
    struct dwarf_frame frames[DWARF_MAX_FRAMES];
    struct dwarf *d;
    struct symtab *symtab;
    uint64_t start;

    if (!elf)
        return 0;
    d = dwarf_open(elf, NULL, elf, &budget);
    symtab = symtab_read(elf, NULL);
    for (uint64_t a = 0x401000; a < 0x401100; a += 5) {
        size_t n = d ? dwarf_lookup(d, a, frames) : 0;

        for (size_t i = 0; i < n; i++)
            sink += use(&frames[i]);
        symtab_find(symtab, a, &start);
    }
    sink += elf_build_id(elf).size;
    symtab_free(symtab);
    dwarf_close(d);
    elf_close(elf);
    return 0;
}
