//! build: gcc -O2 -w -mindirect-branch=thunk -mfunction-return=thunk -fcf-protection=none -I$INC $SRC -o $OUT
#include "tl.h"

__attribute__((noinline)) static long
a(long x)
{
    return x + 3;
}

__attribute__((noinline)) static long
b(long x)
{
    return x * 5;
}

__attribute__((noinline)) static long
c(long x)
{
    return x ^ 0x77;
}

static long (*volatile f[3])(long) = {a, b, c};

__attribute__((noinline)) static int
sw(int k)
{
    switch (k) {
    case 0: return 4;
    case 1: return 9;
    case 2: return -3;
    case 3: return 8;
    case 4: return 100;
    case 5: return 7;
    }
    return 0;
}

extern long hand(void *, long);
asm(".text\n"
    ".globl hand\n"
    "hand: mov %rdi,%r11\n"
    " mov %rsi,%rdi\n"
    " call 2f\n"
    "1: pause\n"
    " lfence\n"
    " jmp 1b\n"
    "2: mov %r11,(%rsp)\n"
    " ret\n");

int
main(void)
{
    long x = 1;
    for (int i = 0; i < 1000000; i++) {
        x = f[(x & 0xffff) % 3](x) + sw(i % 6);
    }
    printf("%ld\n", x);
    for (int i = 0; i < 100000; i++)
        x = hand(b, x) ^ hand(a, i);
    printf("%ld\n", x);
    return tl_end();
}
