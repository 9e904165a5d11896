#include "tl.h"

/* signals arriving all the time while pipes carry data: nothing lost, nothing doubled, EINTR only where allowed */
static volatile int n, stop;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    char b[16];
    getpid();
}

static int p[2];
static pthread_t mt;

static void *
ham(void *a)
{
    while (!stop) {
        pthread_kill(mt, SIGUSR1);
        pthread_kill(mt, SIGUSR2);
        sched_yield();
    }
    return 0;
}

static void *
wr(void *a)
{
    uint64_t s = 3;
    sigset_t m;
    sigfillset(&m);
    pthread_sigmask(SIG_SETMASK, &m, 0);
    for (int i = 0; i < 4000; i++) {
        uint64_t x = tl_rng(&s);
        if (write(p[1], &x, 8) != 8)
            tl_bad++;
    }
    return 0;
}

int
main(void)
{
    tl_on(SIGUSR1, hd, SA_RESTART);
    tl_on(SIGUSR2, hd, 0);
    pipe(p);
    mt = pthread_self();
    pthread_t a, b;
    pthread_create(&b, 0, ham, 0);
    pthread_create(&a, 0, wr, 0);
    uint64_t s = 3, x;
    int got = 0;
    char *q = (char *)&x;
    int have = 0;
    while (got < 4000) {
        int r = read(p[0], q + have, 8 - have);
        if (r < 0) {
            if (errno != EINTR) {
                tl_bad++;
                break;
            }
            continue;
        }
        have += r;
        if (have == 8) {
            if (x != tl_rng(&s)) {
                CHECK(!"data");
                break;
            }
            have = 0;
            got++;
        }
        int fd = open("/dev/null", O_RDONLY);
        if (fd < 0)
            tl_bad++;
        else
            close(fd);
        struct timespec t = {0, 1000};
        if (got % 64 == 0)
            nanosleep(&t, 0);
    }
    while (n <= 50)
        sched_yield();
    stop = 1;
    pthread_join(a, 0);
    pthread_join(b, 0);
    EQ(got, 4000);
    return tl_end();
}
