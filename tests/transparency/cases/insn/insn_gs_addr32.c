//! need: cpu:avx2 cpu:bmi2
//! build: gcc -O1 -w -no-pie -fno-pie -mavx2 -mbmi2 -I$INC $SRC -o $OUT
#include "tl.h"
#include <asm/prctl.h>

/* gs-relative operands with 32-bit or rip-relative addresses, in every kind of instruction */
static uint64_t area[512] __attribute__((aligned(64)));
static sigjmp_buf jb;
static volatile uint64_t at, regs;
static volatile int code;

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;

    at = (uint64_t)si->si_addr;
    code = si->si_code;
    regs = g[REG_RAX] ^ g[REG_RBX] << 8 ^ g[REG_RSI] << 16;
    siglongjmp(jb, 1);
}

int
main(void)
{
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
    for (int k = 0; k < 512; k++)
        area[k] = k * 0x101;
    uint64_t v = 1, w, high = 0xabcdef0000000000;
    asm volatile("mov %%gs:(%k1),%0" : "=r"(v) : "r"(high | 16));
    EQ(v, 2 * 0x101);
    asm volatile("add %%gs:8(%k1,%k2,8),%0" : "+r"(v) : "r"(high | 16), "r"(high | 3) : "cc");
    EQ(v, 8 * 0x101);
    asm volatile("mov %%gs:-8(%k1),%0" : "=r"(v) : "r"(high | 16));
    EQ(v, 1 * 0x101);
    asm volatile("mov %%gs:-8(%k1,%k2,2),%0" : "=r"(v) : "r"(0xfffffff8), "r"(16)); /* wraps at 32 bits */
    EQ(v, 2 * 0x101);
    asm volatile("addl $5,%%gs:(%k0)\n incq %%gs:8(%k0)\n negb %%gs:16(%k0)\n notw %%gs:24(%k0)" ::"r"(high | 800) : "cc", "memory");
    EQ(area[100], 100 * 0x101 + 5);
    EQ(area[101], 101 * 0x101 + 1);
    EQ(area[102] & 255, -102 & 255);
    EQ(area[103] & 0xffff, ~(103 * 0x101) & 0xffff);
    asm volatile("xchg %%gs:(%k1),%0" : "=r"(v) : "r"(high | 808), "0"(7) : "memory");
    EQ(v, 101 * 0x101 + 1);
    EQ(area[101], 7);
    asm volatile("pushq %%gs:(%k1)\n pop %0" : "=r"(v) : "r"(high | 808));
    EQ(v, 7);
    asm volatile("push $99\n popq %%gs:(%k0)" ::"r"(high | 816) : "memory");
    EQ(area[102], 99);
    asm volatile("mov %%rsp,%1\n mov $96,%%esp\n mov %%gs:8(%%esp),%0\n mov %1,%%rsp" : "=&r"(v), "=&r"(w));
    EQ(v, 13 * 0x101);
    asm volatile("cmpq %%gs:(%k1),%2\n sete %b0" : "=q"(v) : "r"(high | 32), "r"(4 * 0x101ull) : "cc");
    EQ(v & 255, 1);
    asm volatile("imul %%gs:(%k1),%0" : "=r"(v) : "r"(high | 32), "0"(3) : "cc");
    EQ(v, 3 * 4 * 0x101);
    asm volatile("imul $7,%%gs:(%k1),%0" : "=r"(v) : "r"(high | 32) : "cc");
    EQ(v, 7 * 4 * 0x101);
    uint64_t lo = area[32], hi = area[33];
    uint8_t z;
    asm volatile("lock cmpxchg16b %%gs:(%k3)\n setz %0" : "=q"(z), "+a"(lo), "+d"(hi) : "S"(high | 256), "b"(5ull), "c"(6ull) : "cc", "memory");
    EQ(z, 1);
    EQ(area[32], 5);
    EQ(area[33], 6);
    asm volatile("vmovups %%gs:64(%k0),%%ymm3\n vmovups %%ymm3,%%gs:1024(%k0)\n vzeroupper" ::"r"(high | 16) : "xmm3", "memory");
    EQ(memcmp((char *)area + 16 + 64, (char *)area + 16 + 1024, 32), 0);
    register uint64_t r13 asm("r13") = high | 24, r9 asm("r9") = high | 4;
    asm volatile("vpaddq %%gs:8(%%r13d,%%r9d,8),%%xmm0,%%xmm1\n pextrq $1,%%xmm1,%0" : "=r"(v) : "r"(r13), "r"(r9) : "xmm0", "xmm1");
    asm volatile("shlx %1,%%gs:(%%r13d),%0" : "=r"(v) : "r"(4ull), "r"(r13));
    EQ(v, 3 * 0x101 * 16);
    asm volatile("fildll %%gs:(%k0)\n fistpll %%gs:8(%k0)" ::"r"(high | 880) : "memory");
    EQ(area[111], 110 * 0x101);
    asm volatile("movabs $40,%%rsi\n mov %0,%%rdi\n mov $3,%%ecx\n addr32 rep movsq %%gs:(%%esi),%%es:(%%edi)" ::"r"((uint64_t)&area[200])
                 : "rsi", "rdi", "rcx", "memory");
    EQ(area[202], 7 * 0x101);
    asm volatile("mov %1,%%rsi\n addr32 lodsq %%gs:(%%esi)\n mov %%rsi,%0" : "=r"(w) : "r"(high | 48) : "rsi", "rax");
    EQ(w, 56);
    /* rip-relative: the base counts from the instruction */
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
    asm volatile("add %%gs:area+72(%%rip),%0" : "+r"(v)::"cc");
    EQ(v, 3 * 0x101 * 16 + 9 * 0x101);
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, 16));
    asm volatile("xor %%gs:area+72(%%eip),%0" : "+r"(v)::"cc");
    EQ(v, (3 * 0x101 * 16 + 9 * 0x101) ^ 11 * 0x101);
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
    /* through a jump */
    area[64] = (uint64_t)&&there;
    asm goto("jmp *%%gs:(%k0)" ::"r"(high | 512) : "memory" : there);
    CHECK(0);
there:
    /* a loop, so that it is not always the first time */
    v = 0;
    for (uint64_t i = 0; i < 1000; i++)
        asm volatile("add %%gs:(%k1),%0" : "+r"(v) : "r"(high | (i % 8) * 8) : "cc");
    EQ(v, 125 * 28 * 0x101);
    /* faults */
    tl_on(SIGSEGV, hd, SA_NODEFER);
    if (!sigsetjmp(jb, 1))
        asm volatile("add %%rbx,%%gs:(%k0)" ::"S"(high | 0x7ffffff0), "a"(0x11), "b"(0x22) : "cc", "memory");
    EQ(at, (uint64_t)area + 0x7ffffff0);
    EQ(regs, 0x11 ^ 0x22 << 8 ^ (high | 0x7ffffff0) << 16);
    NEED(!syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
    at = 1;
    if (!sigsetjmp(jb, 1))
        asm volatile("orl $1,%%gs:(%k0)" ::"S"(high | 0x10), "a"(1), "b"(2) : "cc", "memory");
    EQ(at, 0x10);
    return tl_end();
}
