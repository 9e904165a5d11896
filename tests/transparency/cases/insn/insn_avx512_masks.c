//! build: gcc -O1 -w -mavx512f -mavx512bw -mavx512dq -mavx512vl -I$INC $SRC -o $OUT
//! need: cpu:avx512f cpu:avx512bw cpu:avx512dq cpu:avx512vl
#include "tl.h"

/* mask registers: every k instruction, merging and zeroing, masked loads and stores that reach into unmapped memory */
static volatile int handled;

static void
hd(int s, siginfo_t *si, void *v)
{
    asm volatile(
        "kxorq %%k1,%%k1,%%k1\n kxnorq %%k7,%%k7,%%k7\n vpxorq %%zmm31,%%zmm31,%%zmm31\n vpternlogd $255,%%zmm17,%%zmm17,%%zmm17\n vzeroupper" ::
            : "memory");
    handled++;
}

int
main(void)
{
    uint64_t s = 44, h = FNV0;
    char *edge = mmap(0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + 4096, 4096);
    for (int i = 0; i < 4000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s), r[12], f[4];
        asm volatile(
            "kmovq %2,%%k1\n kmovq %3,%%k2\n kandq %%k1,%%k2,%%k3\n kmovq %%k3,(%0)\n kandnq %%k1,%%k2,%%k3\n kmovq %%k3,8(%0)\n"
            "korq %%k1,%%k2,%%k3\n kxnorw %%k1,%%k3,%%k4\n kmovq %%k4,16(%0)\n kxorb %%k1,%%k2,%%k3\n kmovq %%k3,24(%0)\n"
            "knotd %%k1,%%k3\n kmovq %%k3,32(%0)\n kshiftlq $13,%%k1,%%k3\n kshiftrw $3,%%k2,%%k4\n kmovq %%k3,40(%0)\n kmovq %%k4,48(%0)\n"
            "kunpckbw %%k1,%%k2,%%k3\n kunpckdq %%k1,%%k2,%%k4\n kmovq %%k3,56(%0)\n kmovq %%k4,64(%0)\n kaddw %%k1,%%k2,%%k5\n kmovd %%k5,72(%0)\n"
            "kmovb %%k2,%%k6\n kmovq %%k6,80(%0)\n kmovw %%k1,%%eax\n movq %%rax,88(%0)\n"
            "kortestq %%k1,%%k2\n pushfq\n pop (%1)\n ktestw %%k1,%%k2\n pushfq\n pop 8(%1)\n kortestb %%k1,%%k1\n pushfq\n pop 16(%1)\n"
            "ktestd %%k2,%%k1\n pushfq\n pop 24(%1)" ::"r"(r),
            "r"(f), "r"(a), "r"(i & 7 ? b : ~a)
            : "rax", "memory", "cc");
        r[9] &= 0xffffffff;
        r[11] &= 0xffff;
        h = tl_fnv(h, r, sizeof r);
        for (int k = 0; k < 4; k++)
            h = h * 31 + (f[k] & 0x8d5);
        /* lanes that are off touch no memory */
        int n = a % 16;
        char *p = edge + 4096 - 4 * n, out[64];
        for (int k = 0; k < n; k++)
            ((uint32_t *)p)[k] = tl_rng(&s);
        uint16_t m = (1 << n) - 1;
        asm volatile(
            "kmovw %2,%%k1\n vpternlogd $255,%%zmm16,%%zmm16,%%zmm16\n vmovdqu32 (%1),%%zmm16%{%%k1%}\n vmovdqu32 (%1),%%zmm17%{%%k1%}%{z%}\n"
            "vpaddd %%zmm16,%%zmm17,%%zmm18\n vmovdqu32 %%zmm18,(%1)%{%%k1%}\n vmovdqu64 %%zmm18,(%0)\n vzeroupper" ::
                "r"(out),
            "r"(p), "r"((uint32_t)m)
            : "memory");
        h = tl_fnv(h, out, 64);
        h = tl_fnv(h, p, 4 * n);
        asm volatile(
            "kmovw %2,%%k1\n vpcompressd %%zmm18,(%1)%{%%k1%}\n vpexpandd (%1),%%zmm19%{%%k1%}%{z%}\n vmovdqu64 %%zmm19,(%0)\n vzeroupper" ::
                "r"(out),
            "r"(p), "r"((uint32_t)m)
            : "memory");
        h = tl_fnv(h, out, 64);
    }
    printf("%llx\n", (unsigned long long)h);
    /* masks and the high registers across a signal whose handler changes them */
    tl_on(SIGUSR1, hd, 0);
    int pid = getpid();
    for (int i = 0; i < 100; i++) {
        uint64_t k1, k7, z[8], y[8];
        asm volatile(
            "mov $0x123456789abcdef,%%rax\n kmovq %%rax,%%k1\n kmovq %%rax,%%k7\n vpbroadcastq %%rax,%%zmm31\n vpbroadcastq %%rax,%%zmm17\n"
            "mov $62,%%eax\n mov %4,%%edi\n mov $10,%%esi\n syscall\n kmovq %%k1,%0\n kmovq %%k7,%1\n vmovdqu64 %%zmm31,%2\n vmovdqu64 %%zmm17,%3\n vzeroupper"
            : "=m"(k1), "=m"(k7), "=m"(z), "=m"(y)
            : "r"(pid)
            : "rax", "rdi", "rsi", "rcx", "r11", "memory");
        EQ(k1, 0x123456789abcdef);
        EQ(k7, 0x123456789abcdef);
        for (int k = 0; k < 8; k++) {
            EQ(z[k], 0x123456789abcdef);
            EQ(y[k], 0x123456789abcdef);
        }
        if (tl_bad)
            break;
    }
    EQ(handled, 100);
    return tl_end();
}
