/* Compares dr_unwind with the truth: at each block, with a call stack that this
 * tool keeps at calls, returns and signals.
 * A return is seen by the stack pointer: an entry whose slot is below it is gone.
 * A signal starts a segment of its own, because it may be on another stack; it ends
 * where the program stands again as it was interrupted.
 * Prints how many stacks were compared, how many frames they had, and the first
 * that differ. `-again`: also that dr_unwind_again says what is true. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { MAX_ENTRIES = 1 << 16, MAX_SEGMENTS = 16, MAX_FRAMES = 1 << 14, MAX_SHOWN = 5, TRAILS = 64 };

struct entry { uint64_t slot, pc; };
struct segment { unsigned first; uint64_t pc, rsp; };

struct state {
    unsigned n, n_segments;
    bool arriving;                      /* at a handler's first instruction */
    struct segment segment[MAX_SEGMENTS];
    struct entry entry[MAX_ENTRIES];
    uint64_t pcs[MAX_FRAMES];
    struct dr_trail trail[TRAILS];
    uint64_t sum[TRAILS];
};

static uint32_t slot;
static uint64_t n_stacks, n_frames, n_differ, n_jumping, n_again, n_changed, n_false;
static bool again;
enum { AGAIN_FRAMES = 12 };

static bool
init(int argc, const char *const *argv)
{
    again = argc > 1 && argv[1][0] == '-' && argv[1][1] == 'a';
    slot = dr_thread_memory(sizeof(struct state *));
    return slot != 0;
}

static struct state *
state(void)
{
    struct state **s = dr_thread_at(dr_thread_current(), slot);

    if (!*s)
        *s = dr_map(sizeof **s);
    DR_CHECK(*s, "memory for a shadow call stack");
    return *s;
}

static void
drop_returned(struct state *s, uint64_t rsp)
{
    unsigned first = s->n_segments ? s->segment[s->n_segments - 1].first : 0;

    while (s->n > first && s->entry[s->n - 1].slot < rsp)
        s->n--;
}

/* The program stands where a signal interrupted it. */
static void
leave_handlers(struct state *s, const struct dr_mcontext *mc)
{
    while (s->n_segments && mc->rip == s->segment[s->n_segments - 1].pc && mc->gpr[RSP] == s->segment[s->n_segments - 1].rsp)
        s->n = s->segment[--s->n_segments].first;
}

static void
push(struct state *s, uint64_t at, uint64_t pc)
{
    DR_CHECK(s->n < MAX_ENTRIES, "the program is not that deep");
    s->entry[s->n++] = (struct entry){at, pc};
}

static void
show(const uint64_t *want, unsigned n_want, const uint64_t *got, unsigned n_got)
{
    struct dr_location at;

    dr_print("differs: %u frames, not %u\n", n_got, n_want);
    for (unsigned i = 0; i < n_want || i < n_got; i++) {
        if (i + 3 < n_want && i + 3 < n_got && want[i + 1] == got[i + 1] && want[i + 2] == got[i + 2] && want[i] == got[i] && i > 2)
            continue;
        for (int k = 0; k < 2; k++) {
            dr_locate(k ? (i < n_got ? got[i] : 0) : (i < n_want ? want[i] : 0), &at);
            dr_print("%s %2u 0x%lx %s+0x%lx (%s)", k ? "   got" : "  want", i, k ? (i < n_got ? got[i] : 0) : (i < n_want ? want[i] : 0), at.module ? at.module : "?", at.offset, at.symbol ? at.symbol : "?");
        }
        dr_print("\n");
    }
}

/* In longjmp and in the unwinder of exceptions the stack is another's already, and libc and libgcc say so. */
static bool
is_jumping(uint64_t pc)
{
    static const char *const jumpers[] = {"/libgcc_s.so", "/libc.so"};
    struct dr_location at;

    dr_locate(pc, &at);
    if (at.symbol && ((at.symbol[0] == 'u' && at.symbol[1] == 'w' && at.symbol[2] == '_') || (at.symbol[0] == '_' && at.symbol[1] == 'U')))
        return true;
    for (unsigned i = 0; at.module && i < 2; i++)
        for (const char *s = at.module; *s; s++) {
            unsigned n = 0;
            while (jumpers[i][n] && jumpers[i][n] == s[n])
                n++;
            if (!jumpers[i][n])
                return true;
        }
    return false;
}

static unsigned
truth(const struct state *s, uint64_t pc, uint64_t *out, unsigned max)
{
    unsigned n = 0, segment = s->n_segments;

    out[n++] = pc;
    for (unsigned i = s->n;; i--) {
        while (segment && s->segment[segment - 1].first == i && n < max)
            out[n++] = s->segment[--segment].pc + 1;
        if (!i || n == max)
            return n;
        out[n++] = s->entry[i - 1].pc;
    }
}

static uint64_t
sum_of(const uint64_t *pcs, unsigned n)
{
    uint64_t sum = n;

    for (unsigned i = 0; i < n; i++)
        sum = (sum ^ pcs[i]) * 0x9e3779b97f4a7c15ull;
    return sum;
}

/* Whoever may be the same as before is asked: a wrong yes is an error, a no is counted. */
static void
try_again(struct state *s, const struct dr_mcontext *mc)
{
    uint64_t pcs[AGAIN_FRAMES];
    unsigned k = (unsigned)((mc->rip ^ mc->gpr[RSP] >> 3) * 0x9e3779b97f4a7c15ull >> 58);
    bool same = dr_unwind_again(mc, AGAIN_FRAMES, &s->trail[k]);
    struct dr_trail old = s->trail[k];
    uint64_t sum = sum_of(pcs, dr_unwind_trail(mc, pcs, AGAIN_FRAMES, &s->trail[k]));

    if (same && sum != s->sum[k])
        __atomic_fetch_add(&n_false, 1, __ATOMIC_RELAXED);
    if (old.rip == mc->rip)
        __atomic_fetch_add(same ? &n_again : &n_changed, 1, __ATOMIC_RELAXED);
    s->sum[k] = sum;
}

static void
at_block(uint64_t arg, struct dr_mcontext *mc)
{
    static uint64_t want[MAX_FRAMES];
    static struct dr_mutex lock;
    struct state *s = state();
    uint64_t rsp = mc->gpr[RSP], restorer;

    (void)arg;
    leave_handlers(s, mc);
    if (s->arriving && dr_safe_read(&restorer, rsp, 8)) {
        push(s, rsp, restorer);
        s->arriving = false;
    }
    drop_returned(s, rsp);
    if (again)
        try_again(s, mc);
    unsigned got = dr_unwind(mc, s->pcs, MAX_FRAMES);
    dr_lock(&lock);
    unsigned n = truth(s, mc->rip, want, MAX_FRAMES);
    bool same = n == got;
    for (unsigned i = 0; i < n && same; i++)
        same = want[i] == s->pcs[i];
    n_stacks++;
    n_frames += n;
    if (!same && is_jumping(mc->rip))
        n_jumping++;
    else if (!same && n_differ++ < MAX_SHOWN)
        show(want, n, s->pcs, got);
    dr_unlock(&lock);
}

static void
at_call(uint64_t next, struct dr_mcontext *mc)
{
    struct state *s = state();

    drop_returned(s, mc->gpr[RSP]);
    push(s, mc->gpr[RSP] - 8, next);
}

static bool
is_call(const struct dr_insn *i)
{
    const uint8_t *p = i->bytes;

    while (*p == 0x66 || *p == 0x67 || *p == 0xf2 || *p == 0xf3 || *p == 0x3e || *p == 0x2e || *p == 0x64 || *p == 0x65)
        p++;
    if ((*p & 0xf0) == 0x40)
        p++;
    return *p == 0xe8 || (*p == 0xff && (p[1] >> 3 & 7) == 2);
}

static bool block_begin(dr_block *b) { (void)b; return true; }

static void
block_insn(dr_block *b, unsigned i)
{
    const struct dr_insn *in = dr_block_insn(b, i);

    if (i == 0)
        dr_insert_call(b, at_block, 0);
    if (in->branch && is_call(in))
        dr_insert_call(b, at_call, in->pc + in->length);
}

static enum dr_signal_action
on_signal(struct dr_signal *sig)
{
    struct state *s = state();

    leave_handlers(s, sig->mc);      /* the next signal came before another block ran */
    drop_returned(s, sig->mc->gpr[RSP]);
    if (s->n_segments == MAX_SEGMENTS)   /* of handlers that were left by longjmp: the truth is not known any more */
        s->n = s->n_segments = 0;
    s->segment[s->n_segments++] = (struct segment){s->n, sig->mc->rip, sig->mc->gpr[RSP]};
    s->arriving = true;
    return DR_SIGNAL_DELIVER;
}

static void
finish(void)
{
    dr_print("unwind: %lu stacks, %lu frames, %lu differ, %lu in jumps\n", n_stacks, n_frames, n_differ, n_jumping);
    if (again)
        dr_print("again: %lu same, %lu changed, %lu falsely the same\n", n_again, n_changed, n_false);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "shadow",
    .init = init,
    .exit = finish,
    .block_begin = block_begin,
    .block_insn = block_insn,
    .signal = on_signal,
};
