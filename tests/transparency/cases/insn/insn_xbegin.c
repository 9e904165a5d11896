//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* xbegin: unknown to the CPU, or a transaction that may commit or abort; neither shows anything else */
static volatile int ill;

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;

    ill++;
    EQ(g[REG_RAX], 0x1234500000042);
    g[REG_RIP] += 6 + *(int *)(g[REG_RIP] + 2);
    g[REG_RAX] = 0;
}

int
main(void)
{
    tl_on(SIGILL, hd, 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t a = 0x1234500000042, in = 0;
        asm volatile("xbegin 1f\n mov $1,%1\n .byte 0x0f,0x01,0xd6\n jnz 2f\n xend\n jmp 2f\n 1: mov $2,%1\n 2:" : "+a"(a), "+r"(in)::"memory", "cc");
        CHECK(in == 1 || in == 2);
        if (in == 2)
            CHECK(a < 1ull << 32); /* a status */
    }
    unsigned b, c = 0, d, x = 7;
    asm volatile("cpuid" : "+a"(x), "=b"(b), "+c"(c), "=d"(d));
    EQ(ill != 0, !((b | d) >> 11 & 1));
    return tl_end();
}
