#include "tl.h"

int
main(void)
{
    uint64_t s = 31337, h = FNV0;
    uint64_t m[2] __attribute__((aligned(16)));
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s), c = tl_rng(&s), d;
        uint8_t z;
        m[0] = a;
        m[1] = b;
        d = (i & 1 ? a : b);
        asm volatile("lock cmpxchgq %3,%1\n"
                     " setz %0"
                     : "=q"(z), "+m"(m[0]), "+a"(d)
                     : "r"(c)
                     : "cc");
        h = tl_fnv(h, m, 16) + z + d;
        d = (i & 2 ? m[0] | 0xff00000000000000ull : c);
        asm volatile("cmpxchgl %k3,%1\n"
                     " setz %0"
                     : "=q"(z), "+m"(m[0]), "+a"(d)
                     : "r"(b)
                     : "cc");
        h = tl_fnv(h, &d, 8) + z;
        d = (i & 4 ? m[1] : c);
        asm volatile("cmpxchgb %b3,%1\n"
                     " setz %0"
                     : "=q"(z), "+m"(m[1]), "+a"(d)
                     : "q"(b)
                     : "cc");
        h = tl_fnv(h, &d, 8) + z;
        uint64_t r = c;
        d = a;
        asm volatile("cmpxchgl %k3,%k1\n"
                     " setz %0"
                     : "=q"(z), "+r"(r), "+a"(d)
                     : "r"(b)
                     : "cc");
        h = tl_fnv(h, &r, 8) + d + z;
        uint32_t lo = i & 1 ? (uint32_t)m[0] : 3, hi = m[0] >> 32;
        asm volatile("lock cmpxchg8b %1\n"
                     " setz %0"
                     : "=q"(z), "+m"(m[0]), "+a"(lo), "+d"(hi)
                     : "b"((uint32_t)b), "c"((uint32_t)c)
                     : "cc");
        h = tl_fnv(h, m, 16) + lo + hi + z;
        uint64_t l8 = i & 2 ? m[0] : 5, h8 = m[1];
        asm volatile("lock cmpxchg16b %1\n"
                     " setz %0"
                     : "=q"(z), "+m"(*(__uint128_t *)m), "+a"(l8), "+d"(h8)
                     : "b"(a), "c"(c)
                     : "cc");
        h = tl_fnv(h, m, 16) + l8 + h8 + z;
        l8 = m[0];
        h8 = m[1] ^ (i & 8);
        asm volatile("cmpxchg16b %1\n"
                     " setz %0"
                     : "=q"(z), "+m"(*(__uint128_t *)m), "+a"(l8), "+d"(h8)
                     : "b"(b), "c"(a)
                     : "cc");
        h = tl_fnv(h, m, 16) + l8 + h8 + z;
        asm volatile("xchgq %1,%0\n"
                     " xchgw %w1,%0\n"
                     " xchgb %b1,%0\n"
                     " lock xaddq %1,%0\n"
                     " xaddl %k1,%0\n"
                     " xaddb %b1,%0"
                     : "+m"(m[0]), "+q"(a)::"cc");
        h = tl_fnv(h, m, 16) + a;
        asm volatile("xadd %1,%0\n"
                     " xchg %1,%0\n"
                     " xchg %w1,%w0\n"
                     " xchg %b1,%b0\n"
                     " xadd %w0,%w1"
                     : "+q"(b), "+q"(c)::"cc");
        h += b ^ c;
        asm volatile("lock addq %1,%0\n"
                     " lock subl $3,%0\n"
                     " lock andb $0xf7,%0\n"
                     " lock orw $0x100,%0\n"
                     " lock xorq %1,%0\n"
                     " lock incq %0\n"
                     " lock decl %0\n"
                     " lock negq %0\n"
                     " lock notw %0\n"
                     " lock adcq $5,%0\n"
                     " lock btsl $3,%0"
                     : "+m"(m[1])
                     : "r"(c)
                     : "cc");
        h = tl_fnv(h, m, 16);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
