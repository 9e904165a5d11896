/* The walk from frame to frame. Everything is read from the program's memory as
 * it is, which may be damaged: a fault, an implausible address or no progress
 * ends the stack where it is.
 * Threads: any; walks share nothing but the table of rules.
 * See docs/unwinding.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"
#include "unwind/unwind.h"

enum { MAX_FRAME = 8 << 20, OTHER_STACK = 64 << 10, MAX_SWITCHES = 4 };

/* What of the stack decided the result, for dr_unwind_again. */
struct reads {
    struct dr_trail *trail;         /* NULL: nobody wants to know              */
    uint64_t rbp_at;                /* where the frame's rbp came from, 0: the first frame's register */
    bool rbp_noted, lost;           /* lost: something that a trail cannot say */
};

struct walk {
    struct frame f;
    struct reads reads;
    uint64_t *pcs;
    unsigned max;
    volatile unsigned n;            /* in memory: survives a fault             */
};

static void
note_word(struct reads *r, uint64_t at, uint64_t value)
{
    struct dr_trail *t = r->trail;

    if (t->n == DR_TRAIL_WORDS)
        r->lost = true;
    else
        t->word[t->n++] = (struct dr_trail_word){at, value};
}

/* The frame's rbp decides something. */
static void
note_rbp(struct walk *w)
{
    struct reads *r = &w->reads;

    if (!r->trail || r->rbp_noted)
        return;
    r->rbp_noted = true;
    if (r->rbp_at)
        note_word(r, r->rbp_at, w->f.r[RBP]);
    else
        r->trail->uses_rbp = true;
}

static void
note_rule(struct walk *w, const struct rule *k)
{
    struct reads *r = &w->reads;

    if (k->kind == RULE_SIGNAL || k->kind == RULE_SLOW)
        r->lost = true;
    if (k->kind != RULE_CFA && k->kind != RULE_DEREF)
        return;
    if (k->cfa_reg == RBP || k->by_rbp)
        note_rbp(w);
    else if (k->cfa_reg != RSP)
        r->lost = true;
}

/* ---- without CFI ---- */

/* A call instruction ends at pc: e8, or ff /2 of two to seven bytes. */
static bool
follows_call(uint64_t pc)
{
    const volatile uint8_t *p = (const volatile uint8_t *)pc;

    if (p[-5] == 0xe8)
        return true;
    for (int n = 2; n <= 7; n++)
        if (p[-n] == 0xff && (p[1 - n] >> 3 & 7) == 2)
            return true;
    return false;
}

static bool
plausible_return(uint64_t pc)
{
    return pc > PAGE_SIZE && !(pc >> 47) && image_executable(pc - 8) && image_executable(pc) && follows_call(pc);
}

static bool
pop_to(struct frame *f, uint64_t slot)
{
    uint64_t pc = load64(slot);

    if (!plausible_return(pc))
        return false;
    f->pc = pc;
    f->r[RSP] = slot + 8;
    f->exact = false;
    return true;
}

static bool
step_by_frame_pointer(struct walk *w)
{
    struct frame *f = &w->f;
    uint64_t rbp = f->r[RBP], depth = rbp - f->r[RSP];

    if (f->exact) {
        w->reads.lost = true;
        if (!image_executable(f->pc))                /* a jump to nowhere: it was called, most likely */
            return pop_to(f, f->r[RSP]);
    }
    if (depth < MAX_FRAME && rbp % 8 == 0) {
        note_rbp(w);
        uint64_t outer = load64(rbp);
        if (pop_to(f, rbp + 8)) {
            if (w->reads.trail)
                note_word(&w->reads, rbp + 8, f->pc);
            f->r[RBP] = outer;
            w->reads.rbp_at = rbp;
            w->reads.rbp_noted = false;
            return true;
        }
    }
    w->reads.lost = true;
    return f->exact && pop_to(f, f->r[RSP]);         /* a leaf that keeps no frame */
}

/* ---- by rule ---- */

/* Registers of the kernel's struct sigcontext in order (asm/sigcontext.h), at 40 in struct ucontext; rip behind them. */
static const uint8_t sigcontext[16] = {R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP};

static bool
step_signal(struct frame *f)
{
    uint64_t uc = f->r[RSP] + 40;
    struct frame to;

    for (unsigned i = 0; i < 16; i++)
        to.r[sigcontext[i]] = load64(uc + 8 * i);
    to.pc = load64(uc + 8 * 16);
    to.exact = true;
    *f = to;
    return true;
}

static bool
step_cfa(struct walk *w, const struct rule *k)
{
    struct frame *f = &w->f;
    uint64_t cfa = f->r[k->cfa_reg] + (uint64_t)(int64_t)k->cfa_offset, rbp = f->r[RBP];

    if (k->kind == RULE_DEREF) {
        uint64_t at = cfa;
        cfa = load64(at);
        if (w->reads.trail)
            note_word(&w->reads, at, cfa);
    }
    f->pc = load64(cfa + (uint64_t)(int64_t)k->ra);
    for (unsigned i = 0; k->saved >> i; i++)
        if (k->saved >> i & 1)
            f->r[saved_reg[i]] = load64((k->by_rbp >> i & 1 ? rbp : cfa) + (uint64_t)(int64_t)k->at[i]);
    if (w->reads.trail) {
        note_word(&w->reads, cfa + (uint64_t)(int64_t)k->ra, f->pc);
        if (k->saved & 1 << SAVED_RBP) {
            w->reads.rbp_at = (k->by_rbp & 1 << SAVED_RBP ? rbp : cfa) + (uint64_t)(int64_t)k->at[SAVED_RBP];
            w->reads.rbp_noted = false;
        }
    }
    f->r[RSP] = cfa;
    f->exact = false;
    return true;
}

/* There is a return address where the guess says. */
static bool
guess_holds(struct walk *w, const struct rule *k)
{
    uint64_t cfa = w->f.r[k->cfa_reg] + (uint64_t)(int64_t)k->cfa_offset;

    return cfa - w->f.r[RSP] < MAX_FRAME && plausible_return(load64(cfa + (uint64_t)(int64_t)k->ra));
}

static bool
step_slow(struct walk *w, bool *signal)
{
    struct cfi_image im;

    return image_find(frame_place(&w->f), &im) && cfi_step(&im, &w->f, signal);
}

static bool
step(struct walk *w, bool *signal)
{
    struct rule k;

    *signal = false;
    rule_at(&w->f, &k);
    if (w->reads.trail)
        note_rule(w, &k);
    switch (k.kind) {
    case RULE_CFA:
    case RULE_DEREF: return k.guess && !guess_holds(w, &k) ? step_by_frame_pointer(w) : step_cfa(w, &k);
    case RULE_SIGNAL: *signal = true; return step_signal(&w->f);
    case RULE_SLOW: return step_slow(w, signal);
    case RULE_NONE: return step_by_frame_pointer(w);
    default: return false;
    }
}

static void
walk(void *arg)
{
    struct walk *w = arg;
    unsigned switches = 0;

    while (w->n < w->max) {
        uint64_t rsp = w->f.r[RSP];
        bool signal;
        if (!step(w, &signal) || !w->f.pc)
            return;
        /* The CFA is above the callee's rsp, but where a frame is on another stack. */
        if (!signal && w->f.r[RSP] <= rsp && (rsp - w->f.r[RSP] < OTHER_STACK || ++switches > MAX_SWITCHES))
            return;
        w->pcs[w->n++] = w->f.pc + w->f.exact;
    }
}

static unsigned
unwind(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max, struct dr_trail *trail, bool *exact_trail)
{
    struct walk w;

    *exact_trail = false;
    if (!max)
        return 0;
    for (unsigned i = 0; i < 16; i++)
        w.f.r[i] = mc->gpr[i];
    w.f.pc = pcs[0] = mc->rip;
    w.f.exact = true;
    w.reads = (struct reads){.trail = trail};
    w.pcs = pcs;
    w.max = max;
    w.n = 1;
    bool whole = dr_try(walk, &w);
    *exact_trail = whole && !w.reads.lost;
    return w.n;
}

unsigned
dr_unwind(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max)
{
    bool ignored;

    return unwind(mc, pcs, max, NULL, &ignored);
}

unsigned
dr_unwind_trail(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max, struct dr_trail *trail)
{
    uint32_t generation = unwind_generation;
    bool exact_trail;

    trail->n = 0;
    trail->uses_rbp = false;
    unsigned n = unwind(mc, pcs, max, trail, &exact_trail);
    trail->max = (uint16_t)MIN(max, UINT16_MAX);
    trail->rip = mc->rip;
    trail->rsp = mc->gpr[RSP];
    trail->rbp = mc->gpr[RBP];
    trail->generation = exact_trail ? generation : 0;
    return n;
}

static bool
is_again(const struct dr_mcontext *mc, unsigned max, const struct dr_trail *trail)
{
    if (mc->rip != trail->rip || mc->gpr[RSP] != trail->rsp || trail->max != max || trail->generation != unwind_generation ||
        (trail->uses_rbp && mc->gpr[RBP] != trail->rbp))
        return false;
    for (unsigned i = 0; i < trail->n; i++)
        if (load64(trail->word[i].at) != trail->word[i].value)
            return false;
    return true;
}

struct finding { const struct dr_mcontext *mc; unsigned max, n; const struct dr_trail *trail; size_t stride; int found; };

static void
find_again(void *arg)
{
    struct finding *f = arg;

    for (unsigned i = 0; i < f->n; i++)
        if (is_again(f->mc, f->max, (const struct dr_trail *)((const char *)f->trail + i * f->stride))) {
            f->found = (int)i;
            return;
        }
}

int
dr_unwind_find(const struct dr_mcontext *mc, unsigned max, const struct dr_trail *trail, unsigned n, size_t stride)
{
    struct finding f = {mc, max, n, trail, stride, -1};

    return dr_try(find_again, &f) ? f.found : -1;
}
