#include "tl.h"

/* packed code: each layer decrypts the next in place and jumps into it */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192);

    enum { LAYERS = 20, SZ = 64 };

    for (int round = 0; round < 100; round++) {
        unsigned char *end = p + LAYERS * SZ;
        unsigned char fin[] = {0x05, 0x11, 0x11, 0, 0, 0xc3}; /* add eax,0x1111 ; ret */
        memset(p, 0x90, (LAYERS + 1) * SZ);
        memcpy(end, fin, sizeof fin);
        for (int l = LAYERS - 1; l >= 0; l--) {
            unsigned char key = 0x5a + l * 7 + round;
            /* lea rsi,[rip+next]; mov ecx,len; x: xor byte [rsi+rcx-1],key; dec ecx; jnz x; inc eax; jmp next */
            unsigned char c[] = {0x48, 0x8d, 0x35, 0,    0,    0,    0,    0xb9, 0,    0,    0, 0, 0x80, 0x74,
                                 0x0e, 0xff, key,  0xff, 0xc9, 0x75, 0xf7, 0xff, 0xc0, 0xe9, 0, 0, 0,    0};
            unsigned char *at = p + l * SZ, *next = at + SZ;
            int d = next - (at + 7), len = SZ, j = next - (at + (int)sizeof c);
            memcpy(c + 3, &d, 4);
            memcpy(c + 8, &len, 4);
            memcpy(c + 24, &j, 4);
            memcpy(at, c, sizeof c);
            for (int i = 0; i < SZ; i++)
                next[i] ^= key;
        }
        int r;
        asm volatile("xor %%eax,%%eax\n call *%1" : "=&a"(r) : "r"(p) : "rsi", "rcx", "memory", "cc");
        EQ(r, LAYERS + 0x1111);
        /* every layer is plain now */
        for (int l = 0; l < LAYERS; l++)
            EQ(p[l * SZ], 0x48);
        if (tl_bad)
            break;
    }
    return tl_end();
}
