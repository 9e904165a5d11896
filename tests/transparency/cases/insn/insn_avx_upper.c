//! need: cpu:avx2
//! build: gcc -O1 -w -mavx2 -mfma -I$INC $SRC -o $OUT
#include "tl.h"

/* the upper halves of ymm registers: kept by legacy SSE, zeroed by VEX, surviving whatever the program does in between */
static volatile int handled;

static void
hd(int s, siginfo_t *si, void *v)
{
    asm volatile("vzeroall" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm15");
    handled++;
}

static unsigned char *jit;
static char want[32], got[32];

#define KEEPS(name, code)                                                                                                          \
    do {                                                                                                                           \
        memset(got, 0, 32);                                                                                                        \
        asm volatile(                                                                                                              \
            "vmovdqu (%0),%%ymm6\n vmovdqu (%0),%%ymm15\n vmovdqu (%0),%%ymm0\n" code                                              \
            "\n vmovdqu %%ymm6,(%1)\n vpxor %%ymm15,%%ymm0,%%ymm7\n vpor (%1),%%ymm7,%%ymm7\n vmovdqu %%ymm7,(%1)\n vzeroupper" :: \
                "r"(want),                                                                                                         \
            "r"(got), "r"(jit)                                                                                                     \
            : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "rbx", "xmm0", "xmm6", "xmm7",                          \
              "xmm15", "memory", "cc");                                                                                            \
        if (memcmp(want, got, 32)) {                                                                                               \
            tl_bad++;                                                                                                              \
            printf("FAIL %s\n", name);                                                                                             \
        }                                                                                                                          \
    } while (0)

int
main(void)
{
    for (int i = 0; i < 32; i++)
        want[i] = 3 + i * 5;
    jit = tl_rwx(0, 1 << 20);
    for (int i = 0; i < 2000; i++) /* ret, one a 512 bytes: code never seen before */
        jit[i * 512] = 0xc3;
    tl_on(SIGUSR1, hd, 0);
    for (int i = 0; i < 500; i++) {
        KEEPS("nothing", "");
        KEEPS("a system call", "mov $39,%%eax\n push %1\n push %0\n syscall\n pop %0\n pop %1");
        KEEPS("a failing system call",
              "mov $3,%%eax\n push %0\n push %1\n mov $-1,%%edi\n syscall\n pop %1\n pop %0");
        KEEPS("cpuid", "push %0\n push %1\n xor %%eax,%%eax\n cpuid\n pop %1\n pop %0");
        KEEPS("a branch chain", "mov $50,%%ecx\n 1: test $1,%%cl\n jz 2f\n nop\n 2: dec %%ecx\n jnz 1b");
        asm volatile("" ::: "memory");
        jit += 512;
        KEEPS("new code", "call *%2");
    }
    jit -= 500 * 512;
    uint64_t lo[4];
    for (int i = 0; i < 1000; i++) {
        asm volatile(
            "vmovdqu (%1),%%ymm1\n movaps %%xmm1,%%xmm1\n addps %%xmm1,%%xmm1\n pxor %%xmm1,%%xmm1\n vmovdqu %%ymm1,(%0)\n"
            "vzeroupper" ::"r"(lo),
            "r"(want)
            : "xmm1", "memory");
        EQ(lo[0] | lo[1], 0);
        EQ(memcmp(lo + 2, want + 16, 16), 0);
        asm volatile(
            "vmovdqu (%1),%%ymm1\n vmovaps %%xmm1,%%xmm1\n vmovdqu %%ymm1,(%0)\n vzeroupper" ::"r"(lo),
            "r"(want)
            : "xmm1", "memory");
        EQ(lo[2] | lo[3], 0);
        EQ(memcmp(lo, want, 16), 0);
        asm volatile(
            "vmovdqu (%1),%%ymm1\n vmovq %%xmm1,%%rax\n vmovd %%eax,%%xmm1\n vmovdqu %%ymm1,(%0)\n vzeroupper" ::
                "r"(lo),
            "r"(want)
            : "xmm1", "rax", "memory");
        EQ(lo[1] | lo[2] | lo[3], 0);
        if (tl_bad)
            break;
    }
    /* a handler that clears every register does not clear them for the interrupted code */
    for (int i = 0; i < 200; i++)
        KEEPS(
            "a signal",
            "push %0\n push %1\n mov $39,%%eax\n syscall\n mov %%eax,%%edi\n mov $10,%%esi\n mov $62,%%eax\n syscall\n pop %1\n pop %0");
    EQ(handled, 200);
    return tl_end();
}
