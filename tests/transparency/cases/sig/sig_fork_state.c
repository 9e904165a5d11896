#include "tl.h"

/* over fork and thread creation: what of the signal state goes along */
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
}

static void *
thread(void *a)
{
    sigset_t m, p;
    pthread_sigmask(SIG_BLOCK, 0, &m);
    sigpending(&p);
    long r = sigismember(&m, SIGUSR1) | sigismember(&m, SIGUSR2) << 1 | sigismember(&m, SIGSEGV) << 2;
    r |= sigismember(&p, SIGUSR1) << 4; /* raised in the main thread only */
    r |= sigismember(&p, SIGUSR2) << 5; /* sent to the process */
    return (void *)r;
}

static void
child(void)
{
    sigset_t m, p;
    sigprocmask(SIG_BLOCK, 0, &m);
    sigpending(&p);
    CHECK(sigisemptyset(&p));
    EQ(sigismember(&m, SIGUSR1), 1);
    EQ(sigismember(&m, SIGSEGV), 1);
    struct itimerval it;
    getitimer(ITIMER_REAL, &it);
    EQ(it.it_value.tv_sec | it.it_value.tv_usec, 0);
    sigset_t e;
    sigemptyset(&e);
    sigprocmask(SIG_SETMASK, &e, 0);
    EQ(n, 0);
    raise(SIGUSR1);
    EQ(n, 1);
    _exit(tl_bad ? 1 : 0);
}

int
main(void)
{
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    sigaddset(&m, SIGUSR2);
    sigaddset(&m, SIGSEGV);
    sigprocmask(SIG_BLOCK, &m, 0);
    tl_on(SIGUSR1, hd, 0);
    tl_on(SIGUSR2, hd, 0);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGSEGV);
    alarm(1000);
    EQ(tl_child(child), 0);
    pthread_t t;
    void *r;
    pthread_create(&t, 0, thread, 0);
    pthread_join(t, &r);
    printf("%lx\n", (long)r);
    CHECK(alarm(0) > 900);
    /* sent to the process while this thread blocks it: another thread gets it */
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    sigaddset(&m, SIGUSR2);
    sigprocmask(SIG_UNBLOCK, &m, 0);
    EQ(n, 2);
    signal(SIGSEGV, SIG_IGN);
    sigemptyset(&m);
    sigprocmask(SIG_SETMASK, &m, 0);
    return tl_end();
}
