#include "tl.h"

int
main(void)
{
    static unsigned char a[512] __attribute__((aligned(16))), b[512] __attribute__((aligned(16)));
    char v[16][16];
    for (int i = 0; i < 256; i++)
        ((char *)v)[i] = i * 7;
    for (int n = 0; n < 500; n++) {
        asm volatile("fninit\n"
                     " fld1\n"
                     " fldpi\n"
                     " movdqu 0(%1),%%xmm0\n"
                     " movdqu 16(%1),%%xmm1\n"
                     " movdqu 240(%1),%%xmm15\n"
                     " movdqu 128(%1),%%xmm8\n"
                     " fxsave64 (%0)\n"
                     " xorps %%xmm0,%%xmm0\n"
                     " xorps %%xmm15,%%xmm15\n"
                     " pcmpeqd %%xmm8,%%xmm8\n"
                     " fninit\n"
                     " fxrstor64 (%0)\n"
                     " movdqu %%xmm8,%%xmm3\n"
                     " pxor %%xmm3,%%xmm3\n"
                     " fxsave64 (%2)" ::"r"(a),
                     "r"(v), "r"(b)
                     : "memory", "xmm0", "xmm1", "xmm3", "xmm8", "xmm15");
        EQ(memcmp(a + 160, v[0], 16), 0);
        EQ(memcmp(a + 160 + 240, v[15], 16), 0);
        EQ(memcmp(b + 160 + 128, v[8], 16), 0);
        EQ(memcmp(b + 160 + 240, v[15], 16), 0);
        EQ(memcmp(a + 32, b + 32, 32), 0);
        EQ(a[4], 0xc0);
        EQ(*(uint16_t *)a, 0x37f);
        EQ(*(uint32_t *)(a + 24), 0x1f80);
        if (tl_bad)
            break;
        asm volatile("fninit");
    }
    printf("mask %x\n", *(uint32_t *)(a + 28));
    return tl_end();
}
