//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

SNIP(s1, "", "mov %rax,(%rbx)");
SNIP(s2, "", "movb $7,3(%rcx)");
SNIP(s3, "", "add %r9,(%r8)");
SNIP(s4, "", "incl (%r10)");
SNIP(s5, "", "movaps %xmm1,(%r11)");
SNIP(s6, "", "xchg %r12,(%r13)");
SNIP(s7, "", "lock cmpxchg %r14,(%r13)");
SNIP(s8, "", "setc (%rsi)");
SNIP(s9, "", "stosl");
SNIP(s10, "", "movsq");
SNIP(s11, "", "movl $0x12345678,0x22000010");
SNIP(s12, "", "fstpl (%rdi)");
SNIP(s13, "", "shlq $3,(%rdx,%rbp,2)");
SNIP(s14, "", "negq (%rax)");
SNIP(s15, "", "bts %rcx,(%rdi)");
SNIP(s16, "", "sbb %al,(%rdi)");
SNIP(s17, "", "maskmovdqu %xmm1,%xmm0");
SNIP(s18, "", "movq $-1,(%r15)");
static char src[64];

int
main(void)
{
    fc_init();
    fc_defaults();
    char *p =
        mmap((void *)0x22000000, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    uint64_t B = 0x22000000;
    NEED(p == (void *)B);
    for (int k = 0; k < 2; k++) {
        fc_flags = k ? 0x202 | 0x8d5 : 0x202;
#define T(n, r, v, ad)                           \
    do {                                         \
        uint64_t o_ = fc_in[r];                  \
        fc_in[r] = v;                            \
        fc_run(#n, n, (uint64_t)n##_ip, ad, ~0); \
        fc_in[r] = o_;                           \
    } while (0)
        T(s1, 1, B, B);
        T(s2, 2, B, B + 3);
        T(s3, 7, B + 4096, B + 4096);
        T(s4, 9, B + 2, B + 2);
        T(s5, 10, B + 32, B + 32);
        T(s6, 12, B, B);
        fc_in[0] = 0;
        T(s7, 12, B, B);
        T(s8, 4, B + 1, B + 1);
        T(s9, 5, B + 8, B + 8);
        fc_in[4] = (uint64_t)src;
        T(s10, 5, B + 16, B + 16);
        T(s11, 0, 1, B + 16);
        fc_in[6] = 8;
        T(s13, 3, B, B + 16);
        T(s14, 0, B + 64, B + 64);
        fc_in[2] = 640;
        T(s15, 5, B, B + 80);
        T(s16, 5, B + 5, B + 5);
        T(s18, 14, B + 4, B + 4);
        fc_in[5] = B + 8;
        asm volatile("fld1");
        fc_run("s12", s12, (uint64_t)s12_ip, B + 8, ~0);
        asm volatile("fninit");
    }
    for (int i = 0; i < 8192; i++)
        if (p[i]) {
            CHECK(!"memory changed");
            break;
        }
    return tl_end();
}
