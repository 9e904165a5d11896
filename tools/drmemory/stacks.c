/* Call stacks, each kept once: a number stands for it.
 *
 * Stacks are in chunks that are never given back; a number is the place of its
 * first word there. A hash by content has them in chains, to which new ones are
 * added in front.
 * Most stacks are those of a moment ago: each thread keeps the trails of its
 * last ones (dr_unwind_trail) and asks them first.
 * Threads: any. Chains are read without a lock and changed under `lock`.
 * See docs/drmemory-stacks.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "stacks.h"

enum { CHUNK_WORDS = 1 << 17, MAX_CHUNKS = 1 << 11, BUCKETS = 1 << 17, MAX_FRAMES = 512 };
enum { SETS = 32, WAYS = 4 };

/* Words of a stack: this, then its addresses. */
struct kept {
    uint32_t hash;                  /* of the content               */
    stack_id next;                  /* in its chain                 */
    uint64_t n;
    uint64_t pcs[];
};
enum { HEAD_WORDS = sizeof(struct kept) / 8 };

struct memo { struct dr_trail trail; stack_id id; };
struct memory { struct memo set[SETS][WAYS]; uint8_t next[SETS]; };

static uint64_t *volatile chunks[MAX_CHUNKS];
static stack_id *chains;            /* by hash: the newest          */
static unsigned n_chunks, used = CHUNK_WORDS;
static bool full;
static struct dr_mutex lock;
static uint32_t memory_slot;
struct stacks_stats stacks_stats;

static struct kept *kept_at(stack_id s) { return (struct kept *)&chunks[(s - 1) / CHUNK_WORDS][(s - 1) % CHUNK_WORDS]; }

bool
stacks_init(void)
{
    chains = dr_map(BUCKETS * sizeof *chains);
    memory_slot = dr_thread_memory(sizeof(struct memory));
    return chains && memory_slot;
}

void stacks_fork_child(void) { lock.state = 0; }

static uint32_t
hash_of(const uint64_t *pcs, unsigned n)
{
    uint64_t h = n;

    for (unsigned i = 0; i < n; i++)
        h = (h ^ pcs[i] ^ h >> 29) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(h >> 32);
}

static stack_id
find(stack_id first, uint32_t hash, const uint64_t *pcs, unsigned n)
{
    for (stack_id s = first; s;) {
        const struct kept *k = kept_at(s);
        if (k->hash == hash && k->n == n) {
            unsigned i = 0;
            while (i < n && k->pcs[i] == pcs[i])
                i++;
            if (i == n)
                return s;
        }
        s = k->next;
    }
    return 0;
}

/* Room for n addresses. 0: none is left. Under the lock. */
static stack_id
room(unsigned n)
{
    unsigned words = HEAD_WORDS + n;

    if (CHUNK_WORDS - used < words) {
        uint64_t *p = n_chunks < MAX_CHUNKS ? dr_map(CHUNK_WORDS * sizeof *p) : NULL;
        if (!p) {
            if (!full)
                dr_print("drmemory: no memory for more call stacks; errors from here on may be shown without them\n");
            full = true;
            return 0;
        }
        chunks[n_chunks++] = p;
        used = 0;
    }
    stack_id s = (stack_id)((n_chunks - 1) * CHUNK_WORDS + used + 1);
    used += words;
    return s;
}

static stack_id
keep(const uint64_t *pcs, unsigned n)
{
    uint32_t hash = hash_of(pcs, n);
    stack_id *chain = &chains[hash % BUCKETS], s = find(__atomic_load_n(chain, __ATOMIC_ACQUIRE), hash, pcs, n);

    if (s)
        return s;
    dr_lock(&lock);
    s = find(*chain, hash, pcs, n);
    if (!s && (s = room(n))) {
        struct kept *k = kept_at(s);
        k->hash = hash;
        k->next = *chain;
        k->n = n;
        for (unsigned i = 0; i < n; i++)
            k->pcs[i] = pcs[i];
        __atomic_store_n(chain, s, __ATOMIC_RELEASE);
        stacks_stats.kept++;
        stacks_stats.words += HEAD_WORDS + n;
    }
    dr_unlock(&lock);
    return s;
}

/* Which set has the stacks of these registers. */
static unsigned
set_of(const struct dr_mcontext *mc, unsigned max)
{
    uint64_t h = (mc->gpr[RSP] ^ mc->rip << 20 ^ (uint64_t)max << 3) * 0x9e3779b97f4a7c15ull;

    return (unsigned)(h >> 59);
}
_Static_assert(SETS == 1 << (64 - 59), "the bits that set_of takes");

stack_id
stack_here(const struct dr_mcontext *mc, unsigned max)
{
    struct memory *m = dr_thread_at(dr_thread_current(), memory_slot);
    uint64_t pcs[MAX_FRAMES];

    if (max > MAX_FRAMES)
        max = MAX_FRAMES;
    unsigned set = set_of(mc, max);
    struct memo *memo = m->set[set];
    int way = dr_unwind_find(mc, max, &memo->trail, WAYS, sizeof *memo);
    if (way >= 0)
        return memo[way].id;
    memo += m->next[set]++ % WAYS;
    memo->trail.generation = 0;
    unsigned n = dr_unwind_trail(mc, pcs, max, &memo->trail);
    memo->id = keep(pcs, n);
    if (!memo->id)
        memo->trail.generation = 0;
    __atomic_fetch_add(&stacks_stats.walked, 1, __ATOMIC_RELAXED);
    return memo->id;
}

unsigned
stack_frames(stack_id s, const uint64_t **pcs)
{
    if (!s) {
        *pcs = NULL;
        return 0;
    }
    *pcs = kept_at(s)->pcs;
    return (unsigned)kept_at(s)->n;
}
