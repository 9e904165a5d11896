#include "tl.h"

/* interval timers at full rate during computation, allocation, system calls and floating point: results stay right */
static volatile int n[65];

static void
hd(int s, siginfo_t *si, void *v)
{
    volatile double d = 1.0;
    for (int i = 0; i < 3; i++)
        d = d / 3 + s;
    n[s]++;
    errno = 77;
    errno = 0;
}

static uint64_t
work(int rounds)
{
    uint64_t s = 11, h = FNV0;
    double d = 0;
    for (int r = 0; r < rounds; r++) {
        void *m[20];
        for (int i = 0; i < 20; i++) {
            m[i] = malloc(16 + tl_rng(&s) % 5000);
            memset(m[i], i, 16);
        }
        for (int i = 0; i < 200; i++) {
            d += (double)(tl_rng(&s) >> 40) / (i + 1);
            h = tl_fnv(h, &d, 8);
        }
        for (int i = 0; i < 20; i++)
            free(m[i]);
        char b[100];
        int len = snprintf(b, sizeof b, "%d %.10g %llx", r, d, (unsigned long long)h);
        h = tl_fnv(h, b, len);
        if (r % 8 == 0)
            getppid();
    }
    return h;
}

int
main(void)
{
    uint64_t quiet = work(3000);
    int timers[] = {ITIMER_PROF, ITIMER_VIRTUAL, ITIMER_REAL}, sigs[] = {SIGPROF, SIGVTALRM, SIGALRM};
    for (int i = 0; i < 3; i++)
        tl_on(sigs[i], hd, SA_RESTART);
    for (int i = 0; i < 3; i++) {
        struct itimerval it = {{0, 200}, {0, 200}}, zero = {{0}};
        setitimer(timers[i], &it, 0);
        EQ(work(3000), quiet);
        while (n[sigs[i]] < 10)
            EQ(work(100), work(100));
        setitimer(timers[i], &zero, &it);
    }
    for (int i = 0; i < 3; i++)
        setitimer(timers[i], &(struct itimerval){{0, 500}, {0, 500}}, 0);
    EQ(work(4000), work(4000));
    printf("%llx\n", (unsigned long long)quiet);
    return tl_end();
}
