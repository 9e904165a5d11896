#include "tl.h"

/* the callee moves its own return address */
extern long skip3(void), viastub(void), toother(void);
asm(".text\n"
    "adv: addq $7, (%rsp)\n"
    " ret\n" /* skips one 7-byte instruction */
    ".globl skip3\n"
    "skip3: xor %eax,%eax\n"
    " call adv\n"
    " .byte 0x48,0xc7,0xc0,0x63,0,0,0\n"
    " add $1,%rax\n"
    " call adv\n"
    " mov $0x77,%rax\n"
    " add $1,%rax\n"
    " ret\n"
    "swap: lea 1f(%rip),%rdx\n"
    " mov %rdx,(%rsp)\n"
    " ret\n"
    ".globl toother\n"
    "toother: mov $5,%eax\n"
    " call swap\n"
    " mov $6,%eax\n"
    " ret\n"
    "1: add $100,%eax\n"
    " ret\n"
    /* a callee that drops its own return address and returns to the caller's caller */
    "drop: add $8,%rsp\n"
    " ret\n"
    ".globl viastub\n"
    "viastub: mov $9,%eax\n"
    " call drop\n"
    " mov $1,%eax\n"
    " ret\n");

__attribute__((noinline)) static int
up(int n)
{
    return n ? up(n - 1) + 1 : (int)viastub();
}

int
main(void)
{
    for (int i = 0; i < 200000; i++) {
        EQ(skip3(), 2);
        EQ(toother(), 105);
        EQ(viastub(), 9);
        if (tl_bad)
            break;
    }
    EQ(up(500), 509);
    return tl_end();
}
