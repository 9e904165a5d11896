#include "tl.h"

/* the same bytes read as two different instruction streams */
extern long ov(long, long), pfx(volatile int *, long);
asm(".text\n"
    ".globl ov\n"
    "ov: xor %eax,%eax\n"
    " test %rdi,%rdi\n"
    " jz 2f\n"
    " jmp 1f+2\n"
    "2:\n"
    "1: .byte 0x48,0xb8\n"        /* movabs rax, imm64 -- whose immediate is code */
    ".byte 0x48,0x8d,0x46,0x01\n" /* lea rax,[rsi+1] */
    ".byte 0xeb,0x00,0x90,0x90\n" /* jmp +0; nop; nop */
    "ret\n"
    /* jump over a lock prefix */
    ".globl pfx\n"
    "pfx: test %rsi,%rsi\n"
    " jz 4f\n"
    " jmp 5f\n"
    "4: lock\n"
    "5: incl (%rdi)\n"
    " mov (%rdi),%eax\n"
    " ret\n");

int
main(void)
{
    for (int i = 0; i < 100000; i++) {
        if (ov(0, i) != (long)0x909000eb01468d48ull) {
            tl_bad++;
            break;
        }
        if (ov(1, i) != i + 1) {
            tl_bad++;
            break;
        }
    }
    volatile int c = 0;
    for (int i = 0; i < 10000; i++)
        pfx(&c, i & 1);
    EQ(c, 10000);
    /* the same immediate, entered from its start and from its middle */
    unsigned char *p = tl_rwx(0, 4096);
    p[64] = 0x48;
    p[65] = 0x05;
    p[66] = 0x04;
    p[67] = 0x05;
    p[68] = 0xc3;
    p[69] = 0x90;
    p[70] = 0xc3; /* add rax,0x90c30504 | add al,5; ret */
    EQ(({
           long r;
           asm volatile("xor %%eax,%%eax\n"
                        " call *%1"
                        : "=&a"(r)
                        : "r"(p + 64)
                        : "memory", "cc");
           r;
       }),
       (long)(int)0x90c30504);
    EQ(({
           long r;
           asm volatile("xor %%eax,%%eax\n"
                        " call *%1"
                        : "=&a"(r)
                        : "r"(p + 66)
                        : "memory", "cc");
           r;
       }),
       5);
    return tl_end();
}
