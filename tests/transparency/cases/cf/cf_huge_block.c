#include "tl.h"

/* 120,000 instructions without a branch, several flavours */
extern long huge1(long), huge2(long, volatile long *);
asm(".text\n"
    ".globl huge1\n"
    "huge1: mov %rdi,%rax\n"
    ".rept 40000\n"
    " lea 3(%rax,%rax,2),%rax\n"
    " xor $0x55,%rax\n"
    " ror $7,%rax\n"
    ".endr\n"
    " ret\n"
    ".globl huge2\n"
    "huge2: mov %rdi,%rax\n"
    ".rept 20000\n"
    " add (%rsi),%rax\n"
    " adc $0,%rax\n"
    " mov %rax,(%rsi)\n"
    ".endr\n"
    " ret\n");

int
main(void)
{
    unsigned long x = 1;
    for (int i = 0; i < 20; i++)
        x = huge1(x);
    printf("%lx\n", x);
    unsigned long w = 1;
    for (int k = 0; k < 20; k++)
        for (int i = 0; i < 40000; i++) {
            w = w * 3 + 3;
            w ^= 0x55;
            w = w >> 7 | w << 57;
        }
    EQ(w, x);
    volatile long m = 5;
    for (int i = 0; i < 5; i++)
        x = huge2(x, &m);
    printf("%lx %lx\n", x, m);
    return tl_end();
}
