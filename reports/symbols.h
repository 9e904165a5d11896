/* SPDX-License-Identifier: BSD-3-Clause */
/* From a module and an address to the functions and source lines there. docs/symbols.md tells how. */
#ifndef DRTOOLS_REPORTS_SYMBOLS_H
#define DRTOOLS_REPORTS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;
struct symbol_module;

/* Strings live as long as the symbols. */
struct symbol_frame {
    const char *function;  /* demangled, no parameters; NULL: not known        */
    const char *signature; /* demangled, with parameters                       */
    const char *linkage;   /* as the linker sees it                            */
    const char *file;      /* path from the debug information; NULL: not known */
    unsigned line, column; /* 0: not known                                     */
    bool inlined;          /* into the next frame                              */
};

enum symbol_quality {
    SYMBOLS_LINES,    /* functions and lines                                           */
    SYMBOLS_NAMES,    /* no debug information: symbol names only                       */
    SYMBOLS_EXPORTS,  /* stripped: names of exported functions only                    */
    SYMBOLS_NONE,     /* stripped of everything                                        */
    SYMBOLS_REPLACED, /* the file is another build by now                              */
    SYMBOLS_GONE,     /* the file cannot be read                                       */
};

/* `debug_roots` is NULL-terminated, as in debug_file.h; NULL for the usual. It must outlive the symbols.
 * `memory` bounds what is kept decoded, in bytes; 0 for the usual. */
struct symbols *symbols_new(const char *const *debug_roots, size_t memory);
void symbols_free(struct symbols *s);

/* The module of this path and build-id (which may be empty); opened at the first lookup. Lives as long as `s`.
 * A path of "[vdso]" is the kernel's. */
struct symbol_module *symbols_module(struct symbols *s, const char *path, const void *build_id,
                                     size_t build_id_size);
enum symbol_quality symbols_quality(struct symbol_module *m);

/* The frames of the instruction at `address`, counted as in the file's headers, innermost first. The list lives until
 * the next call. 0: nothing is known. */
size_t symbols_lookup(struct symbol_module *m, uint64_t address, const struct symbol_frame **frames);
/* A function begins at `address`: the names, by which programs call it: `malloc`, not one of its aliases; `memset`, not that
 * of its variants which fits the CPU. False: none does. */
bool symbols_called(struct symbol_module *m, uint64_t address, struct symbol_frame *names);

#endif
