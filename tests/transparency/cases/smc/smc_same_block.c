#include "tl.h"

/* a block that rewrites an instruction a few bytes ahead of itself, in the very block that executes */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 4096);
    /* mov [rip+3], edi ; mov eax, imm32 (the imm is what was stored) ; ret -- c7.. : 89 3d disp32 ; b8 imm ; c3 */
    unsigned char c[] = {0x89, 0x3d, 1, 0, 0, 0, 0xb8, 0, 0, 0, 0, 0xc3};
    memcpy(p, c, sizeof c);
    for (int i = 0; i < 5000; i++)
        if (((int (*)(int))p)(i * 7) != i * 7) {
            EQ(((int (*)(int))p)(i * 7), i * 7);
            break;
        }
    /* overwrite the next opcode: nop -> inc eax */
    unsigned char *q = p + 2048,
                  d[] = {0x31, 0xc0, 0x66, 0x89, 0x3d, 2, 0, 0, 0, 0x90, 0x90, 0x90, 0x90, 0xff, 0xc0, 0xc3};
    memcpy(q, d, sizeof d);
    for (int i = 0; i < 2000; i++) {
        EQ(((int (*)(int))q)(i & 1 ? 0xc0ff : 0x9090), 1 + (i & 1));
        if (tl_bad)
            break;
    }
    /* a loop that counts by changing its own bound */
    unsigned char *r = p + 1024, e[] = {0x31, 0xc0, 0xff, 0xc0, 0x83, 0xf8, 5, 0x75, 0xf9,
                                        0x80, 0x05, 0xf6, 0xff, 0xff, 0xff, 1, 0xc3};
    memcpy(r, e, sizeof e);
    for (int i = 0; i < 100; i++)
        EQ(((int (*)(void))r)(), 5 + i);
    return tl_end();
}
