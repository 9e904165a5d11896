#include "tl.h"
#include <asm/prctl.h>

/* a program that uses gs for itself: every form of gs-relative operand */
static uint64_t area[64];
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    uint64_t x;
    asm volatile("mov %%gs:0,%0" : "=r"(x));
    n += x == 0x1122334455667788;
}

static void *
other(void *a)
{
    uint64_t x, own[2] = {5, 6};
    EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, own), 0);
    for (int i = 0; i < 1000; i++) {
        asm volatile("mov %%gs:8,%0" : "=r"(x));
        if (x != 6)
            return 0;
    }
    return (void *)x;
}

int
main(void)
{
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
    tl_on(SIGUSR1, hd, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t v, w = 2;
        area[0] = 0x1122334455667788;
        for (int k = 1; k < 16; k++)
            area[k] = k;
        asm volatile("mov %%gs:0,%0" : "=r"(v));
        EQ(v, area[0]);
        asm volatile("movzbl %%gs:7,%k0" : "=r"(v));
        EQ(v, 0x11);
        asm volatile("mov %%gs:(,%1,8),%0" : "=r"(v) : "r"(w));
        EQ(v, 2);
        asm volatile("mov %%gs:8(%1,%1,4),%0" : "=r"(v) : "r"(8ull));
        EQ(v, 6);
        asm volatile(
            "addq $5,%%gs:8\n subl $2,%%gs:16\n incb %%gs:24\n lock xaddq %0,%%gs:32\n xchg %%gs:40,%0\n pushq %%gs:48\n popq %%gs:56"
            : "+r"(w)::"memory", "cc");
        EQ(area[1], 6);
        EQ(area[2], 0);
        EQ(area[3], 4);
        EQ(area[4], 6);
        EQ(area[5], 4);
        EQ(w, 5);
        EQ(area[7], 6);
        char x[16];
        asm volatile("movups %%gs:0,%%xmm1\n movups %%xmm1,%0\n cmpq $6,%%gs:8\n sete %%al\n movzbl %%al,%k1"
                     : "=m"(x), "=a"(v)::"xmm1", "cc");
        EQ(memcmp(x, area, 16), 0);
        EQ(v, 1);
        void *si = 0, *di = area + 32;
        long c = 16;
        asm volatile("rep movsq %%gs:(%%rsi),(%%rdi)" : "+S"(si), "+D"(di), "+c"(c)::"memory");
        EQ(memcmp(area, area + 32, 128), 0);
        EQ(si, 128);
        asm volatile("lea %%gs:16(%1),%0" : "=r"(v) : "r"(100ull));
        EQ(v, 116);
        if (i % 50 == 0)
            raise(SIGUSR1);
        if (tl_bad)
            break;
    }
    EQ(n, 20);
    pthread_t t;
    void *r;
    pthread_create(&t, 0, other, 0);
    pthread_join(t, &r);
    EQ(r, 6);
    uint64_t v;
    asm volatile("mov %%gs:8,%0" : "=r"(v));
    EQ(v, 6);
    return tl_end();
}
