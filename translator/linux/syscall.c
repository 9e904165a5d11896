/* The program's system calls. Most pass through as they are; the table below
 * names those in which the engine has a part.
 * Threads: each its own calls, in parallel; what is shared (regions, signal
 * dispositions, descriptors) has its own lock where it lives.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/syscall.h"

#include "core/cache.h"
#include "core/engine.h"
#include "linux/channel.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "drtools/syscalls.h"
#include "util/log.h"

/* ---- pass through ---- */

long
native_through(struct thread *t, const struct mcontext *m, long (*gate)(const struct mcontext *))
{
    long r;

    /* Asleep in the kernel, the thread holds back no cache memory. */
    __atomic_store_n(&t->safe_epoch, UINT64_MAX, __ATOMIC_SEQ_CST);
    do {
        t->swallowed = false;
        r = gate(m);
    } while (r == -E_INTR && t->swallowed && !t->queued);   /* by a signal that the program does not get */
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    return r;
}

long native_with(struct thread *t, const struct mcontext *m) { return native_through(t, m, app_syscall); }

/* ---- calls that write code ---- */

static bool read_for_walk(void *dst, uint64_t at, size_t n, void *cookie) { (void)cookie; return safe_read(dst, at, n); }

static bool
release_written(const struct syscall_range *r, void *any)
{
    uint64_t start, end;

    while (r->access == SYSCALL_WRITE && r->size <= 1ull << 47 && code_protected_in(r->addr, r->addr + r->size, &start, &end)) {
        code_release(start, end);
        *(bool *)any = true;
    }
    return true;
}

/* Pages that we have write-protected would make the call fail, after it had done
 * half of its work perhaps. True: there was one that it may write. */
static bool
open_written_pages(const struct mcontext *m)
{
    struct syscall_args a = {.nr = (uint32_t)m->gpr[RAX], .safe_read = read_for_walk,
                             .arg = {m->gpr[RDI], m->gpr[RSI], m->gpr[RDX], m->gpr[R10], m->gpr[R8], m->gpr[R9]}};
    bool any = false;

    if (code_any_protected() && syscall_may_write(a.nr))
        syscall_memory_pre(&a, release_written, &any);
    return any;
}

long
native(struct thread *t)
{
    if (signals_must_be_exposed(t))
        return native_exposed(t, &t->s.mc);
    open_written_pages(&t->s.mc);
    long r = native_with(t, &t->s.mc);
    if (r == -E_FAULT && open_written_pages(&t->s.mc))       /* another thread has run code there in between */
        r = native_with(t, &t->s.mc);
    return r;
}

static long on_clone(struct thread *t) { return process_clone(t, false); }
static long on_clone3(struct thread *t) { return process_clone(t, true); }
static long on_execve(struct thread *t) { return process_execve(t, false); }
static long on_execveat(struct thread *t) { return process_execve(t, true); }
static long on_exit(struct thread *t) { process_exit(t, __NR_exit, (int)ARG0(t)); }
static long on_exit_group(struct thread *t) { process_exit(t, __NR_exit_group, (int)ARG0(t)); }

/* ---- the table ---- */

typedef long (*syscall_fn)(struct thread *t);

static const syscall_fn handlers[] = {
    [__NR_open] = on_open,
    [__NR_openat] = on_openat,
    [__NR_openat2] = on_openat2,
    [__NR_close] = on_close,
    [__NR_stat] = on_path0,
    [__NR_lstat] = NULL,
    [__NR_newfstatat] = on_path1,
    [__NR_statx] = on_path1,
    [__NR_access] = on_path0,
    [__NR_faccessat] = on_path1,
    [__NR_faccessat2] = on_path1,
    [__NR_mmap] = on_mmap,
    [__NR_mprotect] = on_mprotect,
    [__NR_pkey_mprotect] = on_mprotect,
    [__NR_munmap] = on_munmap,
    [__NR_mremap] = on_mremap,
    [__NR_madvise] = on_madvise,
    [__NR_process_vm_writev] = on_process_vm_writev,
    [__NR_process_madvise] = on_process_madvise,
    [__NR_io_setup] = on_async_setup,
    [__NR_io_uring_setup] = on_async_setup,
    [__NR_userfaultfd] = on_userfaultfd,
    [__NR_shmat] = on_shmat,
    [__NR_shmdt] = on_shmdt,
    [__NR_personality] = on_personality,
    [__NR_rt_sigaction] = on_sigaction,
    [__NR_rt_sigprocmask] = on_sigprocmask,
    [__NR_rt_sigreturn] = on_sigreturn,
    [__NR_rt_sigpending] = on_sigpending,
    [__NR_rt_sigsuspend] = on_sigsuspend,
    [__NR_rt_sigtimedwait] = on_sigtimedwait,
    [__NR_signalfd] = on_signalfd,
    [__NR_signalfd4] = on_signalfd,
    [__NR_sigaltstack] = on_sigaltstack,
    [__NR_poll] = on_poll,
    [__NR_ppoll] = on_ppoll,
    [__NR_select] = on_select,
    [__NR_sendmsg] = on_sendmsg,
    [__NR_sendmmsg] = on_sendmmsg,
    [__NR_io_submit] = on_io_submit,
    [__NR_pselect6] = on_pselect6,
    [__NR_epoll_pwait] = on_epoll_pwait,
    [__NR_epoll_pwait2] = on_epoll_pwait,
    [__NR_dup2] = on_dup2,
    [__NR_dup3] = on_dup2,
    [__NR_write] = on_write,
    [__NR_writev] = on_write,
    [__NR_pwrite64] = on_write,
    [__NR_pwritev] = on_write,
    [__NR_pwritev2] = on_write,
    [__NR_getdents64] = on_getdents64,
    [__NR_close_range] = on_close_range,
    [__NR_readlink] = on_readlink,
    [__NR_readlinkat] = on_readlinkat,
    [__NR_arch_prctl] = on_arch_prctl,
    [__NR_prctl] = on_prctl,
    [__NR_seccomp] = on_seccomp,
    [__NR_ptrace] = on_ptrace,
    [__NR_getrlimit] = on_getrlimit,
    [__NR_setrlimit] = on_setrlimit,
    [__NR_prlimit64] = on_prlimit64,
    [__NR_brk] = on_brk,
    [__NR_rseq] = on_rseq,
    [__NR_clone] = on_clone,
    [__NR_fork] = on_clone,
    [__NR_vfork] = on_clone,
    [__NR_clone3] = on_clone3,
    [__NR_execve] = on_execve,
    [__NR_execveat] = on_execveat,
    [__NR_wait4] = on_wait4,
    [__NR_waitid] = on_waitid,
    [__NR_exit] = on_exit,
    [__NR_exit_group] = on_exit_group,
};

void
syscall_result(struct thread *t, uint64_t next, long r)
{
    t->s.mc.gpr[RAX] = (uint64_t)r;
    t->s.mc.gpr[RCX] = next;
    t->s.mc.gpr[R11] = t->s.mc.rflags;
    t->s.mc.rip = next;
}

long
syscall_carry_out(struct thread *t)
{
    uint64_t nr = t->s.mc.gpr[RAX];
    syscall_fn handler = nr < COUNT_OF(handlers) ? handlers[nr] : NULL;
    uint64_t was[SYSCALL_MAX_ARGS];
    unsigned disguised = descriptors_disguise(t, was);
    long r = handler ? handler(t) : native(t);

    if (UNLIKELY(disguised))
        descriptors_restore(t, disguised, was);
    return r;
}

void
syscall_program(struct thread *t, uint64_t at, uint64_t next)
{
    uint64_t nr = t->s.mc.gpr[RAX];
    if (UNLIKELY(t->user_dispatch.on))
        user_dispatch(t, next, ARCH_X86_64);
    long r = syscall_carry_out(t);

    LOG(LOG_SYSCALL, "syscall %lu(0x%lx, 0x%lx, 0x%lx, 0x%lx) at 0x%lx = %ld", nr, ARG0(t), ARG1(t), ARG2(t), ARG3(t), at, r);
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    if (r == SYSCALL_ABORTED) {
        t->s.mc.rip = at;            /* a signal came first; rax still holds the number */
        return;
    }
    syscall_result(t, next, r);
}

/* ---- the vsyscall page (arch/x86/entry/vsyscall/vsyscall_64.c) ---- */

/* The kernel shows the page in maps unless it was started with vsyscall=none. */
static bool
have_vsyscalls(void)
{
    static volatile int answer;          /* 1: yes, 2: no */
    char buf[4096 + 1], *s;
    long n, keep = 0;

    if (answer)
        return answer == 1;
    int fd = (int)sys_openat(-100, "/proc/self/maps", 02000000, 0);
    int found = 2;
    while (fd >= 0 && found == 2 && (n = sys_read(fd, buf + keep, sizeof buf - 1 - (size_t)keep)) > 0) {
        buf[keep + n] = 0;
        for (s = buf; (s = strchr(s, '\n')); s++)
            if (str_starts(s + 1, "ffffffffff600000-"))
                found = 1;
        keep = MIN(keep + n, 32);
        memmove(buf, buf + strlen(buf) - (size_t)keep, (size_t)keep);
    }
    if (fd >= 0)
        sys_close(fd);
    answer = found;
    return found == 1;
}

bool
vsyscall_program(struct thread *t)
{
    static const uint16_t number[] = {__NR_gettimeofday, __NR_time, __NR_getcpu};
    unsigned k = (unsigned)(t->s.mc.rip >> 10 & 3);
    struct mcontext m = t->s.mc;
    uint64_t ret;

    if (k >= COUNT_OF(number) || !safe_read(&ret, m.gpr[RSP], 8) || !have_vsyscalls())
        return false;
    m.gpr[RAX] = number[k];
    long r = native_with(t, &m);
    if (r == -E_FAULT)
        return false;                    /* a bad pointer is a SIGSEGV here: the kernel's emulation raises it */
    if (r != SYSCALL_ABORTED) {
        t->s.mc.gpr[RAX] = (uint64_t)r;
        t->s.mc.gpr[RSP] += 8;
        t->s.mc.rip = ret;
    }
    return true;
}
