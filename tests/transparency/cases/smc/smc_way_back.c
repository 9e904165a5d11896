//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* a page of code that is written often, then left alone and run for long, then written again, and so on */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192);
    volatile int *data = (int *)(p + 64);
    int (*f)(void) = (void *)p, (*g)(void) = (void *)(p + 4096 - 3);     /* g crosses into the second page */

    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 200; i++) {
            p[0] = p[4096 - 3] = 0xb8;
            memcpy(p + 1, &i, 4);
            memcpy(p + 4096 - 2, &i, 4);
            p[5] = p[4096 + 2] = 0xc3;
            *data = i;
            EQ(f(), i);
            EQ(g(), i);
            p[4096] ^= 0x10;             /* the immediate's third byte, in the second page */
            EQ(g(), i ^ 0x100000);
        }
        double end = tl_now() + 0.25;
        for (int i = 0; tl_now() < end; i++)
            for (int k = 0; k < 1000; k++)
                if (f() != 199 || g() != (199 ^ 0x100000))
                    return puts("changed"), 1;
        p[1] = round;
        EQ(f(), round);
        p[4096] = 0;
        EQ(g() & 0xff0000, 0);
        if (tl_bad)
            break;
    }
    return tl_end();
}
