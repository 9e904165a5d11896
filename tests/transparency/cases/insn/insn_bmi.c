//! need: cpu:bmi1 cpu:bmi2 cpu:abm cpu:adx cpu:popcnt
#include "tl.h"

/* BMI1, BMI2, ADX, LZCNT, TZCNT, POPCNT: results and the flags each of them defines or leaves alone */
#define ALL 0x8d5
#define THREE(ins, mask)                                                       \
    do {                                                                       \
        uint64_t r_, f_ = fl;                                                  \
        asm volatile("push %1\n popfq\n " ins " %3,%2,%0\n pushfq\n pop %1"    \
                     : "=&r"(r_), "+r"(f_)                                     \
                     : "r"(a), "r"(b)                                          \
                     : "cc");                                                  \
        h = tl_fnv(h, &r_, 8) ^ (f_ & (mask));                                 \
        r_ = ~0ull, f_ = fl;                                                   \
        asm volatile("push %1\n popfq\n " ins " %k3,%k2,%k0\n pushfq\n pop %1" \
                     : "=&r"(r_), "+r"(f_)                                     \
                     : "r"(a), "r"(b)                                          \
                     : "cc");                                                  \
        h = tl_fnv(h, &r_, 8) ^ (f_ & (mask));                                 \
    } while (0)
#define TWO(ins, mask)                                                          \
    do {                                                                        \
        uint64_t r_ = ~0ull, f_ = fl;                                           \
        asm volatile("push %1\n popfq\n " ins " %2,%0\n pushfq\n pop %1"        \
                     : "+&r"(r_), "+r"(f_)                                      \
                     : "r"(a)                                                   \
                     : "cc");                                                   \
        h = tl_fnv(h, &r_, 8) ^ (f_ & (mask));                                  \
        asm volatile("push %1\n popfq\n " ins " %k2,%k0\n pushfq\n pop %1"      \
                     : "+&r"(r_), "+r"(f_)                                      \
                     : "r"(a)                                                   \
                     : "cc");                                                   \
        h = tl_fnv(h, &r_, 8) ^ (f_ & (mask));                                  \
        volatile uint64_t m_ = a;                                               \
        asm volatile(ins " %1,%k0" : "+&r"(r_) : "m"(*(uint32_t *)&m_) : "cc"); \
        h = tl_fnv(h, &r_, 8);                                                  \
    } while (0)

int
main(void)
{
    uint64_t s = 4242, h = FNV0;
    for (int i = 0; i < 5000; i++) {
        uint64_t a = tl_rng(&s) >> (i % 64), b = tl_rng(&s) >> (i * 7 % 64), fl = 0x202 | (tl_rng(&s) & ALL);
        if (i % 50 == 0)
            a = 0;
        THREE("andn", 0x8c1);
        THREE("pdep", ALL);
        THREE("pext", ALL);
        THREE("bzhi", 0x8c1);
        THREE("bextr", 0x841);
        THREE("sarx", ALL);
        THREE("shlx", ALL);
        THREE("shrx", ALL);
        TWO("blsi", 0x8c1);
        TWO("blsr", 0x8c1);
        TWO("blsmsk", 0x8c1);
        TWO("tzcnt", 0x41);
        TWO("lzcnt", 0x41);
        TWO("popcnt", ALL);
        TWO("rorx $13,", ALL);
        uint64_t lo, hi, f = fl;
        asm volatile("push %2\n popfq\n mulx %4,%0,%1\n pushfq\n pop %2"
                     : "=&r"(lo), "=&r"(hi), "+r"(f)
                     : "d"(a), "r"(b)
                     : "cc");
        h = tl_fnv(h, &lo, 8) + hi + (f & ALL);
        asm volatile("mulx %2,%0,%0" : "=&r"(lo) : "d"(a), "m"(b));
        h ^= lo;
        uint64_t x = a, y = b;
        f = fl;
        asm volatile("push %2\n popfq\n adcx %3,%0\n adox %4,%1\n adcx %1,%0\n adox %0,%1\n pushfq\n pop %2"
                     : "+r"(x), "+r"(y), "+r"(f)
                     : "r"(b), "m"(a)
                     : "cc");
        h = tl_fnv(h, &x, 8) + y + (f & ALL);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
