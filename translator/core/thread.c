/* Threads: their memory blocks and the list of all. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/thread.h"

#include "core/cache.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "linux/sys.h"

enum { STACK = 64 << 10, SIGSTACK = 64 << 10, GUARD = PAGE_SIZE };
enum { BLOCK = GUARD + STACK + SIGSTACK + SLOT_TOOLS };    /* and what tools asked for */

struct thread *all_threads;
struct mutex threads_lock;
volatile int thread_count;

unsigned n_modes = 1;
uint32_t mode_tables;

void
thread_set_mode(struct thread *t, unsigned mode)
{
    t->s.key = (uint64_t)mode << 48 | 1ull << 63;
    t->s.ibl_mode = (ibl_slot(mode) - SLOT_IBL) / 8;
}

/* Blocks of threads that ended: reused once their word `busy` is 0, which the
 * thread's last instructions store. */
struct block_head { volatile uint32_t busy; struct block_head *next; };
static struct block_head *blocks;

static struct thread *block_thread(uint8_t *b) { return (struct thread *)(b + GUARD + STACK + SIGSTACK); }
static struct block_head *block_head(uint8_t *b) { return (struct block_head *)(b + GUARD); }   /* lowest words of the engine stack */

static uint8_t *
block_take(bool *reused)
{
    uint8_t *b = NULL;

    mutex_lock(&threads_lock);
    for (struct block_head *h = blocks; h && !b; h = h->next) {
        uint32_t idle = 0;
        if (__atomic_compare_exchange_n(&h->busy, &idle, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            b = (uint8_t *)h - GUARD;
    }
    mutex_unlock(&threads_lock);
    *reused = b;
    if (b)
        return b;
    b = engine_map(BLOCK + tools_thread_bytes);
    if (!b)
        return NULL;
    sys_mprotect(b, GUARD, 0);
    mutex_lock(&threads_lock);
    block_head(b)->busy = 1;
    block_head(b)->next = blocks;
    blocks = block_head(b);
    mutex_unlock(&threads_lock);
    return b;
}

/* Without touching pages that were never used. Nothing is behind [p, p+n) in its last page. */
static void
zero_again(uint8_t *p, size_t n)
{
    size_t head = MIN(n, PAGE_UP(p) - (uintptr_t)p);

    memset(p, 0, head);
    if (n > head)
        sys3(__NR_madvise, (long)(p + head), (long)PAGE_UP(n - head), 4 /* MADV_DONTNEED */);
}

extern void dispatch(struct thread *t);

struct thread *
thread_create(void)
{
    bool reused;
    uint8_t *b = block_take(&reused);
    struct thread *t = b ? block_thread(b) : NULL;

    if (!t)
        return NULL;
    memset(t, 0, sizeof *t);
    if (reused && tools_thread_bytes)
        zero_again((uint8_t *)t + SLOT_TOOLS, tools_thread_bytes);
    t->s.self = t;
    t->s.dstack = b + GUARD + STACK;
    t->s.dispatch = dispatch;
    t->s.side_call = tools_side_call;
    t->s.table = cache_table_address;
    t->s.checks = CHECKS_BUDGET;
    thread_set_mode(t, 0);
    t->block = b;
    t->block_size = BLOCK + tools_thread_bytes;
    t->sigstack = b + GUARD + STACK;
    t->sigstack_size = SIGSTACK;
    t->safe_epoch = UINT64_MAX;
    ibl_init(t);
    return t;
}

void
threads_add(struct thread *t)
{
    mutex_lock(&threads_lock);
    mutex_lock(&cache_lock);         /* the cache walks the list under its own lock */
    t->next = all_threads;
    t->prev = NULL;
    if (all_threads)
        all_threads->prev = t;
    all_threads = t;
    thread_count++;
    mutex_unlock(&cache_lock);
    mutex_unlock(&threads_lock);
}

int
thread_retire(struct thread *t)
{
    mutex_lock(&threads_lock);
    mutex_lock(&cache_lock);
    if (t->prev)
        t->prev->next = t->next;
    else
        all_threads = t->next;
    if (t->next)
        t->next->prev = t->prev;
    int left = --thread_count;
    mutex_unlock(&cache_lock);
    mutex_unlock(&threads_lock);
    return left;
}

volatile uint32_t *thread_busy_word(struct thread *t) { return &block_head(t->block)->busy; }

void
threads_after_fork(struct thread *t)
{
    mutex_init(&threads_lock);
    for (struct thread *o = all_threads; o; o = o->next)
        if (o != t)
            *thread_busy_word(o) = 0;
    t->next = t->prev = NULL;
    all_threads = t;
    thread_count = 1;
}

/* ---- program memory that may not be there ---- */

extern bool safe_copy(void *dst, const void *src, size_t n);

bool
safe_read(void *dst, uint64_t src, size_t n)
{
    return src + n >= src && src + n <= 0x7ffffffff000 && safe_copy(dst, (const void *)src, n);
}

bool
safe_write(uint64_t dst, const void *src, size_t n)
{
    return dst + n >= dst && dst + n <= 0x7ffffffff000 && safe_copy((void *)dst, src, n);
}
