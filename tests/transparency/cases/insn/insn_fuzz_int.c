//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* random integer code over every register but rsp, with memory operands, jumps over code and flag users */
static uint64_t st[16], flags_in, flags_out, saved_sp, mem[64];
static unsigned char *p;
static uint64_t s = 987654321;

static unsigned
R(unsigned n)
{
    return tl_rng(&s) % n;
}

static void
e(int b)
{
    *p++ = b;
}

static void
e4(uint32_t v)
{
    memcpy(p, &v, 4);
    p += 4;
}

static int
reg(void)
{
    int r;
    while ((r = R(16)) == 4)
        ;
    return r;
}

/* modrm for an absolute address */
static void
abs_operand(int r, void *a)
{
    e(0x04 | (r & 7) << 3);
    e(0x25);
    e4((uint32_t)(uintptr_t)a);
}

static void
one(void)
{
    static const unsigned char alu[] = {0x01, 0x03, 0x09, 0x0b, 0x11, 0x13, 0x19, 0x1b, 0x21,
                                        0x23, 0x29, 0x2b, 0x31, 0x33, 0x39, 0x3b, 0x85};
    int a = reg(), b = reg(), w = R(3), rex = (w == 2 ? 0x48 : 0x40) | (a > 7) << 2 | (b > 7);
    int kind = R(12);
    if (w == 1 && kind < 11 && R(2))
        e(0x66);
    switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
        e(rex);
        e(alu[R(sizeof alu)]);
        e(0xc0 | (a & 7) << 3 | (b & 7));
        break;
    case 4:
        e(rex & ~1);
        e(alu[R(sizeof alu)]);
        abs_operand(a, mem + R(60));
        break;
    case 5:
        e(rex);
        e(alu[R(sizeof alu)] & ~1);
        e(0xc0 | (a & 7) << 3 | (b & 7));
        break; /* bytes, with rex */
    case 6:
        e(rex & ~4);
        e(0x83);
        e(0xc0 | R(8) << 3 | (b & 7));
        e(R(256));
        break;
    case 7:
        e(rex & ~4);
        e(R(2) ? 0xc1 : 0xd1);
        e(0xc0 | (unsigned[]){0, 1, 4, 5, 7}[R(5)] << 3 | (b & 7));
        if (p[-2] == 0xc1)
            e(1);
        break;
    case 8:
        e(rex);
        e(0x0f);
        e(0x40 | R(16));
        e(0xc0 | (a & 7) << 3 | (b & 7));
        break; /* cmov */
    case 9:
        e(0x40 | (b > 7));
        e(0x0f);
        e(0x90 | R(16));
        e(0xc0 | (b & 7));
        break; /* setcc */
    case 10:
        e(rex);
        e(0x8d);
        e(0x84 | (a & 7) << 3);
        e(0x80 | (b & 7) | (b & 7) << 3);
        if ((b & 7) == 4)
            p[-1] = 0x24;
        e4(R(1000));
        break;
    case 11: { /* jcc over a few */
        unsigned char *d;
        e(0x70 | R(16));
        d = p++;
        for (int n = 1 + R(3); n--;) {
            e(0x48 | (b > 7));
            e(0xff);
            e(0xc0 | R(2) << 3 | (b & 7));
        }
        *d = p - d - 1;
    }
    }
}

int
main(void)
{
    enum { N = 1500 };

    static unsigned char *at[N];
    uint64_t h = FNV0;
    p = tl_rwx((void *)0x1b000000, 4 << 20);
    for (int t = 0; t < N; t++) {
        at[t] = p;
        memcpy(p, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10); /* push callee-saved */
        p += 10;
        for (int i = 0; i < 16; i++)
            if (i != 4) {
                e(0x48 | (i > 7) << 2);
                e(0x8b);
                abs_operand(i, st + i);
            }
        e(0xff);
        abs_operand(6, &flags_in); /* push flags ; popf */
        e(0x9d);
        for (int n = 20 + R(60); n--;)
            one();
        for (int i = 0; i < 16; i++)
            if (i != 4) {
                e(0x48 | (i > 7) << 2);
                e(0x89);
                abs_operand(i, st + i);
            }
        e(0x9c); /* pushf ; pop flags */
        e(0x8f);
        abs_operand(0, &flags_out);
        memcpy(p, "\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3", 11);
        p += 11;
    }
    for (int r = 0; r < 3; r++)
        for (int t = 0; t < N; t++) {
            for (int i = 0; i < 16; i++)
                st[i] = tl_rng(&s) >> R(50);
            for (int i = 0; i < 64; i++)
                mem[i] = tl_rng(&s);
            flags_in = 0x202 | (tl_rng(&s) & 0x8d5);
            ((void (*)(void))at[t])();
            flags_out &= 0x8c5;
            h = tl_fnv(h, st, sizeof st);
            h = tl_fnv(h, mem, sizeof mem) ^ flags_out;
            if (t % 500 == 0)
                printf("%d %llx\n", t, (unsigned long long)h);
        }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
