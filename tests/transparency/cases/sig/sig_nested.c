#include "tl.h"

static char log_[4096];
static volatile int ln, depth, maxd;

static void
L(char c)
{
    log_[ln++] = c;
}

static void
h1(int s, siginfo_t *si, void *v)
{
    L('a');
    raise(SIGUSR2);
    L('b');
}

static void
h2(int s, siginfo_t *si, void *v)
{
    L('c');
    if (ln < 100)
        raise(SIGUSR1);
    L('d');
    asm volatile("movl 8,%%eax" ::: "rax", "memory");
    L('e');
}

static void
hs(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    L('f');
    u->uc_mcontext.gregs[REG_RIP] += 7;
    L('g');
}

static void
rec(int s, siginfo_t *si, void *v)
{
    if (++depth < 50)
        raise(SIGTERM);
    if (depth > maxd)
        maxd = depth;
    depth--;
}

int
main(void)
{
    tl_on(SIGUSR1, h1, 0);
    tl_on(SIGUSR2, h2, 0);
    tl_on(SIGSEGV, hs, 0);
    raise(SIGUSR1);
    log_[ln] = 0;
    puts(log_);
    tl_on(SIGTERM, rec, SA_NODEFER);
    raise(SIGTERM);
    EQ(maxd, 50);
    EQ(depth, 0);
    return tl_end();
}
