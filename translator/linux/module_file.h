/* The ELF file behind a module: its segments, build-id and symbols. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_MODULE_FILE_H
#define DRTOOLS_TRANSLATOR_MODULE_FILE_H

#include "util/base.h"

/* In the file's own addresses. */
struct file_segment { uint64_t vaddr, size, offset, file_size; uint8_t prot; };

/* Lives until the process ends, however often it is mapped and unmapped. */
struct module_file {
    struct module_file *next;
    uint64_t dev, ino, mtime[2];
    const uint8_t *image;               /* the file as it is on disk            */
    uint64_t size;
    uint64_t lo, hi;                    /* extent of all segments, page-aligned */
    const uint8_t *build_id;
    unsigned build_id_size;
    unsigned n_segments;
    struct file_segment *segment;       /* those to be loaded, as in the file   */
    char path[];
};

/* The file of `fd`, mapped for good. NULL: not an ELF file of this machine, or no memory.
 * The caller sees to it that one thread at a time calls it. */
const struct module_file *module_file_open(int fd);
/* One that is in memory already, and looks there as it would on disk: the vdso. */
const struct module_file *module_file_in_memory(const uint8_t *image, const char *path);

/* A symbol that the file defines, as it stands there. False from `f`: enough. */
struct file_symbol { const char *name; uint64_t vaddr, size; uint8_t type, binding; bool dynamic, hidden_version; };
void module_file_symbols(const struct module_file *f, bool (*use)(const struct file_symbol *s, void *arg), void *arg);

#endif
