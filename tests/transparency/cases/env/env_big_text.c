//! build: printf '.text\n.globl bigf\nbigf:\n.set i,0\n.rept 60000\n add $1,%%rax\n jmp 1f\n.fill 500,1,0xcc\n1:\n.endr\n ret\n' > $B/big.S && gcc -c $B/big.S -o $B/big.o && gcc -O1 -w -I$INC $SRC $B/big.o -o $OUT
#include "tl.h"

/* 30 MB of text, 60,000 blocks far apart */
int
main(void)
{
    long r;
    for (int i = 0; i < 3; i++) {
        asm volatile("xor %%eax,%%eax\n"
                     " call bigf"
                     : "=a"(r)::"cc", "memory");
        EQ(r, 60000);
    }
    return tl_end();
}
