/* Both peers run a batch at the same time. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

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
