/* Where a thread is in the tree of contexts: what calls, returns and jumps do to
 * it, when the inserted code cannot tell.
 *
 * Calls that have not returned are frames: the address of the return address, the
 * return address, and the context to go back to. A frame is dead once the stack
 * pointer is above its address, however that came about: a return, longjmp, an
 * exception. A stack pointer that lies elsewhere altogether is another stack's
 * (swapcontext, coroutines): its frames are put aside in a `struct fiber`, which
 * is found again by the range of addresses it had.
 * Threads: each its own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "priv.h"

enum { NEAR = 1024, BEYOND_BASE = 1 << 16, MAX_FIBERS = 1 << 14, FIBER_ROOM = 4096 };

/* The frames of a stack that is not running. */
struct fiber {
    struct fiber *next;
    uint64_t lo, hi;                     /* addresses of the last frame and of the first one         */
    struct prof_node *now;
    uint32_t bytes, room;                /* of frames: in use, in all                                */
    uint8_t frames[];
};

void
give_up(dr_thread *t)
{
    header->flags |= PROF_TRUNCATED;
    dr_set_mode(t, MODE_OFF);
}

/* ---- frames ---- */

static bool has_frames(const struct context *c) { return c->top < FRAMES_BYTES; }
static uint64_t address_of(const struct frame *f) { return ~f->slot_not; }
static uint64_t last_address(dr_thread *t) { return address_of(frame_at(t, context_of(t)->top)); }
static uint64_t first_address(dr_thread *t) { return address_of(frame_at(t, FRAMES_BYTES - sizeof(struct frame))); }

static void
push(dr_thread *t, struct context *c, uint64_t address, uint64_t return_not)
{
    enum { HALF = FRAMES_BYTES / 2 };

    if (c->top == sizeof(struct frame)) {            /* full: the older half is forgotten */
        memcpy(frame_at(t, HALF), frame_at(t, 0), HALF);
        c->top += HALF;
    }
    c->top -= sizeof(struct frame);
    *frame_at(t, c->top) = (struct frame){.slot_not = ~address, .return_not = return_not, .node = c->now};
}

static void
pop(dr_thread *t, struct context *c)
{
    c->now = frame_at(t, c->top)->node;
    c->top += sizeof(struct frame);
}

static void
pop_dead(dr_thread *t, struct context *c, uint64_t rsp)
{
    while (has_frames(c) && last_address(t) < rsp)
        pop(t, c);
}

/* ---- stacks ---- */

static struct fiber **
fiber_holding(struct context *c, uint64_t rsp)
{
    for (unsigned i = 0; i < 64; i++)
        for (struct fiber **f = &c->fibers[i]; *f; f = &(*f)->next)
            if (rsp > (*f)->lo && rsp <= (*f)->hi + 8)
                return f;
    return NULL;
}

static void
fiber_free(struct context *c, struct fiber **at)
{
    struct fiber *f = *at;

    *at = f->next;
    c->n_fibers--;
    if (f->room == FIBER_ROOM) {
        f->next = c->spare;
        c->spare = f;
    } else {
        dr_unmap(f, sizeof *f + f->room);
    }
}

static struct fiber *
fiber_new(struct context *c, uint32_t bytes)
{
    struct fiber *f = c->spare;

    if (c->n_fibers == MAX_FIBERS)
        return NULL;
    if (f && bytes <= FIBER_ROOM) {
        c->spare = f->next;
    } else {
        uint32_t room = bytes > FIBER_ROOM ? bytes : FIBER_ROOM;
        f = dr_map(sizeof *f + room);
        if (f)
            f->room = room;
    }
    if (f)
        c->n_fibers++;
    return f;
}

/* Frames and context of the running stack, put aside. */
static void
fiber_save(dr_thread *t, struct context *c)
{
    struct fiber **old, *f;

    if (!has_frames(c))
        return;
    uint64_t lo = last_address(t), hi = first_address(t);
    while ((old = fiber_holding(c, lo + 8)) || (old = fiber_holding(c, hi + 8)))
        fiber_free(c, old);              /* of a stack that was here before */
    f = fiber_new(c, (uint32_t)(FRAMES_BYTES - c->top));
    if (!f)
        return;
    f->lo = lo;
    f->hi = hi;
    f->now = c->now;
    f->bytes = (uint32_t)(FRAMES_BYTES - c->top);
    memcpy(f->frames, frame_at(t, c->top), f->bytes);
    struct fiber **list = &c->fibers[hi >> 12 & 63];
    f->next = *list;
    *list = f;
}

static void
fiber_resume(dr_thread *t, struct context *c, struct fiber **at)
{
    struct fiber *f = *at;

    c->top = FRAMES_BYTES - f->bytes;
    memcpy(frame_at(t, c->top), f->frames, f->bytes);
    c->now = f->now;
    fiber_free(c, at);
}

/* The stack pointer is about to be rsp, by other means than calls and plain returns. */
static void
find_stack(dr_thread *t, struct context *c, uint64_t rsp)
{
    struct fiber **f;

    if (has_frames(c)) {
        uint64_t last = last_address(t), first = first_address(t);
        if (rsp > last && rsp <= first + 8) {
            pop_dead(t, c, rsp);
            return;
        }
        if (rsp <= last && last - rsp <= NEAR)
            return;
    }
    if ((f = fiber_holding(c, rsp))) {
        struct fiber *other = *f;
        *f = other->next;                /* off the list, while this one goes onto it */
        fiber_save(t, c);
        other->next = NULL;
        fiber_resume(t, c, &other);
        pop_dead(t, c, rsp);
        return;
    }
    if (!has_frames(c))
        return;
    if (rsp > first_address(t) && rsp - first_address(t) < BEYOND_BASE) {
        pop_dead(t, c, rsp);
        return;
    }
    fiber_save(t, c);
    c->top = FRAMES_BYTES;
    c->now = at_ref(c->thread->root);
}

/* ---- contexts ---- */

static bool
is_in(const struct prof_node *n, uint64_t pc)
{
    const struct prof_function *f = at_ref(n->function);

    return f && function_holds(f, pc);
}

static bool
enter(dr_thread *t, struct context *c, const struct prof_slot *site, enum prof_node_kind kind, uint64_t target)
{
    struct prof_node *n = node_enter(c, c->now, site, kind, target);

    if (!n) {
        give_up(t);
        return false;
    }
    n->calls++;
    c->now = n;
    return true;
}

/* Whatever context we think it is, the program is about to be at pc. */
static void
settle(dr_thread *t, struct context *c, uint64_t pc)
{
    if (is_in(c->now, pc))
        return;
    const struct prof_function *f = function_at(pc);
    for (struct prof_node *n = c->now; n && f; n = at_ref(n->parent))
        if (n->function == ref_of(f)) {
            c->now = n;
            return;
        }
    enter(t, c, NULL, PROF_LANDED, pc);
}

static void
remember(struct context *c, struct prof_node *at, const struct prof_slot *site, uint64_t target)
{
    uint64_t *place = node_place(at, site);

    if (!place)
        return;
    if (c->now->entry_not == ~target)
        *place = (uint64_t)c->now;
    c->polymorph[polymorph_index((uint64_t)place, target)] = (struct polymorph){~(uint64_t)place, ~target, c->now, 0};
}

/* ---- slow paths ---- */

static void
call(const struct prof_slot *site, struct dr_mcontext *mc, uint64_t target, uint64_t back)
{
    dr_thread *t = dr_thread_current();
    struct context *c = context_of(t);
    struct prof_node *from = c->now;

    push(t, c, mc->gpr[RSP] - 8, ~back);
    if (enter(t, c, site, PROF_CALLED, target))
        remember(c, from, site, target);
}

/* The slot of a direct call leads to where its target leads, whatever that is entered at. */
void
slow_call(uint64_t arg, struct dr_mcontext *mc)
{
    const struct prof_slot *site = (const struct prof_slot *)arg;
    struct context *c = context_of(dr_thread_current());
    struct prof_node *from = c->now;

    call(site, mc, site->target, site->pc + site->n);
    uint64_t *place = node_place(from, site);
    if (place)
        *place = (uint64_t)c->now;
}

void
slow_call_indirect(uint64_t arg, struct dr_mcontext *mc)
{
    const struct prof_slot *site = (const struct prof_slot *)arg;

    call(site, mc, context_of(dr_thread_current())->target, site->pc + site->n);
}

void
slow_jump(uint64_t arg, struct dr_mcontext *mc)
{
    const struct prof_slot *site = (const struct prof_slot *)arg;
    dr_thread *t = dr_thread_current();
    struct context *c = context_of(t);
    struct prof_node *from = c->now;

    (void)mc;
    c->left = NULL;
    if (!enter(t, c, site, PROF_JUMPED, site->target))
        return;
    uint64_t *place = node_place(from, site);
    if (place)
        *place = (uint64_t)c->now;
}

/* A jump table, a tail call, the procedure linkage table; or longjmp, an exception, another stack. */
void
slow_jump_indirect(uint64_t arg, struct dr_mcontext *mc)
{
    const struct prof_slot *site = (const struct prof_slot *)arg;
    dr_thread *t = dr_thread_current();
    struct context *c = context_of(t);
    struct prof_node *from = c->now;
    uint64_t rsp = mc->gpr[RSP], target = c->target;

    c->left = NULL;
    if (is_in(c->now, target))
        return;
    if (has_frames(c) && (rsp > last_address(t) || last_address(t) - rsp > NEAR)) {
        find_stack(t, c, rsp);
        settle(t, c, target);
    } else if (enter(t, c, site, PROF_JUMPED, target)) {
        remember(c, from, site, target);
    }
}

void
slow_return(uint64_t arg, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    struct context *c = context_of(t);
    uint64_t rsp = mc->gpr[RSP], target;

    (void)arg;
    c->left = NULL;
    if (!dr_safe_read(&target, rsp, sizeof target))
        return;                          /* the return will fault */
    if (has_frames(c) && last_address(t) == rsp)
        pop(t, c);
    else
        find_stack(t, c, rsp + 8);
    settle(t, c, target);
}

void
slow_count(uint64_t arg, struct dr_mcontext *mc)
{
    const struct prof_slot *s = (const struct prof_slot *)arg;
    dr_thread *t = dr_thread_current();
    uint64_t *place = node_place(context_of(t)->now, s);

    (void)mc;
    if (place)
        ++*place;
    else
        give_up(t);
}

/* ---- events ---- */

/* The program stands in front of a transfer whose change of context has been made: it will be made again. */
static void
undo_transfer(dr_thread *t, struct context *c, const struct dr_mcontext *mc)
{
    const struct prof_slot *s = c->cut;

    if (has_frames(c) && last_address(t) == mc->gpr[RSP] - 8 && ~frame_at(t, c->top)->return_not - mc->rip - 1 < 15) {
        if (c->now != frame_at(t, c->top)->node)
            c->now->calls--;
        pop(t, c);
    } else if (s && c->cut_pc == mc->rip && c->left && c->left->function == s->function) {
        if (has_frames(c) && last_address(t) == mc->gpr[RSP]) {
            if (c->now == frame_at(t, c->top)->node)
                c->now = c->left;        /* half of a return: no frame is popped */
        } else if (address_of(frame_at(t, c->top) - 1) == mc->gpr[RSP]) {
            c->top -= sizeof(struct frame);
            c->now = c->left;
        } else if (c->now->function != s->function) {
            c->now->calls--;
            c->now = c->left;
        }
    }
    c->cut = NULL;
}

/* The first block after an event: the program is at pc. */
void
land(uint64_t pc, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    struct context *c = context_of(t);
    uint64_t rsp = mc->gpr[RSP];

    dr_set_mode(t, MODE_COUNT);
    switch (c->event) {
    case EVENT_SIGNAL:
        if (pc == c->interrupted.rip && rsp == c->interrupted.gpr[RSP])
            break;
        push(t, c, rsp, 0);
        enter(t, c, NULL, PROF_SIGNALLED, pc);
        break;
    case EVENT_CUT:
        undo_transfer(t, c, mc);
        break;
    case EVENT_SIGRETURN:
        find_stack(t, c, rsp);
        break;
    default:
        break;
    }
    c->event = EVENT_NONE;
    settle(t, c, pc);
}

void
context_signal(dr_thread *t, const struct dr_mcontext *mc)
{
    struct context *c = context_of(t);

    if (dr_mode(t) == MODE_OFF)
        return;
    undo_transfer(t, c, mc);
    c->interrupted = *mc;
    c->event = EVENT_SIGNAL;
    dr_set_mode(t, MODE_LAND);
}
