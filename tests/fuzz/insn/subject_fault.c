/* The subject's signal handlers: record what a fault shows the program, then
 * end the case or go on behind the instruction; check asynchronous signals;
 * single-step; enter a sequence by way of a signal frame.
 * Invariant: handlers first put the host's FS base and a sane AC flag back,
 * because C code follows, and restore the case's FS base before they return. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "subject.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FLAG_TF = 0x100,
    FLAG_ID = 0x200000,
    FLAG_RF = 0x10000,
    TRAPNO_GP = 13,
    TRAPNO_PF = 14,
    TRAP_STEP = 2 /* TRAP_TRACE */
};

#define USER_CS 0x33ull
#define USER_SS 0x2bull

const uint8_t gpr_to_greg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* ---- reading and writing frames ---- */

const struct mark *
mark_at(uint64_t rip)
{
    const struct insn_case *c = subject.current;

    for (int i = 0; i < c->nmarks; i++)
        if (subject.code + c->mark[i].off == rip)
            return &c->mark[i];
    return NULL;
}

void
state_from_frame(const ucontext_t *uc, struct cpu_state *s)
{
    for (int i = 0; i < 16; i++)
        s->gpr[i] = (uint64_t)uc->uc_mcontext.gregs[gpr_to_greg[i]];
    s->rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
    s->rflags = (uint64_t)uc->uc_mcontext.gregs[REG_EFL];
    state_from_xsave((const uint8_t *)uc->uc_mcontext.fpregs, &s->v);
}

static void
frame_from_start(ucontext_t *uc)
{
    const struct insn_case *c = subject.current;
    uint8_t *image = (uint8_t *)uc->uc_mcontext.fpregs;
    uint8_t reserved[48]; /* the kernel's description of the image */

    for (int i = 0; i < 16; i++)
        uc->uc_mcontext.gregs[gpr_to_greg[i]] = (greg_t)c->start.gpr[i];
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)subject.code;
    uc->uc_mcontext.gregs[REG_EFL] = (greg_t)passage.rflags;
    memcpy(reserved, image + 464, sizeof reserved);
    state_to_xsave(&c->start.v, c->components, image);
    memcpy(image + 464, reserved, sizeof reserved);
}

static void
edit_frame(ucontext_t *uc)
{
    uc->uc_mcontext.gregs[REG_RAX] ^= 1;
    uc->uc_mcontext.gregs[REG_R10] += 0x10;
    uc->uc_mcontext.gregs[REG_EFL] ^= 1;
    state_edit_xsave((uint8_t *)uc->uc_mcontext.fpregs);
}

static void
record(struct fault *f, int sig, const siginfo_t *si, const ucontext_t *uc, uint64_t fs)
{
    const greg_t *g = uc->uc_mcontext.gregs;

    f->signo = (uint32_t)sig;
    f->code = (uint32_t)si->si_code;
    f->addr = (uint64_t)si->si_addr;
    f->trapno = (uint64_t)g[REG_TRAPNO];
    f->err = (uint64_t)g[REG_ERR];
    /* Otherwise it is the address of whatever page fault the thread had before. */
    f->cr2 = g[REG_TRAPNO] == TRAPNO_PF ? (uint64_t)g[REG_CR2] : 0;
    f->segments = (uint64_t)g[REG_CSGSFS];
    f->uc_flags = uc->uc_flags;
    memcpy(&f->sigmask, &uc->uc_sigmask, 8);
    f->stack_flags = (uint32_t)uc->uc_stack.ss_flags;
    memcpy(&f->xstate_magic, (const uint8_t *)uc->uc_mcontext.fpregs + 464, 4);
    state_from_frame(uc, &f->at);
    f->at.fs_base = fs;
    f->at.gs_base = get_gs_base();
}

/* ---- the ways on from a fault ---- */

/* A far return to garbage may have changed to compatibility mode. */
static bool
in_64_bit_mode(const ucontext_t *uc)
{
    return (uc->uc_mcontext.gregs[REG_CSGSFS] & 0xffff) == USER_CS;
}

static void
leave(ucontext_t *uc, bool longjmp)
{
    if (longjmp) {
        __asm__ volatile("mov %0, %%rsp\n\tjmp passage_abort" ::"r"(passage.host_rsp));
        __builtin_unreachable();
    }
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)passage.host_rsp;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)passage_abort;
    uc->uc_mcontext.gregs[REG_EFL] = 0x202;
    uc->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)(USER_SS << 48 | USER_CS);
}

/* The trap signals come with rip behind the instruction, all others with rip on it. */
static void
go_on(int sig, ucontext_t *uc, const struct mark *m)
{
    if (sig != SIGTRAP)
        uc->uc_mcontext.gregs[REG_RIP] += m->len;
    if (subject.stepping)
        uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TF;
    else
        uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
    subject.stepped = mark_at((uint64_t)uc->uc_mcontext.gregs[REG_RIP]);
    if (subject.current->fault_action == FAULT_EDIT)
        edit_frame(uc);
}

static bool
on_stack_page(uint64_t a)
{
    for (int z = 0; z < ZONE_COUNT; z++) {
        uint64_t off = a - subject.cases->zone_base[z];

        if ((off >= STACK && off + 8 <= STACK + STACK_SIZE) ||
            (off >= DATA_RW && off + 8 <= DATA_RW + DATA_RW_SIZE))
            return true;
    }
    return false;
}

/* A call to a non-canonical address pushes nothing; an engine has pushed by then. The word below the stack
 * pointer, which nobody can rely on there, is not compared. */
static void
forget_pushed(const ucontext_t *uc, const struct mark *m)
{
    uint64_t at = (uint64_t)uc->uc_mcontext.gregs[REG_RSP] - 8;

    if (m->kind & MARK_CALL && uc->uc_mcontext.gregs[REG_TRAPNO] == TRAPNO_GP && on_stack_page(at))
        memset((void *)at, 0, 8);
}

static void
on_fault(int sig, siginfo_t *si, ucontext_t *uc, uint64_t fs)
{
    struct insn_result *r = subject.result;
    const struct insn_case *c = subject.current;
    const struct mark *m;
    struct fault *f = &r->fault[r->nfaults];

    if (subject.stepping)
        uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
    plant_fault(sig, si, uc);
    record(f, sig, si, uc, fs);
    r->nfaults++;
    m = in_64_bit_mode(uc) ? mark_at(f->at.rip) : NULL;
    if (!m)
        r->outcome = OUTCOME_LOST;
    else if (c->fault_action < FAULT_SKIP || r->nfaults == c->fault_limit)
        r->outcome = OUTCOME_FAULT;
    if (m)
        forget_pushed(uc, m);
    if (r->outcome != OUTCOME_NONE)
        leave(uc, c->fault_action == FAULT_LONGJMP);
    else
        go_on(sig, uc, m);
}

/* ---- single steps ---- */

static void
log_state(const ucontext_t *uc, const struct mark *m, uint64_t fs)
{
    struct state_set *set = &subject.results->states;
    struct cpu_state s = {0};

    state_from_frame(uc, &s);
    s.rflags &= ~(uint64_t)(FLAG_TF | FLAG_RF);
    s.fs_base = fs;
    s.gs_base = get_gs_base();
    if (set->count == STATES_MAX) {
        set->overflow = 1;
        return;
    }
    set->state[set->count].off = m->off;
    set->state[set->count++].hash = state_hash(&s);
}

static bool
pops_word(const struct mark *m)
{
    return memchr(subject.current->code + m->off, 0x66, m->len) != NULL;
}

/* TF must neither show in what pushf stores nor be lost by popf. */
static void
hide_stepping(const ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint64_t rsp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];

    if (!on_stack_page(rsp) || !on_stack_page(rsp - 8))
        return;
    if (done && done->kind & MARK_PUSHF)
        *(uint8_t *)(rsp + 1) &= 0xfe;
    if (done && done->kind & MARK_POPF)
        *(uint8_t *)(rsp + 1 - (pops_word(done) ? 2 : 8)) &= 0xfe;
    if (next && next->kind & MARK_POPF)
        *(uint8_t *)(rsp + 1) |= 1;
}

/* About to set flags that a signal's return would lose (ID), or TF itself:
 * from there on the program's own traps are what counts. */
static bool
ends_stepping(const ucontext_t *uc, const struct mark *next)
{
    uint64_t rsp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];

    return next && next->kind & MARK_POPF && (!on_stack_page(rsp) || *(uint32_t *)rsp & (FLAG_TF | FLAG_ID));
}

/* On the way to the first instruction: in the passage, in the gate. */
static bool
before_sequence(uint64_t rip)
{
    uint64_t gate = subject.cases->zone_base[subject.current->zone] + GATE;

    return !subject.stepped &&
           ((rip >= (uint64_t)(uintptr_t)passage_in && rip < (uint64_t)(uintptr_t)passage_out) ||
            (rip >= gate && rip < gate + 0x1000));
}

static void
on_step(ucontext_t *uc, uint64_t fs)
{
    const struct mark *next = mark_at((uint64_t)uc->uc_mcontext.gregs[REG_RIP]);

    if (before_sequence((uint64_t)uc->uc_mcontext.gregs[REG_RIP]))
        return;
    if (ends_stepping(uc, next)) {
        subject.stepping = false;
        uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
        return;
    }
    if (subject.current->trace && next)
        log_state(uc, next, fs);
    plant_step(uc, subject.stepped, next);
    hide_stepping(uc, subject.stepped, next);
    subject.stepped = next;
    if (next)
        uc->uc_mcontext.gregs[REG_EFL] |= FLAG_TF;
    else
        uc->uc_mcontext.gregs[REG_EFL] &= ~FLAG_TF;
}

/* Of our own stepping; a program's own TF shows itself elsewhere. */
static bool
is_step(int sig, const siginfo_t *si, const ucontext_t *uc)
{
    uint64_t rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];

    return subject.stepping && sig == SIGTRAP && si->si_code == TRAP_STEP &&
           (before_sequence(rip) || mark_at(rip) || subject.stepped);
}

/* ---- asynchronous signals ---- */

static void
on_timer(int sig, siginfo_t *si, ucontext_t *uc, uint64_t fs)
{
    const struct insn_case *c = subject.current;
    const struct state_set *set = subject.allowed;
    struct insn_result *r = subject.result;
    uint64_t off = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - subject.code;
    struct cpu_state s = {0};
    uint64_t hash;

    if (off >= c->code_len || !set)
        return;
    plant_async(uc);
    r->async_seen++;
    off = (uint64_t)uc->uc_mcontext.gregs[REG_RIP] - subject.code;
    state_from_frame(uc, &s);
    s.rflags &= ~(uint64_t)(FLAG_TF | FLAG_RF);
    s.fs_base = fs;
    s.gs_base = get_gs_base();
    hash = state_hash(&s);
    for (uint32_t i = 0; i < set->count; i++)
        if (set->state[i].off == off && set->state[i].hash == hash)
            return;
    if (r->async_bad++ == 0)
        record(&r->async, sig, si, uc, fs);
}

/* ---- the handler ---- */

static void
die(int sig, const ucontext_t *uc)
{
    char text[128];
    int n = snprintf(text, sizeof text, "insn_subject: signal %d outside of a sequence, rip %#llx\n", sig,
                     (unsigned long long)uc->uc_mcontext.gregs[REG_RIP]);

    (void)!write(2, text, (size_t)n);
    _exit(3);
}

static void
handler(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    uint64_t fs;

    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushq $2\n\tpopfq\n\tlea 128(%%rsp), %%rsp" ::
                         : "cc", "memory");
    fs = get_fs_base();
    set_fs_base(subject.host_fs);
    if (!subject.current) {
        if (sig == SIGALRM || sig == SIGUSR2)
            return;
        die(sig, uc);
    }
    if (sig == SIGALRM) {
        on_timer(sig, si, uc, fs);
    } else if (sig == SIGUSR2) {
        subject.result->outcome = OUTCOME_TIMEOUT;
        leave(uc, false);
    } else if (sig == SIGUSR1) {
        frame_from_start(uc);
        subject.stepped = mark_at(subject.code);
    } else if (is_step(sig, si, uc)) {
        on_step(uc, fs);
    } else {
        on_fault(sig, si, uc, fs);
    }
    set_fs_base(fs);
}

void
faults_init(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1, SIGUSR2, SIGALRM};
    static uint8_t stack[1 << 18];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &act, NULL);
}
