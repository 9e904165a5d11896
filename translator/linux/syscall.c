/* The program's system calls. Most pass through as they are; the table below
 * names those in which the engine has a part.
 * Threads: each its own calls, in parallel; what is shared (regions, signal
 * dispositions, descriptors) has its own lock where it lives.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/syscall.h"

#include <asm/prctl.h>

#include "core/cache.h"
#include "core/engine.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/sys.h"
#include "util/log.h"

enum { E_PERM = 1, E_BADF = 9, E_NOMEM = 12, E_FAULT = 14, E_INVAL = 22, E_NOSYS = 38 };

#define ARG0(t) ((t)->s.mc.gpr[RDI])
#define ARG1(t) ((t)->s.mc.gpr[RSI])
#define ARG2(t) ((t)->s.mc.gpr[RDX])
#define ARG3(t) ((t)->s.mc.gpr[R10])
#define ARG4(t) ((t)->s.mc.gpr[R8])
#define ARG5(t) ((t)->s.mc.gpr[R9])

/* ---- pass through ---- */

static long
native_with(struct thread *t, const struct mcontext *m)
{
    /* Asleep in the kernel, the thread holds back no cache memory. */
    __atomic_store_n(&t->safe_epoch, UINT64_MAX, __ATOMIC_SEQ_CST);
    long r = app_syscall(m);
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    return r;
}

static long
native(struct thread *t)
{
    long r = native_with(t, &t->s.mc);

    if (r == -E_FAULT && code_unprotect_all())      /* perhaps one of our write-protected code pages */
        r = native_with(t, &t->s.mc);
    return r;
}

/* ---- memory ---- */

enum { MAPF_SHARED = 1, MAPF_PRIVATE = 2, MAPF_TYPE = 15, MAPF_FIXED = 0x10, MAPF_ANON = 0x20, MAPF_32BIT = 0x40, MAPF_DENYWRITE = 0x800,
       MAPF_NOREPLACE = 0x100000 };

static bool
touches_engine(uint64_t lo, uint64_t n)
{
    uint64_t hi = lo + n, c = (uint64_t)cache_base;

    return (lo < ENGINE_END && hi > ENGINE_BASE) || (lo < c + cache_size && hi > c);
}

/* Executable memory of [lo, lo+n) is about to change: no fragment of it may live on. */
static void
code_changes(uint64_t lo, uint64_t n)
{
    if (!n || !regions_intersect(lo, lo + PAGE_UP(n)))
        return;
    code_forget(lo, lo + PAGE_UP(n));
    mutex_lock(&cache_lock);
    cache_flush_range(lo, lo + PAGE_UP(n));
    mutex_unlock(&cache_lock);
}

static bool
is_elf(int fd)
{
    uint32_t magic = 0;

    return sys_pread(fd, &magic, 4, 0) == 4 && magic == 0x464c457f;
}

static long
on_mmap(struct thread *t)
{
    uint64_t at = ARG0(t), n = ARG1(t);
    int prot = (int)ARG2(t), flags = (int)ARG3(t), fd = (int)ARG4(t);
    bool fixed = flags & MAPF_FIXED;
    struct mcontext m = t->s.mc;

    if (fixed && touches_engine(at, n))
        return flags & MAPF_NOREPLACE ? -17 : -E_NOMEM;
    if (fixed)
        code_changes(at, n);
    if (!at && !fixed && fd >= 0 && !(flags & (MAPF_ANON | MAPF_32BIT)) && (flags & MAPF_TYPE) == MAPF_PRIVATE && is_elf(fd))
        m.gpr[RDI] = place_library(n);
    long r = native_with(t, &m);
    if (!sys_failed(r)) {
        bool shared = (flags & MAPF_TYPE) != MAPF_PRIVATE && !(flags & MAPF_ANON);
        if (fixed || (prot & PROT_X) || shared)
            regions_set((uint64_t)r, (uint64_t)r + n, prot, shared ? REGION_SHARED : 0);
    }
    return r;
}

static long
on_munmap(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t);

    if (lo % PAGE_SIZE || !n)
        return native(t);
    if (touches_engine(lo, n))
        return 0;                    /* nothing of the program's is there */
    code_changes(lo, n);
    regions_set(lo, lo + n, 0, 0);
    unplace_library(lo, n);
    return native(t);
}

static long
on_mprotect(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t);
    int prot = (int)ARG2(t);

    if (touches_engine(lo, n))
        return -E_NOMEM;
    if (!(prot & PROT_X) || (prot & PROT_W))
        code_changes(lo, n);
    long r = native(t);
    if (!sys_failed(r) && ((prot & PROT_X) || regions_intersect(lo, lo + PAGE_UP(n))))
        regions_protect(lo, lo + PAGE_UP(n), prot & 7);
    return r;
}

static long
on_mremap(struct thread *t)
{
    uint64_t lo = ARG0(t), n = ARG1(t), to_n = ARG2(t), flags = ARG3(t);
    bool code = regions_intersect(lo, lo + PAGE_UP(n));

    if (touches_engine(lo, n) || ((flags & 2) && touches_engine(ARG4(t), to_n)))
        return -E_FAULT;
    code_changes(lo, n);
    if (flags & 2)
        code_changes(ARG4(t), to_n);
    long r = native(t);
    if (!sys_failed(r) && (code || (flags & 2)))
        regions_move(lo, n, (uint64_t)r, to_n);
    return r;
}

static long
on_madvise(struct thread *t)
{
    long r = native(t);

    code_changes(ARG0(t), ARG1(t));
    return r;
}

/* Writes that pass by page protection. */
static long
on_process_vm_writev(struct thread *t)
{
    long r = native(t);
    struct { uint64_t base, len; } v;

    if (r > 0 && (int)ARG0(t) == (int)sys0(__NR_getpid))
        for (uint64_t i = 0; i < ARG4(t) && safe_read(&v, ARG3(t) + 16 * i, 16); i++)
            code_changes(v.base, v.len);
    return r;
}

/* ---- signals ---- */

static long on_sigaction(struct thread *t) { return signal_sigaction(t, (int)ARG0(t), ARG1(t), ARG2(t), ARG3(t)); }
static long on_sigprocmask(struct thread *t) { return signal_sigprocmask(t, (int)ARG0(t), ARG1(t), ARG2(t), ARG3(t)); }
static long on_sigaltstack(struct thread *t) { return signal_sigaltstack(t, ARG0(t), ARG1(t)); }
static long on_sigpending(struct thread *t) { return signal_sigpending(t, ARG0(t), ARG1(t)); }
static long on_sigreturn(struct thread *t) { signal_sigreturn(t); }

/* A call whose argument `r` points at a temporary signal mask: the kernel gets one without the signals it must not block. */
static long
with_mask(struct thread *t, enum reg r)
{
    struct mcontext m = t->s.mc;
    uint64_t mask;

    if (!m.gpr[r] || !safe_read(&mask, m.gpr[r], 8))
        return native(t);
    mask = kernel_mask(mask);
    m.gpr[r] = (uint64_t)&mask;
    return native_with(t, &m);
}

static long on_sigsuspend(struct thread *t) { return ARG1(t) == 8 ? with_mask(t, RDI) : native(t); }
static long on_ppoll(struct thread *t) { return ARG4(t) == 8 ? with_mask(t, R10) : native(t); }
static long on_epoll_pwait(struct thread *t) { return ARG5(t) == 8 ? with_mask(t, R8) : native(t); }

static long
on_pselect6(struct thread *t)
{
    struct mcontext m = t->s.mc;
    struct { uint64_t mask, size; } arg;
    uint64_t mask;

    if (!m.gpr[R9] || !safe_read(&arg, m.gpr[R9], 16) || !arg.mask || arg.size != 8 || !safe_read(&mask, arg.mask, 8))
        return native(t);
    mask = kernel_mask(mask);
    arg.mask = (uint64_t)&mask;
    m.gpr[R9] = (uint64_t)&arg;
    return native_with(t, &m);
}

/* ---- descriptors ---- */

static long on_close(struct thread *t) { return descriptor_is_ours((int)ARG0(t)) ? -E_BADF : native(t); }
static long on_dup2(struct thread *t) { return descriptor_is_ours((int)ARG0(t)) || descriptor_is_ours((int)ARG1(t)) ? -E_BADF : native(t); }
static long on_any_fd(struct thread *t) { return descriptor_is_ours((int)ARG0(t)) ? -E_BADF : native(t); }

static long
on_close_range(struct thread *t)
{
    unsigned lo = (unsigned)ARG0(t), hi = (unsigned)ARG1(t);
    long r = 0;
    int ours;

    if (lo > hi)
        return native(t);
    while ((ours = descriptor_first_in(lo, hi)) >= 0) {      /* around each of ours */
        if ((unsigned)ours > lo)
            r = sys3(__NR_close_range, lo, ours - 1, (long)ARG2(t));
        if (sys_failed(r) || (unsigned)ours == hi)
            return r;
        lo = (unsigned)ours + 1;
    }
    return sys3(__NR_close_range, lo, hi, (long)ARG2(t));
}

/* ---- files that tell of us ---- */

static long
on_openat(struct thread *t)
{
    long r;

    return hide_open(t, ARG1(t), (int)ARG2(t), &r) ? r : native(t);
}

static long
on_open(struct thread *t)
{
    long r;

    return hide_open(t, ARG0(t), (int)ARG1(t), &r) ? r : native(t);
}

static long
on_readlink(struct thread *t)
{
    long r;

    return hide_readlink(t, ARG0(t), ARG1(t), ARG2(t), &r) ? r : native(t);
}

static long
on_readlinkat(struct thread *t)
{
    long r;

    return hide_readlink(t, ARG1(t), ARG2(t), ARG3(t), &r) ? r : native(t);
}

/* Argument `r` is a path: the program's own executable in place of ours. */
static long
with_path(struct thread *t, enum reg r)
{
    struct mcontext m = t->s.mc;
    const char *exe = hide_exe_path(m.gpr[r]);

    if (!exe)
        return native(t);
    m.gpr[r] = (uint64_t)exe;
    return native_with(t, &m);
}

static long on_path0(struct thread *t) { return with_path(t, RDI); }
static long on_path1(struct thread *t) { return with_path(t, RSI); }

/* ---- the rest ---- */

static long
on_arch_prctl(struct thread *t)
{
    switch (ARG0(t)) {
    case ARCH_SET_GS:
        if (ARG1(t) >= 0x7ffffffff000)
            return -E_PERM;
        t->s.app_gs = ARG1(t);
        return 0;
    case ARCH_GET_GS:
        return safe_write(ARG1(t), &t->s.app_gs, 8) ? 0 : -E_FAULT;
    }
    return native(t);
}

static long on_rseq(struct thread *t) { (void)t; return -E_NOSYS; }
static long on_clone(struct thread *t) { return process_clone(t, false); }
static long on_clone3(struct thread *t) { return process_clone(t, true); }
static long on_execve(struct thread *t) { return process_execve(t, false); }
static long on_execveat(struct thread *t) { return process_execve(t, true); }
static long on_exit(struct thread *t) { process_exit(t, __NR_exit, (int)ARG0(t)); }
static long on_exit_group(struct thread *t) { process_exit(t, __NR_exit_group, (int)ARG0(t)); }

typedef long (*syscall_fn)(struct thread *t);

static const syscall_fn handlers[] = {
    [__NR_open] = on_open,
    [__NR_openat] = on_openat,
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
    [__NR_rt_sigaction] = on_sigaction,
    [__NR_rt_sigprocmask] = on_sigprocmask,
    [__NR_rt_sigreturn] = on_sigreturn,
    [__NR_rt_sigpending] = on_sigpending,
    [__NR_rt_sigsuspend] = on_sigsuspend,
    [__NR_sigaltstack] = on_sigaltstack,
    [__NR_ppoll] = on_ppoll,
    [__NR_pselect6] = on_pselect6,
    [__NR_epoll_pwait] = on_epoll_pwait,
    [__NR_epoll_pwait2] = on_epoll_pwait,
    [__NR_dup2] = on_dup2,
    [__NR_dup3] = on_dup2,
    [__NR_dup] = on_any_fd,
    [__NR_fcntl] = on_any_fd,
    [__NR_close_range] = on_close_range,
    [__NR_readlink] = on_readlink,
    [__NR_readlinkat] = on_readlinkat,
    [__NR_arch_prctl] = on_arch_prctl,
    [__NR_rseq] = on_rseq,
    [__NR_clone] = on_clone,
    [__NR_fork] = on_clone,
    [__NR_vfork] = on_clone,
    [__NR_clone3] = on_clone3,
    [__NR_execve] = on_execve,
    [__NR_execveat] = on_execveat,
    [__NR_exit] = on_exit,
    [__NR_exit_group] = on_exit_group,
};

void
syscall_program(struct thread *t, uint64_t at, uint64_t next)
{
    uint64_t nr = t->s.mc.gpr[RAX];
    syscall_fn handler = nr < COUNT_OF(handlers) ? handlers[nr] : NULL;
    long r = handler ? handler(t) : native(t);

    LOG(LOG_SYSCALL, "syscall %lu(0x%lx, 0x%lx, 0x%lx, 0x%lx) at 0x%lx = %ld", nr, ARG0(t), ARG1(t), ARG2(t), ARG3(t), at, r);
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    if (r == SYSCALL_ABORTED) {
        t->s.mc.rip = at;            /* a signal came first; rax still holds the number */
        return;
    }
    t->s.mc.gpr[RAX] = (uint64_t)r;
    t->s.mc.gpr[RCX] = next;
    t->s.mc.gpr[R11] = t->s.mc.rflags;
    t->s.mc.rip = next;
}
