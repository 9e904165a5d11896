/* Single steps of the program's own (TF set by itself). */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_STEP_H
#define DRTOOLS_TRANSLATOR_STEP_H

#include "core/thread.h"

static inline bool step_wanted(const struct thread *t) { return t->s.mc.rflags & 0x100; }

/* TF is set and the instruction at mc.rip is next: makes mc fit to run it alone. */
void step_prepare(struct thread *t);
/* It has run: mc is the program's again, and *pc where it goes on. Sets step.trap. */
void step_finish(struct thread *t, uint64_t *pc);
/* step.trap: the SIGTRAP, at mc.rip. */
NORETURN void step_raise(struct thread *t);
/* It was interrupted in `m`, before it had any effect: the state as the program knows it. */
void step_undo(struct thread *t, struct mcontext *m);
/* `m`, where the thread was interrupted, is past the instruction: its trap comes first. */
bool step_is_done(const struct thread *t, const struct mcontext *m);

#endif
