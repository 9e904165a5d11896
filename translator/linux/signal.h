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
void signal_init_thread(struct thread *t);       /* the alternate stack */
struct process *process_share(struct process *p);
struct process *process_copy(struct process *p);
void process_release(struct process *p);

/* The program's system calls. Results as the kernel's. */
long signal_sigaction(struct thread *t, int sig, uint64_t act, uint64_t old, uint64_t setsize);
long signal_sigprocmask(struct thread *t, int how, uint64_t set, uint64_t old, uint64_t setsize);
long signal_sigaltstack(struct thread *t, uint64_t ss, uint64_t old);
long signal_sigpending(struct thread *t, uint64_t set, uint64_t setsize);
NORETURN void signal_sigreturn(struct thread *t);

/* A signal is queued and the thread stands at t->s.mc: deliver it. Does not return
 * when it changes where the program goes on. */
void signal_deliver_queued(struct thread *t);
/* Queue a made-up signal and deliver it at t->s.mc. */
NORETURN void signal_raise(struct thread *t, const struct ksiginfo *info, uint64_t trapno, uint64_t err, uint64_t cr2);

static inline uint64_t kernel_mask(uint64_t app_mask) { return app_mask & ~SYNC_SIGNALS; }
void set_kernel_mask(uint64_t mask, uint64_t *old);

#endif
