//! build: printf '.text\n.altmacro\n.macro one n\nfn\\n: push %%rbp\n mov %%rsp,%%rbp\n lea \\n(%%rdi,%%rdi,2),%%rax\n test $1,%%al\n jz 1f\n xor $\\n,%%rax\n1: pop %%rbp\n ret\n.pushsection .data.rel.local,"aw"\n.quad fn\\n\n.popsection\n.endm\n.section .data.rel.local,"aw"\n.globl tab\ntab:\n.text\n.set i,0\n.rept 50000\n one %%i\n.set i,i+1\n.endr\n' > $B/many.S && gcc -c $B/many.S -o $B/many.o && gcc -O1 -w -I$INC $SRC $B/many.o -o $OUT
#include "tl.h"

extern long (*tab[50000])(long);

int
main(void)
{
    uint64_t h = FNV0;
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 50000; i++) {
            long v = tab[(i * 7919L + r) % 50000](i), n = (i * 7919L + r) % 50000, w = 3L * i + n;
            if (w & 1)
                w ^= n;
            if (v != w) {
                EQ(v, w);
                return 1;
            }
            h = (h ^ v) * 0x100000001b3ull;
        }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
