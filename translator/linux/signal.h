/* Signals: the engine owns the kernel's handlers and plays the kernel to the program.
 * See docs/signals.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SIGNAL_H
#define DRTOOLS_TRANSLATOR_SIGNAL_H

#include "core/thread.h"
#include "linux/abi.h"

/* Signal dispositions of the program: one table a sighand of the kernel's. */
struct process {
    struct mutex lock;
    int users;
    struct ksigaction action[NSIG_MAX + 1];
};

/* The first thread: reads what execve left of dispositions and mask, installs ours. */
void signal_init_process(struct thread *t);
void signal_init_thread(struct thread *t);       /* the alternate stack, then the mask */
struct process *process_share(struct process *p);
struct process *process_copy(struct process *p);
void process_release(struct process *p);

/* Tells the kernel of the program's disposition of `sig`: the kernel's own for
 * default and ignore, our handler otherwise and for the five. */
void signal_install(int sig, const struct ksigaction *a);
/* The kernel's mask again, as the program's and what is queued demand. */
void signal_restore_mask(struct thread *t);
void signal_update_pending(struct thread *t);    /* s.pending: something can be delivered */
uint64_t signals_queued(const struct thread *t);
/* Makes our own frame return to dispatch, which goes on at t->s.mc. */
void signal_return_to_dispatch(struct thread *t, struct kucontext *uc);
/* handle_signals.c: signals that the program blocks must be pending in the kernel during each call of this thread. */
bool signals_must_be_exposed(const struct thread *t);
/* Hands what is held back to the kernel, and the mask as it is. */
void mask_expose(struct thread *t, uint64_t mask);
long native_exposed(struct thread *t, const struct mcontext *m);

/* notice.c. True: another engine's message, not the program's; dealt with if no engine lock can be held. */
bool notice_received(const struct ksiginfo *info, bool no_lock_held);

/* A signal is queued and the thread stands at t->s.mc: deliver it. Does not return
 * when it changes where the program goes on. */
void signal_deliver_queued(struct thread *t);
/* A signal that the program's own instruction raises, at t->s.mc. Anything queued is delivered on top of it. */
NORETURN void signal_raise(struct thread *t, const struct ksiginfo *info, uint64_t trapno, uint64_t err, uint64_t cr2);

static inline uint64_t kernel_mask(uint64_t app_mask) { return app_mask & ~SYNC_SIGNALS; }
void set_kernel_mask(uint64_t mask, uint64_t *old);

#endif
