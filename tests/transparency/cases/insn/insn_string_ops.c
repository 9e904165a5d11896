#include "tl.h"

static unsigned char a[8192], b[8192];
static uint64_t h = FNV0;

static void
mix(void *s, void *d, long n, uint64_t fl)
{
    long v[4] = {(unsigned char *)s - a, (unsigned char *)d - a, n, fl & 0x8c5};
    h = tl_fnv(h, v, sizeof v);
    h = tl_fnv(h, a, sizeof a);
}

#define OP(ins, back, n, so, dof, ax)                                                      \
    do {                                                                                   \
        void *s_ = a + (so), *d_ = a + (dof);                                              \
        long n_ = (n);                                                                     \
        uint64_t x_ = (ax), f_;                                                            \
        asm volatile("cmp %%eax,%%eax\n" back "\n" ins "\n pushfq\n pop %4\n cld"          \
                     : "+S"(s_), "+D"(d_), "+c"(n_), "+a"(x_), "=&r"(f_)::"memory", "cc"); \
        h ^= x_;                                                                           \
        mix(s_, d_, n_, f_);                                                               \
    } while (0)

int
main(void)
{
    uint64_t s = 9;
    for (int i = 0; i < 8192; i++)
        a[i] = tl_rng(&s) & 3;
    for (int i = 0; i < 40; i++) {
        OP("rep movsb", "cld", i, 100 + i, 400, 0);
        OP("rep movsb", "std", i, 700, 690, 0);
        OP("rep movsw", "cld", i, 800, 801, 0);
        OP("rep movsl", "std", i, 1200, 1300, 0);
        OP("rep movsq", "cld", i, 1500, 1501 + i, 0);
        OP("rep movsq", "std", i, 3000, 2990, 0);
        OP("rep stosb", "cld", i, 0, 3100, i);
        OP("rep stosw", "std", i, 0, 3300, 0x1234 + i);
        OP("rep stosl", "cld", i, 0, 3500, 0x12345678);
        OP("rep stosq", "cld", i, 0, 3800 + i, 0x1122334455667788ull);
        OP("repe cmpsb", "cld", i * 4, i, i + 1, 0);
        OP("repne cmpsb", "cld", i * 4, i, 50, 0);
        OP("repe cmpsq", "std", i, 5000, 5008, 0);
        OP("repne cmpsw", "std", i, 5000, 4100, 0);
        OP("repne scasb", "cld", 300, 0, i * 5, i & 3);
        OP("repe scasb", "cld", 300, 0, i * 5, i & 3);
        OP("repne scasl", "std", 100, 0, 6000, 0x00010203);
        OP("repe scasw", "cld", 100, 0, 6000, 0);
        OP("rep lodsb", "cld", i, i, 0, 0x5555);
        OP("lodsw", "cld", i, i, 0, 0x55550000);
        OP("lodsl", "std", 7, 40, 0, -1ull);
        OP("lodsq", "cld", 7, 40, 0, 3);
        OP("movsb\n"
           " movsw\n"
           " movsl\n"
           " movsq\n"
           " stosb\n"
           " stosw\n"
           " stosl\n"
           " stosq",
           "cld", i, i, 7000, 0xabcdef0123456789ull);
        OP("cmpsb", "cld", i, 9, 9, 0);
        OP("scasq", "std", i, 9, 64, 0);
        OP("rep; nop", "cld", i, 5, 5, 5);
        OP("repne movsb", "cld", i & 7, 5, 600, 5);
    }
    OP("rep movsb", "cld", 0, 1, 2, 0);
    OP("rep movsb", "cld", 4000, 0, 1, 0);
    OP("rep movsb", "cld", 3000, 1, 4000, 0);
    OP("rep stosb", "cld", 4096, 0, 17, 0x41);
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
