/* System calls on the process itself: segment bases, limits, tracing, filters
 * of system calls.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/prctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "core/cache.h"
#include "core/engine.h"
#include "core/records.h"
#include "core/tools.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "linux/signal.h"

/* ---- segment bases ---- */

long
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

long on_rseq(struct thread *t) { (void)t; return -E_NOSYS; }

/* ---- system call user dispatch (kernel/entry/syscall_user_dispatch.c) ---- */

/* The kernel would look at our own calls: it is not told, syscall_program asks here. */
static long
set_user_dispatch(struct thread *t)
{
    uint64_t mode = ARG1(t), offset = ARG2(t), len = ARG3(t), selector = ARG4(t);

    if (mode == PR_SYS_DISPATCH_OFF) {
        if (offset || len || selector)
            return -E_INVAL;
    } else if (mode == PR_SYS_DISPATCH_ON) {
        if (offset && offset + len <= offset)
            return -E_INVAL;
        if (selector >= 0x7ffffffff000)
            return -E_FAULT;
    } else {
        return -E_INVAL;
    }
    t->user_dispatch.on = mode == PR_SYS_DISPATCH_ON;
    t->user_dispatch.offset = offset;
    t->user_dispatch.len = len;
    t->user_dispatch.selector = selector;
    return 0;
}

enum { SYS_USER_DISPATCH_CODE = 2 };

void
user_dispatch(struct thread *t, uint64_t next, uint32_t arch)
{
    struct ksiginfo info = {.signo = SIG_SYS, .code = SYS_USER_DISPATCH_CODE, .sys = {next, (int32_t)t->s.mc.gpr[RAX], arch}};
    uint8_t block = PR_SYS_DISPATCH_OFF;

    if (next - t->user_dispatch.offset < t->user_dispatch.len)
        return;
    if (t->user_dispatch.selector && !safe_read(&block, t->user_dispatch.selector, 1))
        info = (struct ksiginfo){.signo = SIG_SEGV, .code = 0x80};
    else if (t->user_dispatch.selector && block == SYSCALL_DISPATCH_FILTER_ALLOW)
        return;
    t->s.mc.rip = next;
    if (arch == ARCH_X86_64) {
        t->s.mc.gpr[RCX] = next;
        t->s.mc.gpr[R11] = t->s.mc.rflags;
    }
    signal_raise(t, &info, t->trapno, t->err, t->cr2);
}

/* ---- filters ---- */

/* The program is about to filter system calls: a call of the engine's own may
 * then be answered by the filter, or punished. What can be spared is from now on. */
void
confine(void)
{
    code_confine();
    engine_memory_reserve();
}

long
on_prctl(struct thread *t)
{
    if (ARG0(t) == PR_SET_SECCOMP)
        confine();
    return ARG0(t) == PR_SET_SYSCALL_USER_DISPATCH ? set_user_dispatch(t) : native(t);
}

long
on_seccomp(struct thread *t)
{
    if (ARG0(t) == SECCOMP_SET_MODE_STRICT || ARG0(t) == SECCOMP_SET_MODE_FILTER)
        confine();
    return native(t);
}

/* ---- being traced ---- */

enum { TRACEME_REQUEST = 0 };
extern void leave_engine(const struct mcontext *mc, uint64_t gs) NORETURN;

/* A child that asks to be traced is about to be shown to a debugger, registers
 * and all, so it is let go: it runs natively from here. */
NORETURN static void
let_go(struct thread *t)
{
    static struct mcontext mc;           /* lives on after this thread's use of its stack */
    struct kstack ss = {.sp = t->app_altstack.sp, .size = t->app_altstack.size, .flags = (int32_t)t->app_altstack.flags};

    tools_exec(t);
    records_exec(program.exe);
    set_kernel_mask(~0ull, NULL);
    code_unprotect_all();
    for (int sig = 1; sig <= NSIG_MAX; sig++)
        sys4(__NR_rt_sigaction, sig, (long)&t->process->action[sig], 0, 8);
    if (!ss.size)
        ss.flags = SSF_DISABLE;
    sys2(__NR_sigaltstack, (long)&ss, 0);
    for (uint64_t held = t->held; held; held &= held - 1)
        sys4(__NR_rt_tgsigqueueinfo, sys0(__NR_getpid), sys0(__NR_gettid), __builtin_ctzll(held) + 1, (long)t->held_info[__builtin_ctzll(held) + 1]);
    mc = t->s.mc;
    set_kernel_mask(t->app_mask, NULL);
    leave_engine(&mc, t->s.app_gs);
}

long
on_ptrace(struct thread *t)
{
    uint64_t next = t->s.mc.rip + 2;
    long r = native(t);

    if (r != 0 || ARG0(t) != TRACEME_REQUEST)
        return r;
    if (thread_count > 1 || t->vfork_child) {
        t->traced = true;                /* execve at least is left alone */
        return r;
    }
    t->s.mc.gpr[RAX] = 0;
    t->s.mc.gpr[RCX] = t->s.mc.rip = next;
    t->s.mc.gpr[R11] = t->s.mc.rflags;
    let_go(t);
}
