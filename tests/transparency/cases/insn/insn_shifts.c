#include "tl.h"

/* shifts and rotates of every width, by one, by an immediate and by cl, zero and oversized counts included */
#define MASK(n) ((n) == 0 ? 0x8d5 : (n) == 1 ? 0x8c5 : 0x0c5)
#define ROTM(n) ((n) == 0 ? 0x8d5 : (n) == 1 ? 0x8d5 : 0x0d5)
#define BYCL(op, sz, w, m)                                                      \
    do {                                                                        \
        uint64_t v_ = a, f_ = fl;                                               \
        int n_ = i & (w == 64 ? 63 : 31);                                       \
        asm volatile("push %1\n popfq\n " op " %%cl,%" sz "0\n pushfq\n pop %1" \
                     : "+r"(v_), "+r"(f_)                                       \
                     : "c"(i)                                                   \
                     : "cc");                                                   \
        int cf_ = (w < 32 && n_ > w) ? ~1 : ~0;                                 \
        h = tl_fnv(h, &v_, 8) ^ (f_ & m(n_) & cf_);                             \
    } while (0)
#define BYMEM(op, m)                                                                                         \
    do {                                                                                                     \
        uint64_t f_ = fl;                                                                                    \
        asm volatile("push %1\n popfq\n " op " %0\n pushfq\n pop %1" : "+m"(mem), "+r"(f_) : "c"(i) : "cc"); \
        h = tl_fnv(h, (void *)&mem, 8) ^ (f_ & (m));                                                         \
    } while (0)
#define ALLW(op, m)       \
    BYCL(op, "b", 8, m);  \
    BYCL(op, "w", 16, m); \
    BYCL(op, "k", 32, m); \
    BYCL(op, "q", 64, m)

int
main(void)
{
    uint64_t s = 555, h = FNV0;
    volatile uint64_t mem = 0x123456789abcdef;
    for (int i = 0; i < 6000; i++) {
        uint64_t a = tl_rng(&s), fl = 0x202 | (tl_rng(&s) & 0x8d5);
        ALLW("shl", MASK);
        ALLW("shr", MASK);
        ALLW("sar", MASK);
        ALLW("rol", ROTM);
        ALLW("ror", ROTM);
        ALLW("rcl", ROTM);
        ALLW("rcr", ROTM);
        BYMEM("shlq $1,", 0x8c5);
        BYMEM("rcrl $1,", 0x8d5);
        BYMEM("rorw $3,", 0xd5);
        BYMEM("sarb $2,", 0xc5);
        BYMEM("rclb $7,", 0xd5);
        BYMEM("rolq %%cl,", 0xd5);
        BYMEM("rcrq $31,", 0xd5);
        BYMEM("shrl $0,", 0x8d5);
        mem ^= a;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
