/* Maps memory for the program and looks it up among its regions, at each thread's start and at the end. Counts forks. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { BYTES = 3 * 4096 };

struct look { uint64_t at, hits, last; bool stack, sound; };

static bool
look(const struct dr_region *r, void *arg)
{
    struct look *l = arg;

    l->sound &= r->lo < r->hi && r->lo >= l->last;
    l->last = r->hi;
    l->hits += l->at >= r->lo && l->at + BYTES <= r->hi && r->readable && r->writable && !r->executable && !r->shared && !r->name;
    l->stack |= r->name && r->name[0] == '[' && r->name[1] == 's' && r->name[2] == 't' && r->writable;
    return true;
}

static uint64_t
hits(uint64_t at)
{
    struct look l = {.at = at, .sound = true};

    DR_CHECK(dr_each_region(look, &l) && l.sound && l.stack, "regions rise, and the stack is one of them");
    return l.hits;
}

static void count(uint64_t lo, uint64_t hi, void *arg) { *(uint64_t *)arg += (hi - lo) * (lo % 4096 == 0); }

static uint64_t
touched(uint64_t *at)
{
    uint64_t bytes = 0;

    DR_CHECK(dr_each_touched((uint64_t)at, (uint64_t)at + BYTES, count, &bytes), "the kernel tells which pages are used");
    return bytes;
}

static void
look_around(void)
{
    uint64_t *p = dr_program_map(BYTES), was;

    DR_CHECK(p && *p == 0, "there is memory, and it is zero");
    DR_CHECK(hits((uint64_t)p) == 1, "the program has a region there");
    DR_CHECK(touched(p) == 4096, "one page has been read");
    p[1024] = 7;
    DR_CHECK(touched(p) == 8192, "now two have");
    DR_CHECK(dr_program_discard(p, BYTES) && p[1024] == 0, "it is zero again");
    dr_program_unmap(p, BYTES);
    DR_CHECK(!dr_safe_read(&was, (uint64_t)p, sizeof was), "it is gone");
    DR_CHECK(hits((uint64_t)dr_map(BYTES)) == 0, "the engine's memory is no region of the program's");
    dr_print("places: as they should be\n");
}

/* ---- forks ---- */

static struct dr_mutex fork_lock;
static unsigned begun, ended;

static void fork_begin(dr_thread *t) { (void)t, dr_lock(&fork_lock), begun++; }
static void fork_end(dr_thread *t) { (void)t, ended++, dr_unlock(&fork_lock); }
static void fork_child(dr_thread *t) { (void)t; DR_CHECK(begun == ended && !fork_lock.state, "the child comes after the end of its fork"); }

static void
at_exit(void)
{
    look_around();
    if (begun)
        dr_print("places: %u forks begun, %u ended\n", begun, ended);
}

static void thread_start(dr_thread *t) { (void)t, look_around(); }

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "places",
    .exit = at_exit,
    .thread_start = thread_start,
    .fork_begin = fork_begin,
    .fork_end = fork_end,
    .fork_child = fork_child,
};
