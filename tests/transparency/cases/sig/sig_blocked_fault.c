#include "tl.h"

static void
hd(int s, siginfo_t *si, void *v)
{
    write(1, "handler\n", 8);
    _exit(3);
}

static void
a(void)
{
    tl_on(SIGSEGV, hd, 0);
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_BLOCK, &m, 0);
    *(volatile int *)0 = 1;
}

static void
b(void)
{
    signal(SIGSEGV, SIG_IGN);
    *(volatile int *)0 = 1;
}

static void
c(void)
{
    tl_on(SIGILL, hd, 0);
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_BLOCK, &m, 0);
    __builtin_trap();
}

static void
d(void)
{
    signal(SIGFPE, SIG_IGN);
    volatile int z = 0;
    z = 1 / z;
}

static void
e(void)
{
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_BLOCK, &m, 0);
    raise(SIGSEGV);
    kill(getpid(), SIGILL);
    _exit(9);
}

static void
fh(int s, siginfo_t *si, void *v)
{
    *(volatile int *)0 = 1;
}

static void
f(void)
{
    tl_on(SIGSEGV, fh, 0);
    *(volatile int *)0 = 1;
}

static void
g(void)
{
    signal(SIGSEGV, SIG_IGN);
    raise(SIGSEGV);
    kill(getpid(), SIGSEGV);
    _exit(4);
}

static void
h(void)
{
    signal(SIGTRAP, SIG_IGN);
    asm volatile("int3");
    _exit(5);
}

static void
k(void)
{
    tl_on(SIGTRAP, hd, 0);
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_BLOCK, &m, 0);
    asm volatile("int3");
    _exit(5);
}

static void
badstk(void)
{
    tl_on(SIGUSR1, hd, 0);
    asm volatile("mov %0,%%edi\n"
                 " mov $10,%%esi\n"
                 " mov $62,%%eax\n"
                 " mov $0x1000,%%esp\n"
                 " syscall\n"
                 " hlt" ::"r"(getpid())
                 : "rax", "rdi", "rsi");
}

int
main(void)
{
    void (*t[])(void) = {a, b, c, d, e, f, g, h, k, badstk};
    for (int i = 0; i < 10; i++) {
        int st = tl_child(t[i]);
        printf("%c: %s %d\n", 'a' + i, WIFEXITED(st) ? "exit" : "signal",
               WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st));
    }
    return tl_end();
}
