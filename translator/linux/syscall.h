/* The program's system calls, as far as the engine has a part in them. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SYSCALL_H
#define DRTOOLS_TRANSLATOR_SYSCALL_H

#include "core/thread.h"

/* Carries out the system call at `at` with the registers of t->s.mc and leaves
 * there what the program sees at `next`. Does not return from those that end
 * the thread or replace its context. */
void syscall_program(struct thread *t, uint64_t at, uint64_t next);

/* The program sees the system call before `next` return r. */
void syscall_result(struct thread *t, uint64_t next, long r);

/* A call of the vsyscall page: carried out, and returned from. False: there is none, it is to fault. */
static inline bool is_vsyscall(uint64_t pc) { return (pc & ~0xc00ull) == 0xffffffffff600000; }
bool vsyscall_program(struct thread *t);

/* app_syscall's answer when a signal came before the instruction. */
enum { SYSCALL_ABORTED = -4095, SYSCALL_NO_GATE = -4094 /* this kernel has no IA32 emulation */ };
long app_syscall(const struct mcontext *mc);
long app_syscall_ia32(const struct mcontext *mc);      /* the same by int 0x80 */
/* The call of t->s.mc, with the engine's part in it. Returns what the program is to find in rax. */
long syscall_carry_out(struct thread *t);
/* The one of `int 0x80` at mc.rip; *next is the address behind it and becomes where the program goes on.
 * False: the kernel has no such gate. */
bool syscall_ia32_program(struct thread *t, uint64_t *next);

/* linux/process.c */
long process_clone(struct thread *t, bool clone3);
long process_execve(struct thread *t, bool at);
/* Starts the engine anew for the script at `path`; back only when that fails. */
void exec_script(const char *path, uint64_t argv, uint64_t envp);
NORETURN void process_exit(struct thread *t, long nr, int status);    /* nr: exit or exit_group */

/* linux/handle_process.c */
enum { ARCH_X86_64 = 0xc000003e, ARCH_I386 = 0x40000003 };
void user_dispatch(struct thread *t, uint64_t next, uint32_t arch);    /* returns unless the call becomes a SIGSYS */

/* linux/handle_limits.c: how much of the kernel's RLIMIT_AS and RLIMIT_DATA is not the program's own, soft and hard;
 * 0: the program has set none */
enum { LIMITS_SHARED = 2 };
void limits_hand_on(uint64_t extra[LIMITS_SHARED][2]);
void limits_inherit(const uint64_t extra[LIMITS_SHARED][2]);
void limits_move(int64_t bytes);                /* the engine's memory has grown by so many bytes */

/* linux/proc_files.c: a descriptor of /proc/self/NAME as the program may see it. False: no such text. */
bool proc_file_open(const char *name, int flags, long *result);

/* linux/hide.c: what the program could find of us through files */
bool hide_open(uint64_t path, int flags, long *result);
bool hide_readlink(uint64_t path, uint64_t buf, uint64_t size, long *result);
bool hide_names_ours(uint64_t path);            /* one of our descriptors, by way of /proc or /dev/fd */
bool hide_names_memory(uint64_t path);          /* the program's own /proc/self/mem */
bool hide_is_exe(const char *path);              /* /proc/self/exe */
bool hide_is_own_memory(const char *path);
/* The program's executable, where `path` names it by way of /proc; else NULL. */
const char *hide_exe_path(uint64_t path);

#endif
