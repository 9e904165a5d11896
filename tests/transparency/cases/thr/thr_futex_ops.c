#include "tl.h"
#include <linux/futex.h>

/* the futex call itself: waits, bitsets, requeue, wake_op, timeouts, errors, shared between processes */
static int word, word2;
static volatile int waiting;

static long
fx(int *w, int op, int val, void *t, int *w2, int val3)
{
    long r = syscall(SYS_futex, w, op, val, t, w2, val3);
    return r < 0 ? -errno : r;
}

static void *
waiter(void *bits)
{
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0) {
        long r = fx(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, 0, (int)(long)bits);
        if (r == 0 && !word)
            continue;
    }
    return bits;
}

static void *
requeued(void *a)
{
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    return (void *)fx(&word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
}

int
main(void)
{
    struct timespec zero = {0, 1000000}, past = {1, 0};
    EQ(fx(&word, FUTEX_WAIT, 1, 0, 0, 0), -EAGAIN);
    EQ(fx(&word, FUTEX_WAIT, 0, &zero, 0, 0), -ETIMEDOUT);
    EQ(fx(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, 0, 1), -ETIMEDOUT);
    EQ(fx(&word, FUTEX_WAIT_BITSET, 0, &past, 0, 0), -EINVAL);
    EQ(fx((int *)((char *)&word + 1), FUTEX_WAIT, 0, 0, 0, 0), -EINVAL);
    EQ(fx((int *)8, FUTEX_WAIT, 0, 0, 0, 0), -EFAULT);
    EQ(fx(&word, 99, 0, 0, 0, 0), -ENOSYS);
    EQ(fx(&word, FUTEX_WAKE, 100, 0, 0, 0), 0);
    EQ(fx(&word, FUTEX_WAIT, 0, &(struct timespec){-1, 0}, 0, 0), -EINVAL);
    for (int round = 0; round < 20; round++) {
        pthread_t t[6];
        word = waiting = 0;
        for (long i = 0; i < 6; i++)
            pthread_create(t + i, 0, waiter, (void *)(1l << i % 3));
        while (waiting < 6)
            sched_yield();
        fx(&word, FUTEX_WAKE_BITSET_PRIVATE, 100, 0, 0, 2); /* they wait again: word is 0 */
        __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
        for (int b = 1; b < 8; b <<= 1)
            fx(&word, FUTEX_WAKE_BITSET_PRIVATE, 100, 0, 0, b);
        for (int i = 0; i < 6; i++)
            pthread_join(t[i], 0);
    }
    for (int round = 0; round < 20; round++) {
        pthread_t t[5];
        word = word2 = waiting = 0;
        for (int i = 0; i < 5; i++)
            pthread_create(t + i, 0, requeued, 0);
        int done = 0;
        EQ(fx(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)100, &word2, 7), -EAGAIN);
        while (done < 5) { /* wake one, move the others */
            long r = fx(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)100, &word2, 0);
            done += r > 0 ? 1 : 0;
            done += fx(&word2, FUTEX_WAKE_PRIVATE, 100, 0, 0, 0);
            sched_yield();
        }
        for (int i = 0; i < 5; i++) {
            void *r;
            pthread_join(t[i], &r);
            EQ(r, 0);
        }
    }
    word = 5;
    word2 = 6;
    EQ(fx(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &word2, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 6)),
       0);
    EQ(word2, 9);
    EQ(fx(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &word2, FUTEX_OP(FUTEX_OP_SET, 2, FUTEX_OP_CMP_GT, 6)),
       0);
    EQ(word2, 2);
    /* between processes, in shared memory */
    int *sh = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t p = fork();
    if (!p) {
        for (int i = 0; i < 500; i++) {
            while (__atomic_load_n(&sh[0], __ATOMIC_SEQ_CST) == i)
                fx(&sh[0], FUTEX_WAIT, i, 0, 0, 0);
            __atomic_store_n(&sh[1], i + 1, __ATOMIC_SEQ_CST);
            fx(&sh[1], FUTEX_WAKE, 1, 0, 0, 0);
        }
        _exit(4);
    }
    for (int i = 0; i < 500; i++) {
        __atomic_store_n(&sh[0], i + 1, __ATOMIC_SEQ_CST);
        fx(&sh[0], FUTEX_WAKE, 1, 0, 0, 0);
        while (__atomic_load_n(&sh[1], __ATOMIC_SEQ_CST) == i)
            fx(&sh[1], FUTEX_WAIT, i, 0, 0, 0);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 4);
    return tl_end();
}
