//! need: cpu:avx2 cpu:movbe cpu:sse4_2
//! build: gcc -O1 -w -mavx -I$INC $SRC -o $OUT
#include "tl.h"

uint64_t g8[8] __attribute__((aligned(64))) = {0x0807060504030201, 2, 3, 4, 5, 6, 7, 8};

static long
tgt(void)
{
    return 31;
}

long (*gfp)(void) = tgt;
extern long ripjmp(void), ripcall(void), ripmisc(long);
extern char here[];
asm(".text\n"
    ".globl ripjmp,ripcall,ripmisc,here\n"
    "ripjmp: lea 1f(%rip),%rax\n"
    " mov %rax,slot(%rip)\n"
    " xor %eax,%eax\n"
    " jmp *slot(%rip)\n"
    " ud2\n"
    "1: mov $12,%eax\n"
    " ret\n"
    "ripcall: sub $8,%rsp\n"
    " call *gfp(%rip)\n"
    " add $8,%rsp\n"
    " ret\n"
    "ripmisc: movb $0x7f,slot(%rip)\n"
    " movw $0x1234,slot+1(%rip)\n"
    " movl $0x55667788,slot+8(%rip)\n"
    " movq $-3,slot+16(%rip)\n"
    " addb $1,slot(%rip)\n"
    " addw $0x101,slot+1(%rip)\n"
    " addl $0x01010101,slot+8(%rip)\n"
    " addq $-2,slot+16(%rip)\n"
    " addq $0x12345678,slot+16(%rip)\n"
    " shll $3,slot+8(%rip)\n"
    " rorq slot+16(%rip)\n"
    " notw slot+1(%rip)\n"
    " incb slot(%rip)\n"
    " btsq $40,slot+16(%rip)\n"
    " imul $1000,slot+8(%rip),%eax\n"
    " imul $-7,slot+16(%rip),%rdx\n"
    " cmpb $3,slot(%rip)\n"
    " adc $0,%rax\n"
    " testl $0x10,slot+8(%rip)\n"
    " setz %cl\n"
    " movzx %cl,%ecx\n"
    " add %rcx,%rax\n"
    " add %rdx,%rax\n"
    " pushq slot+8(%rip)\n"
    " popq slot+24(%rip)\n"
    " xchg %rax,slot+32(%rip)\n"
    " lock xadd %rdi,slot+32(%rip)\n"
    " mov %rdi,%rax\n"
    " cmpxchg %rsi,slot+24(%rip)\n"
    " shldq $5,%rdi,slot+16(%rip)\n"
    " movbe slot+8(%rip),%rdx\n"
    " xor slot+16(%rip),%rdx\n"
    " xor slot+24(%rip),%rdx\n"
    " xor slot+32(%rip),%rdx\n"
    " mov %rdx,%rax\n"
    "here: lea here(%rip),%rcx\n"
    " lea (%rip),%rdx\n"
    " sub %rcx,%rdx\n"
    " add %rdx,%rax\n"
    " lea here(%eip),%ecx\n"
    " ret\n"
    ".data\n"
    ".balign 64\n"
    "slot: .fill 64,1,0\n"
    ".text\n");

int
main(void)
{
    EQ(ripjmp(), 12);
    EQ(ripcall(), 31);
    for (int i = 0; i < 100; i++) {
        long r = ripmisc(i);
        if (i < 3 || i == 99)
            printf("%lx\n", r);
    }
    uint64_t a, b;
    char v[32];
    asm volatile("vmovdqa g8(%%rip),%%ymm0\n"
                 " vpaddq g8+32(%%rip),%%ymm0,%%ymm0\n"
                 " pshufd $0x1b,g8(%%rip),%%xmm1\n"
                 " vpalignr $3,g8+16(%%rip),%%xmm1,%%xmm1\n"
                 " vinserti128 $1,%%xmm1,%%ymm0,%%ymm0\n"
                 " vmovdqu %%ymm0,%0\n"
                 " vzeroupper"
                 : "=m"(v)::"xmm0", "xmm1");
    printf("%llx\n", (unsigned long long)tl_fnv(FNV0, v, 32));
    asm volatile("movzbl g8+3(%%rip),%k0\n"
                 " movsbq g8+7(%%rip),%1\n"
                 " cvtsi2sdq g8+8(%%rip),%%xmm0\n"
                 " mulsd %%xmm0,%%xmm0\n"
                 " cvttsd2si %%xmm0,%%rcx\n"
                 " add %%rcx,%0\n"
                 " crc32b g8+2(%%rip),%k1"
                 : "=&r"(a), "=&r"(b)::"rcx", "xmm0");
    printf("%lx %lx\n", a, b);
    asm volatile("fldl g8(%%rip)\n"
                 " fildll g8+16(%%rip)\n"
                 " fistpll g8+40(%%rip)\n"
                 " fstpt g8+48(%%rip)" ::
                     : "memory", "st", "st(1)");
    EQ(g8[5], 3);
    return tl_end();
}
