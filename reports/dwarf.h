/* SPDX-License-Identifier: BSD-3-Clause */
/* Debug information, DWARF 2 to 5: which function, inlined calls and source line a code address belongs to.
 * docs/symbols.md says why this is not libdwarf. */
#ifndef DRTOOLS_REPORTS_DWARF_H
#define DRTOOLS_REPORTS_DWARF_H

#include "elf_file.h"

struct dwarf;

/* What is decoded is dropped again, the longest unused first, once it exceeds `limit` bytes. */
struct dwarf_budget {
    size_t limit, used;
    struct unit *newest, *oldest;
};

/* Strings belong to the debug file and live until the next lookup of the same dwarf. */
struct dwarf_frame {
    const char *function;  /* linkage name where there is one, otherwise the plain name; may be NULL      */
    bool exact_name;       /* `function` needs no help from the symbol table                              */
    uint64_t function_low; /* the function's lowest address; 0 for an inlined one                         */
    const char *parts[3];  /* of the source file's path, to be joined with '/'; absolute ones cut the rest */
    unsigned line, column; /* 0: not known */
    bool inlined;          /* this frame was inlined into the next one */
};

enum { DWARF_MAX_FRAMES = 64 };

/* All files stay the caller's and must outlive the dwarf. `alternate` is dwz's, or NULL. `path` is where `elf` is or
 * would be: split debug files are looked for there too. NULL: no debug information. */
struct dwarf *dwarf_open(struct elf_file *elf, const char *path, struct elf_file *alternate,
                         struct dwarf_budget *budget);
void dwarf_close(struct dwarf *d);
/* Frames of `address` (as in the file's headers), innermost first, and how many; 0: not known here. */
size_t dwarf_lookup(struct dwarf *d, uint64_t address, struct dwarf_frame frames[DWARF_MAX_FRAMES]);

#endif
