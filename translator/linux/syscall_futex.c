/* Futexes: which word an operation loads or stores, and what the other arguments are to it.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/futex.h>
#include <linux/time_types.h>

#include "syscall_walk.h"

/* The word a sleeper compares must be defined. Words that are only names of a
 * queue are not accessed. The kernel stores into those of the PI operations. */
#define WORD    IN("uaddr", 4)
#define QUEUE   ADDR("uaddr")
#define PI_WORD INOUT("uaddr", 4, MAYBE)
#define OP      COMMAND("futex_op")
#define TIMEOUT IN("timeout", sizeof(struct __kernel_timespec), OPTIONAL)

static uint32_t
op_key(const uint64_t *arg)
{
    return (uint32_t)arg[1] & FUTEX_CMD_MASK;
}

/* clang-format off */
static const struct syscall_variant futex_rows[] = {
    VARIANT(FUTEX_WAIT,            BLOCKS | RESTARTS | RESUMES, WORD, OP, INT("val"), TIMEOUT),
    VARIANT(FUTEX_WAKE,            0, QUEUE, OP, INT("val")),
    VARIANT(FUTEX_REQUEUE,         0, QUEUE, OP, INT("val"), INT("val2"), ADDR("uaddr2")),
    VARIANT(FUTEX_CMP_REQUEUE,     0, WORD, OP, INT("val"), INT("val2"), ADDR("uaddr2"), INT("val3")),
    VARIANT(FUTEX_WAKE_OP,         0, QUEUE, OP, INT("val"), INT("val2"), INOUT("uaddr2", 4), INT("val3")),
    VARIANT(FUTEX_LOCK_PI,         BLOCKS | INVISIBLE, PI_WORD, OP, UNUSED("val"), TIMEOUT),
    VARIANT(FUTEX_UNLOCK_PI,       0, PI_WORD, OP),
    VARIANT(FUTEX_TRYLOCK_PI,      0, PI_WORD, OP),
    VARIANT(FUTEX_WAIT_BITSET,     BLOCKS | RESTARTS | RESUMES, WORD, OP, INT("val"), TIMEOUT, UNUSED("uaddr2"), INT("val3")),
    VARIANT(FUTEX_WAKE_BITSET,     0, QUEUE, OP, INT("val"), UNUSED("timeout"), UNUSED("uaddr2"), INT("val3")),
    VARIANT(FUTEX_WAIT_REQUEUE_PI, BLOCKS | INVISIBLE, WORD, OP, INT("val"), TIMEOUT, ADDR("uaddr2")),
    VARIANT(FUTEX_CMP_REQUEUE_PI,  0, WORD, OP, INT("val"), INT("val2"), INOUT("uaddr2", 4, MAYBE), INT("val3")),
    VARIANT_NR(13, FUTEX_LOCK_PI2,        BLOCKS | INVISIBLE, PI_WORD, OP, UNUSED("val"), TIMEOUT),
};
const struct syscall_variants futex_ops = VARIANTS(op_key, 0, futex_rows);

/* clang-format on */

/* struct futex_waitv: val, uaddr, flags, and a word that must be 0. */
enum { WAITER = 24, WAITER_UADDR = 8, MAX_WAITERS = 128 };

static void
waiters(struct syscall_walk *w, uint64_t at, uint64_t n, bool second_compares)
{
    if (n > MAX_WAITERS)
        return;
    walk_in(w, at, n * WAITER, NULL);
    for (uint32_t i = 0; i < n; i++, at += WAITER) {
        walk_enter(w, i);
        if (i == 0 || second_compares)
            walk_in(w, walk_fetch64(w, at + WAITER_UADDR), 4, "[%].uaddr");
        walk_leave(w);
    }
}

void
walk_futex_waitv(struct syscall_walk *w, unsigned k)
{
    waiters(w, w->call->arg[k], walk_count(w, k + 1), true);
}

void
walk_futex_requeue(struct syscall_walk *w, unsigned k)
{
    waiters(w, w->call->arg[k], 2, false);
}
