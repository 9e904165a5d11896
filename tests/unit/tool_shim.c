/* The tool API and the shadow, as far as drmemory's heap needs them, on the host. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "tool_shim.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct drmemory_options opt = {.check_uninitialized = true, .delay_frees = 2000, .delay_frees_bytes = 20 << 20, .redzone_size = 16};
bool shim_no_memory;

void
shim_start(void)
{
    const char *why = shadow_init();

    if (why) {
        fprintf(stderr, "no shadow: %s\n", why);
        exit(77);
    }
}

/* ---- the API ---- */

static void *
map(size_t n, int more)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

int
dr_reserve(uint64_t at, uint64_t n)
{
    void *p = mmap((void *)at, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    return p == MAP_FAILED ? -errno : 0;
}

bool dr_access(uint64_t at, uint64_t n, bool on) { return mprotect((void *)at, n, on ? PROT_READ | PROT_WRITE : PROT_NONE) == 0; }
bool dr_reset(uint64_t at, uint64_t n) { return madvise((void *)at, n, MADV_DONTNEED) == 0; }
void *dr_map(size_t n) { return map(n, MAP_NORESERVE); }
void dr_unmap(void *p, size_t n) { munmap(p, n); }
void *dr_program_map(size_t n) { return shim_no_memory ? NULL : map(n, 0); }
void dr_program_unmap(void *p, size_t n) { munmap(p, n); }
bool dr_program_discard(void *p, size_t n) { return madvise(p, n, MADV_DONTNEED) == 0; }
bool dr_safe_read(void *dst, uint64_t a, size_t n) { return memcpy(dst, (const void *)a, n); }
bool dr_safe_write(uint64_t a, const void *src, size_t n) { return memcpy((void *)a, src, n); }

enum { THREAD_MEMORY = 4096 };
static __thread struct thread { uint8_t memory[THREAD_MEMORY] __attribute__((aligned(16))); } mine;
static uint32_t used = 16;

dr_thread *dr_thread_current(void) { return (dr_thread *)&mine; }
void *dr_thread_at(dr_thread *t, uint32_t slot) { return ((struct thread *)t)->memory + slot; }

uint32_t
dr_thread_memory(size_t n)
{
    uint32_t at = used;

    used += (uint32_t)((n + 15) & ~15ull);
    return used <= THREAD_MEMORY ? at : 0;
}

void
dr_lock(struct dr_mutex *m)
{
    int free = 0;

    while (!__atomic_compare_exchange_n(&m->state, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        free = 0;
        sched_yield();
    }
}

void dr_unlock(struct dr_mutex *m) { __atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE); }

void
dr_check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: check failed: %s\n", file, line, what);
    abort();
}
