/* System calls of 64-bit code through `int 0x80`: i386 numbers, arguments in the
 * low halves of ebx, ecx, edx, esi, edi, ebp; no register changes but rax.
 *
 * Calls in which the engine has no part go to the kernel through the same gate.
 * The others become the 64-bit call of their name, arguments widened, and are
 * carried out as that one is. What would lead to 32-bit code (handlers with an
 * i386 frame, sigreturn, CLONE_SETTLS) is answered with ENOSYS.
 * Threads: each its own calls.
 * See arch/x86/entry/syscalls/syscall_32.tbl and docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/prctl.h>
#include <linux/sched.h>

#include "core/cache.h"
#include "core/engine.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "util/log.h"

enum { ARGS = 6 };
static const uint8_t gate_reg[ARGS] = {RBX, RCX, RDX, RSI, RDI, RBP}, call_reg[ARGS] = {RDI, RSI, RDX, R10, R8, R9};

/* A call on its way: `call` has the registers of the 64-bit one. */
struct gate {
    struct thread *t;
    uint32_t arg[ARGS];
    struct mcontext call;
    void *made;                         /* memory that the call's arguments are in */
    size_t made_size;
};

/* How a call goes on. */
enum way { WIDENED, AS_IT_IS, REFUSED, BAD_POINTER };

/* ---- calls whose arguments differ in more than width ---- */

enum { FIXED_BITS = 0x100010, BELOW_2G = 0x40 };

static enum way
map_low(struct gate *g)
{
    if (!(g->call.gpr[R10] & FIXED_BITS))
        g->call.gpr[R10] |= BELOW_2G;
    return WIDENED;
}

static enum way
gate_mmap2(struct gate *g)
{
    g->call.gpr[R9] <<= 12;
    return map_low(g);
}

/* The one argument points to six. */
static enum way
gate_old_mmap(struct gate *g)
{
    uint32_t a[ARGS];

    if (!safe_read(a, g->arg[0], sizeof a))
        return BAD_POINTER;
    for (unsigned i = 0; i < ARGS; i++)
        g->call.gpr[call_reg[i]] = a[i];
    return map_low(g);
}

/* flags, stack, parent_tid, tls, child_tid */
static enum way
gate_clone(struct gate *g)
{
    g->call.gpr[R10] = g->arg[4];
    g->call.gpr[R8] = g->arg[3];
    return g->arg[0] & CLONE_SETTLS ? REFUSED : WIDENED;
}

static enum way
gate_clone3(struct gate *g)
{
    uint64_t flags;

    return safe_read(&flags, g->arg[0], 8) && (flags & CLONE_SETTLS) ? REFUSED : WIDENED;
}

/* Number of words of 32 bits up to and with the 0; 0: unreadable. */
static size_t
words_in(uint32_t v)
{
    uint32_t word = 1;
    size_t n = 0;

    for (; word; n++)
        if (!safe_read(&word, v + 4 * n, 4))
            return 0;
    return n;
}

/* argv and envp in registers a and b: vectors of 32-bit pointers. */
static enum way
gate_vectors(struct gate *g, enum reg a, enum reg b)
{
    uint64_t *at[2] = {&g->call.gpr[a], &g->call.gpr[b]}, *out;
    size_t n[2] = {1, 1};

    for (int i = 0; i < 2; i++)
        if (*at[i] && !(n[i] = words_in((uint32_t)*at[i])))
            return BAD_POINTER;
    g->made_size = (n[0] + n[1]) * 8;
    if (!(g->made = out = engine_map(g->made_size)))
        return REFUSED;
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; *at[i] && k < n[i]; k++)
            if (!safe_read(&out[k], *at[i] + 4 * k, 4))
                return BAD_POINTER;
        *at[i] = (uint64_t)out;
        out += n[i];
    }
    return WIDENED;
}

static enum way gate_execve(struct gate *g) { return gate_vectors(g, RSI, RDX); }
static enum way gate_execveat(struct gate *g) { return gate_vectors(g, RDX, R10); }

/* A filter is a struct of pointers. */
static enum way
gate_seccomp(struct gate *g)
{
    (void)g;
    confine();
    return AS_IT_IS;
}

static enum way
gate_prctl(struct gate *g)
{
    if (g->arg[0] == PR_SET_SECCOMP)
        confine();
    return g->arg[0] == PR_SET_SYSCALL_USER_DISPATCH ? WIDENED : AS_IT_IS;
}

/* Its context is a pointer of 32 bits. */
static enum way
gate_io_setup(struct gate *g)
{
    (void)g;
    code_never_protect();
    return AS_IT_IS;
}

/* Only to be traced; what a tracer asks has structs. */
static enum way gate_ptrace(struct gate *g) { return g->arg[0] == 0 /* PTRACE_TRACEME */ ? WIDENED : AS_IT_IS; }
static enum way gate_refused(struct gate *g) { (void)g; return REFUSED; }

/* ---- the table ---- */

/* i386 number → that of the 64-bit call; `convert`: NULL if widening is all. */
static const struct row { uint16_t number, wide; enum way (*convert)(struct gate *g); } rows[] = {
    {1, __NR_exit, NULL},
    {2, __NR_fork, NULL},
    {6, __NR_close, NULL},
    {11, __NR_execve, gate_execve},
    {26, __NR_ptrace, gate_ptrace},
    {45, __NR_brk, NULL},
    {48, 0, gate_refused},               /* signal       */
    {63, __NR_dup2, NULL},
    {67, 0, gate_refused},               /* sigaction    */
    {68, 0, gate_refused},               /* sgetmask     */
    {69, 0, gate_refused},               /* ssetmask     */
    {72, 0, gate_refused},               /* sigsuspend   */
    {73, 0, gate_refused},               /* sigpending   */
    {85, __NR_readlink, NULL},
    {90, __NR_mmap, gate_old_mmap},
    {91, __NR_munmap, NULL},
    {119, 0, gate_refused},              /* sigreturn    */
    {120, __NR_clone, gate_clone},
    {125, __NR_mprotect, NULL},
    {126, 0, gate_refused},              /* sigprocmask  */
    {136, __NR_personality, NULL},
    {163, __NR_mremap, NULL},
    {172, __NR_prctl, gate_prctl},
    {173, 0, gate_refused},              /* rt_sigreturn */
    {174, 0, gate_refused},              /* rt_sigaction */
    {175, __NR_rt_sigprocmask, NULL},
    {176, __NR_rt_sigpending, NULL},
    {179, __NR_rt_sigsuspend, NULL},
    {186, 0, gate_refused},              /* sigaltstack  */
    {190, __NR_vfork, NULL},
    {192, __NR_mmap, gate_mmap2},
    {219, __NR_madvise, NULL},
    {245, 0, gate_io_setup},
    {252, __NR_exit_group, NULL},
    {305, __NR_readlinkat, NULL},
    {319, __NR_epoll_pwait, NULL},
    {321, __NR_signalfd, NULL},
    {327, __NR_signalfd4, NULL},
    {330, __NR_dup3, NULL},
    {340, __NR_prlimit64, NULL},
    {354, 0, gate_seccomp},
    {358, __NR_execveat, gate_execveat},
    {374, __NR_userfaultfd, NULL},
    {380, __NR_pkey_mprotect, NULL},
    {386, __NR_rseq, NULL},
    {414, __NR_ppoll, NULL},             /* ppoll_time64 */
    {425, __NR_io_uring_setup, NULL},
    {435, __NR_clone3, gate_clone3},
    {436, __NR_close_range, NULL},
    {441, __NR_epoll_pwait2, NULL},
};

static const struct row *
row_of(uint32_t number)
{
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].number == number)
            return &rows[i];
    return NULL;
}

static enum way
prepare(struct gate *g, const struct row *row)
{
    g->call = g->t->s.mc;
    g->call.gpr[RAX] = row->wide;
    for (unsigned i = 0; i < ARGS; i++)
        g->call.gpr[call_reg[i]] = g->arg[i] = (uint32_t)g->t->s.mc.gpr[gate_reg[i]];
    return row->convert ? row->convert(g) : WIDENED;
}

/* As the 64-bit call. In a child made by fork this returns as well. */
static long
carry_out(struct gate *g)
{
    struct thread *t = g->t;
    struct mcontext seen = t->s.mc;

    t->s.mc = g->call;
    t->gate = &seen;
    long r = syscall_carry_out(t);
    bool on_new_stack = r == 0 && g->call.gpr[RAX] == __NR_clone && g->call.gpr[RSI];
    t->gate = NULL;
    t->s.mc = seen;
    if (on_new_stack)
        t->s.mc.gpr[RSP] = g->call.gpr[RSI];
    return r;
}

static long
native_gate(struct thread *t)
{
    long r = native_through(t, &t->s.mc, app_syscall_ia32);

    if (r == -E_FAULT && code_unprotect_all())       /* which bytes it writes is not known here */
        r = native_through(t, &t->s.mc, app_syscall_ia32);
    return r;
}

/* A kernel without IA32 emulation raises #GP. */
static bool
have_gate(void)
{
    enum { GETPID = 20 };
    static volatile bool yes;
    struct mcontext m = {.gpr = {[RAX] = GETPID}};

    if (!yes)
        yes = app_syscall_ia32(&m) != SYSCALL_NO_GATE;
    return yes;
}

bool
syscall_ia32_program(struct thread *t, uint64_t *next)
{
    uint32_t number = (uint32_t)t->s.mc.gpr[RAX];
    const struct row *row = row_of(number);
    struct gate g = {.t = t};
    long r;

    if (!have_gate())
        return false;
    if (UNLIKELY(t->user_dispatch.on))
        user_dispatch(t, *next, ARCH_I386);
    switch (row ? prepare(&g, row) : AS_IT_IS) {
    case WIDENED: r = carry_out(&g); break;
    case AS_IT_IS: r = native_gate(t); break;
    case BAD_POINTER: r = -E_FAULT; break;
    default: r = -E_NOSYS; break;
    }
    if (g.made)
        engine_unmap(g.made, g.made_size);
    LOG(LOG_SYSCALL, "int 0x80 call %u at 0x%lx = %ld", number, t->s.mc.rip, r);
    __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
    if (r == SYSCALL_ABORTED)
        *next = t->s.mc.rip;             /* a signal came first */
    else
        t->s.mc.gpr[RAX] = (uint64_t)r;
    return true;
}
