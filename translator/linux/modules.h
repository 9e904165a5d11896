/* The program's modules: ELF files that are mapped to be executed. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_MODULES_H
#define DRTOOLS_TRANSLATOR_MODULES_H

#include "drtools/tool.h"
#include "linux/module_file.h"

/* Those that the engine itself has mapped, or the kernel; in the order that tools are to hear of them. */
enum first_module { MODULE_PROGRAM, MODULE_INTERPRETER, MODULE_VDSO };
void module_note_file(enum first_module which, int fd, uint64_t bias);
void module_note_vdso(const uint8_t *image);
/* Tells the tools of them. */
void modules_start(void);

/* Where there are tools. No locks held.
 * The program has mapped `n` bytes of a file at `at`, to be executed; [lo, lo+n) is about to be unmapped or mapped anew. */
void module_mapped(uint64_t at, uint64_t n, int fd, uint64_t offset);
void modules_unmapped(uint64_t lo, uint64_t n);

/* Any thread, no lock. */
bool module_find(uint64_t pc, struct dr_module *out);
void modules_lock_for_fork(void);
void modules_unlock_after_fork(bool child);

#endif
