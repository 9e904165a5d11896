/* The part of a run that is counted. Outside of it blocks are translated in a
 * mode of their own, nearly without inserted code, and contexts are not followed: at its
 * start a thread's context is the function it is in.
 * Threads: the one that opens or closes the window does so at once; the others
 *          follow at their next system call. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "priv.h"

enum { MAX_PLACES = 16 };

bool window_open;
struct places { uint64_t at[MAX_PLACES]; unsigned n; };
static struct places starts, stops;

void
window_init(void)
{
    window_open = !options.start_at;
}

static void
add_place(struct places *p, const struct dr_module *m, const char *name)
{
    uint64_t at = name ? dr_symbol_address(m, name) : 0;

    if (at && p->n < MAX_PLACES)
        p->at[p->n++] = at;
}

void
window_module_load(const struct dr_module *m)
{
    add_place(&starts, m, options.start_at);
    add_place(&stops, m, options.stop_at);
}

static bool
has(const struct places *p, uint64_t pc)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->at[i] == pc)
            return true;
    return false;
}

bool window_is_start(uint64_t pc) { return has(&starts, pc); }
bool window_is_stop(uint64_t pc) { return has(&stops, pc); }

void
window_follow(dr_thread *t)
{
    struct context *c = context_of(t);
    bool counts = dr_mode(t) != MODE_OFF;

    if (counts == window_open || !c->started || (header->flags & PROF_TRUNCATED))
        return;
    if (!window_open) {
        dr_set_mode(t, MODE_OFF);
        return;
    }
    c->top = FRAMES_BYTES;
    c->now = at_ref(c->thread->root);
    c->event = EVENT_START;
    dr_set_mode(t, MODE_LAND);
}

/* Callgrind's requests, as valgrind/callgrind.h makes them. */
enum { REQUEST_DUMP = 0x43540000, REQUEST_ZERO, REQUEST_TOGGLE, REQUEST_DUMP_AT, REQUEST_START, REQUEST_STOP };

bool
window_request(dr_thread *t, const uint64_t args[6], uint64_t *result)
{
    switch (args[0]) {
    case REQUEST_DUMP:
    case REQUEST_DUMP_AT:
        raw_dump();
        context_zero();
        break;
    case REQUEST_ZERO: context_zero(); break;
    case REQUEST_TOGGLE: window_open = !window_open; break;
    case REQUEST_START: window_open = true; break;
    case REQUEST_STOP: window_open = false; break;
    default: return false;
    }
    *result = 0;
    window_follow(t);
    return true;
}

void
window_begin(uint64_t pc, struct dr_mcontext *mc)
{
    (void)pc;
    (void)mc;
    window_open = true;
    window_follow(dr_thread_current());
}

void
window_end(uint64_t pc, struct dr_mcontext *mc)
{
    (void)pc;
    (void)mc;
    window_open = false;
    window_follow(dr_thread_current());
}
