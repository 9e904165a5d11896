//! build: gcc -O2 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* a small bytecode interpreter with threaded dispatch */
enum { PUSH, ADD, SUB, DUP, SWAP, JNZ, DROP, MUL, HALT, OVER, MOD };

static long
run(const int *c)
{
    static void *const lab[] = {&&l_push, &&l_add, &&l_sub,  &&l_dup,  &&l_swap, &&l_jnz,
                                &&l_drop, &&l_mul, &&l_halt, &&l_over, &&l_mod};
    long st[64], *sp = st;
    const int *pc = c;
#define NEXT goto *lab[*pc++]
    NEXT;
l_push:
    *sp++ = *pc++;
    NEXT;
l_add:
    sp--;
    sp[-1] += sp[0];
    NEXT;
l_sub:
    sp--;
    sp[-1] -= sp[0];
    NEXT;
l_mul:
    sp--;
    sp[-1] *= sp[0];
    NEXT;
l_mod:
    sp--;
    sp[-1] %= sp[0];
    NEXT;
l_dup:
    sp[0] = sp[-1];
    sp++;
    NEXT;
l_over:
    sp[0] = sp[-2];
    sp++;
    NEXT;
l_swap : {
    long t = sp[-1];
    sp[-1] = sp[-2];
    sp[-2] = t;
}
    NEXT;
l_jnz : {
    int d = *pc++;
    if (*--sp)
        pc = c + d;
}
    NEXT;
l_drop:
    sp--;
    NEXT;
l_halt:
    return sp[-1];
}

int
main(void)
{
    /* acc n: acc = (acc*n + n) mod 1000003, n counts down */
    int prog[] = {PUSH, 1,    PUSH, 900000, /*4*/ SWAP, OVER, MUL, OVER, ADD,  PUSH, 1000003,
                  MOD,  SWAP, PUSH, 1,      SUB,        DUP,  JNZ, 4,    DROP, HALT};
    printf("%ld\n", run(prog));
    return tl_end();
}
