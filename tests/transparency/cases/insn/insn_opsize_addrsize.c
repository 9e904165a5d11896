//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

static uint64_t tab[64];

int
main(void)
{
    uint64_t s = 3, h = FNV0;
    for (int i = 0; i < 64; i++)
        tab[i] = tl_rng(&s);
    for (int i = 0; i < 5000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s), c, d, e;
        asm volatile("mov %4,%0\n"
                     " addw $0x7fff,%w0\n"
                     " subw %w5,%w0\n"
                     " imul %w5,%w0\n"
                     " movw $0x1234,%w1\n"
                     " xor %k2,%k2\n"
                     " mov %k5,%k2\n"
                     " movswl %w0,%k3\n"
                     " bswap %k3\n"
                     " incw %w0\n"
                     " negw %w1\n"
                     " adcw %w0,%w2\n"
                     : "=&r"(c), "=&r"(d), "=&r"(e), "=&r"(a)
                     : "r"(a), "r"(b)
                     : "cc");
        h = tl_fnv(h, &c, 8);
        h = tl_fnv(h, &e, 8);
        h = tl_fnv(h, &a, 8);
        h ^= (uint16_t)d;
        /* 67h: the address is taken mod 2^32, whatever the upper halves hold */
        uint64_t base = (uint64_t)tab | 0xdead00000000ull, ix = (i & 31) | 0xffff00000000ull;
        asm volatile("addr32 movq (%k2,%k3,8),%0\n"
                     " addr32 leal 4(%k2,%k3,8),%k1"
                     : "=&r"(c), "=&r"(d)
                     : "r"(base), "r"(ix));
        EQ(c, tab[i & 31]);
        EQ(d, (uint32_t)((uint64_t)(tab + (i & 31)) + 4));
        asm volatile("addr32 leaq -1(%k1),%0" : "=r"(c) : "r"(0xff00000000ull));
        EQ(c, 0xffffffff);
        asm volatile("leaw (%1,%1),%w0" : "+r"(c) : "r"(b));
        h = tl_fnv(h, &c, 8);
        uint64_t sv = base, n = 5 | 0x700000000ull, dv = (uint64_t)(tab + 40) | 0xabc00000000ull;
        asm volatile("addr32 rep movsq" : "+S"(sv), "+D"(dv), "+c"(n)::"memory");
        EQ(sv, (uint32_t)(uint64_t)(tab + 5));
        EQ(dv, (uint32_t)(uint64_t)(tab + 45));
        EQ(n, 0);
        EQ(tab[41], tab[1]);
        asm volatile("addr32 mov %%fs:0,%0" : "=r"(d));
        EQ(d, (uint64_t)pthread_self());
        asm volatile("movabs %c1,%%rax\n"
                     " mov %%rax,%0"
                     : "=r"(c)
                     : "i"(tab + 3)
                     : "rax");
        EQ(c, tab[3]);
        asm volatile("addr32 movl tab+8,%k0" : "=r"(c));
        EQ(c, (uint32_t)tab[1]);
        asm volatile("addr32 xlatb" : "=a"(a) : "0"(b), "b"(base));
        h ^= a;
        asm volatile("xlatb" : "=a"(a) : "0"(b & 0xff), "b"(tab));
        h ^= a;
        if (tl_bad)
            break;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
