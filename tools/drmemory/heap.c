/* The allocator behind the program's malloc.
 *
 * Program memory is taken in units of 64 KiB, runs of which hold either slots of
 * one size or one large block. What is known of a block is in the engine's
 * memory, beside the run's descriptor: nothing of ours lies where the program
 * could overwrite it.
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
 * SLOT_UNUSED or SLOT_PAST; a run is on its arena's list if and only if it has such a bit.
 * Threads: a run belongs to an arena, whose lock guards it with its blocks;
 * each thread allocates from one arena. Order: arena, runs_lock, engine locks.
 * `run_of` takes none: descriptors are never unmapped, and who finds one
 * locks its arena and looks again.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"

enum {
    UNIT_SHIFT = 16, UNIT = 1 << UNIT_SHIFT,
    ADDRESS_BITS = 47, LEAF_BITS = 16, TOP_BITS = ADDRESS_BITS - UNIT_SHIFT - LEAF_BITS,
    SMALL_STEPS = 32, N_CLASSES = SMALL_STEPS + 6 * 8,      /* 16, 32 … 512, then eight to a doubling */
    SMALL_MAX = 32 << 10,
    SLOTS_AT_LEAST = 8,             /* in a run                                             */
    MAX_SEGMENT_UNITS = 256,        /* larger blocks have mappings of their own             */
    FIRST_SEGMENT_UNITS = 16,
    KEPT_DIRTY_UNITS = 512,         /* unused memory that is not given back to the kernel   */
    MAX_ARENAS = 64,
    RECIPROCAL_SHIFT = 40,
    FRONT_SHIFT = 4,
};

enum slot_state { SLOT_UNUSED, SLOT_LIVE, SLOT_DELAYED, SLOT_PAST /* freed, not used again yet */ };

struct slot {
    stack_id allocated, freed;
    uint16_t slack;                 /* bytes of the slot behind the block                   */
    uint8_t front;                  /* 16-byte steps before it, for its alignment           */
    uint8_t state : 2, family : 3, seen : 1;
};

enum run_kind { RUN_FREE, RUN_TAKEN /* about to become one of the others */, RUN_SLOTS, RUN_LARGE };

struct run {
    uint64_t start;
    uint32_t units;
    uint8_t kind, class;
    bool zero;                      /* nobody has written to it since it was mapped         */
    bool marked;                    /* while free: all of it is unaddressable               */
    bool own_mapping;
    struct arena *arena;            /* NULL: free                                           */
    struct slot *slots;
    uint64_t *unused;
    uint64_t reciprocal;
    uint32_t slot_size, n_slots, n_unused, fresh /* slots from here on were never used */, hint;
    uint32_t dirty;                 /* while free: units that may hold pages                */
    uint64_t user, size;            /* RUN_LARGE                                            */
    struct slot large;
    struct run *next, *prev;        /* arena's list, or of free runs                        */
    uint64_t first_number;
};

struct arena {
    struct dr_mutex lock;
    unsigned threads;
    struct run *runs[N_CLASSES];
    uint64_t *queue;                /* freed blocks: descriptor, and slot number from bit 48 */
    uint32_t head, count;
    uint64_t delayed_bytes;
    struct heap_stats stats;
};

static struct run **volatile top[1 << TOP_BITS];
static struct { uint32_t slot_size, units, n_slots; uint64_t reciprocal; } classes[N_CLASSES];
static uint64_t redzone;
static enum shadow_state fresh_state;
static bool marks;                  /* there is a shadow */

static struct dr_mutex runs_lock;
static struct run *free_runs[MAX_SEGMENT_UNITS + 1];        /* by units */
static uint64_t free_sizes[MAX_SEGMENT_UNITS / 64 + 1];     /* bit: list not empty */
static struct run *spare_runs;
static void *spare_slots[N_CLASSES];
static uint32_t next_segment = FIRST_SEGMENT_UNITS, dirty_units;
static uint8_t *bump, *bump_end;
static uint64_t mapped_bytes;

static struct dr_mutex arenas_lock;
static struct arena *arenas[MAX_ARENAS];
static unsigned n_arenas;
static uint32_t arena_slot;

static struct run unused_unit = {.kind = RUN_TAKEN};        /* what is found at a unit inside a free run */

static inline uint64_t up(uint64_t x, uint64_t a) { return (x + a - 1) & ~(a - 1); }

static void
mark(uint64_t a, uint64_t n, enum shadow_state s)
{
    if (marks && n)
        shadow_set(a, n, s);
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

/* ---- runs ---- */

static struct run *
run_of(uint64_t a)
{
    if (a >> ADDRESS_BITS)
        return NULL;
    struct run **leaf = __atomic_load_n(&top[a >> (UNIT_SHIFT + LEAF_BITS)], __ATOMIC_ACQUIRE);
    return leaf ? __atomic_load_n(&leaf[a >> UNIT_SHIFT & ((1 << LEAF_BITS) - 1)], __ATOMIC_ACQUIRE) : NULL;
}

/* Engine memory that is never given back. runs_lock is held, or nobody else is there yet. */
static void *
carve(size_t n)
{
    enum { CHUNK = 1 << 20 };

    n = up(n, 16);
    if ((size_t)(bump_end - bump) < n) {
        size_t chunk = n > CHUNK ? n : CHUNK;
        uint8_t *p = dr_map(chunk);
        if (!p)
            return NULL;
        bump = p;
        bump_end = p + chunk;
    }
    bump += n;
    return bump - n;
}

static bool
leaves_exist(uint64_t lo, uint64_t hi)
{
    for (uint64_t i = lo >> (UNIT_SHIFT + LEAF_BITS); i <= (hi - 1) >> (UNIT_SHIFT + LEAF_BITS); i++) {
        if (top[i])
            continue;
        struct run **leaf = dr_map(sizeof(struct run *) << LEAF_BITS);
        if (!leaf)
            return false;
        __atomic_store_n(&top[i], leaf, __ATOMIC_RELEASE);
    }
    return true;
}

static void
point(uint64_t a, struct run *r)
{
    __atomic_store_n(&top[a >> (UNIT_SHIFT + LEAF_BITS)][a >> UNIT_SHIFT & ((1 << LEAF_BITS) - 1)], r, __ATOMIC_RELEASE);
}

static void
point_all(struct run *r, struct run *to)
{
    for (uint64_t i = 0; i < r->units; i++)
        point(r->start + i * UNIT, to);
}

static struct run *
run_descriptor(void)
{
    struct run *r = spare_runs;

    if (!r)
        return carve(sizeof *r);
    spare_runs = r->next;
    *r = (struct run){0};
    return r;
}

static void
run_discard(struct run *r)
{
    r->next = spare_runs;
    spare_runs = r;
}

static void
free_list_add(struct run *r)
{
    uint32_t n = r->units < MAX_SEGMENT_UNITS ? r->units : MAX_SEGMENT_UNITS;

    r->kind = RUN_FREE;
    r->prev = NULL;
    r->next = free_runs[n];
    if (r->next)
        r->next->prev = r;
    free_runs[n] = r;
    free_sizes[n / 64] |= 1ull << n % 64;
    dirty_units += r->dirty;
    point(r->start, r);
    point(r->start + (r->units - 1ull) * UNIT, r);
}

static void
free_list_remove(struct run *r)
{
    uint32_t n = r->units < MAX_SEGMENT_UNITS ? r->units : MAX_SEGMENT_UNITS;

    if (r->prev)
        r->prev->next = r->next;
    else
        free_runs[n] = r->next;
    if (r->next)
        r->next->prev = r->prev;
    if (!free_runs[n])
        free_sizes[n / 64] &= ~(1ull << n % 64);
    dirty_units -= r->dirty;
}

/* A free run of at least `units`, the smallest there is; off its list. */
static struct run *
free_list_take(uint32_t units)
{
    uint32_t w = units / 64;
    uint64_t bits = free_sizes[w] & ~0ull << units % 64;

    while (!bits && ++w < sizeof free_sizes / sizeof *free_sizes)
        bits = free_sizes[w];
    if (!bits)
        return NULL;
    struct run *r = free_runs[w * 64 + (unsigned)__builtin_ctzll(bits)];
    free_list_remove(r);
    return r;
}

/* Program memory of n bytes at a multiple of UNIT. 0: none. */
static uint64_t
map_units(uint64_t n)
{
    uint64_t p = (uint64_t)dr_program_map(n);

    if (p && p % UNIT) {            /* the next to one that is aligned is aligned, too */
        dr_program_unmap((void *)p, n);
        p = (uint64_t)dr_program_map(n + UNIT);
        if (!p)
            return 0;
        uint64_t at = up(p, UNIT);
        if (at > p)
            dr_program_unmap((void *)p, at - p);
        if (at < p + UNIT)
            dr_program_unmap((void *)(at + n), p + UNIT - at);
        p = at;
    }
    if (p && (p + n > 1ull << ADDRESS_BITS || !shadow_covers(p) || !shadow_covers(p + n - 1) || !leaves_exist(p, p + n))) {
        dr_program_unmap((void *)p, n);
        p = 0;
    }
    if (p)
        mapped_bytes += n;
    return p;
}

static struct run *
run_mapped(uint32_t units)
{
    uint64_t at = map_units((uint64_t)units * UNIT);
    struct run *r = at ? run_descriptor() : NULL;

    if (!r) {
        if (at)
            dr_program_unmap((void *)at, (uint64_t)units * UNIT);
        return NULL;
    }
    *r = (struct run){.start = at, .units = units, .zero = true, .kind = RUN_TAKEN};
    point_all(r, &unused_unit);
    return r;
}

static struct run *
new_segment(uint32_t units)
{
    uint32_t n = next_segment > units ? next_segment : units;
    struct run *r = run_mapped(n);

    if (!r && n > units)
        r = run_mapped(units);
    else if (next_segment < MAX_SEGMENT_UNITS)
        next_segment *= 2;
    return r;
}

/* Leaves `units` of r; the rest becomes a free run. */
static void
run_split(struct run *r, uint32_t units)
{
    struct run *rest = r->units > units ? run_descriptor() : NULL;

    if (!rest)                      /* none to split, or no memory to describe it: r is longer than it need be */
        return;
    *rest = (struct run){.start = r->start + (uint64_t)units * UNIT, .units = r->units - units, .zero = r->zero, .marked = r->marked};
    rest->dirty = r->dirty < rest->units ? r->dirty : rest->units;
    r->units = units;
    free_list_add(rest);
}

static struct run *
run_allocate(uint64_t units)
{
    struct run *r;

    dr_lock(&runs_lock);
    if (units > MAX_SEGMENT_UNITS) {
        r = run_mapped((uint32_t)units);
        if (r)
            r->own_mapping = true;
    } else {
        r = free_list_take((uint32_t)units);
        if (!r)
            r = new_segment((uint32_t)units);
        if (r)
            run_split(r, (uint32_t)units);
    }
    if (r) {
        r->kind = RUN_TAKEN;
        r->dirty = 0;
        point_all(r, r);
    }
    dr_unlock(&runs_lock);
    return r;
}

/* Joins r with a free neighbour. */
static struct run *
run_join(struct run *r, struct run *n)
{
    struct run *first = r->start < n->start ? r : n, *second = first == r ? n : r;

    free_list_remove(n);
    point(first->start + (first->units - 1ull) * UNIT, &unused_unit);
    point(second->start, &unused_unit);
    first->units += second->units;
    first->dirty += second->dirty;
    first->zero &= second->zero;
    first->marked &= second->marked;
    run_discard(second);
    return first;
}

/* Unmaps before the descriptor can be used again, but after nothing points at it: the kernel may give the addresses
 * to another thread at once. */
static void
unmap_run(struct run *r)
{
    uint64_t bytes = (uint64_t)r->units * UNIT;

    dr_lock(&runs_lock);
    point_all(r, NULL);
    mapped_bytes -= bytes;
    dr_unlock(&runs_lock);
    if (marks)
        shadow_forget(r->start, bytes);
    dr_program_unmap((void *)r->start, bytes);
    dr_lock(&runs_lock);
    run_discard(r);
    dr_unlock(&runs_lock);
}

static bool can_join(const struct run *n) { return n && n->kind == RUN_FREE; }

/* Nothing refers to r any more, and its arena is NULL. All of it is unaddressable. */
static void
run_release(struct run *r)
{
    uint64_t bytes = (uint64_t)r->units * UNIT;

    if (r->own_mapping) {
        unmap_run(r);
        return;
    }
    dr_lock(&runs_lock);
    point_all(r, &unused_unit);
    if (r->slots) {
        *(void **)r->slots = spare_slots[r->class];
        spare_slots[r->class] = r->slots;
        r->slots = NULL;
    }
    r->zero = dirty_units + r->units > KEPT_DIRTY_UNITS && dr_program_discard((void *)r->start, bytes);
    r->dirty = r->zero ? 0 : r->units;
    r->marked = marks;
    r->kind = RUN_FREE;
    struct run *n = run_of(r->start + bytes);
    if (can_join(n))
        r = run_join(r, n);
    n = run_of(r->start - 1);
    if (can_join(n))
        r = run_join(r, n);
    free_list_add(r);
    dr_unlock(&runs_lock);
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
        best->threads++;
    dr_unlock(&arenas_lock);
    return best;
}

static struct arena *
arena_here(void)
{
    struct arena **mine = dr_thread_at(dr_thread_current(), arena_slot);

    if (!*mine)
        *mine = arena_choose();
    return *mine;
}

void
heap_thread_exit(dr_thread *t)
{
    struct arena **mine = dr_thread_at(t, arena_slot);

    if (!*mine)
        return;
    dr_lock(&arenas_lock);
    (*mine)->threads--;
    dr_unlock(&arenas_lock);
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
heap_fork_begin(void)
{
    dr_lock(&arenas_lock);
    for (unsigned i = 0; i < n_arenas; i++)
        dr_lock(&arenas[i]->lock);
    dr_lock(&runs_lock);
}

void
heap_fork_end(void)
{
    dr_unlock(&runs_lock);
    for (unsigned i = n_arenas; i-- > 0;)
        dr_unlock(&arenas[i]->lock);
    dr_unlock(&arenas_lock);
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

/* Slots and the bits of unused ones, in one piece. */
static struct slot *
slots_memory(unsigned c)
{
    size_t n = slot_words(c) * sizeof(uint64_t) + classes[c].n_slots * sizeof(struct slot);

    dr_lock(&runs_lock);
    void *p = spare_slots[c];
    if (p) {
        spare_slots[c] = *(void **)p;
        for (size_t i = 0; i < n / 8; i++)
            ((volatile uint64_t *)p)[i] = 0;
        for (size_t i = n / 8 * 8; i < n; i++)
            ((volatile uint8_t *)p)[i] = 0;
    } else {
        p = carve(n + 8);
    }
    dr_unlock(&runs_lock);
    return p;
}

static struct run *
run_of_slots(struct arena *a, unsigned c)
{
    struct run *r = run_allocate(classes[c].units);

    if (!r)
        return NULL;
    if (!r->marked)
        mark(r->start, (uint64_t)r->units * UNIT, SHADOW_UNADDRESSABLE);
    r->class = (uint8_t)c;
    r->slots = slots_memory(c);
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

    dr_lock(&a->lock);
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
    dr_unlock(&a->lock);
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
    dr_lock(&a->lock);
    __atomic_store_n(&r->arena, a, __ATOMIC_RELEASE);
    a->stats.allocations++;
    a->stats.live_blocks++;
    a->stats.live_bytes += size;
    dr_unlock(&a->lock);
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
        dr_lock(&ar->lock);
        if (r->arena == ar && run_of(a) == r)
            return r;
        dr_unlock(&ar->lock);
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
    dr_unlock(&r->arena->lock);
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
    dr_unlock(&r->arena->lock);
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
        dr_unlock(&ar->lock);
        mark(b->start, b->size, SHADOW_UNADDRESSABLE);
        dr_lock(&ar->lock);
    } else {
        mark_block(b->start, b->size, SHADOW_UNADDRESSABLE);
    }
    queue_add(ar, r, i, &gone);
out:
    dr_unlock(&ar->lock);
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
    dr_unlock(&ar->lock);
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
    *out = (struct heap_stats){.memory = mapped_bytes};
    for (unsigned i = 0; i < n_arenas; i++) {
        const struct heap_stats *s = &arenas[i]->stats;
        out->live_blocks += s->live_blocks;
        out->live_bytes += s->live_bytes;
        out->allocations += s->allocations;
        out->frees += s->frees;
    }
}

/* Every run in use, by address; other threads stopped. */
static void
each_run(void (*f)(struct run *r, void *arg), void *arg)
{
    for (uint64_t t = 0; t < 1 << TOP_BITS; t++) {
        struct run **leaf = top[t];
        for (uint64_t i = 0; leaf && i < 1 << LEAF_BITS; i++) {
            uint64_t at = t << (UNIT_SHIFT + LEAF_BITS) | i << UNIT_SHIFT;
            struct run *r = leaf[i];
            if (r && r->arena && r->start == at)
                f(r, arg);
        }
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

    each_run(number_run, &n);
    return n;
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
    each_run(each_in_run, &(struct each){f, arg});
}

bool heap_owns(uint64_t a) { return run_of(a) != NULL; }
