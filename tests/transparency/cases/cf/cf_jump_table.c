//! build: gcc -O2 -w -fno-pie -no-pie -I$INC $SRC -o $OUT
#include "tl.h"

__attribute__((noinline)) static unsigned
op(unsigned k, unsigned a)
{
    switch (k) {
    case 0: return a + 1;
    case 1: return a * 3;
    case 2: return a ^ 0x5555;
    case 3: return a - 7;
    case 4: return a << 1;
    case 5: return a >> 1;
    case 6: return ~a;
    case 7: return a | 16;
    case 8: return a & 0xfffff0f;
    case 9: return a * a;
    case 10: return a + (a >> 3);
    case 11: return -a;
    case 12: return a % 1009;
    case 13: return a / 3;
    case 14: return a ^ (a << 5);
    case 20: return a + 20;
    case 21: return a + 21;
    case 22: return a + 23;
    case 23: return a * 25;
    case 30: return 1;
    default: return a + k;
    }
}

int
main(void)
{
    unsigned a = 1;
    uint64_t s = 88172645463325252ull, h = FNV0;
    for (int i = 0; i < 3000000; i++) {
        unsigned k = tl_rng(&s) % 34;
        a = op(k, a);
        h ^= a + k;
        h *= 0x100000001b3ull;
    }
    printf("%u %llx\n", a, (unsigned long long)h);
    return tl_end();
}
