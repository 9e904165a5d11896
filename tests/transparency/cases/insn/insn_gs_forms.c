//! need: cpu:avx2
#include "tl.h"
#include <asm/prctl.h>

/* gs-relative operands in odd encodings: extended bases and indexes, VEX, gathers, the stack pointer, jumps, faults */
static uint64_t area[512] __attribute__((aligned(64)));
static sigjmp_buf jb;
static volatile uint64_t at;
static volatile int code;

static void
hd(int s, siginfo_t *si, void *v)
{
    at = (uint64_t)si->si_addr;
    code = si->si_code;
    siglongjmp(jb, 1);
}

extern char gf_target[];

int
main(void)
{
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
    for (int k = 0; k < 512; k++)
        area[k] = k * 0x101;
    uint64_t v, w;
    register uint64_t r12 asm("r12") = 16, r13 asm("r13") = 24, r9 asm("r9") = 3;
    asm volatile("mov %%gs:(%1),%0" : "=r"(v) : "r"(r12));
    EQ(v, 2 * 0x101);
    asm volatile("mov %%gs:(%1),%0" : "=r"(v) : "r"(r13));
    EQ(v, 3 * 0x101);
    asm volatile("mov %%gs:8(%1,%2,8),%0" : "=r"(v) : "r"(r13), "r"(r9));
    EQ(v, 7 * 0x101);
    asm volatile("mov %%gs:-8(,%1,8),%0" : "=r"(v) : "r"(r9));
    EQ(v, 2 * 0x101);
    asm volatile("movabs %%gs:40,%%rax" : "=a"(v));
    EQ(v, 5 * 0x101);
    asm volatile("movabs %%al,%%gs:48" ::"a"(0x77));
    EQ(area[6], 6 * 0x101 - (6 * 0x101 & 255) + 0x77);
    /* relative to the stack pointer, as if it were an offset */
    asm volatile("mov %%rsp,%1\n mov $80,%%esp\n mov %%gs:8(%%rsp),%0\n mov %1,%%rsp" : "=&r"(v), "=&r"(w));
    EQ(v, 11 * 0x101);
    /* pop computes its address after rsp has moved */
    asm volatile("push $77\n mov %%rsp,%%rax\n neg %%rax\n popq %%gs:96(%%rsp,%%rax)\n" ::: "rax", "cc", "memory");
    EQ(area[13], 77);
    asm volatile("vmovups %%gs:64(%1),%%ymm3\n vmovups %%ymm3,%%gs:1024(%1)\n vzeroupper" : "=m"(area) : "r"(r12) : "xmm3");
    EQ(memcmp((char *)area + 16 + 64, (char *)area + 16 + 1024, 32), 0);
    uint32_t out[4];
    asm volatile("vpcmpeqd %%xmm2,%%xmm2,%%xmm2\n vpxor %%xmm0,%%xmm0,%%xmm0\n vpgatherdd %%xmm2,%%gs:32(%1,%%xmm0,4),%%xmm1\n vmovups %%xmm1,%0\n vzeroupper"
                 : "=m"(out)
                 : "r"(r13)
                 : "xmm0", "xmm1", "xmm2");
    EQ(out[0], 7 * 0x101);
    EQ(out[3], 7 * 0x101);
    uint64_t lo = area[32], hi = area[33];
    uint8_t z;
    asm volatile("lock cmpxchg16b %%gs:256\n setz %0" : "=q"(z), "+a"(lo), "+d"(hi) : "b"(5ull), "c"(6ull) : "cc", "memory");
    EQ(z, 1);
    EQ(area[32], 5);
    EQ(area[33], 6);
    area[50] = (uint64_t)gf_target;
    asm volatile("xor %k0,%k0\n call *%%gs:400\n jmp 1f\n gf_target: inc %0\n ret\n 1:" : "=&r"(v)::"cc", "memory");
    EQ(v, 1);
    void *si = (void *)24;
    asm volatile("lodsq %%gs:(%%rsi)" : "=a"(v), "+S"(si));
    EQ(v, 3 * 0x101);
    EQ(si, 32);
    asm volatile("std\n lodsw %%gs:(%%rsi)\n cld" : "=a"(v), "+S"(si) : "a"(0));
    EQ(si, 30);
    /* faults show the linear address */
    tl_on(SIGSEGV, hd, 0);
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, 0x10000));
    for (volatile int k = 0; k < 4; k++) {
        if (!sigsetjmp(jb, 1)) {
            if (k == 0)
                asm volatile("mov %%gs:(%1),%0" : "=r"(v) : "r"(r12));
            else if (k == 1)
                asm volatile("movabs %%gs:40,%%rax" : "=a"(v));
            else if (k == 2)
                asm volatile("movups %%xmm0,%%gs:80(%0,%1,4)" ::"r"(r12), "r"(r9));
            else
                asm volatile("jmp *%%gs:400" ::);
            at = 1;
        }
        printf("%d: %lx code %d\n", k, at, code);
    }
    return tl_end();
}
