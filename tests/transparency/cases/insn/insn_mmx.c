#include "tl.h"

int
main(void)
{
    uint64_t s = 23, h = FNV0;
    unsigned char out[16];
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s), r;
        asm volatile("movq %1,%%mm0\n"
                     " movq %2,%%mm1\n"
                     " paddb %%mm1,%%mm0\n"
                     " pmaddwd %%mm0,%%mm1\n"
                     " punpcklbw %%mm1,%%mm0\n"
                     " psrlq $7,%%mm0\n"
                     " pshufw $0x1b,%%mm0,%%mm7\n"
                     " pxor %%mm7,%%mm1\n"
                     " packuswb %%mm1,%%mm0\n"
                     " pavgb %%mm1,%%mm0\n"
                     " pmulhuw %%mm7,%%mm0\n"
                     " psadbw %%mm0,%%mm7\n"
                     " paddq %%mm7,%%mm0\n"
                     " movq2dq %%mm0,%%xmm0\n"
                     " cvtpi2ps %%mm1,%%xmm1\n"
                     " movntq %%mm0,%0\n"
                     " pmovmskb %%mm1,%%eax\n"
                     " emms"
                     : "=m"(r)
                     : "m"(a), "m"(b)
                     : "xmm0", "xmm1", "rax", "memory");
        h = tl_fnv(h, &r, 8);
    }
    uint16_t tw[14];
    long double ld;
    asm volatile("fninit\n"
                 " movq %2,%%mm3\n"
                 " fnstenv %0\n"
                 " emms\n"
                 : "=m"(tw)
                 : "m"(s), "m"(h));
    printf("tw %x sw %x\n", tw[4], tw[2]);
    memset(out, '.', 16);
    asm volatile("movq %0,%%mm0\n"
                 " movq %1,%%mm1\n"
                 " mov %2,%%rdi\n"
                 " maskmovq %%mm1,%%mm0\n"
                 " emms" ::"m"(*(char(*)[8]) "abcdefgh"),
                 "m"(*(char(*)[8]) "\x80\0\x80\0\0\x80\x80\0"), "r"(out)
                 : "rdi", "memory");
    printf("%.8s %llx\n", out, (unsigned long long)h);
    return tl_end();
}
