#include "tl.h"

/* code in five places up to 100 TB apart, calling each other through registers, memory and ret */
int
main(void)
{
    uint64_t at[5] = {0x10000000, 0x7000000000, 0x100000000000, 0x400000000000, 0x600000000000};
    unsigned char *p[5];
    for (int i = 0; i < 5; i++)
        p[i] = tl_rwx((void *)at[i], 4096);
    for (int i = 0; i < 5; i++) {
        unsigned char *q = p[i] + 100;
        /* sub rdi,1 ; js out ; mov rax, next ; add rsi, i+1 ; call rax ; ret ; out: mov rax,rsi ; ret */
        unsigned char c[] = {0x48, 0x83, 0xef, 1,    0x78, 0x11,  0x48, 0xb8, 0,    0,    0,    0,    0,   0,
                             0,    0,    0x48, 0x83, 0xc6, i + 1, 0xff, 0xd0, 0xc3, 0x48, 0x89, 0xf0, 0xc3};
        uint64_t nx = (uint64_t)p[(i + 2) % 5] + 100;
        memcpy(c + 8, &nx, 8);
        memcpy(q, c, sizeof c);
    }
    long (*f)(long, long) = (void *)(p[0] + 100);
    for (int i = 0; i < 2000; i++) {
        long want = 0;
        int k = 0;
        for (int n = 0; n < 500; n++) {
            want += k + 1;
            k = (k + 2) % 5;
        }
        EQ(f(500, 0), want);
        if (tl_bad)
            break;
    }
    /* jmp [rip+d] across */
    unsigned char *q = p[1] + 512;
    uint64_t t = at[4] + 1024;
    q[0] = 0xff;
    q[1] = 0x25;
    q[2] = q[3] = q[4] = q[5] = 0;
    memcpy(q + 6, &t, 8);
    unsigned char r[] = {0xb8, 0x44, 0x33, 0x22, 0x11, 0xc3};
    memcpy((void *)t, r, 6);
    EQ(((int (*)(void))q)(), 0x11223344);
    return tl_end();
}
