/* Loads of the dynamic linker's own string functions, which have no names to replace them by. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_OVERREAD_H
#define DRTOOLS_DRMEMORY_OVERREAD_H

#include "drmemory.h"

/* The load of n bytes at a by the instruction at pc: some of them are unaddressable, it is such a function's, and no error.
 * The bytes load as undefined. See docs/drmemory-strings.md. */
bool overread_of_interpreter(uint64_t pc, uint64_t a, uint64_t n);
void overread_module_load(const struct dr_module *m);

#endif
