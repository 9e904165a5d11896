//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* arithmetic traps: integer division, unmasked SSE exceptions, and x87 ones that come with the next x87 instruction */
SNIP(d1, "xor %edx,%edx\n xor %ecx,%ecx\n", "divq %rcx");
SNIP(d2, "mov $5,%edx\n mov $3,%ecx\n", "divq %rcx");
SNIP(d3, "mov $0x8000000000000000,%rax\n cqto\n mov $-1,%rcx\n", "idivq %rcx");
SNIP(d4, "mov $0x1234,%eax\n xor %ebx,%ebx\n", "divb %bl");
SNIP(d5, "mov $0x80000000,%eax\n cltd\n mov $-1,%ecx\n", "idivl %ecx");
SNIP(d6, "xor %edx,%edx\n", "divw zero(%rip)");
SNIP(s1, "ldmxcsr csr_dz(%rip)\n movss one(%rip),%xmm1\n xorps %xmm2,%xmm2\n", "divss %xmm2,%xmm1");
SNIP(s2, "ldmxcsr csr_inv(%rip)\n movss minus(%rip),%xmm1\n", "sqrtss %xmm1,%xmm1");
SNIP(s3, "ldmxcsr csr_ovf(%rip)\n movss huge_(%rip),%xmm1\n", "mulss %xmm1,%xmm1");
SNIP(s4, "ldmxcsr csr_unf(%rip)\n movss tiny_(%rip),%xmm1\n", "mulss %xmm1,%xmm1");
SNIP(s5, "ldmxcsr csr_inx(%rip)\n movss one(%rip),%xmm1\n movss three(%rip),%xmm2\n", "divss %xmm2,%xmm1");
SNIP(x1, "fninit\n fldcw cw_all(%rip)\n fld1\n fldz\n fdivrp\n nop\n add $1,%rax\n", "fwait");
SNIP(x2, "fninit\n fldcw cw_all(%rip)\n fld1\n fchs\n fsqrt\n mov $7,%ebx\n", "fstl slot(%rip)");
SNIP(x3, "fninit\n fld1\n fldz\n fdivrp\n nop\n fldcw cw_all(%rip)\n", "fld1");
asm(".data\nzero: .quad 0\nslot: .quad 0\none: .float 1\nminus: .float -1\nthree: .float 3\nhuge_: .float 3e38\ntiny_: .float 1e-38\n"
    "csr_dz: .long 0x1d80\ncsr_inv: .long 0x1f00\ncsr_ovf: .long 0x1b80\ncsr_unf: .long 0x1780\ncsr_inx: .long 0x0f80\ncw_all: .short 0x340\n.text\n");

int
main(void)
{
    fc_init();
    fc_defaults();
    uint32_t csr = 0x1f80;
#define T(n)                                              \
    fc_run(#n, n, (uint64_t)n##_ip, (uint64_t)n##_ip, 0); \
    asm volatile("fninit\n ldmxcsr %0" ::"m"(csr))
    for (int k = 0; k < 3; k++) {
        T(d1);
        T(d2);
        T(d3);
        T(d4);
        T(d5);
        T(d6);
        T(s1);
        T(s2);
        T(s3);
        T(s4);
        T(s5);
        T(x1);
        T(x2);
        T(x3);
    }
    return tl_end();
}
