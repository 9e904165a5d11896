/* Both peers run a batch at the same time. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
start_or_exit(struct peer *p)
{
    if (peer_start(p))
        return;
    fprintf(stderr, "insn_fuzz: the %s subject does not start: %s\n", p->name, p->death);
    exit(2);
}

bool
session_run(struct session *s, uint32_t slot, uint32_t count, uint32_t *at)
{
    bool native, other;

    start_or_exit(&s->native);
    start_or_exit(&s->other);
    peer_send(&s->native, slot, count);
    peer_send(&s->other, slot, count);
    native = peer_wait(&s->native);
    other = peer_wait(&s->other);
    *at = (uint32_t)(native ? s->other.results->current : s->native.results->current);
    return native && other;
}

const struct peer *
session_blame(const struct session *s)
{
    return !s->native.pid ? &s->native : !s->other.pid ? &s->other : NULL;
}

bool
session_trace(struct session *s, const struct recipe *r)
{
    struct insn_case *c = &s->cases->slot[0][0];
    struct insn_result *result = &s->native.results->slot[0][0];
    struct state_set *states = &s->native.results->states;

    if (!recipe_layout(r, c))
        return false;
    c->trace = 1;
    c->reps = 1;
    start_or_exit(&s->native);
    peer_send(&s->native, 0, 1);
    if (!peer_wait(&s->native) || result->outcome != OUTCOME_EXIT || result->nfaults || states->overflow)
        return false;
    memcpy(&s->cases->allowed, states, sizeof *states);
    c->trace = 0;
    c->check_async = 1;
    c->reps = r->reps;
    return true;
}

/* ---- the far zone, near the cache ---- */

struct span {
    uint64_t lo, hi;
};

/* Calls `visit` for each mapping of a process. */
static void
each_mapping(pid_t pid, void (*visit)(void *arg, struct span m, const char *rest), void *arg)
{
    char path[40], text[512];
    FILE *maps;

    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    maps = fopen(path, "r");
    while (maps && fgets(text, sizeof text, maps)) {
        unsigned long long lo, hi;
        int n;

        if (sscanf(text, "%llx-%llx %n", &lo, &hi, &n) == 2)
            visit(arg, (struct span){lo, hi}, text + n);
    }
    if (maps)
        fclose(maps);
}

static void
largest_code(void *arg, struct span m, const char *rest)
{
    struct span *best = arg;

    if (rest[2] == 'x' && !strchr(rest, '/') && !strchr(rest, '[') && m.hi - m.lo > best->hi - best->lo)
        *best = m;
}

struct query {
    struct span wanted;
    bool taken;
};

static void
overlaps(void *arg, struct span m, const char *rest)
{
    struct query *q = arg;

    (void)rest;
    if (m.lo < q->wanted.hi && q->wanted.lo < m.hi)
        q->taken = true;
}

static bool
is_mapped(pid_t pid, uint64_t lo, uint64_t hi)
{
    struct query q = {{lo, hi}, false};

    each_mapping(pid, overlaps, &q);
    return q.taken;
}

bool
session_met_engine(const struct session *s, const struct insn_result *native)
{
    enum { WIDEST = 64 };

    for (uint32_t i = 0; i < native->nfaults; i++) {
        uint64_t a = native->fault[i].addr;

        if (native->fault[i].signo == SIGSEGV && a > WIDEST && a < -(uint64_t)WIDEST &&
            !is_mapped(s->native.pid, a, a + 1) && is_mapped(s->other.pid, a - WIDEST, a + WIDEST))
            return true;
    }
    return false;
}

static bool
is_free(const struct session *s, uint64_t base)
{
    return !is_mapped(s->native.pid, base, base + ZONE_SIZE) &&
           !is_mapped(s->other.pid, base, base + ZONE_SIZE);
}

bool
session_zone_near_cache(struct session *s)
{
    enum {
        STEP = 0x10000000,
        TRIES = 6
    }; /* 256 MiB; as far as 32-bit displacements reach with some to spare */
    struct span cache = {0, 0};
    bool found = false;

    s->native.fixed_layout = s->other.fixed_layout = true;
    start_or_exit(&s->native);
    start_or_exit(&s->other);
    each_mapping(s->other.pid, largest_code, &cache);
    for (int i = 1; i <= TRIES && cache.hi - cache.lo > 0x100000 && !found; i++) {
        uint64_t below = (cache.lo & ~(uint64_t)(STEP - 1)) - (uint64_t)i * STEP,
                 above = cache.lo + (uint64_t)i * STEP;

        found = true;
        if (is_free(s, below))
            zone_base[ZONE_FAR] = below;
        else if (above > cache.hi && is_free(s, above & ~(uint64_t)(STEP - 1)))
            zone_base[ZONE_FAR] = above & ~(uint64_t)(STEP - 1);
        else
            found = false;
    }
    peer_stop(&s->native);
    peer_stop(&s->other);
    return found;
}
