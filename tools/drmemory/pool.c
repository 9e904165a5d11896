/* Blocks that the program declares by client requests, because it cuts them
 * from memory of its own; and what is asked of all blocks, the heap's and these.
 *
 * They are in a treap by address. A freed one stays, to be told of, until a new
 * one takes its place.
 * Threads: everything is under `lock`, which is taken before an arena's.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"

struct node {
    struct node *left, *right;
    uint32_t priority;
    uint8_t family;
    bool live, seen;
    uint64_t start, size, redzone, pool, number;
    stack_id allocated, freed;
};

struct pool { struct pool *next; uint64_t id, redzone; bool zeroed; };

static struct dr_mutex lock;
static struct node *root, *spare;
static struct pool *pools, *spare_pools;
static volatile uint64_t n_nodes;
static uint32_t random_state = 2463534242u;

/* ---- the treap ---- */

/* Those that start below `at` go to *low, the others to *high. */
static void
split(struct node *t, uint64_t at, struct node **low, struct node **high)
{
    if (!t) {
        *low = *high = NULL;
    } else if (t->start < at) {
        split(t->right, at, &t->right, high);
        *low = t;
    } else {
        split(t->left, at, low, &t->left);
        *high = t;
    }
}

static struct node *
merge(struct node *low, struct node *high)
{
    if (!low || !high)
        return low ? low : high;
    if (low->priority > high->priority) {
        low->right = merge(low->right, high);
        return low;
    }
    high->left = merge(low, high->left);
    return high;
}

/* The last that starts at or below a. */
static struct node *
floor_of(uint64_t a)
{
    struct node *best = NULL;

    for (struct node *t = root; t; t = t->start <= a ? t->right : t->left)
        if (t->start <= a)
            best = t;
    return best;
}

/* The first that starts above a. */
static struct node *
above(uint64_t a)
{
    struct node *best = NULL;

    for (struct node *t = root; t; t = t->start > a ? t->left : t->right)
        if (t->start > a)
            best = t;
    return best;
}

static struct node *
node_new(void)
{
    enum { CHUNK = 64 << 10 };

    if (!spare) {
        struct node *n = dr_map(CHUNK);
        for (size_t i = 0; n && i < CHUNK / sizeof *n; i++) {
            n[i].left = spare;
            spare = &n[i];
        }
    }
    struct node *n = spare;
    if (n)
        spare = n->left;
    return n;
}

static void
insert(struct node *n)
{
    struct node *low, *high;

    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    n->priority = random_state;
    n->left = n->right = NULL;
    split(root, n->start, &low, &high);
    root = merge(merge(low, n), high);
    n_nodes++;
}

static void
erase(struct node *n)
{
    struct node *low, *mid, *high;

    split(root, n->start, &low, &high);
    split(high, n->start + 1, &mid, &high);
    root = merge(low, high);
    n->left = spare;
    spare = n;
    n_nodes--;
}

/* ---- blocks ---- */

static struct node *
live_at(uint64_t a)
{
    struct node *n = floor_of(a);

    return n && n->start == a && n->live ? n : NULL;
}

/* Forgets freed blocks in [lo, hi). False: there is a live one. */
static bool
make_way(uint64_t lo, uint64_t hi)
{
    struct node *n;

    while ((n = floor_of(hi - 1)) && n->start + n->size > lo) {
        if (n->live)
            return false;
        erase(n);
    }
    if (n && n->start >= lo) {      /* an empty one */
        if (n->live)
            return false;
        erase(n);
    }
    return true;
}

static void
mark(uint64_t a, uint64_t n, enum shadow_state s)
{
    if (n && !opt.leaks_only)
        shadow_set(a, n, s);
}

static enum shadow_state fresh(bool zeroed) { return zeroed || opt.light || !opt.check_uninitialized ? SHADOW_DEFINED : SHADOW_UNDEFINED; }

static bool
block_new(uint64_t a, uint64_t size, uint64_t redzone, bool zeroed, unsigned family, uint64_t pool, stack_id s)
{
    struct node *n = size < 1ull << 47 && a + size >= a && make_way(a, a + (size ? size : 1)) ? node_new() : NULL;

    if (!n)
        return false;
    *n = (struct node){.start = a, .size = size, .redzone = redzone, .pool = pool, .family = (uint8_t)family, .live = true, .allocated = s};
    insert(n);
    mark(a - redzone, redzone, SHADOW_UNADDRESSABLE);
    mark(a, size, fresh(zeroed));
    mark(a + size, redzone, SHADOW_UNADDRESSABLE);
    return true;
}

static void
block_free(struct node *n, stack_id s)
{
    n->live = false;
    n->freed = s;
    mark(n->start, n->size, SHADOW_UNADDRESSABLE);
}

bool
pool_block(uint64_t a, uint64_t size, uint64_t redzone, bool zeroed, unsigned family, stack_id s)
{
    dr_lock(&lock);
    bool done = block_new(a, size, redzone, zeroed, family, 0, s);
    dr_unlock(&lock);
    return done;
}

bool
pool_block_free(uint64_t a, stack_id s)
{
    dr_lock(&lock);
    struct node *n = live_at(a);
    if (n)
        block_free(n, s);
    dr_unlock(&lock);
    return n != NULL;
}

bool
pool_block_resize(uint64_t a, uint64_t old_size, uint64_t size, uint64_t redzone, stack_id s)
{
    dr_lock(&lock);
    struct node *n = live_at(a);
    bool done = n && n->size == old_size && make_way(a + old_size, size > old_size ? a + size : a + old_size + 1);
    if (done) {
        n->size = size;
        n->allocated = s;
        if (size > old_size)
            mark(a + old_size, size - old_size, fresh(false));
        else
            mark(a + size, old_size - size, SHADOW_UNADDRESSABLE);
        mark(a + size, redzone, SHADOW_UNADDRESSABLE);
    }
    dr_unlock(&lock);
    return done;
}

/* ---- pools ---- */

static struct pool *
find_pool(uint64_t id)
{
    struct pool *p = pools;

    while (p && p->id != id)
        p = p->next;
    return p;
}

static void
pool_new(uint64_t id, uint64_t redzone, bool zeroed)
{
    enum { CHUNK = 4096 };

    if (!spare_pools) {
        struct pool *p = dr_map(CHUNK);
        for (size_t i = 0; p && i < CHUNK / sizeof *p; i++) {
            p[i].next = spare_pools;
            spare_pools = &p[i];
        }
    }
    struct pool *p = spare_pools;
    if (!p)
        return;
    spare_pools = p->next;
    *p = (struct pool){pools, id, redzone, zeroed};
    pools = p;
}

bool
pool_create(uint64_t id, uint64_t redzone, bool zeroed)
{
    dr_lock(&lock);
    bool is_new = !find_pool(id);
    if (is_new)
        pool_new(id, redzone, zeroed);
    dr_unlock(&lock);
    return is_new;
}

bool
pool_exists(uint64_t id)
{
    dr_lock(&lock);
    bool found = find_pool(id);
    dr_unlock(&lock);
    return found;
}

/* f for each live block of the pool; it may erase or insert. */
static void
each_of_pool(uint64_t id, void (*f)(struct node *n, void *arg), void *arg)
{
    struct node *next;

    for (struct node *n = root ? (floor_of(0) ? floor_of(0) : above(0)) : NULL; n; n = next) {
        next = above(n->start);
        if (n->live && n->pool == id)
            f(n, arg);
    }
}

static void free_node(struct node *n, void *arg) { block_free(n, *(stack_id *)arg); }

bool
pool_destroy(uint64_t id, stack_id s)
{
    bool found = false;

    dr_lock(&lock);
    for (struct pool **at = &pools, *p; (p = *at); at = &p->next)
        if (p->id == id) {
            *at = p->next;
            p->next = spare_pools;
            spare_pools = p;
            each_of_pool(id, free_node, &s);
            found = true;
            break;
        }
    dr_unlock(&lock);
    return found;
}

bool
pool_allocate(uint64_t id, uint64_t a, uint64_t size, stack_id s)
{
    dr_lock(&lock);
    struct pool *p = find_pool(id);
    bool done = p && block_new(a, size, p->redzone, p->zeroed, HEAP_POOL, id, s);
    dr_unlock(&lock);
    return done;
}

bool
pool_free(uint64_t id, uint64_t a, stack_id s)
{
    dr_lock(&lock);
    struct node *n = live_at(a);
    bool done = n && n->pool == id && find_pool(id);
    if (done)
        block_free(n, s);
    dr_unlock(&lock);
    return done;
}

struct trim { uint64_t lo, hi; stack_id s; };

static void
trim_node(struct node *n, void *arg)
{
    struct trim *t = arg;
    uint64_t lo = n->start > t->lo ? n->start : t->lo, hi = n->start + n->size < t->hi ? n->start + n->size : t->hi;

    if (lo >= hi) {
        block_free(n, t->s);
        return;
    }
    mark(n->start, lo - n->start, SHADOW_UNADDRESSABLE);
    mark(hi, n->start + n->size - hi, SHADOW_UNADDRESSABLE);
    n->start = lo;                  /* between its neighbours still: the treap's order is the same */
    n->size = hi - lo;
}

bool
pool_trim(uint64_t id, uint64_t a, uint64_t size, stack_id s)
{
    dr_lock(&lock);
    bool found = find_pool(id);
    if (found)
        each_of_pool(id, trim_node, &(struct trim){a, a + size, s});
    dr_unlock(&lock);
    return found;
}

static void rename_node(struct node *n, void *arg) { n->pool = *(uint64_t *)arg; }

bool
pool_move(uint64_t from, uint64_t to)
{
    dr_lock(&lock);
    struct pool *p = find_pool(from);
    bool done = p && (from == to || !find_pool(to));
    if (done) {
        p->id = to;
        each_of_pool(from, rename_node, &to);
    }
    dr_unlock(&lock);
    return done;
}

bool
pool_change(uint64_t id, uint64_t a, uint64_t to, uint64_t size)
{
    dr_lock(&lock);
    struct pool *p = find_pool(id);
    struct node *n = live_at(a);
    bool done = p && n && n->pool == id;
    if (done) {
        stack_id was = n->allocated;
        uint64_t lo = a < to ? to : a, hi = a + n->size < to + size ? a + n->size : to + size;
        mark(n->start, lo < hi ? lo - n->start : n->size, SHADOW_UNADDRESSABLE);     /* what both have keeps its state */
        if (lo < hi)
            mark(hi, n->start + n->size - hi, SHADOW_UNADDRESSABLE);
        erase(n);
        done = make_way(to, to + (size ? size : 1)) && (n = node_new());
        if (done) {
            *n = (struct node){.start = to, .size = size, .redzone = p->redzone, .pool = id, .family = HEAP_POOL, .live = true, .allocated = was};
            insert(n);
            mark(to, lo < hi ? lo - to : size, fresh(p->zeroed));
            if (lo < hi)
                mark(hi, to + size - hi, fresh(p->zeroed));
        }
    }
    dr_unlock(&lock);
    return done;
}

void pool_fork_begin(void) { dr_lock(&lock); }
void pool_fork_end(void) { dr_unlock(&lock); }

/* ---- all blocks ---- */

static struct heap_block
described(const struct node *n)
{
    return (struct heap_block){.start = n->start, .size = n->size, .allocated = n->allocated, .freed = n->freed, .family = n->family,
                               .live = n->live, .mapped_by_program = true};
}

static bool
find(uint64_t a, struct heap_block *out)
{
    bool found = true;

    dr_lock(&lock);
    struct node *n = floor_of(a), *next = above(a);
    if (n && a - n->start < n->size + n->redzone)
        *out = described(n);
    else if (next && next->start - a <= next->redzone)
        *out = described(next);
    else
        found = false;
    dr_unlock(&lock);
    return found;
}

bool
heap_find(uint64_t a, struct heap_block *out)
{
    return (n_nodes && find(a, out)) || heap_find_own(a, out);
}

/* Blocks of the heap and the program's own, merged. */
struct merged { void (*f)(const struct heap_block *b, void *arg); void *arg; uint64_t done; };

static void
pool_up_to(struct merged *m, uint64_t end)
{
    struct node *n;

    while ((n = m->done ? above(m->done - 1) : (floor_of(0) ? floor_of(0) : above(0))) && n->start < end) {
        struct heap_block b = described(n);
        m->done = n->start + 1;
        if (n->live)
            m->f(&b, m->arg);
    }
}

static void
heap_one(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    struct merged *m = arg;

    (void)number, (void)seen;
    pool_up_to(m, b->start);
    m->f(b, m->arg);
}

void
heap_each(void (*f)(const struct heap_block *b, void *arg), void *arg)
{
    struct merged m = {f, arg, 0};

    heap_each_numbered(heap_one, &m);
    pool_up_to(&m, ~0ull);
}

/* ---- for leak scans ---- */

static void
number_tree(struct node *n, uint64_t *next)
{
    if (!n)
        return;
    number_tree(n->left, next);
    n->number = (*next)++;
    number_tree(n->right, next);
}

uint64_t
pool_number(uint64_t first)
{
    uint64_t next = first;

    number_tree(root, &next);
    return next - first;
}

bool
pool_target(uint64_t a, struct heap_target *t)
{
    struct node *n = n_nodes ? floor_of(a) : NULL;

    if (!n || !n->live || (a - n->start >= n->size && a != n->start))
        return false;
    *t = (struct heap_target){n->number, n->start, n->size};
    return true;
}

static void
each_tree(struct node *n, void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg), void *arg)
{
    if (!n)
        return;
    each_tree(n->left, f, arg);
    struct heap_block b = described(n);
    if (n->live)
        f(n->number, &b, &n->seen, arg);
    each_tree(n->right, f, arg);
}

void
pool_each(void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg), void *arg)
{
    each_tree(root, f, arg);
}
