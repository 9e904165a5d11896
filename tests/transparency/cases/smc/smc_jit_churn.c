#include "tl.h"

/* a code generator with a ring buffer: 60,000 functions, each run some times and then overwritten by another that straddles it */
enum { SIZE = 65536 };

static unsigned char *buf;

static int
gen(unsigned char *q, uint64_t *s, uint32_t *k)
{
    unsigned char *p = q;
    int n = 1 + tl_rng(s) % 12;
    *p++ = 0x89, *p++ = 0xf8; /* mov eax,edi */
    for (int i = 0; i < n; i++) {
        uint32_t v = tl_rng(s) >> 33;
        switch (tl_rng(s) % 5) {
        case 0:
            *p++ = 0x05;
            memcpy(p, &v, 4);
            p += 4;
            break; /* add */
        case 1:
            *p++ = 0x35;
            memcpy(p, &v, 4);
            p += 4;
            break;                                              /* xor */
        case 2: *p++ = 0xc1, *p++ = 0xc0, *p++ = v & 31; break; /* rol */
        case 3:
            *p++ = 0xa8, *p++ = 1, *p++ = 0x74, *p++ = 2, *p++ = 0xf7, *p++ = 0xd0;
            break; /* test al,1 ; jz ; not */
        case 4:
            *p++ = 0x69, *p++ = 0xc0;
            v |= 1;
            memcpy(p, &v, 4);
            p += 4;
            break; /* imul */
        }
    }
    *p++ = 0xc3;
    return p - q;
}

static uint32_t
interpret(const unsigned char *p, uint32_t a)
{
    uint32_t v;
    for (p += 2;;) {
        switch (*p++) {
        case 0x05:
            memcpy(&v, p, 4);
            a += v;
            p += 4;
            break;
        case 0x35:
            memcpy(&v, p, 4);
            a ^= v;
            p += 4;
            break;
        case 0xc1:
            v = p[1];
            a = a << v | (v ? a >> (32 - v) : 0);
            p += 2;
            break;
        case 0xa8:
            if (a & 1)
                a = ~a;
            p += 5;
            break;
        case 0x69:
            memcpy(&v, p + 1, 4);
            a *= v;
            p += 5;
            break;
        case 0xc3: return a;
        default: abort();
        }
    }
}

int
main(void)
{
    buf = tl_rwx(0, SIZE + 256);
    uint64_t s = 2718, h = FNV0;
    uint32_t k = 0;
    unsigned at = 0;
    for (int i = 0; i < 60000; i++) {
        unsigned char *q = buf + at;
        int n = gen(q, &s, &k);
        for (int r = 0; r < 1 + i % 3; r++) {
            uint32_t x = i * 77 + r, got = ((uint32_t(*)(uint32_t))q)(x);
            if (got != interpret(q, x)) {
                printf("FAIL %d at %u\n", i, at);
                return 1;
            }
            h = h * 31 + got;
        }
        at = (at + n + tl_rng(&s) % 5) % SIZE;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
