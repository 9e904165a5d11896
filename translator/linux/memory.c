/* Memory: the engine's own, and the program's executable ranges and code pages.
 *
 * Regions: a sorted array of disjoint ranges that are executable or shared,
 * binary search; changes copy the tail. A program has tens of them, a JIT a few
 * thousand.
 * Code pages: a hash of pages that are write-protected on our account (or have
 * proved to be written too often for that).
 * Invariant: a page that the program may write and that has live fragments
 * without self-check is write-protected.
 * Threads: regions_lock, taken inside cache_lock where both are needed. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/memory.h"

#include "core/cache.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "unwind/unwind.h"
#include "util/log.h"

/* ---- engine memory ---- */

enum { MAP_PRIVATE_FLAG = 2, MAP_PRIVATE_ANON_NORESERVE = 0x4022, MAP_FIXED_NOREPLACE_FLAG = 0x100000 };

static volatile uint64_t engine_next = ENGINE_BASE + (1ull << 36);

static volatile uint64_t engine_bytes;

static volatile bool confined;       /* the program filters system calls */
static volatile bool unprotected;    /* no page is write-protected any more */

/* Memory mapped before the program's system call filter could forbid it. */
enum { RESERVED = 64 << 20 };
static uint8_t *volatile reserve;
static volatile uint64_t reserve_used;

void
engine_memory_reserve(void)
{
    if (!reserve)
        reserve = engine_map(RESERVED);
}

/* Places that tools have reserved; the list is whole before the program starts. */
enum { MAX_PLACES = 4 };
static struct { uint64_t lo, hi; } place[MAX_PLACES];
static unsigned n_places;

long
engine_reserve(uint64_t at, uint64_t n)
{
    if (n_places == MAX_PLACES)
        return -12 /* ENOMEM */;
    limits_move((int64_t)n);
    long p = sys_mmap((void *)at, n, 0, MAP_PRIVATE_ANON_NORESERVE | MAP_FIXED_NOREPLACE_FLAG, -1, 0);
    if (sys_failed(p)) {
        limits_move(-(int64_t)n);
        return p;
    }
    place[n_places].lo = at;
    place[n_places++].hi = at + n;
    __atomic_fetch_add(&engine_bytes, n, __ATOMIC_RELAXED);
    return 0;
}

bool
engine_touches(uint64_t lo, uint64_t hi)
{
    uint64_t c = (uint64_t)cache_base;

    if ((lo < ENGINE_END && hi > ENGINE_BASE) || (lo < c + cache_size && hi > c))
        return true;
    for (unsigned i = 0; i < n_places; i++)
        if (lo < place[i].hi && hi > place[i].lo)
            return true;
    return false;
}

uint64_t engine_memory_size(void) { return engine_bytes + cache_size; }

static void *
map_anywhere(size_t n, int prot, int flags, int fd)
{
    limits_move((int64_t)n);
    for (int tries = 0; tries < 64; tries++) {
        uint64_t at = __atomic_fetch_add(&engine_next, n + PAGE_SIZE, __ATOMIC_RELAXED);
        long p = sys_mmap((void *)at, n, prot, flags | MAP_FIXED_NOREPLACE_FLAG, fd, 0);
        if (!sys_failed(p)) {
            __atomic_fetch_add(&engine_bytes, n, __ATOMIC_RELAXED);
            engine_small_pages((void *)p, n);
            return (void *)p;
        }
        if (p != -17 /* EEXIST */)
            break;
    }
    limits_move(-(int64_t)n);
    return NULL;
}

void
engine_small_pages(void *p, size_t n)
{
    enum { HUGE = 2 << 20, NOHUGEPAGE = 15 };

    if (n >= HUGE)
        sys3(__NR_madvise, (long)p, (long)n, NOHUGEPAGE);
}

void *
engine_map(size_t n)
{
    n = PAGE_UP(n);
    if (reserve) {
        uint64_t at = __atomic_fetch_add(&reserve_used, n, __ATOMIC_RELAXED);
        if (at + n <= RESERVED)
            return reserve + at;
    }
    return map_anywhere(n, PROT_R | PROT_W, MAP_PRIVATE_ANON_NORESERVE, -1);
}

const void *
engine_map_file(int fd, size_t n)
{
    return confined ? NULL : map_anywhere(PAGE_UP(n), PROT_R, MAP_PRIVATE_FLAG, fd);
}

void *
engine_map_shared(void *at, int fd, size_t n)
{
    if (!at)
        return reserve ? NULL : map_anywhere(PAGE_UP(n), PROT_R | PROT_W, 1 /* MAP_SHARED */, fd);
    return sys_failed(sys_mmap(at, PAGE_UP(n), PROT_R | PROT_W, 0x11 /* MAP_SHARED|MAP_FIXED */, fd, 0)) ? NULL : at;
}

void
engine_unmap(void *p, size_t n)
{
    if (reserve)                     /* reserved memory is not given back, and a filter may forbid it */
        return;
    sys_munmap(p, PAGE_UP(n));
    __atomic_fetch_sub(&engine_bytes, PAGE_UP(n), __ATOMIC_RELAXED);
    limits_move(-(int64_t)PAGE_UP(n));
}

size_t
engine_back(void *p, size_t n)
{
    enum { PIECE = 128 << 10, POPULATE_WRITE = 23 };
    uint64_t end = PAGE_UP((uint64_t)p + MIN(n, (size_t)PIECE));

    if (!confined)
        sys3(__NR_madvise, (long)PAGE_DOWN(p), (long)(end - PAGE_DOWN(p)), POPULATE_WRITE);    /* where it fails, pages fault in one by one */
    return MIN(end - (uint64_t)p, n);
}

/* ---- regions ---- */

static struct mutex regions_lock;
static struct region *regions;
static unsigned n_regions, max_regions;

/* The first region that ends above `a`. */
static unsigned
region_at(uint64_t a)
{
    unsigned lo = 0, hi = n_regions;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (regions[mid].hi <= a)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void
region_insert(unsigned i, struct region r)
{
    if (n_regions == max_regions) {
        unsigned more = max_regions ? max_regions * 2 : 256;
        struct region *n = engine_map(more * sizeof *n);
        CHECK(n, "memory for the list of code regions");
        memcpy(n, regions, n_regions * sizeof *n);
        if (regions)
            engine_unmap(regions, max_regions * sizeof *n);
        regions = n;
        max_regions = more;
    }
    memmove(regions + i + 1, regions + i, (n_regions - i) * sizeof *regions);
    regions[i] = r;
    n_regions++;
}

/* Makes [lo, hi) a hole; returns where a region at lo belongs. */
static unsigned
region_carve(uint64_t lo, uint64_t hi)
{
    unsigned i = region_at(lo);

    if (i < n_regions && regions[i].lo < lo) {
        if (regions[i].hi > hi) {
            struct region tail = regions[i];
            tail.lo = hi;
            regions[i].hi = lo;
            region_insert(i + 1, tail);
            return i + 1;
        }
        regions[i++].hi = lo;
    }
    unsigned j = i;
    while (j < n_regions && regions[j].hi <= hi)
        j++;
    memmove(regions + i, regions + j, (n_regions - j) * sizeof *regions);
    n_regions -= j - i;
    if (i < n_regions && regions[i].lo < hi)
        regions[i].lo = hi;
    return i;
}

static void
region_put(uint64_t lo, uint64_t hi, int prot, int flags)
{
    unsigned i = region_carve(lo, hi);

    if ((prot & PROT_X) || (flags & REGION_SHARED))
        region_insert(i, (struct region){lo, hi, (uint8_t)prot, (uint8_t)flags});
}

void
regions_set(uint64_t lo, uint64_t hi, int prot, int flags)
{
    hi = PAGE_UP(hi);
    if (hi <= lo)
        return;
    mutex_lock(&regions_lock);
    region_put(lo, hi, prot, flags);
    mutex_unlock(&regions_lock);
    unwind_forget(lo, hi);
    LOG(LOG_MEMORY, "region 0x%lx-0x%lx prot %d flags %d", lo, hi, prot, flags);
}

void
regions_protect(uint64_t lo, uint64_t hi, int prot)
{
    hi = PAGE_UP(hi);
    mutex_lock(&regions_lock);
    while (lo < hi) {
        unsigned i = region_at(lo);
        uint64_t end = hi;
        int flags = 0;
        if (i < n_regions && regions[i].lo <= lo) {
            end = MIN(hi, regions[i].hi);
            flags = regions[i].flags;
        } else if (i < n_regions) {
            end = MIN(hi, regions[i].lo);
        }
        region_put(lo, end, prot, flags);
        lo = end;
    }
    mutex_unlock(&regions_lock);
}

void
regions_move(uint64_t from, uint64_t from_len, uint64_t to, uint64_t to_len)
{
    struct region r = {0};

    mutex_lock(&regions_lock);
    unsigned i = region_at(from);
    if (i < n_regions && regions[i].lo <= from)
        r = regions[i];
    if (from_len)
        region_carve(from, from + PAGE_UP(from_len));
    region_put(to, to + PAGE_UP(to_len), r.prot, r.flags);
    mutex_unlock(&regions_lock);
    unwind_forget(from, from + PAGE_UP(from_len));
    unwind_forget(to, to + PAGE_UP(to_len));
}

bool
regions_find(uint64_t pc, struct region *out)
{
    bool found = false;

    mutex_lock(&regions_lock);
    unsigned i = region_at(pc);
    if (i < n_regions && regions[i].lo <= pc && (regions[i].prot & PROT_X)) {
        *out = regions[i];
        for (i++; i < n_regions && regions[i].lo == out->hi && regions[i].prot == out->prot && regions[i].flags == out->flags; i++)
            out->hi = regions[i].hi;
        found = true;
    }
    mutex_unlock(&regions_lock);
    return found;
}

bool
regions_intersect(uint64_t lo, uint64_t hi)
{
    bool yes = false;

    mutex_lock(&regions_lock);
    for (unsigned i = region_at(lo); i < n_regions && regions[i].lo < hi && !yes; i++)
        yes = regions[i].prot & PROT_X;
    mutex_unlock(&regions_lock);
    return yes;
}

void
regions_keep(struct regions_kept *k, uint64_t lo, uint64_t hi)
{
    *k = (struct regions_kept){.all = k->some};
    mutex_lock(&regions_lock);
    unsigned first = region_at(lo), end = first;
    while (end < n_regions && regions[end].lo < hi)
        end++;
    k->size = (end - first) * sizeof *regions;
    if (end - first > COUNT_OF(k->some))
        k->all = engine_map(k->size);
    CHECK(k->all, "memory for a list of code regions");
    for (unsigned i = first; i < end; i++)
        k->all[k->n++] = (struct region){MAX(regions[i].lo, lo), MIN(regions[i].hi, hi), regions[i].prot, regions[i].flags};
    mutex_unlock(&regions_lock);
}

void
regions_drop_kept(struct regions_kept *k, bool put_back)
{
    for (unsigned i = 0; put_back && i < k->n; i++)
        regions_set(k->all[i].lo, k->all[i].hi, k->all[i].prot, k->all[i].flags);
    if (k->all != k->some)
        engine_unmap(k->all, k->size);
}

/* ---- code pages ---- */

enum { FUTILE_AFTER = 12 };         /* write faults of a page before its fragments check themselves; see docs/consistency.md */

/* The way back from there: after CALM moments without a change, doubled with each relapse. A moment is 2^20 ticks, a third of a millisecond. */
enum { CALM = 300, MAX_DOUBLINGS = 8 };
static uint32_t moment(void) { return (uint32_t)(clock_ticks() >> 20); }

struct code_page {
    uint64_t page;                  /* number + 1; 0: empty                        */
    uint16_t faults;
    uint8_t state;
    uint8_t calmed;                 /* so many times it was protected again        */
    uint32_t changed;               /* when it was last known to change, in moments */
};
static struct code_page *code_pages;
static uint32_t code_mask, n_code;
static volatile uint32_t n_protected;

/* Something is to be remembered of the page. */
static bool code_is_known(const struct code_page *p) { return p->page && (p->state != PAGE_FREE || p->faults); }

static struct code_page *
code_find(uint64_t addr, bool add)
{
    uint64_t page = addr / PAGE_SIZE;
    uint32_t i = (uint32_t)(page * 0x9e3779b97f4a7c15ull >> 40);

    if (!code_pages && !add)
        return NULL;
    if (add && n_code * 2 >= code_mask) {
        uint32_t mask = code_mask ? code_mask : 511, old_mask = code_mask, live = 0;
        for (uint32_t k = 0; code_pages && k <= old_mask; k++)
            live += code_is_known(&code_pages[k]);
        if (live * 4 >= mask)
            mask = mask * 2 + 1;
        struct code_page *old = code_pages, *n = engine_map((mask + 1) * sizeof *n);
        CHECK(n, "memory for the table of code pages");
        code_pages = n;
        code_mask = mask;
        n_code = 0;
        for (uint32_t k = 0; old && k <= old_mask; k++)
            if (code_is_known(&old[k]))
                *code_find((old[k].page - 1) * PAGE_SIZE, true) = old[k];
        if (old)
            engine_unmap(old, (old_mask + 1ul) * sizeof *old);
    }
    for (; code_pages[i & code_mask].page; i++)
        if (code_pages[i & code_mask].page == page + 1)
            return &code_pages[i & code_mask];
    if (!add)
        return NULL;
    code_pages[i & code_mask] = (struct code_page){.page = page + 1};
    n_code++;
    return &code_pages[i & code_mask];
}

bool code_any_protected(void) { return n_protected; }

void
code_never_protect(void)
{
    unprotected = true;
    code_unprotect_all();
}

void
code_confine(void)
{
    code_never_protect();
    confined = true;
}

bool engine_confined(void) { return confined; }

enum page_state
code_protect(const struct region *r, uint64_t lo, uint64_t hi)
{
    enum page_state worst = PAGE_PROTECTED;

    mutex_lock(&regions_lock);
    for (uint64_t a = PAGE_DOWN(lo); a < hi; a += PAGE_SIZE) {
        struct code_page *p = code_find(a, true);
        if (p->state == PAGE_FREE && (p->faults >= FUTILE_AFTER || unprotected))
            p->state = PAGE_SELFCHECK;
        if (p->state == PAGE_FREE && !sys_failed(sys_mprotect((void *)a, PAGE_SIZE, r->prot & ~PROT_W))) {
            p->state = PAGE_PROTECTED;
            n_protected++;
        }
        if (p->state != PAGE_PROTECTED)
            worst = PAGE_SELFCHECK;
    }
    mutex_unlock(&regions_lock);
    return worst;
}

/* cache_lock and regions_lock are held. */
static void
code_open(struct code_page *p)
{
    uint64_t a = (p->page - 1) * PAGE_SIZE;
    unsigned i = region_at(a);
    int prot = i < n_regions && regions[i].lo <= a ? regions[i].prot : PROT_R | PROT_W | PROT_X;

    sys_mprotect((void *)a, PAGE_SIZE, prot);
    p->state = PAGE_FREE;
    n_protected--;
    cache_flush_range(a, a + PAGE_SIZE);
}

bool
code_write_fault(uint64_t addr)
{
    bool ours = false;

    mutex_lock(&cache_lock);
    mutex_lock(&regions_lock);
    struct code_page *p = code_find(addr, false);
    unsigned i = region_at(addr);
    if (p && i < n_regions && regions[i].lo <= addr && (regions[i].prot & PROT_W)) {
        ours = true;                 /* also when another thread was first: retry the access */
        if (p->state == PAGE_PROTECTED) {
            p->faults += p->faults < UINT16_MAX;
            p->changed = moment();
            code_open(p);
        } else {                     /* a call that failed may have left it protected */
            sys_mprotect((void *)PAGE_DOWN(addr), PAGE_SIZE, regions[i].prot);
        }
    }
    mutex_unlock(&regions_lock);
    mutex_unlock(&cache_lock);
    return ours;
}

void
code_has_changed(uint64_t addr)
{
    mutex_lock(&regions_lock);
    struct code_page *p = code_find(addr, false);
    if (p)
        p->changed = moment();
    mutex_unlock(&regions_lock);
}

/* A page that fell back needs one more fault to do so again. */
bool
code_calm_down(uint64_t addr)
{
    bool calm = false;

    mutex_lock(&cache_lock);
    mutex_lock(&regions_lock);
    struct code_page *p = code_find(addr, false);
    unsigned i = region_at(addr);
    bool known = p && i < n_regions && regions[i].lo <= addr && (regions[i].prot & PROT_W) && !(regions[i].flags & REGION_SHARED);
    if (known && !unprotected && p->state == PAGE_SELFCHECK && moment() - p->changed >= (uint32_t)CALM << MIN(p->calmed, MAX_DOUBLINGS) &&
        !sys_failed(sys_mprotect((void *)PAGE_DOWN(addr), PAGE_SIZE, regions[i].prot & ~PROT_W))) {
        p->state = PAGE_PROTECTED;
        p->faults = FUTILE_AFTER - 1;
        p->calmed += p->calmed < UINT8_MAX;
        n_protected++;
        cache_flush_range(PAGE_DOWN(addr), PAGE_DOWN(addr) + PAGE_SIZE);
        calm = true;
    }
    mutex_unlock(&regions_lock);
    mutex_unlock(&cache_lock);
    return calm;
}

/* regions_lock is held. */
static bool
is_protected(uint64_t addr)
{
    struct code_page *p = code_find(addr, false);

    return p && p->state == PAGE_PROTECTED;
}

bool
code_protected_in(uint64_t lo, uint64_t hi, uint64_t *start, uint64_t *end)
{
    uint64_t a = PAGE_DOWN(lo);

    if (!n_protected)
        return false;
    mutex_lock(&regions_lock);
    while (a < hi && !is_protected(a))
        a += PAGE_SIZE;
    *start = a;
    while (a < hi && is_protected(a))
        a += PAGE_SIZE;
    *end = a;
    mutex_unlock(&regions_lock);
    return *start < *end;
}

bool
code_unprotect_all(void)
{
    bool any = false;

    if (!n_protected)
        return false;
    mutex_lock(&cache_lock);
    mutex_lock(&regions_lock);
    for (uint32_t i = 0; i <= code_mask && n_protected; i++)
        if (code_pages[i].page && code_pages[i].state == PAGE_PROTECTED) {
            code_open(&code_pages[i]);
            any = true;
        }
    mutex_unlock(&regions_lock);
    mutex_unlock(&cache_lock);
    return any;
}

static void
code_page_forget(struct code_page *p)
{
    n_protected -= p->state == PAGE_PROTECTED;
    p->state = PAGE_FREE;
    p->faults = p->calmed = 0;
}

static void
code_page_release(struct code_page *p)
{
    if (p->state == PAGE_PROTECTED)
        code_open(p);
}

static void
code_each(uint64_t lo, uint64_t hi, void (*act)(struct code_page *))
{
    mutex_lock(&regions_lock);
    if (code_pages) {
        bool by_page = (hi - lo) / PAGE_SIZE <= code_mask;
        for (uint64_t k = 0; k < (by_page ? (hi - lo + PAGE_SIZE - 1) / PAGE_SIZE : code_mask + 1ull); k++) {
            struct code_page *p = by_page ? code_find(lo + k * PAGE_SIZE, false) : &code_pages[k];
            if (p && p->page && (p->page - 1) * PAGE_SIZE >= PAGE_DOWN(lo) && (p->page - 1) * PAGE_SIZE < hi)
                act(p);
        }
    }
    mutex_unlock(&regions_lock);
}

void code_forget(uint64_t lo, uint64_t hi) { code_each(lo, hi, code_page_forget); }

void
code_release(uint64_t lo, uint64_t hi)
{
    mutex_lock(&cache_lock);
    code_each(lo, hi, code_page_release);
    mutex_unlock(&cache_lock);
}

void
regions_lock_for_fork(void)
{
    mutex_lock(&regions_lock);
}

void
regions_unlock_after_fork(void)
{
    mutex_unlock(&regions_lock);
}

void
regions_after_fork(void)
{
    mutex_init(&regions_lock);
}

/* ---- libraries near the code cache ---- */

uint64_t lib_window_low, lib_window_next;

uint64_t
place_library(uint64_t n)
{
    n = PAGE_UP(n) + PAGE_SIZE;
    if (!lib_window_low || n > lib_window_next - lib_window_low)
        return 0;
    return __atomic_sub_fetch(&lib_window_next, n, __ATOMIC_RELAXED);
}

void
unplace_library(uint64_t at, uint64_t n)
{
    uint64_t low = at;

    if (lib_window_low)              /* the one placed last: its room can be used again */
        __atomic_compare_exchange_n(&lib_window_next, &low, at + PAGE_UP(n) + PAGE_SIZE, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
