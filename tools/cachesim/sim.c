/* See sim.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "sim.h"

static unsigned log2_of(uint64_t v) { return (unsigned)(63 - __builtin_clzll(v)); }
static bool is_power(uint64_t v) { return v && !(v & (v - 1)); }

const char *
cache_config_fault(const struct cache_config *c)
{
    if (!c->size)
        return NULL;
    if (!is_power(c->line) || c->line < 16)
        return "the line size is a power of 2, at least 16";
    if (!c->assoc || c->size % ((uint64_t)c->assoc * c->line))
        return "the size is a multiple of line size times associativity";
    if (!is_power(c->size / c->assoc / c->line) || c->size / c->assoc / c->line > UINT32_MAX)
        return "the number of sets (size / line size / associativity) is a power of 2";
    if (c->policy == POLICY_PLRU && (!is_power(c->assoc) || c->assoc > 64))
        return "tree-PLRU wants an associativity that is a power of 2, at most 64";
    return NULL;
}

size_t
cache_words(const struct cache_config *c)
{
    size_t sets;

    if (!c->size)
        return 0;
    sets = (size_t)(c->size / c->assoc / c->line);
    return sets * c->assoc + (c->policy == POLICY_PLRU ? sets : 0);
}

void
cache_init(struct cache *c, const struct cache_config *config, uint64_t *memory, uint64_t seed)
{
    *c = (struct cache){.policy = config->policy, .random = seed * 0x9e3779b97f4a7c15ull | 1};
    if (!config->size)
        return;
    c->ways = config->assoc;
    c->sets = (uint32_t)(config->size / config->assoc / config->line);
    c->line_bits = log2_of(config->line);
    c->tags = memory;
    c->tree = config->policy == POLICY_PLRU ? memory + (size_t)c->sets * c->ways : NULL;
    cache_clear(c);
}

void
cache_clear(struct cache *c)
{
    for (size_t i = 0; i < (size_t)c->sets * c->ways; i++)
        c->tags[i] = CACHE_EMPTY;
    for (size_t i = 0; c->tree && i < c->sets; i++)
        c->tree[i] = 0;
}

/* Moves entry `way` to the front, those before it one back. */
static void
to_front(uint64_t *set, uint32_t way, uint64_t tag)
{
    for (; way; way--)
        set[way] = set[way - 1];
    set[0] = tag;
}

/* Node 1 is the root; a bit says in which half the next victim is. */
static void
tree_used(uint64_t *tree, uint32_t ways, uint32_t way)
{
    uint32_t node = 1;

    for (uint32_t half = ways / 2; half; half /= 2) {
        bool right = way & half;
        *tree = right ? *tree & ~(1ull << node) : *tree | 1ull << node;
        node = 2 * node + right;
    }
}

static uint32_t
tree_victim(uint64_t tree, uint32_t ways)
{
    uint32_t node = 1, way = 0;

    for (uint32_t half = ways / 2; half; half /= 2) {
        bool right = tree >> node & 1;
        way |= right ? half : 0;
        node = 2 * node + right;
    }
    return way;
}

/* The first empty way, or one drawn (xorshift64*). */
static uint32_t
random_victim(struct cache *c, const uint64_t *set)
{
    for (uint32_t way = 0; way < c->ways; way++)
        if (set[way] == CACHE_EMPTY)
            return way;
    c->random ^= c->random >> 12;
    c->random ^= c->random << 25;
    c->random ^= c->random >> 27;
    return (uint32_t)((c->random * 0x2545f4914f6cdd1dull >> 32) * c->ways >> 32);
}

bool
cache_ref(struct cache *c, uint32_t set_number, uint64_t tag, uint64_t *victim)
{
    uint64_t *set = c->tags + (size_t)set_number * c->ways;
    uint32_t way = 0;

    while (way < c->ways && set[way] != tag)
        way++;
    bool hit = way < c->ways;
    if (!hit && c->policy == POLICY_PLRU) {
        for (way = 0; way < c->ways && set[way] != CACHE_EMPTY; way++)
            ;
        if (way == c->ways)
            way = tree_victim(c->tree[set_number], c->ways);
    } else if (!hit) {
        way = c->policy == POLICY_RANDOM ? random_victim(c, set) : c->ways - 1;
    }
    *victim = hit ? CACHE_EMPTY : set[way];
    switch (c->policy) {
    case POLICY_LRU: to_front(set, way, tag); break;
    case POLICY_FIFO:
        if (!hit)
            to_front(set, way, tag);
        break;
    case POLICY_RANDOM: set[way] = tag; break;
    case POLICY_PLRU:
        set[way] = tag;
        tree_used(&c->tree[set_number], c->ways, way);
        break;
    }
    return hit;
}

bool
cache_has(const struct cache *c, uint32_t set, uint64_t tag)
{
    for (uint32_t way = 0; way < c->ways; way++)
        if (c->tags[(size_t)set * c->ways + way] == tag)
            return true;
    return false;
}

bool
cache_drop(struct cache *c, uint32_t set_number, uint64_t tag)
{
    uint64_t *set = c->tags + (size_t)set_number * c->ways;

    for (uint32_t way = 0; way < c->ways; way++)
        if (set[way] == tag) {
            if (c->policy == POLICY_LRU || c->policy == POLICY_FIFO)
                for (; way + 1 < c->ways; way++)
                    set[way] = set[way + 1];
            set[way] = CACHE_EMPTY;
            return true;
        }
    return false;
}

bool
cache_ref_range(struct cache *c, uint64_t a, uint32_t n)
{
    bool all = true;
    uint64_t victim;

    for (uint64_t line = cache_line_of(c, a), last = cache_line_of(c, a + (n ? n - 1 : 0));; line++) {
        all &= cache_ref(c, cache_set_of(c, line), line, &victim);
        if (line == last)
            return all;
    }
}

/* ---- the hierarchy ---- */

static const struct cache_config *
each_of_core(const struct sim_config *c, unsigned i)
{
    const struct cache_config *of[] = {&c->l1i, &c->l1d, &c->l2, &c->itlb, &c->dtlb, &c->tlb2};

    return i < sizeof of / sizeof *of ? of[i] : NULL;
}

size_t
sim_words(const struct sim_config *c)
{
    size_t n = 0;

    for (unsigned i = 0; each_of_core(c, i); i++)
        n += cache_words(each_of_core(c, i)) * c->cores;
    return n + cache_words(&c->ll);
}

void
sim_init(struct sim *s, const struct sim_config *config, uint64_t *memory)
{
    uint64_t seed = config->seed;

    s->config = *config;
    for (unsigned k = 0; k < config->cores; k++) {
        struct cache *of[] = {&s->core[k].l1i, &s->core[k].l1d, &s->core[k].l2, &s->core[k].itlb, &s->core[k].dtlb, &s->core[k].tlb2};
        for (unsigned i = 0; each_of_core(config, i); i++) {
            cache_init(of[i], each_of_core(config, i), memory, ++seed);
            memory += cache_words(each_of_core(config, i));
        }
    }
    cache_init(&s->ll, &config->ll, memory, ++seed);
}

unsigned
sim_below(struct sim *s, unsigned core, uint64_t a, uint32_t n)
{
    struct cache *l2 = &s->core[core].l2;

    if (l2->sets && cache_ref_range(l2, a, n))
        return SIM_L1_MISS;
    if (s->ll.sets && cache_ref_range(&s->ll, a, n))
        return SIM_L1_MISS | SIM_L2_MISS;
    return SIM_L1_MISS | SIM_L2_MISS | SIM_LL_MISS;
}

static unsigned
translate(struct sim *s, unsigned core, struct cache *tlb, uint64_t a, uint32_t n)
{
    struct cache *second = &s->core[core].tlb2;

    if (!tlb->sets || cache_ref_range(tlb, a, n))
        return 0;
    return SIM_TLB_MISS | (second->sets && cache_ref_range(second, a, n) ? 0 : SIM_TLB2_MISS);
}

unsigned
sim_fetch(struct sim *s, unsigned core, uint64_t a, uint32_t n)
{
    unsigned r = translate(s, core, &s->core[core].itlb, a, n);

    return cache_ref_range(&s->core[core].l1i, a, n) ? r : r | sim_below(s, core, a, n);
}

/* Takes the lines of [a, a + n) from the other cores' data caches. */
static bool
invalidate(struct sim *s, unsigned writer, uint64_t a, uint32_t n)
{
    bool any = false;

    for (unsigned k = 0; k < s->config.cores; k++) {
        struct cache *of[] = {&s->core[k].l1d, &s->core[k].l2};
        for (unsigned i = 0; i < 2 && k != writer; i++)
            if (of[i]->sets)
                for (uint64_t line = cache_line_of(of[i], a); line <= cache_line_of(of[i], a + (n ? n - 1 : 0)); line++)
                    any |= cache_drop(of[i], cache_set_of(of[i], line), line);
    }
    return any;
}

/* The line behind a, into all levels. */
static bool
prefetch(struct sim *s, unsigned core, uint64_t a)
{
    struct cache *l1d = &s->core[core].l1d;
    uint64_t next = cache_line_of(l1d, a) + 1, victim;

    if (cache_has(l1d, cache_set_of(l1d, next), next))
        return false;
    cache_ref(l1d, cache_set_of(l1d, next), next, &victim);
    sim_below(s, core, next << l1d->line_bits, 1);
    return true;
}

unsigned
sim_data(struct sim *s, unsigned core, uint64_t a, uint32_t n, bool write)
{
    unsigned r = translate(s, core, &s->core[core].dtlb, a, n);

    if (s->config.coherence && write && invalidate(s, core, a, n))
        r |= SIM_INVALIDATED;
    if (cache_ref_range(&s->core[core].l1d, a, n))
        return r;
    r |= sim_below(s, core, a, n);
    if (s->config.prefetch && prefetch(s, core, a + (n ? n - 1 : 0)))
        r |= SIM_PREFETCHED;
    return r;
}
