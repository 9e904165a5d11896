#include "tl.h"

/* ending the program, the thread or the process image from inside a handler */
static void
say(void)
{
    write(1, "atexit\n", 7);
}

static void
ex(int s, siginfo_t *si, void *v)
{
    exit(5);
}

static void
ex_(int s, siginfo_t *si, void *v)
{
    _exit(6);
}

static void
th(int s, siginfo_t *si, void *v)
{
    pthread_exit((void *)77);
}

static void
exe(int s, siginfo_t *si, void *v)
{
    execl("/proc/self/exe", "x", "y", (char *)0);
}

static void
ab(int s, siginfo_t *si, void *v)
{
    write(1, "abort handler\n", 14);
}

static void
fk(int s, siginfo_t *si, void *v)
{
    if (fork())
        wait(0), _exit(9);
}

static void
a(void)
{
    atexit(say);
    tl_on(SIGUSR1, ex, 0);
    raise(SIGUSR1);
}

static void
b(void)
{
    atexit(say);
    tl_on(SIGSEGV, ex_, 0);
    *(volatile int *)0 = 1;
}

static void
c(void)
{
    tl_on(SIGILL, exe, 0);
    __builtin_trap();
}

static void
d(void)
{
    tl_on(SIGABRT, ab, 0);
    abort();
}

static void
e(void)
{
    signal(SIGABRT, SIG_IGN);
    abort();
}

static void
f(void)
{
    tl_on(SIGUSR1, fk, 0);
    raise(SIGUSR1);
    write(1, "child went on\n", 14);
    _exit(0);
}

static void *
worker(void *p)
{
    *(volatile int *)8 = 1;
    return 0;
}

static void
g(void)
{
    tl_on(SIGSEGV, th, 0);
    pthread_t t;
    void *r;
    pthread_create(&t, 0, worker, 0);
    pthread_join(t, &r);
    _exit((int)(long)r);
}

static void
h(void)
{
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_SETMASK, &m, 0);
    abort();
}

int
main(int n, char **v)
{
    if (n > 1) {
        sigset_t m;
        sigprocmask(SIG_BLOCK, 0, &m);
        return 40 + sigismember(&m, SIGILL); /* exec from its handler leaves it blocked */
    }
    void (*t[])(void) = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) {
        int st = tl_child(t[i]);
        printf("%c: %s %d\n", 'a' + i, WIFEXITED(st) ? "exit" : "signal",
               WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st));
    }
    return tl_end();
}
