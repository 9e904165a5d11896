#include "tl.h"

/* mutexes of every kind: robust ones whose owner dies, in a thread and in another process; priority inheritance; recursive; timed */
static pthread_mutex_t
make(int type, int robust, int pi, int shared)
{
    pthread_mutex_t m;
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    if (robust)
        pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    if (pi)
        pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    if (shared)
        pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&m, &a);
    return m;
}

static void *
die_with(void *m)
{
    pthread_mutex_lock(m);
    return 0;
}

static void *
try(void *m)
{
    return (void *)(long)pthread_mutex_trylock(m);
}

static struct {
    pthread_mutex_t m;
    long n;
} * contended;

static void *
worker(void *a)
{
    for (int i = 0; i < 3000; i++) {
        pthread_mutex_lock(&contended->m);
        contended->n++;
        pthread_mutex_unlock(&contended->m);
    }
    return 0;
}

int
main(void)
{
    pthread_t t;
    void *r;
    for (int pi = 0; pi < 2; pi++)
        for (int i = 0; i < 50; i++) {
            pthread_mutex_t *m = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            *m = make(PTHREAD_MUTEX_NORMAL, 1, pi, 1);
            pthread_create(&t, 0, die_with, m);
            pthread_join(t, 0);
            EQ(pthread_mutex_lock(m), EOWNERDEAD);
            pthread_mutex_consistent(m);
            pthread_mutex_unlock(m);
            pid_t p = fork();
            if (!p) {
                pthread_mutex_lock(m);
                if (i & 1)
                    kill(getpid(), SIGKILL);
                _exit(0);
            }
            int st;
            waitpid(p, &st, 0);
            EQ(pthread_mutex_lock(m), EOWNERDEAD);
            pthread_mutex_unlock(m); /* not made consistent */
            EQ(pthread_mutex_lock(m), ENOTRECOVERABLE);
            munmap(m, 4096);
        }
    pthread_mutex_t m = make(PTHREAD_MUTEX_RECURSIVE, 0, 0, 0);
    for (int i = 0; i < 5; i++)
        EQ(pthread_mutex_lock(&m), 0);
    pthread_create(&t, 0, try, &m);
    pthread_join(t, &r);
    EQ(r, EBUSY);
    for (int i = 0; i < 5; i++)
        EQ(pthread_mutex_unlock(&m), 0);
    m = make(PTHREAD_MUTEX_ERRORCHECK, 0, 1, 0);
    EQ(pthread_mutex_lock(&m), 0);
    EQ(pthread_mutex_lock(&m), EDEADLK);
    EQ(pthread_mutex_unlock(&m), 0);
    EQ(pthread_mutex_unlock(&m), EPERM);
    pthread_mutex_lock(&m);
    struct timespec past = {1, 0};
    m = make(PTHREAD_MUTEX_NORMAL, 0, 0, 0);
    pthread_mutex_lock(&m);
    EQ(pthread_mutex_timedlock(&m, &past), ETIMEDOUT);
    /* contention within and between processes */
    contended = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int pi = 0; pi < 2; pi++) {
        contended->m = make(PTHREAD_MUTEX_NORMAL, 0, pi, 1);
        contended->n = 0;
        pid_t p = fork();
        pthread_t w[3];
        for (int i = 0; i < 3; i++)
            pthread_create(w + i, 0, worker, 0);
        for (int i = 0; i < 3; i++)
            pthread_join(w[i], 0);
        if (!p)
            _exit(0);
        int st;
        waitpid(p, &st, 0);
        EQ(contended->n, 18000);
    }
    return tl_end();
}
