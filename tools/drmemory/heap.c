/* The allocator behind the program's malloc.
 *
 * A run of memory (runs.c) holds either slots of one size or one large block.
 * What is known of a block is in the engine's memory, beside the run's
 * descriptor: nothing of ours lies where the program could overwrite it.
 *
 *   run:  | redzone | block 0, padded | redzone | block 1, padded | … | redzone |
 *           '-------- slot 0 --------' '-------- slot 1 --------'
 *
 * A redzone serves the block before it and the one behind it. All of a run that
 * is not a live block is unaddressable in the shadow, so that malloc and free
 * mark the block alone.
 * A freed block waits in its arena's queue until delay_frees others, or so many
 * bytes, were freed after it; then its slot may be used again.
 * Invariant: a slot's bit in `unused` is set if and only if its state is
 * SLOT_UNUSED or SLOT_PAST; a run of slots is on its arena's list if and only if it has such a bit.
 * Threads: a run belongs to an arena, whose lock guards it with its blocks;
 * each thread allocates from one arena. Order: arena, runs' lock, engine locks.
 * Who finds a run by address (run_lock) locks its arena and looks again.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"
#include "runs.h"

enum {
    SMALL_STEPS = 32,               /* size classes: 16, 32 … 512, then eight to a doubling */
    SMALL_MAX = 32 << 10,
    SLOTS_AT_LEAST = 8,             /* in a run                                             */
    MAX_ARENAS = 64,
    RECIPROCAL_SHIFT = 40,
    FRONT_SHIFT = 4,
};
_Static_assert(SMALL_STEPS + 6 * 8 == N_CLASSES, "from 512 bytes to SMALL_MAX there are six doublings");

struct arena {
    struct dr_mutex lock;
    unsigned threads;
    struct run *runs[N_CLASSES];
    uint64_t *queue;                /* freed blocks: descriptor, and slot number from bit 48 */
    uint32_t head, count;
    uint64_t delayed_bytes;
    struct heap_stats stats;
};

static struct { uint32_t slot_size, units, n_slots; uint64_t reciprocal; } classes[N_CLASSES];
static uint64_t redzone;
static enum shadow_state fresh_state;
static bool marks;                  /* blocks are marked in the shadow */

static struct dr_mutex arenas_lock;
static struct arena *arenas[MAX_ARENAS];
static unsigned n_arenas;
static uint32_t arena_slot;

static void
mark(uint64_t a, uint64_t n, enum shadow_state s)
{
    if (marks && n)
        shadow_set(a, n, s);
}

/* dr_lock and dr_unlock where nobody waits, without a call. */
static inline void
lock_arena(struct arena *a)
{
    int unlocked = 0;

    if (!__atomic_compare_exchange_n(&a->lock.state, &unlocked, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        dr_lock(&a->lock);
}

static inline void
unlock_arena(struct arena *a)
{
    int locked = 1;

    if (!__atomic_compare_exchange_n(&a->lock.state, &locked, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        dr_unlock(&a->lock);
}

/* The bytes of a block, in whole steps of HEAP_ALIGNMENT with what is behind them, which is unaddressable: no
 * shadow byte is another block's, so that plain stores do. */
static void
mark_block(uint64_t a, uint64_t n, enum shadow_state s)
{
    enum { BY_HAND = 4096 };
    uint64_t all = s * 0x5555555555555555ull, none = SHADOW_UNADDRESSABLE * 0x55555555ull;
    uint8_t *p = shadow_at(a);

    if (!marks || n > BY_HAND) {
        mark(a, n, s);
        return;
    }
    for (; n >= 32; n -= 32, p += 8)
        *(volatile uint64_t *)p = all;
    if (n >= 16) {
        *(volatile uint32_t *)p = (uint32_t)all;
        n -= 16;
        p += 4;
    }
    if (n) {
        uint64_t used = (1ull << 2 * n) - 1;
        *(volatile uint32_t *)p = (uint32_t)((all & used) | (none & ~used));
    }
}

/* ---- size classes ---- */

static unsigned
class_of(uint64_t payload)
{
    uint64_t p = payload - (payload > 0);

    if (p < SMALL_STEPS * 16)
        return (unsigned)(p / 16);
    unsigned shift = 63 - (unsigned)__builtin_clzll(p);
    return SMALL_STEPS + (shift - 9) * 8 + ((p >> (shift - 3)) & 7);
}

static uint32_t
class_payload(unsigned c)
{
    if (c < SMALL_STEPS)
        return (c + 1) * 16;
    c -= SMALL_STEPS;
    return (9 + c % 8) << (9 + c / 8 - 3);
}

static void
classes_init(void)
{
    for (unsigned c = 0; c < N_CLASSES; c++) {
        uint32_t size = class_payload(c) + (uint32_t)redzone;
        uint32_t units = (uint32_t)((SLOTS_AT_LEAST * size + redzone + UNIT - 1) / UNIT);
        classes[c].slot_size = size;
        classes[c].units = units;
        classes[c].n_slots = (uint32_t)((units * UNIT - redzone) / size);
        classes[c].reciprocal = (1ull << RECIPROCAL_SHIFT) / size + 1;
    }
}

static void
release_all(struct run *gone)
{
    while (gone) {
        struct run *r = gone;
        gone = r->next;
        run_release(r);
    }
}

/* ---- arenas ---- */

static struct arena *
arena_new(void)
{
    struct arena *a = dr_map(sizeof *a);

    if (a && opt.delay_frees && !(a->queue = dr_map(opt.delay_frees * sizeof *a->queue))) {
        dr_unmap(a, sizeof *a);
        return NULL;
    }
    return a;
}

/* The one with the fewest threads, or a new one. */
static struct arena *
arena_choose(void)
{
    struct arena *best = NULL;

    dr_lock(&arenas_lock);
    for (unsigned i = 0; i < n_arenas; i++)
        if (!best || arenas[i]->threads < best->threads)
            best = arenas[i];
    if ((!best || best->threads) && n_arenas < MAX_ARENAS) {
        struct arena *a = arena_new();
        if (a) {
            arenas[n_arenas] = best = a;
            __atomic_store_n(&n_arenas, n_arenas + 1, __ATOMIC_RELEASE);
        }
    }
    if (best)
        __atomic_add_fetch(&best->threads, 1, __ATOMIC_RELAXED);
    dr_unlock(&arenas_lock);
    return best;
}

static struct arena *
arena_here(void)
{
#if !__STDC_HOSTED__
    struct arena *a;                /* thread memory is at gs:[slot] */

    __asm__("mov %%gs:(%1), %0" : "=r"(a) : "r"((uint64_t)arena_slot));
    if (a)
        return a;
#endif
    struct arena **mine = dr_thread_at(dr_thread_current(), arena_slot);
    if (!*mine)
        *mine = arena_choose();
    return *mine;
}

void
heap_thread_exit(dr_thread *t)
{
    struct arena **mine = dr_thread_at(t, arena_slot);

    if (*mine)                      /* without the lock: the engine's list of threads may be locked, which comes after it at a fork */
        __atomic_sub_fetch(&(*mine)->threads, 1, __ATOMIC_RELAXED);
    *mine = NULL;
}

bool
heap_init(void)
{
    redzone = up(opt.redzone_size, HEAP_ALIGNMENT);
    if (redzone > 4096)
        redzone = 4096;
    marks = !opt.leaks_only;
    fresh_state = opt.check_uninitialized && !opt.light ? SHADOW_UNDEFINED : SHADOW_DEFINED;
    classes_init();
    arena_slot = dr_thread_memory(sizeof(struct arena *));
    return arena_slot != 0;
}

void
heap_fork_begin(dr_thread *t)
{
    (void)t;
    pool_fork_begin();
    dr_lock(&arenas_lock);
    for (unsigned i = 0; i < n_arenas; i++)
        dr_lock(&arenas[i]->lock);
    runs_fork_begin();
}

void
heap_fork_end(dr_thread *t)
{
    (void)t;
    runs_fork_end();
    for (unsigned i = n_arenas; i-- > 0;)
        dr_unlock(&arenas[i]->lock);
    dr_unlock(&arenas_lock);
    pool_fork_end();
}

/* ---- slots ---- */

static struct slot *slot_at(struct run *r, uint32_t i) { return r->kind == RUN_LARGE ? &r->large : &r->slots[i]; }

static uint64_t
block_start(const struct run *r, uint32_t i)
{
    if (r->kind == RUN_LARGE)
        return r->user;
    return r->start + (uint64_t)i * r->slot_size + redzone + ((uint64_t)r->slots[i].front << FRONT_SHIFT);
}

/* Bytes from the block's start that it could have. */
static uint64_t
block_room(const struct run *r, uint32_t i)
{
    if (r->kind == RUN_LARGE)
        return r->start + (uint64_t)r->units * UNIT - redzone - r->user;
    return r->slot_size - redzone - ((uint64_t)r->slots[i].front << FRONT_SHIFT);
}

static uint64_t
block_size(const struct run *r, uint32_t i)
{
    return r->kind == RUN_LARGE ? r->size : block_room(r, i) - r->slots[i].slack;
}

/* The slot that address a of r is in; a redzone counts to the slot behind it. n_slots: behind the last. */
static uint32_t
slot_of(const struct run *r, uint64_t a)
{
    return r->kind == RUN_LARGE ? 0 : (uint32_t)((a - r->start) * r->reciprocal >> RECIPROCAL_SHIFT);
}

static void
describe(struct run *r, uint32_t i, struct heap_block *b)
{
    const struct slot *s = slot_at(r, i);

    *b = (struct heap_block){.start = block_start(r, i), .size = block_size(r, i), .allocated = s->allocated, .freed = s->freed,
                             .family = s->family, .live = s->state == SLOT_LIVE};
}

static void
list_add(struct arena *a, struct run *r)
{
    r->prev = NULL;
    r->next = a->runs[r->class];
    if (r->next)
        r->next->prev = r;
    a->runs[r->class] = r;
}

static void
list_remove(struct arena *a, struct run *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        a->runs[r->class] = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->next = r->prev = NULL;
}

static uint32_t slot_words(unsigned c) { return (classes[c].n_slots + 63) / 64; }

static struct run *
run_of_slots(struct arena *a, unsigned c)
{
    struct run *r = run_allocate(classes[c].units);

    if (!r)
        return NULL;
    if (!r->marked)
        mark(r->start, (uint64_t)r->units * UNIT, SHADOW_UNADDRESSABLE);
    r->class = (uint8_t)c;
    r->slots = runs_piece(c, slot_words(c) * sizeof(uint64_t) + classes[c].n_slots * sizeof(struct slot) + 8);
    if (!r->slots) {
        run_release(r);
        return NULL;
    }
    r->kind = RUN_SLOTS;
    r->slot_size = classes[c].slot_size;
    r->reciprocal = classes[c].reciprocal;
    r->n_slots = r->n_unused = classes[c].n_slots;
    r->fresh = r->zero ? 0 : r->n_slots;
    r->hint = 0;
    r->unused = (uint64_t *)up((uint64_t)(r->slots + r->n_slots), 8);
    for (uint32_t w = 0; w < slot_words(c); w++)
        r->unused[w] = ~0ull;
    if (r->n_slots % 64)
        r->unused[slot_words(c) - 1] = (1ull << r->n_slots % 64) - 1;
    __atomic_store_n(&r->arena, a, __ATOMIC_RELEASE);
    list_add(a, r);
    return r;
}

/* ---- allocating ---- */

static uint64_t
allocate_small(struct arena *a, uint64_t size, uint64_t align, struct slot as, bool *is_zero)
{
    uint64_t room = (size ? size : 1) + align - HEAP_ALIGNMENT, start = 0;
    unsigned c = class_of(room);

    lock_arena(a);
    struct run *r = a->runs[c];
    if (!r && !(r = run_of_slots(a, c)))
        goto out;
    while (!r->unused[r->hint])
        r->hint++;
    uint32_t i = r->hint * 64 + (unsigned)__builtin_ctzll(r->unused[r->hint]);
    r->unused[r->hint] &= r->unused[r->hint] - 1;
    if (!--r->n_unused)
        list_remove(a, r);
    *is_zero = i >= r->fresh;
    if (i >= r->fresh)
        r->fresh = i + 1;
    start = r->start + (uint64_t)i * r->slot_size + redzone;
    as.front = (uint8_t)((up(start, align) - start) >> FRONT_SHIFT);
    start = up(start, align);
    as.slack = (uint16_t)(r->slot_size - redzone - ((uint64_t)as.front << FRONT_SHIFT) - size);
    r->slots[i] = as;
    a->stats.allocations++;
    a->stats.live_blocks++;
    a->stats.live_bytes += size;
out:
    unlock_arena(a);
    return start;
}

/* `room`: bytes that it may grow to without moving. */
static uint64_t
allocate_large(struct arena *a, uint64_t size, uint64_t room, uint64_t align, struct slot as, bool *is_zero)
{
    uint64_t bytes = room + 2 * redzone + (align > HEAP_ALIGNMENT ? align : 0);
    struct run *r = run_allocate((bytes + UNIT - 1) / UNIT);

    if (!r)
        return 0;
    uint64_t end = r->start + (uint64_t)r->units * UNIT;
    r->user = up(r->start + redzone, align);
    r->size = size;
    r->n_slots = 1;
    r->large = as;
    r->kind = RUN_LARGE;
    *is_zero = r->zero;
    if (!r->marked) {
        mark(r->start, r->user - r->start, SHADOW_UNADDRESSABLE);
        mark(r->user + size, end - r->user - size, SHADOW_UNADDRESSABLE);
    }
    r->zero = false;
    lock_arena(a);
    __atomic_store_n(&r->arena, a, __ATOMIC_RELEASE);
    a->stats.allocations++;
    a->stats.live_blocks++;
    a->stats.live_bytes += size;
    unlock_arena(a);
    return r->user;
}

static const uint8_t zeros[4096];

static void
clear(uint64_t a, uint64_t n)
{
    enum { PAGE = 4096, BY_THE_KERNEL = 256 << 10 };

    if (n >= BY_THE_KERNEL) {       /* whole pages come back as zero */
        uint64_t lo = up(a, PAGE), hi = (a + n) & ~(uint64_t)(PAGE - 1);
        if (dr_program_discard((void *)lo, hi - lo)) {
            dr_safe_write(a, zeros, lo - a);
            dr_safe_write(hi, zeros, a + n - hi);
            return;
        }
    }
    for (; n > sizeof zeros; n -= sizeof zeros, a += sizeof zeros)
        dr_safe_write(a, zeros, sizeof zeros);
    dr_safe_write(a, zeros, n);
}

static uint64_t
allocate(uint64_t size, uint64_t room, uint64_t align, unsigned family, unsigned flags, stack_id s)
{
    struct slot as = {.allocated = s, .state = SLOT_LIVE, .family = family & 7};
    struct arena *a = arena_here();
    bool is_zero = false;
    uint64_t p;

    if (!a || size >> (ADDRESS_BITS - 1) || align >> (ADDRESS_BITS - 1))
        return 0;
    if (align <= 4096 && size + align <= SMALL_MAX)
        p = allocate_small(a, size, align, as, &is_zero);
    else
        p = allocate_large(a, size, room, align, as, &is_zero);
    if (!p)
        return 0;
    if ((flags & HEAP_ZEROED) && !is_zero)
        clear(p, size);
    return p;
}

uint64_t
heap_allocate(uint64_t size, uint64_t align, unsigned family, unsigned flags, stack_id s)
{
    uint64_t p = allocate(size, size, align, family, flags, s);

    if (p)
        mark_block(p, size, flags & HEAP_ZEROED ? SHADOW_DEFINED : fresh_state);
    return p;
}

/* ---- looking up ---- */

/* The run that a is in, its arena locked. NULL: no memory of the heap's. */
static struct run *
run_lock(uint64_t a)
{
    for (;;) {
        struct run *r = run_of(a);
        struct arena *ar = r ? __atomic_load_n(&r->arena, __ATOMIC_ACQUIRE) : NULL;
        if (!ar)
            return NULL;
        lock_arena(ar);
        if (r->arena == ar && run_of(a) == r)
            return r;
        unlock_arena(ar);
    }
}

/* What starts at a, r's arena locked. */
static enum heap_verdict
judge(struct run *r, uint64_t a, uint32_t *i)
{
    *i = slot_of(r, a);
    if (*i >= r->n_slots || block_start(r, *i) != a || slot_at(r, *i)->state == SLOT_UNUSED)
        return HEAP_INTERIOR;
    return slot_at(r, *i)->state == SLOT_LIVE ? HEAP_VALID : HEAP_FREED;
}

static bool
known(const struct run *r, uint32_t i)
{
    return i < r->n_slots && slot_at((struct run *)r, i)->state != SLOT_UNUSED;
}

static uint64_t
distance(const struct run *r, uint32_t i, uint64_t a)
{
    uint64_t lo = block_start(r, i), hi = lo + block_size(r, i);

    return a < lo ? lo - a : a >= hi ? a - hi + 1 : 0;
}

/* The block to speak of when the program touched a: in a redzone the nearer one, a live one rather than a freed one. */
static bool
nearest(struct run *r, uint64_t a, uint32_t *out)
{
    uint32_t i = slot_of(r, a);
    bool before = i > 0 && i <= r->n_slots && known(r, i - 1) && a < r->start + (uint64_t)i * r->slot_size + redzone && r->kind == RUN_SLOTS;

    *out = i;
    if (!known(r, i)) {
        *out = i - 1;
        return before;
    }
    if (before && a < block_start(r, i)) {
        bool live = slot_at(r, i)->state == SLOT_LIVE, live_before = slot_at(r, i - 1)->state == SLOT_LIVE;
        if (live == live_before ? distance(r, i - 1, a) <= distance(r, i, a) : live_before)
            *out = i - 1;
    }
    return true;
}

bool
heap_find_own(uint64_t a, struct heap_block *out)
{
    struct run *r = run_lock(a);
    uint32_t i;

    if (!r)
        return false;
    bool found = nearest(r, a, &i);
    if (found)
        describe(r, i, out);
    unlock_arena(r->arena);
    return found;
}

/* As heap_release and heap_resize see an address that is not where a block starts. */
static enum heap_verdict
interior(struct run *r, uint64_t a, struct heap_block *b)
{
    uint32_t i;

    if (!nearest(r, a, &i))
        return HEAP_FOREIGN;
    describe(r, i, b);
    return HEAP_INTERIOR;
}

enum heap_verdict
heap_block_at(uint64_t a, struct heap_block *b)
{
    struct run *r = run_lock(a);
    uint32_t i;

    if (!r)
        return HEAP_FOREIGN;
    enum heap_verdict v = judge(r, a, &i);
    if (v == HEAP_INTERIOR)
        v = interior(r, a, b);
    else
        describe(r, i, b);
    unlock_arena(r->arena);
    return v;
}

/* ---- freeing ---- */

/* r leaves its arena; it is released when the lock is not held any more. */
static void
run_leaves(struct run *r, struct run **gone)
{
    __atomic_store_n(&r->arena, NULL, __ATOMIC_RELEASE);
    r->next = *gone;
    *gone = r;
}

static void
slot_reusable(struct arena *a, struct run *r, uint32_t i, struct run **gone)
{
    slot_at(r, i)->state = SLOT_PAST;
    if (r->kind == RUN_LARGE) {
        run_leaves(r, gone);
        return;
    }
    r->unused[i / 64] |= 1ull << i % 64;
    if (i / 64 < r->hint)
        r->hint = i / 64;
    if (!r->n_unused++)
        list_add(a, r);
    if (r->n_unused == r->n_slots && (r->next || r->prev)) {
        list_remove(a, r);
        run_leaves(r, gone);
    }
}

/* The queue's oldest, as long as it is too long. */
static void
queue_shorten(struct arena *a, struct run **gone)
{
    while (a->count && (a->count >= opt.delay_frees || a->delayed_bytes > opt.delay_frees_bytes)) {
        uint64_t e = a->queue[a->head];
        struct run *r = (struct run *)(e & 0xffffffffffffull);
        uint32_t i = (uint32_t)(e >> 48);
        a->head = a->head + 1 == opt.delay_frees ? 0 : a->head + 1;
        a->count--;
        a->delayed_bytes -= block_size(r, i);
        slot_reusable(a, r, i, gone);
    }
}

static void
queue_add(struct arena *a, struct run *r, uint32_t i, struct run **gone)
{
    uint64_t size = block_size(r, i);

    if (!opt.delay_frees || size > opt.delay_frees_bytes) {
        slot_reusable(a, r, i, gone);
        return;
    }
    a->delayed_bytes += size;
    queue_shorten(a, gone);
    uint32_t at = a->head + a->count;
    a->queue[at >= opt.delay_frees ? at - opt.delay_frees : at] = (uint64_t)r | (uint64_t)i << 48;
    a->count++;
}

enum heap_verdict
heap_release(uint64_t a, stack_id s, struct heap_block *b)
{
    struct run *r = run_lock(a), *gone = NULL;
    uint32_t i;

    if (!r)
        return HEAP_FOREIGN;
    struct arena *ar = r->arena;
    enum heap_verdict v = judge(r, a, &i);
    if (v == HEAP_INTERIOR) {
        v = interior(r, a, b);
        goto out;
    }
    describe(r, i, b);
    if (v == HEAP_FREED)
        goto out;
    slot_at(r, i)->state = SLOT_DELAYED;
    slot_at(r, i)->freed = s;
    ar->stats.live_blocks--;
    ar->stats.live_bytes -= b->size;
    ar->stats.frees++;
    if (r->kind == RUN_LARGE) {     /* a long time to mark: meanwhile it is freed, and in no queue */
        unlock_arena(ar);
        mark(b->start, b->size, SHADOW_UNADDRESSABLE);
        lock_arena(ar);
    } else {
        mark_block(b->start, b->size, SHADOW_UNADDRESSABLE);
    }
    queue_add(ar, r, i, &gone);
out:
    unlock_arena(ar);
    release_all(gone);
    return v;
}

/* ---- resizing ---- */

/* Without moving, where that can be: smaller always, larger for large blocks with room behind them. r's arena is locked. */
static bool
resize_here(struct run *r, uint32_t i, uint64_t size, stack_id s)
{
    struct slot *slot = slot_at(r, i);
    uint64_t start = block_start(r, i), old = block_size(r, i), room = block_room(r, i);

    if (size > (r->kind == RUN_LARGE ? room : old) || (r->kind == RUN_LARGE && size <= SMALL_MAX))
        return false;
    slot->allocated = s;
    slot->seen = 0;
    if (r->kind == RUN_LARGE)
        r->size = size;
    else
        slot->slack = (uint16_t)(room - size);
    r->arena->stats.live_bytes += size - old;
    if (size < old)
        mark(start + size, old - size, SHADOW_UNADDRESSABLE);
    else
        mark(start + old, size - old, fresh_state);
    return true;
}

enum heap_verdict
heap_resize(uint64_t a, uint64_t size, stack_id s, uint64_t *to, struct heap_block *b)
{
    struct heap_block old;
    struct run *r = run_lock(a);
    uint32_t i;

    *to = 0;
    if (!r)
        return HEAP_FOREIGN;
    struct arena *ar = r->arena;
    enum heap_verdict v = judge(r, a, &i);
    if (v == HEAP_INTERIOR)
        v = interior(r, a, b);
    else
        describe(r, i, b);
    bool here = v == HEAP_VALID && resize_here(r, i, size, s);
    unlock_arena(ar);
    if (here)
        *to = a;
    if (here || v != HEAP_VALID)
        return v;

    uint64_t common = size < b->size ? size : b->size;
    uint64_t p = allocate(size, size > 4ull * UNIT ? size + size / 4 : size, HEAP_ALIGNMENT, b->family, 0, s);
    if (!p)
        return v;
    mark(p + common, size - common, fresh_state);
    dr_safe_read((void *)p, a, common);
    if (marks)
        shadow_copy(p, a, common);
    heap_release(a, s, &old);
    *to = p;
    return v;
}

/* ---- the whole ---- */

void
heap_stats(struct heap_stats *out)
{
    *out = (struct heap_stats){.memory = runs_memory()};
    for (unsigned i = 0; i < n_arenas; i++) {
        const struct heap_stats *s = &arenas[i]->stats;
        out->live_blocks += s->live_blocks;
        out->live_bytes += s->live_bytes;
        out->allocations += s->allocations;
        out->frees += s->frees;
    }
}

static void
number_run(struct run *r, void *arg)
{
    uint64_t *n = arg;

    r->first_number = *n;
    *n += r->n_slots;
}

uint64_t
heap_number(void)
{
    uint64_t n = 0;

    runs_each(number_run, &n);
    return n;
}

static void
widen(struct run *r, void *arg)
{
    uint64_t *b = arg;

    if (r->start < b[0])
        b[0] = r->start;
    b[1] = r->start + (uint64_t)r->units * UNIT;
}

void
heap_bounds(uint64_t *lo, uint64_t *hi)
{
    uint64_t b[2] = {~0ull, 0};

    runs_each(widen, b);
    *lo = b[0];
    *hi = b[1];
}

bool
heap_target(uint64_t a, struct heap_target *t)
{
    struct run *r = run_of(a);

    if (!r || !r->arena)
        return false;
    uint32_t i = slot_of(r, a);
    if (i >= r->n_slots || slot_at(r, i)->state != SLOT_LIVE)
        return false;
    *t = (struct heap_target){r->first_number + i, block_start(r, i), block_size(r, i)};
    return a - t->start < t->size || a == t->start;
}

struct each { void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg); void *arg; };

static void
each_in_run(struct run *r, void *arg)
{
    struct each *e = arg;

    for (uint32_t i = 0; i < r->n_slots; i++) {
        struct slot *s = slot_at(r, i);
        struct heap_block b;
        if (s->state != SLOT_LIVE)
            continue;
        bool seen = s->seen;
        describe(r, i, &b);
        e->f(r->first_number + i, &b, &seen, e->arg);
        s->seen = seen;
    }
}

void
heap_each_numbered(void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg), void *arg)
{
    runs_each(each_in_run, &(struct each){f, arg});
}

bool heap_owns(uint64_t a) { return run_of(a) != NULL; }
