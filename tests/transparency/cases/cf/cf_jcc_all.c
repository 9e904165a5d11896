#include "tl.h"

/* every conditional jump, short and near, on every combination of flags; the flags survive both arms */
#define J(cc)                                              \
    do {                                                   \
        uint64_t s_ = 0, n_ = 0, f_;                       \
        asm volatile("push %3\n"                           \
                     "popfq\n"                             \
                     "j" #cc " 1f\n"                       \
                     "lea 1(%0),%0\n"                      \
                     "1: .byte 0x0f,0x80|(" #cc "_code)\n" \
                     ".long 2f-.-4\n"                      \
                     "lea 1(%1),%1\n"                      \
                     "2: pushfq\n"                         \
                     "pop %2"                              \
                     : "+r"(s_), "+r"(n_), "=&r"(f_)       \
                     : "r"(fl)                             \
                     : "cc", "memory");                    \
        EQ(s_, n_);                                        \
        EQ(f_ & 0x8d5, fl & 0x8d5);                        \
        taken = taken << 1 | !s_;                          \
    } while (0)
asm("o_code=0\nno_code=1\nb_code=2\nae_code=3\ne_code=4\nne_code=5\nbe_code=6\na_code=7\n"
    "s_code=8\nns_code=9\np_code=10\nnp_code=11\nl_code=12\nge_code=13\nle_code=14\ng_code=15\n");

int
main(void)
{
    for (int r = 0; r < 200; r++)
        for (int k = 0; k < 64; k++) {
            uint64_t fl =
                0x202 | (k & 1) | (k & 2) << 1 | (k & 4) << 2 | (k & 8) << 3 | (k & 16) << 3 | (k & 32) << 6;
            unsigned taken = 0;
            J(o);
            J(no);
            J(b);
            J(ae);
            J(e);
            J(ne);
            J(be);
            J(a);
            J(s);
            J(ns);
            J(p);
            J(np);
            J(l);
            J(ge);
            J(le);
            J(g);
            if (!r)
                printf("%02x %04x\n", k, taken);
            if (tl_bad)
                return tl_end();
        }
    /* flags made by arithmetic, read across jumps, calls and returns */
    uint64_t s = 77, h = FNV0;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = i & 1 ? a : tl_rng(&s), r;
        asm volatile(
            "xor %0,%0\n cmp %2,%1\n jmp 1f\n 9: ret\n"
            "1: jb 2f\n or $1,%0\n cmp %2,%1\n 2: call 9b\n js 3f\n or $2,%0\n cmp %1,%2\n 3: call 9b\n jo 4f\n"
            "or $4,%0\n cmp %2,%1\n 4: jmp 5f\n 5: jle 6f\n or $8,%0\n cmp %2,%1\n 6: jnp 7f\n or $16,%0\n 7:"
            : "=&r"(r)
            : "r"(a), "r"(b)
            : "cc", "memory");
        h = tl_fnv(h, &r, 8);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
