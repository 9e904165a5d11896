//! need: cpu:avx2
//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* faults of vector loads and stores: across the page's end, misaligned, and half-done gathers with their masks */
SNIP(v1, "", "movups (%r8),%xmm3");
SNIP(v2, "", "vmovdqu %ymm1,(%r8)");
SNIP(v3, "", "movaps (%r9),%xmm0");
SNIP(v4, "", "vmovdqa (%r9),%ymm0");
SNIP(v6, "vmovdqu mask_bad(%rip),%ymm2\n", "vmaskmovps %ymm1,%ymm2,(%r8)");
SNIP(v7, "vmovdqu mask_bad(%rip),%ymm2\n", "vpmaskmovd (%r8),%ymm2,%ymm5");
SNIP(v8, "", "paddd (%r8),%xmm3");
SNIP(v9, "", "vaddpd (%r8),%ymm1,%ymm2");
SNIP(v10, "", "movntdq %xmm1,(%r9)");
SNIP(v11, "", "vextractf128 $1,%ymm1,(%r8)");
SNIP(v12, "", "pshufb (%r9),%xmm1");
SNIP(v13, "", "movdqu %xmm1,(%r8)");
SNIP(v14, "", "ldmxcsr (%r8)");
SNIP(v15, "", "fxsave (%r9)");
asm(".data\n.balign 32\ngather_ix: .long -1024,-1023,-1022,2,-1020,5,-1018,-1017\n"
    "mask_bad: .long -1,-1,-1,-1,-1,-1,-1,-1\n.text\n");

static void
gather_handler(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    unsigned char *x = (unsigned char *)u->uc_mcontext.fpregs;
    printf("gather si_addr %lx", (long)si->si_addr);
    for (int r = 0; r < 3; r += 2) {
        printf("%s", r ? " mask" : " dest");
        for (int i = 0; i < 4; i++)
            printf(" %x", ((uint32_t *)(x + 160 + 16 * r))[i]);
        for (int i = 0; i < 4; i++)
            printf(" %x", ((uint32_t *)(x + 576 + 16 * r))[i]);
    }
    puts("");
    mprotect((void *)0x2a001000, 4096, PROT_READ);
}

int
main(void)
{
    fc_init();
    fc_defaults();
    char *p = mmap((void *)0x2a000000, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    NEED(p == (void *)0x2a000000);
    mmap((void *)0x2a001000, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    for (int i = 0; i < 1024; i++)
        ((int *)p)[i] = i * 3 + 1;
    uint64_t end = (uint64_t)p + 4096;
#define T(n, r8, ad) \
    fc_in[7] = r8;   \
    fc_in[8] = r8;   \
    fc_run(#n, n, (uint64_t)n##_ip, ad, ~0)
    for (int k = 0; k < 2; k++) {
        T(v1, end - 7, end);
        T(v2, end - 31, end);
        T(v3, (uint64_t)p + 8, 0);
        T(v4, (uint64_t)p + 16, 0);
        T(v6, end - 8, end);
        T(v7, end - 20, end);
        T(v8, end, end);
        T(v9, end - 1, end);
        T(v10, (uint64_t)p + 4, 0);
        T(v11, end - 15, end);
        T(v12, (uint64_t)p + 1, 0);
        T(v13, end + 5, end + 5);
        T(v14, end - 2, end);
        T(v15, (uint64_t)p + 8, 0);
    }
    for (int i = 4080; i < 4096; i++) /* of the store across the end nothing was written */
        CHECK(((int *)p)[i / 4] == i / 4 * 3 + 1);
    /* a gather whose fourth lane faults: earlier lanes are done and their mask is clear; going on finishes it */
    tl_on(SIGSEGV, gather_handler, SA_ONSTACK);
    static uint32_t out[16];
    for (int i = 0; i < 3; i++) {
        mprotect((void *)0x2a001000, 4096, PROT_NONE);
        asm volatile(
            "vpcmpeqd %%ymm2,%%ymm2,%%ymm2\n vmovdqu gather_ix(%%rip),%%ymm1\n vpxor %%xmm0,%%xmm0,%%xmm0\n vpgatherdd %%ymm2,(%0,%%ymm1,4),%%ymm0\n"
            "vmovdqu %%ymm0,(%1)\n vmovdqu %%ymm2,32(%1)\n vzeroupper" ::"r"(end),
            "r"(out)
            : "xmm0", "xmm1", "xmm2", "memory");
        for (int k = 0; k < 16; k++)
            printf("%x ", out[k]);
        puts("");
    }
    return tl_end();
}
