#include "tl.h"

/* bit tests with register, immediate and memory operands (bit offsets reach beyond the operand, also backwards), bsf, bsr, shld, shrd */
#define BT(op, sfx, val, bit)                                                            \
    do {                                                                                 \
        uint64_t v_ = (val);                                                             \
        uint8_t c_;                                                                      \
        asm volatile(op #sfx " %2,%0\n setc %1" : "+r"(v_), "=q"(c_) : "r"(bit) : "cc"); \
        h = tl_fnv(h, &v_, 8) + c_;                                                      \
    } while (0)

int
main(void)
{
    uint64_t s = 99, h = FNV0;
    static uint64_t mem[64];
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s);
        BT("bt", q, a, b);
        BT("bts", q, a, b);
        BT("btr", q, a, b);
        BT("btc", q, a, b);
        int64_t off = (int64_t)(b % 3000) - 1500;
        uint8_t c[8];
        asm volatile("btsq %2,%1\n setc %0" : "=q"(c[0]), "+m"(mem[32]) : "r"(off) : "cc", "memory");
        asm volatile("btrl %k2,%1\n setc %0" : "=q"(c[1]), "+m"(mem[32]) : "r"(off / 2) : "cc", "memory");
        asm volatile("btcw %w2,%1\n setc %0" : "=q"(c[2]), "+m"(mem[32]) : "r"(off / 3) : "cc", "memory");
        asm volatile("btq %2,%1\n setc %0" : "=q"(c[3]), "+m"(mem[32]) : "r"(off) : "cc", "memory");
        asm volatile("lock btcq %2,%1\n setc %0" : "=q"(c[4]), "+m"(mem[32]) : "r"(off + 1) : "cc", "memory");
        asm volatile("btsq $37,%1\n setc %0" : "=q"(c[5]), "+m"(mem[5]) : : "cc");
        asm volatile("btrw $77,%1\n setc %0" : "=q"(c[6]), "+m"(mem[6]) : : "cc");
        asm volatile("lock btrl $9,%1\n setc %0" : "=q"(c[7]), "+m"(mem[7]) : : "cc");
        h = tl_fnv(h, c, 8);
        uint64_t r = 0;
        if (a) {
            asm volatile("bsf %1,%0" : "=r"(r) : "r"(a) : "cc");
            h += r;
            asm volatile("bsr %1,%0" : "=r"(r) : "m"(a) : "cc");
            h ^= r << 9;
        }
        uint64_t x = a, f;
        asm volatile("shld $13,%1,%0" : "+r"(x) : "r"(b) : "cc");
        asm volatile("shrd %%cl,%1,%0\n setc %b2" : "+r"(x), "+r"(b), "=r"(f) : "c"(i) : "cc");
        asm volatile("shldl %%cl,%k1,%k0" : "+r"(x) : "r"(b), "c"(i * 3) : "cc");
        asm volatile("shrdw $5,%w1,%w0" : "+r"(x) : "r"(b) : "cc");
        asm volatile("shldq %%cl,%1,%0" : "+m"(mem[i % 64]) : "r"(x), "c"(i) : "cc");
        asm volatile("bswap %0\n bswap %k1" : "+r"(x), "+r"(b));
        h = tl_fnv(h, &x, 8) + b + (f & 1);
    }
    printf("%llx %llx\n", (unsigned long long)h, (unsigned long long)tl_fnv(FNV0, mem, sizeof mem));
    return tl_end();
}
