/* The stack as rsp moves: what emitted code leaves to C. See stack.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack.h"

#include "instrument.h"

/* A larger step is to another stack (coroutines, swapcontext), whose bytes are what they are. */
enum { LARGEST_STEP = 2 << 20 };
/* So much of the first stack as the kernel backs at first: what lies below is out of the program's reach until it asks for it. */
enum { FIRST_STACK = 128 << 10, FIRST_STACK_MAX = 1 << 30 };

/* The first thread's stack, of which both ends are known. */
static uint64_t first_lo, first_hi;

static bool
same_stack(uint64_t a, uint64_t b)
{
    uint64_t step = a < b ? b - a : a - b;

    return step <= LARGEST_STEP || (a >= first_lo && b >= first_lo && a <= first_hi && b <= first_hi);
}

static enum shadow_state fresh(void) { return opt.light ? SHADOW_DEFINED : SHADOW_UNDEFINED; }

void
stack_moved(uint64_t from, uint64_t to)
{
    if (!same_stack(from, to))
        return;
    if (to < from)
        shadow_set(to - RED_ZONE, from - to, fresh());
    else
        shadow_set(from - RED_ZONE, to - from, SHADOW_UNADDRESSABLE);
}

void
stack_start(uint64_t rsp)
{
    if (!first_hi) {
        first_hi = rsp;
        first_lo = rsp - FIRST_STACK_MAX;
        shadow_set(rsp - FIRST_STACK, FIRST_STACK - RED_ZONE, SHADOW_UNADDRESSABLE);
    }
    shadow_set(rsp - RED_ZONE, RED_ZONE, fresh());
}

/* ---- signal frames ---- */

/* Of each handler that runs: where its frame is, and the register state it interrupted. The youngest is the last; who
 * leaves by longjmp is noticed when another one is entered or left above it. */
enum { MAX_NESTED = 8 };
/* What of a frame matters here: the return address, then ucontext (sigaction(2), <sys/ucontext.h>). */
struct frame {
    uint64_t restorer, flags, link;
    uint64_t stack, stack_flags, stack_size;
    uint64_t registers[15], rsp;        /* r8 … rcx, then rsp */
};
struct interrupted { uint64_t lo, hi; struct regstate rs; };
struct nest { unsigned n; struct interrupted at[MAX_NESTED]; };
static uint32_t nest_slot;

bool
stack_init(void)
{
    nest_slot = dr_thread_memory(sizeof(struct nest));
    return nest_slot;
}

void
stack_signal_frame(dr_thread *t, uint64_t lo, uint64_t hi)
{
    struct nest *n = dr_thread_at(t, nest_slot);
    struct regstate *rs = regstate_of(t);

    shadow_set(lo, hi - lo, SHADOW_DEFINED);
    shadow_set(lo - RED_ZONE, RED_ZONE, opt.light ? SHADOW_DEFINED : SHADOW_UNDEFINED);
    while (n->n && n->at[n->n - 1].lo <= lo && n->at[n->n - 1].hi > lo)      /* that frame has been written over */
        n->n--;
    if (n->n == MAX_NESTED) {
        for (unsigned i = 1; i < MAX_NESTED; i++)
            n->at[i - 1] = n->at[i];
        n->n--;
    }
    struct interrupted *x = &n->at[n->n++];
    x->lo = lo;
    x->hi = hi;
    x->rs = *rs;
    if (rs->summary) {
        *rs = (struct regstate){0};
        mode_update(t);
    }
}

void
stack_sigreturn(dr_thread *t, uint64_t rsp)
{
    struct nest *n = dr_thread_at(t, nest_slot);
    uint64_t lo = rsp - 8;              /* the handler has popped its return address */
    unsigned i = n->n;

    while (i && n->at[i - 1].lo != lo)
        i--;
    if (!i)
        return;                         /* a frame of the program's own making */
    struct interrupted *x = &n->at[i - 1];
    n->n = i - 1;
    struct frame f;
    if (!dr_safe_read(&f, lo, sizeof f))
        return;
    if (f.rsp - RED_ZONE == x->hi)
        shadow_set(lo - RED_ZONE, x->hi - lo + RED_ZONE, SHADOW_UNADDRESSABLE);
    else                                /* an alternate stack: the program's memory as any other, once it is left */
        shadow_set(f.stack, f.stack_size, SHADOW_DEFINED);
    if (x->rs.summary || regstate_of(t)->summary) {
        *regstate_of(t) = x->rs;
        mode_update(t);
    }
}
