#include "tl.h"

/* realtime signals with values: queued from several threads at once, none lost, order kept per sender */
enum { SENDERS = 4, EACH = 2000 };

static volatile int last[SENDERS], count, disorder, wrong;
static pthread_t target;

static void
hd(int s, siginfo_t *si, void *v)
{
    int from = si->si_value.sival_int >> 16, n = si->si_value.sival_int & 0xffff;
    if (si->si_code != SI_QUEUE || si->si_pid != getpid())
        wrong++;
    if (n != last[from] + 1)
        disorder++;
    last[from] = n;
    count++;
}

static void *
sender(void *a)
{
    long id = (long)a;
    for (int i = 1; i <= EACH; i++) {
        union sigval v = {.sival_int = id << 16 | i};
        while (pthread_sigqueue(target, SIGRTMIN + 2, v) == EAGAIN)
            sched_yield();
    }
    return 0;
}

int
main(void)
{
    tl_on(SIGRTMIN + 2, hd, SA_RESTART);
    target = pthread_self();
    pthread_t t[SENDERS];
    for (long i = 0; i < SENDERS; i++)
        pthread_create(t + i, 0, sender, (void *)i);
    uint64_t s = 5, h = 0;
    while (count < SENDERS * EACH)
        for (int i = 0; i < 100; i++)
            h += tl_rng(&s);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(t[i], 0);
    EQ(count, SENDERS * EACH);
    EQ(disorder, 0);
    EQ(wrong, 0);
    /* blocked, they queue; lower numbers come first, equal ones in order */
    sigset_t m;
    sigfillset(&m);
    pthread_sigmask(SIG_SETMASK, &m, 0);
    for (int i = 0; i < 5; i++)
        for (int k = 3; k >= 0; k--)
            sigqueue(getpid(), SIGRTMIN + 4 + k, (union sigval){.sival_int = i * 10 + k});
    raise(SIGUSR1);
    raise(SIGUSR1);
    for (int i = 0; i < 21; i++) {
        siginfo_t si;
        int g = sigwaitinfo(&m, &si);
        printf("%d/%d ", g >= SIGRTMIN ? g - SIGRTMIN : -g, g >= SIGRTMIN ? si.si_value.sival_int : 0);
    }
    puts("");
    return tl_end();
}
