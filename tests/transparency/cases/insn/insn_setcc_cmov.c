#include "tl.h"
#define C(cc)                                                                                        \
    {                                                                                                \
        uint64_t v_ = 0x1111111111111111ull, w_ = 0x2222222222222222ull;                             \
        uint8_t m_ = 0xee;                                                                           \
        uint32_t e_ = 7;                                                                             \
        uint64_t full_ = ~0ull;                                                                      \
        asm volatile("pushq %5\n popfq\n set" #cc " %2\n cmov" #cc " %1,%0\n cmov" #cc "l %k3,%k4\n" \
                     : "+r"(v_), "+r"(w_), "+m"(m_), "+r"(e_), "+r"(full_)                           \
                     : "r"(fl)                                                                       \
                     : "cc");                                                                        \
        h = tl_fnv(h, &v_, 8);                                                                       \
        h = tl_fnv(h, &m_, 1);                                                                       \
        h = tl_fnv(h, &full_, 8);                                                                    \
        uint64_t x_;                                                                                 \
        asm volatile("pushq %1\n popfq\n mov $-1,%%rax\n set" #cc " %%ah\n cmov" #cc                 \
                     " %2,%%rax\n mov %%rax,%0"                                                      \
                     : "=r"(x_)                                                                      \
                     : "r"(fl), "m"(mem)                                                             \
                     : "rax", "cc");                                                                 \
        h = tl_fnv(h, &x_, 8);                                                                       \
    }

int
main(void)
{
    uint64_t h = FNV0;
    volatile uint64_t mem = 0x123456789abcdefull;
    for (int k = 0; k < 32; k++) {
        uint64_t fl = 0x202 | (k & 1) | (k & 2) << 1 | (k & 4) << 4 | (k & 8) << 4 | (k & 16) << 7;
        C(o) C(no) C(b) C(ae) C(e) C(ne) C(be) C(a) C(s) C(ns) C(p) C(np) C(l) C(ge) C(le) C(g)
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
