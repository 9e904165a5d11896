/* Runs of program memory for the heap.
 *
 * The kernel is asked for segments that grow from 1 MiB to 16 MiB; runs are cut
 * from them and join again when free, found by their length. Longer runs are
 * mappings of their own, given back when released. `runs_top` leads from any unit's address to its run: of a
 * free run only the first and the last, which is where neighbours look; those in between lead to unused_unit.
 * Invariant: kind is RUN_FREE only for runs on a list of free ones, and changes from and to it under the lock.
 * Threads: `lock` guards all but run_of.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "runs.h"

enum {
    MAX_SEGMENT_UNITS = 256,        /* longer runs have mappings of their own               */
    FIRST_SEGMENT_UNITS = 16,
    KEPT_DIRTY_UNITS = 512,         /* unused memory that is not given back to the kernel   */
};

struct run **volatile runs_top[1 << TOP_BITS];
static struct dr_mutex lock;
static struct run *free_runs[MAX_SEGMENT_UNITS + 1];        /* by units, the last for all longer ones */
static uint64_t free_sizes[MAX_SEGMENT_UNITS / 64 + 1];     /* bit: list not empty */
static struct run *spare_runs;
static void *spare_pieces[N_CLASSES];
static uint32_t next_segment = FIRST_SEGMENT_UNITS, dirty_units;
static uint8_t *bump, *bump_end;
static uint64_t mapped_bytes;
static struct run unused_unit = {.kind = RUN_TAKEN};        /* what is found at a unit inside a free run */

/* Engine memory that is never given back. The lock is held. */
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
        if (runs_top[i])
            continue;
        struct run **leaf = dr_map(sizeof(struct run *) << LEAF_BITS);
        if (!leaf)
            return false;
        __atomic_store_n(&runs_top[i], leaf, __ATOMIC_RELEASE);
    }
    return true;
}

static void
point(uint64_t a, struct run *r)
{
    __atomic_store_n(&runs_top[a >> (UNIT_SHIFT + LEAF_BITS)][a >> UNIT_SHIFT & ((1 << LEAF_BITS) - 1)], r, __ATOMIC_RELEASE);
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

struct run *
run_allocate(uint64_t units)
{
    struct run *r;

    dr_lock(&lock);
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
    dr_unlock(&lock);
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

    dr_lock(&lock);
    point_all(r, NULL);
    mapped_bytes -= bytes;
    dr_unlock(&lock);
    if (!opt.leaks_only)
        shadow_forget(r->start, bytes);
    dr_program_unmap((void *)r->start, bytes);
    dr_lock(&lock);
    run_discard(r);
    dr_unlock(&lock);
}

static bool can_join(const struct run *n) { return n && n->kind == RUN_FREE; }

void
run_release(struct run *r)
{
    uint64_t bytes = (uint64_t)r->units * UNIT;

    if (r->own_mapping) {
        unmap_run(r);
        return;
    }
    dr_lock(&lock);
    point_all(r, &unused_unit);
    if (r->slots) {
        *(void **)r->slots = spare_pieces[r->class];
        spare_pieces[r->class] = r->slots;
        r->slots = NULL;
    }
    r->zero = dirty_units + r->units > KEPT_DIRTY_UNITS && dr_program_discard((void *)r->start, bytes);
    r->dirty = r->zero ? 0 : r->units;
    r->marked = !opt.leaks_only;
    r->kind = RUN_FREE;
    struct run *n = run_of(r->start + bytes);
    if (can_join(n))
        r = run_join(r, n);
    n = run_of(r->start - 1);
    if (can_join(n))
        r = run_join(r, n);
    free_list_add(r);
    dr_unlock(&lock);
}

void *
runs_piece(unsigned class, size_t n)
{
    n = up(n, 16);
    dr_lock(&lock);
    uint64_t *p = spare_pieces[class];
    if (p) {
        spare_pieces[class] = *(void **)p;
        for (size_t i = 0; i < n / 8; i++)
            ((volatile uint64_t *)p)[i] = 0;
    } else {
        p = carve(n);
    }
    dr_unlock(&lock);
    return p;
}

void
runs_each(void (*f)(struct run *r, void *arg), void *arg)
{
    for (uint64_t t = 0; t < 1 << TOP_BITS; t++) {
        struct run **leaf = runs_top[t];
        for (uint64_t i = 0; leaf && i < 1 << LEAF_BITS; i++) {
            uint64_t at = t << (UNIT_SHIFT + LEAF_BITS) | i << UNIT_SHIFT;
            struct run *r = leaf[i];
            if (r && r->arena && r->start == at)
                f(r, arg);
        }
    }
}

uint64_t runs_memory(void) { return mapped_bytes; }
void runs_fork_begin(void) { dr_lock(&lock); }
void runs_fork_end(void) { dr_unlock(&lock); }
