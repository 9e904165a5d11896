#include "tl.h"

/* many threads overflow their stacks at once, each onto an alternate stack of its own, and come back by longjmp */
static __thread sigjmp_buf jb;
static __thread char *alt;
static volatile int wrong;

static void
hd(int s, siginfo_t *si, void *v)
{
    char here;
    if (&here < alt || &here >= alt + 32768)
        wrong++;
    siglongjmp(jb, 1);
}

__attribute__((noinline)) static long
inf(long n)
{
    volatile char pad[500];
    pad[n % 500] = n;
    return inf(n + 1) + pad[0];
}

static void *
thread(void *a)
{
    alt = mmap(0, 32768, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t ss = {.ss_sp = alt, .ss_size = 32768};
    sigaltstack(&ss, 0);
    volatile long n = 0;
    for (volatile int i = 0; i < 20; i++)
        if (!sigsetjmp(jb, 1))
            inf(0);
        else
            n++;
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, 0);
    munmap(alt, 32768);
    return (void *)n;
}

static void
none(void)
{
    pthread_attr_t at;
    pthread_t t;
    pthread_attr_init(&at);
    pthread_attr_setstacksize(&at, 65536);
    pthread_create(&t, &at, (void *(*)(void *))inf, 0); /* no alternate stack: the process dies */
    pthread_join(t, 0);
}

int
main(void)
{
    tl_on(SIGSEGV, hd, SA_ONSTACK);
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setstacksize(&at, 98304);
    pthread_t t[16];
    for (int i = 0; i < 16; i++)
        pthread_create(t + i, &at, thread, 0);
    long sum = 0;
    for (int i = 0; i < 16; i++) {
        void *r;
        pthread_join(t[i], &r);
        sum += (long)r;
    }
    EQ(sum, 320);
    EQ(wrong, 0);
    printf("%d\n", WTERMSIG(tl_child(none)));
    return tl_end();
}
