#include "tl.h"

static char alt[65536];
static sigjmp_buf j;
static volatile int code;
static volatile char *ad;

static void
hd(int s, siginfo_t *si, void *v)
{
    code = si->si_code;
    ad = si->si_addr;
    char x;
    CHECK(&x >= alt && &x < alt + sizeof alt);
    siglongjmp(j, 1);
}

__attribute__((noinline)) static long
inf(long n)
{
    volatile char p[1000];
    p[n % 1000] = n;
    return inf(n + 1) + p[0];
}

static void *
th(void *a)
{
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
    char here;
    if (!sigsetjmp(j, 1)) {
        memcpy(alt, alt, 1);
        sigaltstack(&(stack_t){.ss_sp = alt, .ss_size = sizeof alt}, 0);
        inf(0);
    }
    CHECK(&here - ad > 40000 && &here - ad < 300000);
    return 0;
}

int
main(void)
{
    struct rlimit r = {1 << 20, 1 << 20};
    getrlimit(RLIMIT_STACK, &r);
    r.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_STACK, &r);
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    sigaltstack(&ss, 0);
    tl_on(SIGSEGV, hd, SA_ONSTACK);
    char here;
    for (int i = 0; i < 5; i++) {
        volatile int r = 0;
        if (!sigsetjmp(j, 1)) {
            inf(0);
            r = 1;
        }
        EQ(r, 0);
        CHECK(&here - ad > 800000 && &here - ad < 1200000);
    }
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 131072);
    pthread_t t;
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, 0);
    pthread_create(&t, &a, th, 0);
    pthread_join(t, 0);
    return tl_end();
}
