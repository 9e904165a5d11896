#include "tl.h"

/* sigwaitinfo, sigtimedwait and sigwait: fault signals too, timeouts, interruption by another signal */
static volatile int handled;
static volatile int stop;
static pthread_t waiter;

static void
hd(int s, siginfo_t *si, void *v)
{
    handled++;
}

static void *
poker(void *sig)
{
    while (!stop) {
        pthread_kill(waiter, (int)(long)sig);
        usleep(500);
    }
    return 0;
}

int
main(void)
{
    sigset_t m, one;
    siginfo_t si;
    sigemptyset(&m);
    int sigs[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGRTMIN};
    for (int i = 0; i < 7; i++)
        sigaddset(&m, sigs[i]);
    sigprocmask(SIG_BLOCK, &m, 0);
    for (int i = 0; i < 7; i++) {
        sigqueue(getpid(), sigs[i], (union sigval){.sival_int = i});
        EQ(sigwaitinfo(&m, &si), sigs[i]);
        EQ(si.si_value.sival_int, i);
        EQ(si.si_code, SI_QUEUE);
        raise(sigs[i]);
        EQ(sigtimedwait(&m, &si, &(struct timespec){0, 0}), sigs[i]);
        EQ(si.si_code, SI_USER); /* glibc says so for SI_TKILL */
    }
    EQ(sigtimedwait(&m, &si, &(struct timespec){0, 0}), -1);
    EQ(errno, EAGAIN);
    EQ(sigtimedwait(&m, &si, &(struct timespec){0, 2000000}), -1);
    EQ(errno, EAGAIN);
    EQ(sigtimedwait(&m, &si, &(struct timespec){0, -1}), -1);
    EQ(errno, EINVAL);
    /* a signal outside the set interrupts */
    tl_on(SIGUSR2, hd, SA_RESTART);
    waiter = pthread_self();
    pthread_t t;
    pthread_create(&t, 0, poker, (void *)(long)SIGUSR2);
    EQ(sigwaitinfo(&m, &si), -1);
    EQ(errno, EINTR);
    CHECK(handled > 0);
    stop = 1;
    pthread_join(t, 0);
    /* one in the set arrives while waiting */
    stop = 0;
    pthread_create(&t, 0, poker, (void *)(long)SIGRTMIN);
    EQ(sigwaitinfo(&m, 0), SIGRTMIN);
    stop = 1;
    pthread_join(t, 0);
    while (sigtimedwait(&m, &si, &(struct timespec){0, 0}) > 0)
        EQ(si.si_signo, SIGRTMIN);
    /* a blocked signal with a handler is taken by sigwait, not handled; with SIG_IGN it is never seen */
    tl_on(SIGUSR1, hd, 0);
    handled = 0;
    raise(SIGUSR1);
    int g;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    EQ(sigwait(&one, &g), 0);
    EQ(g, SIGUSR1);
    EQ(handled, 0);
    signal(SIGUSR1, SIG_IGN);
    raise(SIGUSR1);
    printf("ignored and blocked: %d\n", sigtimedwait(&one, &si, &(struct timespec){0, 0}) == SIGUSR1);
    return tl_end();
}
