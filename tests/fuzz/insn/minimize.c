/* Delta debugging, over groups of instructions first, then single ones, then
 * settings and start state. Each trial runs in fresh processes, so that what
 * is found holds on its own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "minimize.h"
#include "compare.h"

#include <string.h>
#include <time.h>

enum { TRIALS_MAX = 600, SECONDS_MAX = 120 };

struct search {
    struct session *s;
    struct finding *f;
    int trials;
    time_t began;
    struct recipe *now;  /* what is being made smaller: the case, or one of its history */
    struct recipe saved; /* as it was when it last differed */
};

/* ---- one trial ---- */

static void
keep_results(struct search *m, uint32_t at, bool died)
{
    struct finding *f = m->f;

    f->layout = m->s->cases->slot[0][at];
    f->native = m->s->native.results->slot[0][at];
    f->other = m->s->other.results->slot[0][at];
    f->died = died;
    if (died)
        memcpy(f->death, m->s->other.death, sizeof f->death);
}

static bool
lay_out_all(struct search *m, const struct recipe *r)
{
    struct insn_case *c = m->s->cases->slot[0];

    for (int i = 0; i < m->f->nhistory; i++)
        if (!recipe_layout(&m->f->history[i], &c[i]))
            return false;
    return r->async ? session_trace(m->s, r) : recipe_layout(r, &c[m->f->nhistory]);
}

static bool
differs_once(struct search *m)
{
    const struct recipe *r = &m->f->recipe;
    uint32_t last = r->async ? 0 : (uint32_t)m->f->nhistory, at;
    bool differs;

    m->trials++;
    peer_stop(&m->s->native);
    peer_stop(&m->s->other);
    if (!lay_out_all(m, r))
        return false;
    if (!session_run(m->s, 0, last + 1, &at)) {
        if (session_blame(m->s) != &m->s->other || at != last)
            return false;
        keep_results(m, last, true);
        return true;
    }
    differs = !results_agree(&m->s->native.results->slot[0][last], &m->s->other.results->slot[0][last]);
    if (differs)
        keep_results(m, last, false);
    return differs;
}

static bool
differs(struct search *m)
{
    int times = m->f->recipe.async ? 4 : 1;

    while (times-- && m->trials < TRIALS_MAX && time(NULL) - m->began < SECONDS_MAX)
        if (differs_once(m))
            return true;
    return false;
}

/* Keeps what was changed in *now if the case still differs, otherwise takes it back. */
static bool
try_change(struct search *m)
{
    if (differs(m)) {
        m->saved = *m->now;
        return true;
    }
    *m->now = m->saved;
    return false;
}

/* ---- history ---- */

static bool
find_history(struct search *m, const struct recipe *before, int nbefore)
{
    static const int lengths[] = {0, 1, 7, HISTORY_MAX};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int n = lengths[i] < nbefore ? lengths[i] : nbefore;

        m->f->nhistory = n;
        memcpy(m->f->history, before + (nbefore - n), (size_t)n * sizeof *before);
        for (int again = 0; again < (n == 0 ? 2 : 1); again++)
            if (differs(m))
                return true;
        if (n == nbefore)
            break;
    }
    m->f->nhistory = 0;
    return false;
}

static void
shrink_history(struct search *m)
{
    for (int i = 0; i < m->f->nhistory;) {
        struct recipe removed = m->f->history[i];
        size_t behind = (size_t)(m->f->nhistory - i - 1);

        memmove(m->f->history + i, m->f->history + i + 1, behind * sizeof removed);
        m->f->nhistory--;
        if (differs(m))
            continue;
        memmove(m->f->history + i + 1, m->f->history + i, behind * sizeof removed);
        m->f->history[i++] = removed;
        m->f->nhistory++;
    }
}

/* ---- code ---- */

static bool
drop_groups(struct recipe *r, int first, int count)
{
    bool any = false;

    for (int i = 0; i < r->nitems - 1; i++)
        if (r->item[i].group >= first && r->item[i].group < first + count && !r->item[i].dropped)
            r->item[i].dropped = any = true;
    return any;
}

static void
shrink_groups(struct search *m)
{
    for (int size = m->now->ngroups / 2; size >= 1; size /= 2)
        for (int first = 1; first < m->now->ngroups; first += size) /* group 0 stays */
            if (drop_groups(m->now, first, size))
                try_change(m);
}

static void
shrink_items(struct search *m)
{
    for (int i = m->now->nitems - 2; i >= 0; i--) {
        if (m->now->item[i].dropped || m->now->item[i].group == 0)
            continue;
        m->now->item[i].dropped = true;
        try_change(m);
    }
}

static void
shrink_pokes(struct search *m)
{
    for (int i = m->now->npokes - 1; i >= 0; i--) {
        struct recipe_poke *p = m->now->poke;

        memmove(p + i, p + i + 1, (size_t)(m->now->npokes - i - 1) * sizeof *p);
        m->now->npokes--;
        try_change(m);
    }
}

/* ---- settings and start state ---- */

static void
shrink_reps(struct search *m)
{
    static const uint32_t fewer[] = {1, 2, 4, 16, 64};

    for (size_t i = 0; i < sizeof fewer / sizeof *fewer; i++) {
        if (m->now->reps <= fewer[i] || m->now->async)
            return;
        m->now->reps = fewer[i];
        if (try_change(m))
            return;
    }
}

#define TRY(member, value)               \
    do {                                 \
        if (m->now->member != (value)) { \
            m->now->member = (value);    \
            try_change(m);               \
        }                                \
    } while (0)

static void
shrink_settings(struct search *m)
{
    TRY(entry, ENTRY_JMP);
    TRY(install, INSTALL_STORE);
    TRY(fault_action, FAULT_END);
    TRY(at_end, false);
    TRY(code_off, 0x40);
    TRY(components, 0xe7);
}

static void
shrink_start(struct search *m)
{
    struct vector_state clean = {.fcw = 0x37f, .mxcsr = 0x1f80};

    m->now->start.v = clean;
    if (!try_change(m)) {
        memset(m->now->start.v.zmm, 0, sizeof clean.zmm);
        try_change(m);
        memset(m->now->start.v.k, 0, sizeof clean.k);
        try_change(m);
        TRY(start.v.mxcsr, 0x1f80);
    }
    TRY(start.rflags, 0x202);
    TRY(start.gs_base, 0);
    for (int i = 0; i < 16; i++)
        if (i != RSP)
            TRY(start.gpr[i], 0);
}

static void
shrink_recipe(struct search *m, struct recipe *r)
{
    m->now = r;
    m->saved = *r;
    shrink_reps(m);
    shrink_groups(m);
    shrink_items(m);
    shrink_settings(m);
    shrink_pokes(m);
    shrink_start(m);
}

void
minimize(struct session *s, const struct recipe *r, const struct recipe *before, int nbefore,
         struct finding *f)
{
    struct recipe *history = f->history;
    struct search m = {.s = s, .f = f, .began = time(NULL)};

    memset(f, 0, sizeof *f);
    f->history = history;
    f->recipe = *r;
    s->other.in_trial = true;
    f->recurs = find_history(&m, before, r->async ? 0 : nbefore);
    if (!f->recurs) {
        s->other.in_trial = false;
        return;
    }
    shrink_history(&m);
    shrink_recipe(&m, &f->recipe);
    for (int i = 0; i < f->nhistory && i < 4; i++)
        shrink_recipe(&m, &f->history[i]);
    m.trials = 0;
    m.began = time(NULL);
    differs(&m); /* results of what is reported */
    s->other.in_trial = false;
}

bool
finding_is_steady(struct session *s, struct finding *f)
{
    struct search m = {.s = s, .f = f, .began = time(NULL)};
    int times = 5;

    s->other.in_trial = true;
    while (times && differs_once(&m))
        times--;
    s->other.in_trial = false;
    return times == 0;
}
