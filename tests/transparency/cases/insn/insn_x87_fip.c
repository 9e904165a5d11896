#include "tl.h"

/* the x87 instruction pointer is the program's, never the code cache's */
extern void dv(void *), dv2(void *);
extern char dvi[], dvi2[];
asm(".text\n"
    ".globl dv,dvi,dv2,dvi2\n"
    "dv: fninit\n"
    " movw $0x37b,-2(%rsp)\n"
    " fldcw -2(%rsp)\n"
    " fld1\n"
    " fldz\n"
    "dvi: fdivrp\n"
    " fnstenv (%rdi)\n"
    " fninit\n"
    " ret\n"
    "dv2: fninit\n"
    " movw $0x37b,-2(%rsp)\n"
    " fldcw -2(%rsp)\n"
    " fldz\n"
    " fld1\n"
    "dvi2: fdiv %st(1),%st\n"
    " fxsave64 (%rdi)\n"
    " fninit\n"
    " ret\n");

int
main(void)
{
    uint32_t e[7];
    static unsigned char f[512] __attribute__((aligned(16)));
    for (int i = 0; i < 10; i++) {
        dv(e);
        EQ(e[3], (uint32_t)(uint64_t)dvi);
        dv2(f);
        EQ(*(uint64_t *)(f + 8), (uint64_t)dvi2);
        EQ((e[1] & 0x84), 0x84);
    }
    return tl_end();
}
