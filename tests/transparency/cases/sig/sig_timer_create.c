#include "tl.h"

static volatile int n, bad, tid;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    if (si->si_value.sival_int != 99 || si->si_code != SI_TIMER)
        bad++;
    tid = syscall(SYS_gettid);
}

static volatile int tn;

static void
tf(union sigval v)
{
    tn += v.sival_int;
}

static void *
busy(void *p)
{
    while (!*(volatile int *)p)
        ;
    return 0;
}

int
main(void)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = hd;
    sa.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGRTMIN + 3, &sa, 0);
    struct sigevent ev = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 99};
    timer_t t;
    NEED(!timer_create(CLOCK_MONOTONIC, &ev, &t));
    struct itimerspec it = {{0, 200000}, {0, 200000}};
    timer_settime(t, 0, &it, 0);
    uint64_t s = 7, h = 0;
    long w = 0;
    while (n < 300) {
        for (int i = 0; i < 1000; i++)
            h += tl_rng(&s) >> 60;
        if (++w > 100000000)
            break;
    }
    timer_delete(t);
    CHECK(n >= 300);
    EQ(bad, 0);
    ev = (struct sigevent){.sigev_notify = 4, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 99};
    ev._sigev_un._tid = syscall(SYS_gettid);
    int stop = 0;
    pthread_t b;
    pthread_create(&b, 0, busy, &stop);
    NEED(!timer_create(CLOCK_REALTIME, &ev, &t));
    n = 0;
    timer_settime(t, 0, &it, 0);
    while (n < 20)
        ;
    timer_delete(t);
    EQ(tid, syscall(SYS_gettid));
    stop = 1;
    pthread_join(b, 0);
    ev = (struct sigevent){
        .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 5, .sigev_notify_function = tf};
    NEED(!timer_create(CLOCK_MONOTONIC, &ev, &t));
    it = (struct itimerspec){{0, 0}, {0, 5000000}};
    timer_settime(t, 0, &it, 0);
    for (int i = 0; i < 2000 && !tn; i++)
        usleep(1000);
    EQ(tn, 5);
    timer_delete(t);
    return tl_end();
}
