#include "tl.h"
#define N 40
static uint64_t a[N], b[N + 1], c[N + 1];

static void
add(uint64_t *d, const uint64_t *x, long n)
{
    asm volatile("clc\n"
                 "1: mov (%1),%%rax\n"
                 " adc %%rax,(%0)\n"
                 " lea 8(%0),%0\n"
                 " lea 8(%1),%1\n"
                 " dec %2\n"
                 " jnz 1b"
                 : "+r"(d), "+r"(x), "+r"(n)::"rax", "cc", "memory");
}

static void
sub(uint64_t *d, const uint64_t *x, long n)
{
    asm volatile("clc\n"
                 "1: mov (%1),%%rax\n"
                 " sbb %%rax,(%0)\n"
                 " lea 8(%0),%0\n"
                 " lea 8(%1),%1\n"
                 " dec %2\n"
                 " jnz 1b"
                 : "+r"(d), "+r"(x), "+r"(n)::"rax", "cc", "memory");
}

int
main(void)
{
    a[0] = 1;
    b[0] = 1;
    for (int i = 0; i < 3000; i++) {
        add(a, b, N);
        add(b, a, N);
    }
    printf("%llx %llx\n", (unsigned long long)tl_fnv(FNV0, a, sizeof a),
           (unsigned long long)tl_fnv(FNV0, b, sizeof b));
    for (int i = 0; i < 3000; i++) {
        sub(b, a, N);
        sub(a, b, N);
    }
    EQ(a[0], 1);
    EQ(b[0], 1);
    for (int i = 1; i < N; i++)
        EQ(a[i] | b[i], 0);
    uint64_t h = FNV0, s = 5;
    for (int i = 0; i < 10000; i++) {
        uint64_t x = tl_rng(&s), y = tl_rng(&s), r;
        uint32_t p = x;
        uint16_t q = y;
        uint8_t t = x >> 9, f;
        asm volatile("bt $0,%5\n"
                     " adc %k4,%0\n"
                     " adc %w5,%1\n"
                     " sbb %b4,%2\n"
                     " sbb %3,%3"
                     : "+r"(p), "+r"(q), "+q"(t), "=r"(r)
                     : "r"(x), "r"(y)
                     : "cc");
        h = tl_fnv(h, &p, 4);
        h = tl_fnv(h, &q, 2);
        h = tl_fnv(h, &t, 1);
        h = tl_fnv(h, &r, 8);
        asm volatile("cmp %2,%1\n"
                     " adc $-1,%0\n"
                     " sbb $5,%1\n"
                     " setc %b2"
                     : "+r"(x), "+r"(y), "+q"(s)::"cc");
        h ^= x + y;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
