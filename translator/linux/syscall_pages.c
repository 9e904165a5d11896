/* Calls on pages and memory nodes: vectors whose length follows from a number of pages or nodes.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "syscall_walk.h"

enum {
    PAGE = 4096,
    MAX_NODES = PAGE * 8,    /* more is EINVAL                             */
    MAX_KEXEC_SEGMENTS = 16, /* KEXEC_SEGMENT_MAX                          */
    PTR = 8,
    KEXEC_SEGMENT = 32, /* buf, bufsz, mem, memsz                     */
    NR_MIGRATE_PAGES = 256,
};

void
walk_mincore(struct syscall_walk *w, unsigned k)
{
    walk_out(w, w->call->arg[k], (walk_count(w, 1) + PAGE - 1) / PAGE, NULL);
}

/* maxnode is one more than the number of bits; whole longs are moved. */
static uint64_t
nodemask_bytes(uint64_t maxnode)
{
    return maxnode <= 1 || maxnode - 1 > MAX_NODES ? 0 : (maxnode - 1 + 63) / 64 * 8;
}

static void
nodemask_in(struct syscall_walk *w, uint64_t addr, uint64_t maxnode)
{
    uint64_t whole = nodemask_bytes(maxnode), used = whole ? (maxnode - 1 + 7) / 8 : 0;

    walk_in(w, addr, used, NULL);
    walk_copy(w, addr + used, whole - used, NULL);
}

void
walk_nodemask_in(struct syscall_walk *w, unsigned k)
{
    bool migrates = w->call->nr == NR_MIGRATE_PAGES;

    nodemask_in(w, w->call->arg[k], walk_arg(w, migrates ? 1 : k + 1));
}

void
walk_nodemask_out(struct syscall_walk *w, unsigned k)
{
    walk_out(w, w->call->arg[k], nodemask_bytes(walk_arg(w, k + 1)), NULL);
}

/* Into a pipe: the pages themselves go there, and are read when the other end
 * reads. Out of one: the buffers are written. Only the kernel knows which end fd is. */
void
walk_vmsplice(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, k + 1);

    walk_iovec(w, at, n, 0, 0, NULL, NULL);
    w->maybe = true;
    walk_iovec(w, at, n, ACCESS_IN | ACCESS_OUT, walk_limit(w), NULL, "[%].iov_base");
}

void
walk_kexec_segments(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, 1);

    if (n > MAX_KEXEC_SEGMENTS)
        return;
    walk_in(w, at, n * KEXEC_SEGMENT, NULL);
    for (uint32_t i = 0; i < n; i++, at += KEXEC_SEGMENT) {
        walk_enter(w, i);
        walk_in(w, walk_fetch64(w, at), walk_fetch64(w, at + PTR), "[%].buf");
        walk_leave(w);
    }
}
