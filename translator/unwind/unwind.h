/* The unwinder: call stacks of the program, by .eh_frame where there is any.
 * dr_unwind and the calls beside it are in drtools/tool.h. See docs/unwinding.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_UNWIND_H
#define DRTOOLS_TRANSLATOR_UNWIND_H

#include "unwind/cfi.h"

/* [lo, hi) is mapped anew or not at all. Any thread; cheap where nothing was known of it. */
void unwind_forget(uint64_t lo, uint64_t hi);
void unwind_after_fork(void);

/* ---- between the parts ---- */

/* images.c: the object or range that holds pc, from a list kept by need. False: no executable memory. */
bool image_find(uint64_t pc, struct cfi_image *out);
bool image_executable(uint64_t pc);

/* guess.c: a rule for code in [lo, hi) that has no CFI. False: none. */
bool rule_guess(uint64_t pc, uint64_t lo, uint64_t hi, struct rule *out);

/* rules.c: rules that are known, by address. Changes of `unwind_generation` make all of them unknown. */
extern volatile uint32_t unwind_generation;
void rule_at(const struct frame *f, struct rule *out);

#endif
