#include "tl.h"

static volatile int c;

static void
hd(int s, siginfo_t *si, void *v)
{
    c++;
}

int
main(void)
{
    int p[2];
    pipe(p);
    pid_t k = fork();
    int st;
    if (!k) {
        tl_on(SIGCONT, hd, 0);
        volatile uint64_t h = 1;
        for (int i = 0; i < 100; i++) {
            raise(SIGSTOP);
            h = h * 31 + i;
            if (c != i + 1)
                _exit(100 + (i & 7));
        }
        struct timespec t = {0, 20000000};
        kill(getpid(), SIGSTOP);
        while (nanosleep(&t, &t))
            ;
        _exit(55);
    }
    for (int i = 0; i < 101; i++) {
        EQ(waitpid(k, &st, WUNTRACED), k);
        if (!WIFSTOPPED(st)) {
            printf("FAIL stop %d: %x\n", i, st);
            tl_bad++;
            break;
        }
        if (i < 2 || i == 100)
            printf("%d ", WSTOPSIG(st));
        kill(k, SIGCONT);
    }
    EQ(waitpid(k, &st, 0), k);
    EQ(WIFEXITED(st), 1);
    EQ(WEXITSTATUS(st), 55);
    /* a computing, multi-threaded child stopped and continued from outside */
    k = fork();
    if (!k) {
        uint64_t s = 5, h = 0;
        for (int i = 0; i < 20000000; i++)
            h += tl_rng(&s) & 255;
        _exit(h & 127);
    }
    for (int i = 0; i < 10; i++) {
        kill(k, SIGSTOP);
        EQ(waitpid(k, &st, WUNTRACED), k);
        if (!WIFSTOPPED(st))
            break;
        kill(k, SIGCONT);
        usleep(500);
    }
    if (WIFSTOPPED(st))
        waitpid(k, &st, 0);
    printf("%d\n", WEXITSTATUS(st));
    return tl_end();
}
