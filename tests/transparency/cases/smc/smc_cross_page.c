#include "tl.h"

int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192);
    for (int k = 1; k < 6; k++) {
        unsigned char *q = p + 4096 - k;
        q[0] = 0xb8;
        q[5] = 0xc3;
        for (int i = 0; i < 500; i++) {
            if (i & 1)
                *(int *)(q + 1) = i * 3;
            else {
                q[1] = i;
                q[2] = i >> 8;
                q[3] = 1;
                q[4] = 0;
            }
            int w = *(volatile int *)(q + 1);
            EQ(((int (*)(void))q)(), w);
            if (tl_bad)
                return tl_end();
        }
    }
    /* code in page 1, called from page 2 which it patches */
    unsigned char *a = p + 100, *b = p + 4096 + 100, c[] = {0x88, 0x1d, 0, 0, 0, 0, 0xc3};
    int d = (int)(b + 1 - (a + 6));
    memcpy(a, c, 7);
    memcpy(a + 2, &d, 4);
    b[0] = 0xb8;
    b[5] = 0xc3;
    for (int i = 0; i < 1000; i++) {
        asm volatile("call *%0" ::"r"(a), "b"(i) : "memory");
        EQ(((int (*)(void))b)() & 0xff, i & 0xff);
        if (tl_bad)
            break;
    }
    return tl_end();
}
