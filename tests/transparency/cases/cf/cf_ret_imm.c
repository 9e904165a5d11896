#include "tl.h"

extern long sum2(long, long), r0(void), r32k(void);
asm(".text\n"
    "callee: mov 8(%rsp),%rax\n"
    " add 16(%rsp),%rax\n"
    " ret $16\n"
    ".globl sum2\n"
    "sum2: mov %rsp,%r11\n"
    " push %rsi\n"
    " push %rdi\n"
    " call callee\n"
    " cmp %rsp,%r11\n"
    " jne 1f\n"
    " ret\n"
    "1: ud2\n"
    "c0: mov $4,%eax\n"
    " .byte 0xc2,0,0\n"
    ".globl r0\n"
    "r0: call c0\n"
    " inc %eax\n"
    " ret\n"
    "c32k: ret $0x8000\n"
    ".globl r32k\n"
    "r32k: mov %rsp,%r11\n"
    " sub $0x8000,%rsp\n"
    " call c32k\n"
    " mov %rsp,%rax\n"
    " sub %r11,%rax\n"
    " mov %r11,%rsp\n"
    " ret\n");

int
main(void)
{
    long t = 0;
    for (long i = 0; i < 1000000; i++)
        t += sum2(i, -2 * i);
    EQ(t, -499999500000L);
    EQ(r0(), 5);
    EQ(r32k(), 0);
    return tl_end();
}
