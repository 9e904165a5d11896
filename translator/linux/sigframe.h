/* The frame that a signal handler of the program finds on its stack. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SIGFRAME_H
#define DRTOOLS_TRANSLATOR_SIGFRAME_H

#include "linux/abi.h"
#include "linux/signal.h"

/* Builds the frame on the program's stack and sets t->s.mc to the handler's first
 * instruction. `uc` gives the vector state. False: the stack cannot be written. */
bool sigframe_push(struct thread *t, const struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info,
                   const struct ksigaction *a);
void mcontext_from_frame(struct mcontext *m, const struct ksigcontext *c);
void mcontext_to_frame(const struct mcontext *m, struct ksigcontext *c);
/* The program address that a saved x87 instruction pointer stands for. */
/* What the x87 unit has of an instruction in the cache, as of the program's own: its address, opcode and operand. */
struct x87_pointers { uint64_t fip, fdp; uint16_t fop; };
void x87_program_pointers(const struct thread *t, struct x87_pointers *p);
/* do_sigaltstack of the kernel, with the program's stack pointer `sp`. */
long altstack_set(struct thread *t, const struct kstack *ss, uint64_t sp);
extern uint64_t engine_min_sigstack;

#endif
