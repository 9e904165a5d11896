/* Loading the program and its ELF interpreter as the kernel would. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_ELF_H
#define DRTOOLS_TRANSLATOR_ELF_H

#include "util/base.h"

struct image {
    uint64_t base;            /* load bias                                     */
    uint64_t lo, hi;          /* page-aligned extent                           */
    uint64_t entry, phdr, phnum;
    uint64_t code_lo, code_hi, data_lo, data_hi, brk;
    char interp[4096];        /* path, or empty                                */
    bool pie, exec_stack;
};

/* Extent of the image in `fd` before mapping: its size and kind. NULL, or what is wrong. */
const char *elf_probe(int fd, struct image *im, uint64_t *span, uint64_t *align);
/* Maps it; `at` is the place of a PIE (0: wherever the kernel puts it). NULL, or what is wrong. */
const char *elf_map(int fd, uint64_t at, struct image *im);

#endif
