#include "tl.h"

/* a loop is changed while it runs: by a signal handler, by another thread with one aligned store, by a function it calls */
static unsigned char *p;
static volatile int entered;

static void
hd(int s, siginfo_t *si, void *v)
{
    p[0] = 0xc3; /* jmp self becomes ret */
}

static void *
patcher(void *a)
{
    while (!entered)
        sched_yield();
    usleep(500);
    __atomic_store_n((uint64_t *)a, 0x90909090909090c3ull, __ATOMIC_SEQ_CST);
    return 0;
}

static void *
toggler(void *a)
{
    /* jmp +0 <-> jmp +5 inside an aligned word; whoever runs it gets one or the other */
    for (int i = 0; i < 20000; i++)
        __atomic_store_n((uint64_t *)a, i & 1 ? 0x90909090909000ebull : 0x90909090909005ebull,
                         __ATOMIC_SEQ_CST);
    __atomic_store_n((uint64_t *)a, 0x90909090909005ebull, __ATOMIC_SEQ_CST);
    entered = 2;
    return 0;
}

int
main(void)
{
    p = tl_rwx(0, 4096);
    tl_on(SIGALRM, hd, 0);
    for (int i = 0; i < 50; i++) {
        p[0] = 0xeb;
        p[1] = 0xfe;
        setitimer(ITIMER_REAL, &(struct itimerval){{0}, {0, 300}}, 0);
        ((void (*)(void))p)();
    }
    for (int i = 0; i < 50; i++) {
        pthread_t t;
        memcpy(p + 64, "\xeb\xfe\x90\x90\x90\x90\x90\x90", 8);
        entered = 0;
        pthread_create(&t, 0, patcher, p + 64);
        entered = 1;
        ((void (*)(void))(p + 64))();
        pthread_join(t, 0);
    }
    pthread_t t;
    unsigned char *q = p + 128;
    memcpy(q, "\xeb\x05\x90\x90\x90\x90\x90\x90", 8);
    /* q: jmp +0 or +5 ; both reach q+8 in the end, +0 over five nops */
    memcpy(q + 8, "\xb8\x07\0\0\0\xc3", 6);
    entered = 0;
    pthread_create(&t, 0, toggler, q);
    long n = 0;
    while (entered != 2) {
        if (((int (*)(void))q)() != 7)
            tl_bad++;
        n++;
    }
    pthread_join(t, 0);
    EQ(((int (*)(void))q)(), 7);
    /* a function that the loop calls rewrites the loop's bound and its own return */
    unsigned char c[] = {
        0x31, 0xc0, 0xff, 0xd7, 0xff, 0xc0, 0x3d,
        10,   0,    0,    0,    0x72, 0xf5, 0xc3}; /* xor eax; L: call rdi; inc eax; cmp eax,10; jb L; ret */
    unsigned char d[] = {0x80, 0x06, 1, 0xc3};     /* add byte [rsi],1 ; ret */
    memcpy(p + 512, c, sizeof c);
    memcpy(p + 1024, d, sizeof d);
    c[7] = 0;
    int r;
    p[512 + 7] = 0;
    for (int i = 0; i < 50; i++) {
        p[519] = 10;
        unsigned char e[] = {0x3c, 20,   0x73, 3,
                             0x80, 0x06, 1,    0xc3}; /* cmp al,20 ; jae +3 ; add byte [rsi],1 ; ret */
        memcpy(p + 1024, e, sizeof e);
        asm volatile("call *%1" : "=a"(r) : "r"(p + 512), "D"(p + 1024), "S"(p + 519) : "memory", "cc");
        EQ(r, 30);
        if (tl_bad)
            break;
    }
    return tl_end();
}
