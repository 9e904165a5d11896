//! need: cpu:xsave cpu:avx
#include "tl.h"
#include <cpuid.h>

static unsigned char a[8192] __attribute__((aligned(64)));

int
main(void)
{
    unsigned ax, bx, cx, dx;
    __cpuid_count(13, 0, ax, bx, cx, dx);
    CHECK(bx >= 576 && bx <= 8192 && cx >= bx);
    uint32_t lo, hi;
    asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    CHECK((lo & 7) == 7);
    printf("xcr0 avx %d\n", lo >> 1 & 3);
    char v[32], o[32];
    for (int i = 0; i < 32; i++)
        v[i] = 100 + i;
    for (int n = 0; n < 200; n++) {
        memset(a, 0, sizeof a);
        asm volatile("vmovdqu %2,%%ymm7\n"
                     " xsave64 (%1)\n"
                     " vpxor %%xmm7,%%xmm7,%%xmm7\n"
                     " xrstor64 (%1)\n"
                     " vmovdqu %%ymm7,%0\n"
                     " vzeroupper"
                     : "=m"(o)
                     : "r"(a), "m"(v), "a"(7), "d"(0)
                     : "memory", "xmm7");
        EQ(memcmp(o, v, 32), 0);
        EQ(memcmp(a + 160 + 7 * 16, v, 16), 0);
        EQ(memcmp(a + 576 + 7 * 16, v + 16, 16), 0);
        memset(a, 0, sizeof a);
        asm volatile("vmovdqu %2,%%ymm7\n"
                     " xsavec64 (%1)\n"
                     " vpxor %%xmm7,%%xmm7,%%xmm7\n"
                     " xrstor64 (%1)\n"
                     " vmovdqu %%ymm7,%0\n"
                     " vzeroupper"
                     : "=m"(o)
                     : "r"(a), "m"(v), "a"(6), "d"(0)
                     : "memory", "xmm7");
        EQ(memcmp(o, v, 32), 0);
        EQ(*(uint64_t *)(a + 520), 0x8000000000000006ull);
        memset(a, 0, sizeof a);
        asm volatile("vmovdqu %1,%%ymm7\n"
                     " xsaveopt64 (%0)\n"
                     " vzeroupper" ::"r"(a),
                     "m"(v), "a"(4), "d"(0)
                     : "memory", "xmm7");
        EQ(memcmp(a + 576 + 7 * 16, v + 16, 16), 0);
        EQ(a[512] & 4, 4);
        if (tl_bad)
            break;
    }
    /* xrstor with an empty XSTATE_BV initialises */
    memset(a, 0, sizeof a);
    a[25] = 0x1f;
    a[24] = 0x80;
    asm volatile("vmovdqu %2,%%ymm7\n"
                 " xrstor64 (%1)\n"
                 " vmovdqu %%ymm7,%0\n"
                 " vzeroupper"
                 : "=m"(o)
                 : "r"(a), "m"(v), "a"(6), "d"(0)
                 : "memory", "xmm7");
    for (int i = 0; i < 32; i++)
        EQ(o[i], 0);
    return tl_end();
}
