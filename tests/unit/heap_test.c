/* drmemory's heap against a model of it, under random operations, alone and in several threads. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "heap.h"
#include "tool_shim.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static __thread uint64_t seed = 88172645463325252ull;

static uint64_t
any(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static uint64_t
any_size(void)
{
    switch (any(8)) {
    case 0: return any(40);
    case 1: return 30000 + any(6000);
    case 2: return any(300000);
    case 3: return any(64) ? any(5000) : any(40 << 20);
    default: return any(600);
    }
}

struct block { uint64_t at, size; uint8_t fill; unsigned family; stack_id stack; };

static void
fill(struct block *b)
{
    b->fill = (uint8_t)any(256);
    memset((void *)b->at, b->fill, b->size);
    shadow_set(b->at, b->size, SHADOW_DEFINED);
}

static void
check(const struct block *b)
{
    struct heap_block found;
    uint64_t span = b->size + 2 * opt.redzone_size, k = (span ? any(span) : 0) - opt.redzone_size;

    for (uint64_t i = 0; i < b->size; i += b->size > 5000 ? 97 : 1)
        if (((uint8_t *)b->at)[i] != b->fill)
            EXPECT_EQUAL("content", ((uint8_t *)b->at)[i], b->fill);
    EXPECT_EQUAL("block is defined", shadow_find_not_defined(b->at, b->size), b->at + b->size);
    EXPECT_EQUAL("redzone before", shadow_find_other(b->at - opt.redzone_size, opt.redzone_size, SHADOW_UNADDRESSABLE), b->at);
    uint64_t end = b->at + b->size;
    EXPECT_EQUAL("redzone behind", shadow_find_other(end, opt.redzone_size, SHADOW_UNADDRESSABLE), end + opt.redzone_size);
    EXPECT_EQUAL("starts here", heap_block_at(b->at, &found), HEAP_VALID);
    EXPECT_EQUAL("size", found.size, b->size);
    EXPECT_EQUAL("family", found.family, b->family);
    EXPECT_EQUAL("stack", found.allocated, b->stack);
    EXPECT_EQUAL("found", heap_find_own(b->at + k, &found), true);
    if (k < b->size)
        EXPECT_EQUAL("found by an address inside", found.start, b->at);
    if (b->size > 1) {
        EXPECT_EQUAL("no block starts inside", heap_block_at(b->at + 1 + any(b->size - 1), &found), HEAP_INTERIOR);
        EXPECT_EQUAL("… but this one is there", found.start, b->at);
    }
}

static void
make(struct block *b)
{
    static stack_id stacks;
    uint64_t align = any(5) ? 16 : 16ull << any(10);
    bool zero = any(4) == 0;

    *b = (struct block){.size = any_size(), .family = (unsigned)any(3), .stack = __atomic_add_fetch(&stacks, 1, __ATOMIC_RELAXED)};
    b->at = heap_allocate(b->size, align, b->family, zero ? HEAP_ZEROED : 0, b->stack);
    EXPECT_EQUAL("allocated", b->at != 0, true);
    EXPECT_EQUAL("alignment", b->at % align, 0);
    uint64_t end = b->at + b->size;
    if (zero)
        for (uint64_t i = 0; i < b->size; i++)
            if (((uint8_t *)b->at)[i])
                EXPECT_EQUAL("zero", ((uint8_t *)b->at)[i], 0);
    EXPECT_EQUAL("fresh", shadow_find_other(b->at, b->size, zero ? SHADOW_DEFINED : SHADOW_UNDEFINED), end);
    fill(b);
}

static void
drop(struct block *b)
{
    struct heap_block was;

    EXPECT_EQUAL("freed", heap_release(b->at, 7, &was), HEAP_VALID);
    EXPECT_EQUAL("size of what was freed", was.size, b->size);
    b->at = 0;
}

static void
resize(struct block *b)
{
    uint64_t size = any_size(), to;
    struct heap_block was;

    b->stack += 1000000;
    EXPECT_EQUAL("resized", heap_resize(b->at, size, b->stack, &to, &was), HEAP_VALID);
    EXPECT_EQUAL("memory to grow", to != 0, true);
    uint64_t common = size < b->size ? size : b->size;
    for (uint64_t i = 0; i < common; i++)
        if (((uint8_t *)to)[i] != b->fill)
            EXPECT_EQUAL("content after realloc", ((uint8_t *)to)[i], b->fill);
    EXPECT_EQUAL("what was there is defined", shadow_find_not_defined(to, common), to + common);
    EXPECT_EQUAL("the rest is not", shadow_find_other(to + common, size - common, SHADOW_UNDEFINED), to + size);
    b->at = to;
    b->size = size;
    fill(b);
}

enum { BLOCKS = 300 };

static void
random_operations(struct block *blocks, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        struct block *b = &blocks[any(BLOCKS)];
        if (!b->at)
            make(b);
        else if (any(3) == 0)
            resize(b);
        else
            check(b), drop(b);
    }
}

static void
drop_all(struct block *blocks)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        if (blocks[i].at)
            check(&blocks[i]), drop(&blocks[i]);
}

TEST(heap, blocks_keep_content_size_and_marks)
{
    static struct block blocks[BLOCKS];

    random_operations(blocks, 20000);
    drop_all(blocks);
}

static struct { uint64_t last, n, bytes; } seen;

static void
in_order(uint64_t number, const struct heap_block *b, bool *was_seen, void *arg)
{
    static uint64_t last_number;
    struct heap_target t;

    (void)arg;
    if (seen.n++)
        EXPECT_EQUAL("numbers rise", number > last_number, true);
    last_number = number;
    EXPECT_EQUAL("addresses rise", b->start >= seen.last, true);
    seen.last = b->start + b->size + opt.redzone_size;      /* no two closer than that */
    seen.bytes += b->size;
    EXPECT_EQUAL("live", b->live, true);
    EXPECT_EQUAL("a target", heap_target(b->start + (b->size ? any(b->size) : 0), &t), true);
    EXPECT_EQUAL("of this number", t.number, number);
    *was_seen = true;
}

static void
is_seen(uint64_t number, const struct heap_block *b, bool *was_seen, void *arg)
{
    (void)number, (void)b;
    *(uint64_t *)arg += *was_seen;
}

TEST(heap, all_blocks_are_visited_in_order_and_apart)
{
    static struct block blocks[BLOCKS];
    struct heap_stats s;
    uint64_t n = 0;

    for (unsigned i = 0; i < BLOCKS; i++)
        make(&blocks[i]);
    heap_number();
    memset(&seen, 0, sizeof seen);
    heap_each_numbered(in_order, NULL);
    heap_each_numbered(is_seen, &n);
    heap_stats(&s);
    EXPECT_EQUAL("blocks", seen.n, s.live_blocks);
    EXPECT_EQUAL("bytes", seen.bytes, s.live_bytes);
    EXPECT_EQUAL("all are kept as seen", n, seen.n);
    drop_all(blocks);
}

TEST(heap, freed_blocks_are_known_and_not_used_again_for_a_while)
{
    struct heap_block b;
    uint64_t p = heap_allocate(100, 16, HEAP_NEW, 0, 11);

    EXPECT_EQUAL("freed", heap_release(p, 12, &b), HEAP_VALID);
    EXPECT_EQUAL("freed twice", heap_release(p, 13, &b), HEAP_FREED);
    EXPECT_EQUAL("by whom", b.freed, 12);
    EXPECT_EQUAL("from where", b.allocated, 11);
    EXPECT_EQUAL("unaddressable", shadow_find_other(p, 100, SHADOW_UNADDRESSABLE), p + 100);
    for (unsigned i = 0; i < opt.delay_frees - 1; i++) {
        uint64_t q = heap_allocate(100, 16, HEAP_NEW, 0, 1);
        EXPECT_EQUAL("another", q != p, true);
        heap_release(q, 2, &b);
    }
    EXPECT_EQUAL("still known", heap_find_own(p + 50, &b) && b.start == p && !b.live, true);
    unsigned tries = 0;
    while (tries < 10000 && heap_allocate(100, 16, HEAP_NEW, 0, 1) != p)
        tries++, heap_release(heap_allocate(100, 16, HEAP_NEW, 0, 1), 2, &b);
    EXPECT_EQUAL("used again at last", tries < 10000, true);
}

TEST(heap, queue_is_bounded_by_bytes)
{
    struct heap_block b;
    struct heap_stats before, after;

    heap_stats(&before);
    for (unsigned i = 0; i < 400; i++)
        heap_release(heap_allocate(3 << 20, 16, HEAP_MALLOC, 0, 1), 2, &b);
    heap_stats(&after);
    EXPECT_EQUAL("memory does not grow with what is freed", after.memory - before.memory < (100u << 20), true);
}

TEST(heap, a_redzone_belongs_to_the_nearer_block)
{
    uint64_t a[64];
    struct heap_block b;
    unsigned beside = 0;

    if (!opt.redzone_size)
        return;
    for (unsigned i = 0; i < 64; i++)
        a[i] = heap_allocate(208, 16, HEAP_MALLOC, 0, 1);
    for (unsigned i = 0; i + 1 < 64; i++)
        if (a[i + 1] == a[i] + 208 + opt.redzone_size) {
            beside++;
            EXPECT_EQUAL("just behind", heap_find_own(a[i] + 208, &b) && b.start == a[i], true);
            EXPECT_EQUAL("just before", heap_find_own(a[i + 1] - 1, &b) && b.start == a[i + 1], true);
        }
    EXPECT_EQUAL("some lie side by side", beside > 0, true);
    heap_release(a[1], 2, &b);
    if (a[1] == a[0] + 224)
        EXPECT_EQUAL("rather the live one", heap_find_own(a[1] - 1, &b) && b.start == a[0], true);
    for (unsigned i = 0; i < 64; i++)
        if (i != 1)
            heap_release(a[i], 2, &b);
}

TEST(heap, no_memory_is_told_and_harms_nothing)
{
    struct heap_block b;
    uint64_t to, p = heap_allocate(1000, 16, HEAP_MALLOC, 0, 1);

    EXPECT_EQUAL("absurd size", heap_allocate(~0ull - 100, 16, HEAP_MALLOC, 0, 1), 0);
    EXPECT_EQUAL("absurd alignment", heap_allocate(1, 1ull << 60, HEAP_MALLOC, 0, 1), 0);
    shim_no_memory = true;
    EXPECT_EQUAL("large", heap_allocate(1 << 30, 16, HEAP_MALLOC, 0, 1), 0);
    EXPECT_EQUAL("valid", heap_resize(p, 1 << 30, 1, &to, &b), HEAP_VALID);
    EXPECT_EQUAL("not resized", to, 0);
    unsigned n = 0;
    while (heap_allocate(20000, 16, HEAP_MALLOC, 0, 9))
        n++;
    EXPECT_EQUAL("the heap ends", n < 100000, true);
    shim_no_memory = false;
    EXPECT_EQUAL("still there", heap_block_at(p, &b), HEAP_VALID);
    heap_release(p, 1, &b);
}

/* ---- blocks that the program declares ---- */

static void
next_in_order(const struct heap_block *b, void *arg)
{
    uint64_t *last = arg;

    EXPECT_EQUAL("addresses rise", b->start > *last, true);
    *last = b->start;
}

TEST(pool, declared_blocks_are_found_marked_and_freed)
{
    struct heap_block b;
    uint64_t area = heap_allocate(10000, 16, HEAP_MALLOC, HEAP_ZEROED, 1), last = 0;

    EXPECT_EQUAL("pool", pool_create(77, 8, false), true);
    EXPECT_EQUAL("one of a name", pool_create(77, 8, false), false);
    for (uint64_t i = 0; i < 50; i++)
        EXPECT_EQUAL("block", pool_allocate(77, area + 8 + (i * 37 % 50) * 160, 100, 5), true);
    EXPECT_EQUAL("over a live one", pool_allocate(77, area + 50, 100, 5), false);
    EXPECT_EQUAL("found", heap_find(area + 8 + 160 + 99, &b) && b.start == area + 168 && b.size == 100 && b.live && b.mapped_by_program, true);
    EXPECT_EQUAL("redzone", heap_find(area + 168 - 8, &b) && b.start == area + 168, true);
    EXPECT_EQUAL("undefined", shadow_find_other(area + 168, 100, SHADOW_UNDEFINED), area + 268);
    EXPECT_EQUAL("redzone is unaddressable", shadow_get(area + 268), SHADOW_UNADDRESSABLE);
    heap_each(next_in_order, &last);
    EXPECT_EQUAL("freed", pool_free(77, area + 168, 6), true);
    EXPECT_EQUAL("freed twice", pool_free(77, area + 168, 6), false);
    EXPECT_EQUAL("still known", heap_find(area + 170, &b) && !b.live && b.freed == 6, true);
    EXPECT_EQUAL("in its place", pool_allocate(77, area + 150, 60, 9), true);
    EXPECT_EQUAL("found", heap_find(area + 170, &b) && b.live && b.allocated == 9, true);
    EXPECT_EQUAL("changed", pool_change(77, area + 150, area + 160, 90), true);
    EXPECT_EQUAL("found where it is now", heap_find(area + 249, &b) && b.start == area + 160 && b.size == 90, true);
    EXPECT_EQUAL("moved", pool_move(77, 78), true);
    EXPECT_EQUAL("old name", pool_exists(77), false);
    EXPECT_EQUAL("trimmed", pool_trim(78, area, 1000, 7), true);
    EXPECT_EQUAL("beyond", heap_find(area + 8 + 30 * 160, &b) && !b.live, true);
    EXPECT_EQUAL("destroyed", pool_destroy(78, 8), true);
    EXPECT_EQUAL("gone with it", heap_find(area + 8, &b) && !b.live, true);
    EXPECT_EQUAL("resize", pool_block(area + 9000, 100, 0, true, HEAP_POOL, 3) && pool_block_resize(area + 9000, 100, 150, 0, 4), true);
    EXPECT_EQUAL("old part defined", shadow_find_not_defined(area + 9000, 150), area + 9100);
    EXPECT_EQUAL("freed", pool_block_free(area + 9000, 1), true);
    heap_release(area, 1, &b);
}

/* ---- threads ---- */

enum { THREADS = 4, HANDED = 64 };
static uint64_t handed[HANDED];

static void *
in_thread(void *arg)
{
    struct block *mine = calloc(BLOCKS, sizeof *mine);
    struct heap_block b;

    seed += (uint64_t)arg * 0x9e3779b97f4a7c15ull;
    for (unsigned i = 0; i < 40; i++) {
        random_operations(mine, 100);
        uint64_t p = heap_allocate(any_size(), 16, HEAP_MALLOC, 0, 5);
        p = __atomic_exchange_n(&handed[any(HANDED)], p, __ATOMIC_ACQ_REL);     /* another thread frees it */
        if (p)
            EXPECT_EQUAL("another's block", heap_release(p, 6, &b), HEAP_VALID);
        heap_find_own(__atomic_load_n(&handed[any(HANDED)], __ATOMIC_RELAXED), &b);
    }
    drop_all(mine);
    free(mine);
    heap_thread_exit(dr_thread_current());
    return NULL;
}

TEST(heap, threads_do_not_disturb_each_other)
{
    pthread_t t[THREADS];
    struct heap_block b;

    for (uint64_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, in_thread, (void *)(i + 1));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (unsigned i = 0; i < HANDED; i++)
        if (handed[i])
            heap_release(handed[i], 1, &b);
    heap_fork_begin(dr_thread_current());
    heap_fork_end(dr_thread_current());
}

struct unit_test *unit_tests;
int unit_failures;

/* heap_test [REDZONE] */
int
main(int argc, char **argv)
{
    shim_start();
    if (argc > 1)
        opt.redzone_size = (unsigned)atoi(argv[1]);
    if (!heap_init())
        return 2;
    for (struct unit_test *t = unit_tests; t; t = t->next) {
        int before = unit_failures;
        t->run();
        printf("%s %s\n", unit_failures == before ? "ok  " : "FAIL", t->name);
    }
    return unit_failures != 0;
}
