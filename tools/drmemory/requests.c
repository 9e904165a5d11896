/* Valgrind's client requests, as memcheck answers them: what the program tells
 * of its memory, and what it asks.
 * Threads: any. See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "requests.h"

#include "heap.h"
#include "instrument.h"
#include "leak.h"

/* valgrind.h and memcheck.h; codes of memcheck begin with 'M', 'C'. */
enum {
    RUNNING_ON_VALGRIND = 0x1001, COUNT_ERRORS = 0x1201,
    MALLOCLIKE_BLOCK = 0x1301, FREELIKE_BLOCK, CREATE_MEMPOOL, DESTROY_MEMPOOL, MEMPOOL_ALLOC, MEMPOOL_FREE, MEMPOOL_TRIM, MOVE_MEMPOOL,
    MEMPOOL_CHANGE, MEMPOOL_EXISTS, RESIZEINPLACE_BLOCK,
    MAKE_MEM_NOACCESS = 0x4d430000, MAKE_MEM_UNDEFINED, MAKE_MEM_DEFINED, DISCARD, CHECK_MEM_IS_ADDRESSABLE, CHECK_MEM_IS_DEFINED,
    DO_LEAK_CHECK, COUNT_LEAKS, GET_VBITS, SET_VBITS, CREATE_BLOCK, MAKE_MEM_DEFINED_IF_ADDRESSABLE, COUNT_LEAK_BLOCKS,
};

/* What goes with a request. */
struct request { const uint64_t *a; const struct dr_mcontext *mc; };

static stack_id stack_of(const struct request *r, unsigned max) { return max ? stack_here(r->mc, max) : 0; }
static stack_id allocated(const struct request *r) { return stack_of(r, opt.malloc_max_frames); }
static stack_id freed(const struct request *r) { return stack_of(r, opt.free_max_frames); }

static uint64_t
wrong(const struct request *r, const char *what, uint64_t a)
{
    report_heap(r->mc, HEAP_INVALID_FREE, what, a, NULL);
    return 0;
}

/* ---- blocks and pools: they answer 0 ---- */

static uint64_t
block_request(const struct request *r)
{
    const uint64_t *a = r->a;

    switch (a[0]) {
    case MALLOCLIKE_BLOCK:
        pool_block(a[1], a[2], a[3], a[4] & 1, HEAP_POOL, allocated(r));
        return 0;
    case FREELIKE_BLOCK: return pool_block_free(a[1], freed(r)) ? 0 : wrong(r, "FREELIKE_BLOCK", a[1]);
    case RESIZEINPLACE_BLOCK: return pool_block_resize(a[1], a[2], a[3], a[4], allocated(r)) ? 0 : wrong(r, "RESIZEINPLACE_BLOCK", a[1]);
    case CREATE_MEMPOOL: return pool_create(a[1], a[2], a[3] & 1) ? 0 : wrong(r, "CREATE_MEMPOOL", a[1]);
    case DESTROY_MEMPOOL: return pool_destroy(a[1], freed(r)) ? 0 : wrong(r, "DESTROY_MEMPOOL", a[1]);
    case MEMPOOL_ALLOC: return pool_allocate(a[1], a[2], a[3], allocated(r)) ? 0 : wrong(r, "MEMPOOL_ALLOC", a[2]);
    case MEMPOOL_FREE: return pool_free(a[1], a[2], freed(r)) ? 0 : wrong(r, "MEMPOOL_FREE", a[2]);
    case MEMPOOL_TRIM: return pool_trim(a[1], a[2], a[3], freed(r)) ? 0 : wrong(r, "MEMPOOL_TRIM", a[1]);
    case MOVE_MEMPOOL: return pool_move(a[1], a[2]) ? 0 : wrong(r, "MOVE_MEMPOOL", a[1]);
    case MEMPOOL_CHANGE: return pool_change(a[1], a[2], a[3], a[4]) ? 0 : wrong(r, "MEMPOOL_CHANGE", a[2]);
    default: return pool_exists(a[1]);
    }
}

/* ---- states ---- */

static void
define_addressable(uint64_t a, uint64_t n)
{
    uint64_t end = a + n;

    while (a < end) {               /* one run of addressable bytes after the other */
        uint64_t hole = shadow_find_unaddressable(a, end - a);
        shadow_set(a, hole - a, SHADOW_DEFINED);
        a = shadow_find_other(hole, end - hole, SHADOW_UNADDRESSABLE);
    }
}

/* The first byte of [a, a + n) that cannot be accessed, or is not defined; 0: none. It is reported. */
static uint64_t
check(const struct request *r, uint64_t a, uint64_t n, bool defined)
{
    uint64_t hole = shadow_find_unaddressable(a, n), end = a + n;
    uint64_t bad = defined ? shadow_find_not_defined(a, hole - a) : hole;

    if (bad == end)
        return 0;
    if (bad == hole)
        report_unaddressable(r->mc, ACCESS_IS_READ, bad, 1);
    else
        report_uninitialized(r->mc, UNINIT_READ, "CHECK_MEM_IS_DEFINED", bad, 1);
    return bad;
}

/* Copies a state for each bit between the program's array and the shadow: 1: done, 3: some of it is not addressable. */
static uint64_t
vbits(uint64_t a, uint64_t array, uint64_t n, bool set)
{
    uint8_t bits[64];

    if (shadow_find_unaddressable(a, n) != a + n || shadow_find_unaddressable(array, n) != array + n)
        return 3;
    for (uint64_t part; n; n -= part, a += part, array += part) {
        part = n < sizeof bits ? n : sizeof bits;
        if (set) {
            if (!dr_safe_read(bits, array, part))
                return 3;
            shadow_store(a, (unsigned)part, bits);
        } else {
            shadow_load(a, (unsigned)part, bits);
            if (!dr_safe_write(array, bits, part))
                return 3;
            shadow_set(array, part, SHADOW_DEFINED);
        }
    }
    return 1;
}

static uint64_t
write_counts(const uint64_t *to, const uint64_t *counts)
{
    for (unsigned i = 0; i < 4; i++)
        if (dr_safe_write(to[i], &counts[i], sizeof counts[i]))
            shadow_set(to[i], sizeof counts[i], SHADOW_DEFINED);
    return 0;
}

static uint64_t
memory_request(const struct request *r)
{
    const uint64_t *a = r->a;

    switch (a[0]) {
    case MAKE_MEM_NOACCESS:
        shadow_set(a[1], a[2], SHADOW_UNADDRESSABLE);
        return (uint64_t)-1;
    case MAKE_MEM_UNDEFINED:
        shadow_set(a[1], a[2], opt.check_uninitialized && !opt.light ? SHADOW_UNDEFINED : SHADOW_DEFINED);
        return (uint64_t)-1;
    case MAKE_MEM_DEFINED:
        shadow_set(a[1], a[2], SHADOW_DEFINED);
        return (uint64_t)-1;
    case MAKE_MEM_DEFINED_IF_ADDRESSABLE:
        define_addressable(a[1], a[2]);
        return (uint64_t)-1;
    case CHECK_MEM_IS_ADDRESSABLE: return check(r, a[1], a[2], false);
    case CHECK_MEM_IS_DEFINED: return check(r, a[1], a[2], true);
    case GET_VBITS: return vbits(a[1], a[2], a[3], false);
    default: return vbits(a[1], a[2], a[3], true);
    }
}

/* False: not one of ours. */
static bool
answer(const struct request *r, uint64_t *result)
{
    const uint64_t *a = r->a;
    struct leak_counts c;

    switch (a[0]) {
    case RUNNING_ON_VALGRIND:
        *result = 1;
        return true;
    case MALLOCLIKE_BLOCK: case FREELIKE_BLOCK: case CREATE_MEMPOOL: case DESTROY_MEMPOOL: case MEMPOOL_ALLOC: case MEMPOOL_FREE:
    case MEMPOOL_TRIM: case MOVE_MEMPOOL: case MEMPOOL_CHANGE: case MEMPOOL_EXISTS: case RESIZEINPLACE_BLOCK:
        *result = block_request(r);
        return true;
    case MAKE_MEM_NOACCESS: case MAKE_MEM_UNDEFINED: case MAKE_MEM_DEFINED: case MAKE_MEM_DEFINED_IF_ADDRESSABLE:
    case CHECK_MEM_IS_ADDRESSABLE: case CHECK_MEM_IS_DEFINED: case GET_VBITS: case SET_VBITS:
        if (opt.leaks_only)
            return false;
        *result = memory_request(r);
        return true;
    case DO_LEAK_CHECK:
        leak_scan(LEAK_ON_REQUEST);
        *result = 0;
        return true;
    case COUNT_LEAKS:
        leak_counts(&c);
        *result = write_counts(a + 1, c.bytes);
        return true;
    case COUNT_LEAK_BLOCKS:
        leak_counts(&c);
        *result = write_counts(a + 1, c.blocks);
        return true;
    case CREATE_BLOCK: case DISCARD:    /* descriptions of memory, which reports do not show */
        *result = 0;
        return true;
    default: return false;
    }
}

bool
request_answer(dr_thread *t, const uint64_t args[6], uint64_t *result)
{
    struct regstate *rs = regstate_of(t);
    struct dr_mcontext mc = {0};
    struct request r = {args, &mc};

    dr_thread_context(t, &mc);
    if (!answer(&r, result))
        return false;
    rs->gpr[RDX] = 0;               /* where the program gets the result */
    rs->summary &= ~(1ull << (SUMMARY_GPR + RDX));
    return true;
}
