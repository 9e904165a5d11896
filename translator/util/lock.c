/* Futex mutex (Drepper, "Futexes Are Tricky", second algorithm). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "util/lock.h"

#include "linux/sys.h"

enum { FUTEX_WAIT_PRIVATE_OP = 128, FUTEX_WAKE_PRIVATE_OP = 129 };

void
mutex_init(struct mutex *m)
{
    m->state = 0;
}

void
mutex_lock(struct mutex *m)
{
    int c = 0;

    if (__atomic_compare_exchange_n(&m->state, &c, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    if (c != 2)
        c = __atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE);
    while (c) {
        sys4(__NR_futex, (long)&m->state, FUTEX_WAIT_PRIVATE_OP, 2, 0);
        c = __atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE);
    }
}

bool
mutex_try(struct mutex *m)
{
    int c = 0;

    return __atomic_compare_exchange_n(&m->state, &c, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void
mutex_unlock(struct mutex *m)
{
    if (__atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE) == 2)
        sys4(__NR_futex, (long)&m->state, FUTEX_WAKE_PRIVATE_OP, 1, 0);
}
