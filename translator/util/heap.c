/* Small allocations: powers of two from slabs, larger ones by pages.
 * Each piece has a head of 16 bytes, so that it can be freed by its address alone. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "util/heap.h"

#include "linux/memory.h"
#include "util/lock.h"

enum { HEAD = 16, FIRST_CLASS = 5 /* 32 bytes with its head */, LAST_CLASS = 14, SLAB = 64 << 10, LARGE = 0xff };

struct piece { uint64_t bytes; uint32_t magic; uint8_t class; struct piece *next /* while free: over the data */; };
_Static_assert(offsetof(struct piece, next) == HEAD, "the head is before the data");
enum { MAGIC_USED = 0x64726870, MAGIC_FREE = 0x66726565 };

static struct mutex lock;
static struct piece *free_list[LAST_CLASS + 1];
static uint8_t *slab, *slab_end;

static struct piece *
take(unsigned class)
{
    struct piece *p = free_list[class];

    if (p) {
        free_list[class] = p->next;
        return p;
    }
    if ((size_t)(slab_end - slab) < 1ul << class) {      /* what is left of the old one is lost */
        slab = engine_map(SLAB);
        slab_end = slab ? slab + SLAB : NULL;
        if (!slab)
            return NULL;
    }
    p = (struct piece *)slab;
    slab += 1ul << class;
    return p;
}

void *
heap_alloc(size_t n)
{
    unsigned class = FIRST_CLASS;
    struct piece *p;

    while (class <= LAST_CLASS && 1ul << class < n + HEAD)
        class++;
    if (n > SIZE_MAX / 2)
        return NULL;
    mutex_lock(&lock);
    p = class <= LAST_CLASS ? take(class) : engine_map(PAGE_UP(n + HEAD));
    if (p)
        *p = (struct piece){.bytes = n, .magic = MAGIC_USED, .class = class <= LAST_CLASS ? (uint8_t)class : LARGE};
    mutex_unlock(&lock);
    if (!p)
        return NULL;
    if (p->class != LARGE)           /* fresh pages are zero */
        memset((uint8_t *)p + HEAD, 0, n);
    else
        p->next = NULL;
    return (uint8_t *)p + HEAD;
}

size_t
heap_free(void *data)
{
    struct piece *p = (struct piece *)((uint8_t *)data - HEAD);

    if (!data)
        return 0;
    size_t n = p->bytes;
    CHECK(p->magic == MAGIC_USED, "what is freed was allocated, and is freed once");
    p->magic = MAGIC_FREE;
    if (p->class == LARGE) {
        engine_unmap(p, PAGE_UP(n + HEAD));
        return n;
    }
    mutex_lock(&lock);
    p->next = free_list[p->class];
    free_list[p->class] = p;
    mutex_unlock(&lock);
    return n;
}

void heap_lock_for_fork(void) { mutex_lock(&lock); }

void
heap_unlock_after_fork(bool child)
{
    if (child)
        mutex_init(&lock);
    else
        mutex_unlock(&lock);
}
