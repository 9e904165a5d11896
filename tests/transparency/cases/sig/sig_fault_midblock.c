//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* the fault comes after register and flag changes of the same block: all of them must show, none of the later ones */
SNIP(m1,
     "add $1,%rax\n"
     " sub $2,%rcx\n"
     " mov %rbx,%r8\n"
     " cmp %rdx,%rdx\n"
     " lea 5(%rsi),%rsi\n",
     "mov (%rdi),%r9\n"
     " add $100,%rax\n"
     " mov $1,%r8");
SNIP(m2,
     "xor %eax,%eax\n"
     " inc %eax\n"
     " mov $7,%ebx\n"
     " push %rbx\n"
     " pop %r12\n"
     " stc\n",
     "adc (%rdi),%rax\n"
     " mov $5,%ebx");
SNIP(m3,
     "mov $0x1234,%r10d\n"
     " mov %r10,%r11\n"
     " shl $4,%r11\n"
     " test %r11,%r11\n"
     " xchg %r10,%r13\n",
     "mov %r11,(%rdi)\n"
     " xor %r11d,%r11d");
SNIP(m4,
     "push %rax\n"
     " push %rcx\n"
     " sub $64,%rsp\n"
     " mov %rsp,%rbp\n"
     " and $0,%ebp\n",
     "mov (%rdi),%rax\n"
     " add $80,%rsp");
SNIP(m5,
     "lea 0x1000(%rip),%r14\n"
     " sub $0x1000,%r14\n"
     " rdtsc\n"
     " mov $3,%eax\n"
     " mov $4,%edx\n"
     " cpuid\n"
     " mov $0,%eax\n"
     " mov $0,%ebx\n"
     " mov $0,%ecx\n"
     " mov $0,%edx\n"
     " cmp $1,%eax\n",
     "mov (%rdi),%rax");
SNIP(m6,
     "call 1f\n"
     " 1: pop %r15\n"
     " movzbl %ah,%eax\n"
     " mov %al,%bh\n"
     " cmc\n"
     " std\n",
     "mov (%rdi),%rax\n"
     " cld");
SNIP(m7,
     "mov $3,%ecx\n"
     " 1: dec %ecx\n"
     " jnz 1b\n"
     " sub $1,%ecx\n"
     " jns 2f\n"
     " mov %fs:0,%rdx\n"
     " mov $9,%edx\n"
     " 2:\n",
     "cmpq $0,(%rdi)\n"
     " mov $1,%edx");
SNIP(m8,
     ".rept 300\n"
     " lea 1(%rax),%rax\n"
     ".endr\n"
     " add %rax,%rbx\n",
     "movq (%rdi),%xmm0\n"
     " .rept 300\n"
     " lea 1(%rax),%rax\n"
     ".endr");

int
main(void)
{
    fc_init();
    fc_defaults();
    fc_in[5] = 0x10;
#define T(n, m) fc_run(#n, n, (uint64_t)n##_ip, 0x10, m)
    for (int k = 0; k < 3; k++) {
        fc_in[0] += k;
        fc_flags ^= k;
        T(m1, ~0);
        T(m2, ~0);
        T(m3, ~0x10);
        T(m4, ~0x10);
        T(m5, ~0);
        T(m6, ~0);
        T(m7, ~0);
        T(m8, ~0);
    }
    return tl_end();
}
