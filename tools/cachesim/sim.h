/* The cache model: caches of one core, and the hierarchy they make. Shared by the tool (online, without libc) and by
 * the host program (offline); no allocation, no output.
 * A reference is an access of up to a few lines. It is one hit or one miss at each level it reaches: it hits a level if
 * all of its lines do; those of one that misses are looked up in the next level, all of them. So does Cachegrind count.
 * Reads and writes are alike to a cache (write-allocate).
 * Threads: callers see to it that one at a time uses a cache. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_CACHESIM_SIM_H
#define DRTOOLS_CACHESIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum policy { POLICY_LRU, POLICY_FIFO, POLICY_RANDOM, POLICY_PLRU };

struct cache_config {
    uint64_t size;                   /* bytes, 0: there is no such cache     */
    uint32_t assoc, line;            /* ways; bytes of a line, a power of 2  */
    enum policy policy;
};

#define CACHE_EMPTY UINT64_MAX       /* a tag that no line has               */

struct cache {
    uint64_t *tags;                  /* sets × ways. LRU: the last used first; FIFO: the newest first; others: by way */
    uint64_t *tree;                  /* PLRU: a bit a node, one word a set; NULL otherwise                            */
    uint32_t sets, ways, line_bits;
    enum policy policy;
    uint64_t random;                 /* state of the generator, not 0        */
};

/* Why a configuration is no cache: a static string; NULL: it is one. */
const char *cache_config_fault(const struct cache_config *c);
size_t cache_words(const struct cache_config *c);        /* 8-byte words of memory that cache_init wants  */
void cache_init(struct cache *c, const struct cache_config *config, uint64_t *memory, uint64_t seed);
void cache_clear(struct cache *c);

/* Looks `tag` up in `set` and makes it the last used; if it is not there, it replaces the policy's victim, which goes to
 * *victim (CACHE_EMPTY: none). True: it was there. */
bool cache_ref(struct cache *c, uint32_t set, uint64_t tag, uint64_t *victim);
bool cache_has(const struct cache *c, uint32_t set, uint64_t tag);
bool cache_drop(struct cache *c, uint32_t set, uint64_t tag);      /* true: it was there, and is no more */

static inline uint64_t cache_line_of(const struct cache *c, uint64_t a) { return a >> c->line_bits; }
static inline uint32_t cache_set_of(const struct cache *c, uint64_t line) { return (uint32_t)line & (c->sets - 1); }

/* All lines of [a, a + n), in a cache whose tags are line numbers. True: all were there. */
bool cache_ref_range(struct cache *c, uint64_t a, uint32_t n);

/* ---- a hierarchy ---- */

enum { SIM_MAX_CORES = 64 };

struct sim_config {
    unsigned cores;
    struct cache_config l1i, l1d, l2, ll;        /* l2: one a core, for both; size 0: none                  */
    struct cache_config itlb, dtlb, tlb2;        /* `line` is the page; size = entries × page; 0: none       */
    bool prefetch;                               /* after a data miss of L1: the next line, if it is missing  */
    bool coherence;                              /* a write takes the line from the other cores' caches       */
    uint64_t seed;
};

struct sim_core { struct cache l1i, l1d, l2, itlb, dtlb, tlb2; };

struct sim {
    struct sim_config config;
    struct sim_core core[SIM_MAX_CORES];
    struct cache ll;
};

/* What became of a reference. */
enum { SIM_L1_MISS = 1, SIM_L2_MISS = 2, SIM_LL_MISS = 4, SIM_TLB_MISS = 8, SIM_TLB2_MISS = 16, SIM_INVALIDATED = 32 /* … lines elsewhere */, SIM_PREFETCHED = 64 };

size_t sim_words(const struct sim_config *c);
void sim_init(struct sim *s, const struct sim_config *config, uint64_t *memory);
unsigned sim_fetch(struct sim *s, unsigned core, uint64_t a, uint32_t n);
unsigned sim_data(struct sim *s, unsigned core, uint64_t a, uint32_t n, bool write);
/* Behind L1: what is left of a reference that missed it. */
unsigned sim_below(struct sim *s, unsigned core, uint64_t a, uint32_t n);

#endif
