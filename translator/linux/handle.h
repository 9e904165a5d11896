/* The system calls in which the engine has a part: one handler each.
 * A handler finds the program's registers in t->s.mc, with rip at the call, and
 * returns what the program is to find in rax, or SYSCALL_ABORTED.
 * Bad pointers are the program's: a handler answers as the kernel would. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_HANDLE_H
#define DRTOOLS_TRANSLATOR_HANDLE_H

#include "core/thread.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "drtools/syscalls.h"

#define ARG0(t) ((t)->s.mc.gpr[RDI])
#define ARG1(t) ((t)->s.mc.gpr[RSI])
#define ARG2(t) ((t)->s.mc.gpr[RDX])
#define ARG3(t) ((t)->s.mc.gpr[R10])
#define ARG4(t) ((t)->s.mc.gpr[R8])
#define ARG5(t) ((t)->s.mc.gpr[R9])

enum { E_PERM = 1, E_NOENT = 2, E_SRCH = 3, E_INTR = 4, E_BADF = 9, E_AGAIN = 11, E_NOMEM = 12, E_FAULT = 14, E_EXIST = 17, E_INVAL = 22, E_MFILE = 24,
       E_TXTBSY = 26, E_NOSYS = 38, E_2BIG = 7 };

/* The call as the program made it; with other registers. */
long native(struct thread *t);
long native_with(struct thread *t, const struct mcontext *m);
long native_through(struct thread *t, const struct mcontext *m, long (*gate)(const struct mcontext *));

/* handle_memory.c */
long on_mmap(struct thread *t);
long on_munmap(struct thread *t);
long on_mprotect(struct thread *t);
long on_mremap(struct thread *t);
long on_madvise(struct thread *t);
long on_process_madvise(struct thread *t);
long on_async_setup(struct thread *t);
long on_userfaultfd(struct thread *t);
long on_shmat(struct thread *t);
long on_shmdt(struct thread *t);
long on_personality(struct thread *t);
long on_process_vm_writev(struct thread *t);
long write_other_process(struct thread *t);     /* notice.c: process_vm_writev to another */
/* Bytes of the program were written in a way that passes by page protection. */
void code_written(uint64_t at, uint64_t n);

/* handle_signals.c */
long on_sigaction(struct thread *t);
long on_sigprocmask(struct thread *t);
long on_sigaltstack(struct thread *t);
long on_sigpending(struct thread *t);
long on_sigreturn(struct thread *t);
long on_sigsuspend(struct thread *t);
long on_sigtimedwait(struct thread *t);
long on_signalfd(struct thread *t);
long ppoll_masked(struct thread *t);
long pselect6_masked(struct thread *t);
long on_epoll_pwait(struct thread *t);

/* handle_files.c */
long on_open(struct thread *t);
long on_openat(struct thread *t);
long on_openat2(struct thread *t);
long on_close(struct thread *t);
long on_close_range(struct thread *t);
long on_dup2(struct thread *t);
long on_getdents64(struct thread *t);
long on_write(struct thread *t);
long on_readlink(struct thread *t);
long on_readlinkat(struct thread *t);
long on_path0(struct thread *t);
long on_path1(struct thread *t);

/* handle_descriptors.c */
/* Bit k: argument k names a descriptor of ours. It then names none, and was[k] is what it was. */
unsigned descriptors_disguise(struct thread *t, uint64_t was[SYSCALL_MAX_ARGS]);
void descriptors_restore(struct thread *t, unsigned set, const uint64_t was[SYSCALL_MAX_ARGS]);
long on_poll(struct thread *t);
long on_ppoll(struct thread *t);
long on_select(struct thread *t);
long on_pselect6(struct thread *t);
long on_sendmsg(struct thread *t);
long on_sendmmsg(struct thread *t);
long on_io_submit(struct thread *t);

/* handle_process.c */
long on_arch_prctl(struct thread *t);
long on_prctl(struct thread *t);
long on_seccomp(struct thread *t);
void confine(void);             /* the program is about to filter system calls */
long on_ptrace(struct thread *t);
long on_rseq(struct thread *t);

/* handle_limits.c */
long on_getrlimit(struct thread *t);
long on_setrlimit(struct thread *t);
long on_prlimit64(struct thread *t);
long on_brk(struct thread *t);

#endif
