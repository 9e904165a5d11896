#include "tl.h"

/* signals that resource limits send */
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
}

static void
filesize(void)
{
    tl_on(SIGXFSZ, hd, 0);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000});
    int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char b[600] = {0};
    EQ(write(fd, b, 600), 600);
    EQ(write(fd, b, 600), 400);
    EQ(write(fd, b, 600), -1);
    EQ(errno, EFBIG);
    EQ(n, 1);
    EQ(ftruncate(fd, 5000), -1);
    EQ(n, 2);
    signal(SIGXFSZ, SIG_DFL);
    write(1, "", 0);
    if (tl_bad)
        _exit(1);
    write(fd, b, 600);
    _exit(2);
}

static void
cpu(void)
{
    tl_on(SIGXCPU, hd, 0);
    setrlimit(RLIMIT_CPU, &(struct rlimit){1, 100});
    volatile uint64_t s = 3, h = 0;
    uint64_t r = 3;
    while (!n)
        for (int i = 0; i < 1000; i++)
            h += tl_rng(&r);
    _exit(n ? 21 : 1);
}

static void
cpu_kill(void)
{
    setrlimit(RLIMIT_CPU, &(struct rlimit){1, 1});
    for (;;)
        ;
}

static void
stack(void)
{
    setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){0, 0});
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &m, 0);
    int r = sigqueue(getpid(), SIGRTMIN, (union sigval){0});
    _exit(r == -1 && errno == EAGAIN ? 22 : 1);
}

int
main(void)
{
    void (*t[])(void) = {filesize, cpu, cpu_kill, stack};
    for (int i = 0; i < 4; i++) {
        int st = tl_child(t[i]);
        printf("%d: %s %d\n", i, WIFEXITED(st) ? "exit" : "signal",
               WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st));
    }
    return tl_end();
}
