//! need: cpu:avx2
//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* random SSE2 and AVX2 integer code over xmm0-15/ymm0-15, with memory operands */
static unsigned char st[16][32], mem[1024] __attribute__((aligned(64))), *code, *p;
static uint64_t s = 192837465;

static void
e(int b)
{
    *p++ = b;
}

static unsigned
R(unsigned n)
{
    return tl_rng(&s) % n;
}

static const unsigned char ops[] = {
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x74, 0x75, 0x76,
    0xd1, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9,
    0xea, 0xeb, 0xec, 0xed, 0xee, 0xef, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe};

int
main(void)
{
    p = code = tl_rwx((void *)0x19000000, 4 << 20);
    uint64_t h = FNV0;
    static unsigned char *at[1500];
    for (int t = 0; t < 1500; t++) { /* all code first */
        at[t] = p;
        for (int i = 0; i < 16; i++) {
            e(0xc5);
            e(i > 7 ? 0x7e : 0xfe);
            e(0x6f);
            e(0x04 | (i & 7) << 3);
            e(0x25);
            uint32_t a = (uint32_t)(uint64_t)st[i];
            memcpy(p, &a, 4);
            p += 4;
        }
        for (int n = 30 + R(50); n--;) {
            int a = R(16), b = R(16), c = R(16), o = ops[R(sizeof ops)], m = R(3) == 0;
            uint32_t ad = (uint32_t)(uint64_t)mem + 16 * R(60);
            if (R(2)) {
                e(0x66);
                e(0x40 | (a > 7) << 2 | (m ? 0 : b > 7));
                e(0x0f);
                e(o);
            } else {
                e(0xc4);
                e(0x01 | (a > 7 ? 0 : 0x80) | 0x40 | (m || b < 8 ? 0x20 : 0));
                e((~c & 15) << 3 | R(2) << 2 | 1);
                e(o);
            }
            if (m) {
                e(0x04 | (a & 7) << 3);
                e(0x25);
                memcpy(p, &ad, 4);
                p += 4;
            } else
                e(0xc0 | (a & 7) << 3 | (b & 7));
        }
        for (int i = 0; i < 16; i++) {
            e(0xc5);
            e(i > 7 ? 0x7e : 0xfe);
            e(0x7f);
            e(0x04 | (i & 7) << 3);
            e(0x25);
            uint32_t a = (uint32_t)(uint64_t)st[i];
            memcpy(p, &a, 4);
            p += 4;
        }
        e(0xc5);
        e(0xf8);
        e(0x77);
        e(0xc3);
    }
    for (int t = 0; t < 1500; t++) {
        for (int i = 0; i < 512; i++)
            st[0][i] = tl_rng(&s) >> 20;
        for (int i = 0; i < 1024; i++)
            mem[i] = tl_rng(&s) >> 11;
        ((void (*)(void))at[t])();
        h = tl_fnv(h, st, sizeof st);
        if (t % 300 == 0)
            printf("%d %llx\n", t, (unsigned long long)h);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
