#include "tl.h"

int
main(void)
{
    uint64_t s = 2024, h = FNV0;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s) >> (i % 63), lo, hi;
        uint8_t co;
        asm volatile("mulq %4\n"
                     " setc %2"
                     : "=a"(lo), "=d"(hi), "=r"(co)
                     : "a"(a), "r"(b)
                     : "cc");
        h = tl_fnv(h, &lo, 8) ^ hi ^ co;
        asm volatile("imulq %4\n"
                     " seto %2"
                     : "=a"(lo), "=d"(hi), "=r"(co)
                     : "a"(a), "r"(b)
                     : "cc");
        h = tl_fnv(h, &lo, 8) ^ hi ^ co;
        asm volatile("imul %2,%0\n"
                     " seto %1"
                     : "+r"(lo), "=q"(co)
                     : "r"(b)
                     : "cc");
        h = tl_fnv(h, &lo, 8) ^ co;
        asm volatile("imul $-77,%1,%0" : "=r"(lo) : "r"(b) : "cc");
        h ^= lo;
        asm volatile("imulw $300,%w1,%w0" : "+r"(lo) : "r"(b) : "cc");
        h ^= lo;
        if (b) {
            uint64_t q = a, r = a % b;
            asm volatile("divq %2" : "+a"(q), "+d"(r) : "r"(b) : "cc");
            h = tl_fnv(h, &q, 8) ^ r;
        }
        int64_t q = (int64_t)a >> 3, r, dv = (int64_t)(b | 2);
        asm volatile("cqo\n"
                     " idivq %2"
                     : "+a"(q), "=&d"(r)
                     : "r"(dv)
                     : "cc");
        h = tl_fnv(h, &q, 8) ^ r;
        uint16_t ax = a & 0x3fff;
        uint8_t d8 = b | 0x80;
        asm volatile("divb %1" : "+a"(ax) : "q"(d8) : "cc");
        h ^= ax;
        asm volatile("mulb %1\n"
                     " cbw\n"
                     " cwtl\n"
                     " cltq"
                     : "+a"(a)
                     : "q"(d8)
                     : "cc");
        h = tl_fnv(h, &a, 8);
        asm volatile("cwd\n"
                     " imulw %w1\n"
                     " cltd\n"
                     : "+a"(a), "+d"(b)::"cc");
        h = tl_fnv(h, &b, 8);
        asm volatile("imulb %b1" : "+a"(a) : "r"(b) : "cc");
        h ^= a;
        asm volatile("mull %k2" : "+a"(a), "=d"(hi) : "r"(b) : "cc");
        h ^= a + hi;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
