/* The cache model against a naive one, which keeps for every line when it came and when it was last used, on random
 * references of several cores: every policy, with L2, TLBs, prefetching and coherence. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cachesim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 88172645463325252ull;
static uint64_t
draw(uint64_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % n;
}

/* ---- the naive model ---- */

struct slot { uint64_t line, came, used; bool full; };
struct naive { struct cache_config c; struct slot *slot; bool *tree; uint64_t now, random; };

static struct naive
naive_new(const struct cache_config *c, uint64_t seed)
{
    return (struct naive){.c = *c, .slot = calloc(c->size ? c->size / c->line : 1, sizeof(struct slot)),
                          .tree = calloc(c->size ? c->size / c->line * 2 : 1, 1), .random = seed * 0x9e3779b97f4a7c15ull | 1};
}

static unsigned sets(const struct naive *n) { return (unsigned)(n->c.size / n->c.line / n->c.assoc); }
static struct slot *set_of(struct naive *n, uint64_t line) { return n->slot + line % sets(n) * n->c.assoc; }

static struct slot *
naive_find(struct naive *n, uint64_t line)
{
    struct slot *s = set_of(n, line);

    for (unsigned i = 0; i < n->c.assoc; i++)
        if (s[i].full && s[i].line == line)
            return &s[i];
    return NULL;
}

/* The tree as a heap of booleans: true points right. */
static unsigned
plru_victim(const bool *tree, unsigned ways, unsigned node)
{
    return node >= ways ? node - ways : plru_victim(tree, ways, 2 * node + tree[node]);
}
static void
plru_point_away(bool *tree, unsigned ways, unsigned way)
{
    for (unsigned node = way + ways; node > 1; node /= 2)
        tree[node / 2] = node % 2 == 0;
}

static struct slot *
naive_victim(struct naive *n, uint64_t line)
{
    struct slot *s = set_of(n, line), *best = NULL;

    for (unsigned i = 0; i < n->c.assoc; i++)
        if (!s[i].full)
            return &s[i];
    if (n->c.policy == POLICY_RANDOM) {
        n->random ^= n->random >> 12;
        n->random ^= n->random << 25;
        n->random ^= n->random >> 27;
        return &s[((n->random * 0x2545f4914f6cdd1dull) >> 32) * n->c.assoc >> 32];
    }
    if (n->c.policy == POLICY_PLRU)
        return &s[plru_victim(n->tree + line % sets(n) * n->c.assoc * 2, n->c.assoc, 1)];
    for (unsigned i = 0; i < n->c.assoc; i++)
        if (!best || (n->c.policy == POLICY_LRU ? s[i].used < best->used : s[i].came < best->came))
            best = &s[i];
    return best;
}

static bool
naive_line(struct naive *n, uint64_t line)
{
    struct slot *s = naive_find(n, line);
    bool hit = s;

    n->now++;
    if (!hit) {
        s = naive_victim(n, line);
        *s = (struct slot){.line = line, .came = n->now, .full = true};
    }
    s->used = n->now;
    plru_point_away(n->tree + line % sets(n) * n->c.assoc * 2, n->c.assoc, (unsigned)(s - set_of(n, line)));
    return hit;
}

static bool
naive_range(struct naive *n, uint64_t a, uint32_t size)
{
    bool all = true;

    for (uint64_t line = a / n->c.line; line <= (a + size - 1) / n->c.line; line++)
        all &= naive_line(n, line);
    return all;
}

struct naive_core { struct naive l1i, l1d, l2, itlb, dtlb, tlb2; };
struct naive_sim { struct sim_config c; struct naive_core core[8]; struct naive ll; };

static unsigned
naive_below(struct naive_sim *s, unsigned k, uint64_t a, uint32_t n)
{
    if (s->c.l2.size && naive_range(&s->core[k].l2, a, n))
        return SIM_L1_MISS;
    return SIM_L1_MISS | SIM_L2_MISS | (naive_range(&s->ll, a, n) ? 0 : SIM_LL_MISS);
}

static unsigned
naive_ref(struct naive_sim *s, unsigned k, uint64_t a, uint32_t n, bool data, bool write)
{
    struct naive_core *c = &s->core[k];
    struct naive *tlb = data ? &c->dtlb : &c->itlb, *l1 = data ? &c->l1d : &c->l1i;
    unsigned r = 0;

    if (tlb->c.size && !naive_range(tlb, a, n)) {
        r |= SIM_TLB_MISS;
        if (!c->tlb2.c.size || !naive_range(&c->tlb2, a, n))
            r |= SIM_TLB2_MISS;
    }
    for (unsigned o = 0; o < s->c.cores && s->c.coherence && write; o++)
        for (uint64_t line = a / 64; o != k && line <= (a + n - 1) / 64; line++) {
            struct slot *x = naive_find(&s->core[o].l1d, line), *y = s->c.l2.size ? naive_find(&s->core[o].l2, line) : NULL;
            if (x || y)
                r |= SIM_INVALIDATED;
            if (x)
                x->full = false;
            if (y)
                y->full = false;
        }
    if (naive_range(l1, a, n))
        return r;
    r |= naive_below(s, k, a, n);
    uint64_t next = (a + n - 1) / 64 + 1;
    if (data && s->c.prefetch && !naive_find(l1, next)) {
        naive_line(l1, next);
        naive_below(s, k, next * 64, 1);
        r |= SIM_PREFETCHED;
    }
    return r;
}

/* ---- both ---- */

static unsigned failures;

static void
compare(const char *name, const struct sim_config *c, unsigned refs)
{
    static struct sim sim;
    struct naive_sim naive = {.c = *c};
    uint64_t seed = c->seed, misses = 0;

    sim_init(&sim, c, calloc(sim_words(c), 8));
    for (unsigned k = 0; k < c->cores; k++) {
        const struct cache_config *from[] = {&c->l1i, &c->l1d, &c->l2, &c->itlb, &c->dtlb, &c->tlb2};
        struct naive *to[] = {&naive.core[k].l1i, &naive.core[k].l1d, &naive.core[k].l2, &naive.core[k].itlb, &naive.core[k].dtlb, &naive.core[k].tlb2};
        for (unsigned i = 0; i < 6; i++)
            *to[i] = naive_new(from[i], ++seed);
    }
    naive.ll = naive_new(&c->ll, ++seed);
    for (unsigned i = 0; i < refs; i++) {
        unsigned k = (unsigned)draw(c->cores), size = 1u << draw(6);
        uint64_t a = draw(4) ? draw(1 << 13) : draw(1 << 17);
        bool data = draw(3), write = data && draw(2);
        unsigned x = data ? sim_data(&sim, k, a, size, write) : sim_fetch(&sim, k, a, size), y = naive_ref(&naive, k, a, size, data, write);
        misses += !!(x & SIM_L1_MISS);
        if (x != y) {
            printf("%s: reference %u: %x, not %x\n", name, i, x, y);
            failures++;
            return;
        }
    }
    printf("%s: %u references, %lu misses, alike\n", name, refs, (unsigned long)misses);
}

static struct sim_config
config_of(enum policy p)
{
    return (struct sim_config){.cores = 3, .seed = 7, .l1i = {2048, 2, 64, p}, .l1d = {4096, 4, 64, p}, .l2 = {0, 8, 64, p}, .ll = {32768, 16, 64, p},
                               .itlb = {0, 1, 4096, p}, .dtlb = {0, 1, 4096, p}, .tlb2 = {0, 1, 4096, p}};
}

int
main(void)
{
    static const char *const names[] = {"LRU", "FIFO", "random", "PLRU"};

    for (unsigned p = POLICY_LRU; p <= POLICY_PLRU; p++)
        for (unsigned extra = 0; extra < 16; extra++) {
            struct sim_config c = config_of((enum policy)p);
            char name[80];
            snprintf(name, sizeof name, "%s%s%s%s%s", names[p], extra & 1 ? " L2" : "", extra & 2 ? " prefetch" : "", extra & 4 ? " coherence" : "", extra & 8 ? " TLB" : "");
            c.l2.size = extra & 1 ? 8192 : 0;
            c.prefetch = extra & 2;
            c.coherence = extra & 4;
            c.itlb.size = c.dtlb.size = extra & 8 ? 4 * 4096 : 0;
            c.tlb2.size = extra & 8 ? 16 * 4096 : 0;
            c.itlb.assoc = c.dtlb.assoc = c.tlb2.assoc = 4;
            compare(name, &c, 100000);
        }
    return failures != 0;
}
