#include "tl.h"
#include <immintrin.h>

static float __attribute__((noinline)) dv(volatile float *a, volatile float *b)
{
    return *a / *b;
}

int
main(void)
{
    uint64_t h = FNV0;
    volatile float x = 1.0f, y = 3.0f, big = 3e38f, tiny = 1e-38f, z = 0;
    volatile double d = 2.5, e = -2.5;
    for (int m = 0; m < 4; m++)
        for (int ftz = 0; ftz < 4; ftz++) {
            _mm_setcsr(0x1f80 | m << 13 | (ftz & 1 ? 0x8000 : 0) | (ftz & 2 ? 0x40 : 0));
            float r[6] = {dv(&x, &y), big * big, tiny * tiny, tiny / 16, tiny / 1024 * 1024, dv(&y, &big)};
            long c[4] = {_mm_cvtsd_si64(_mm_set_sd(d)), _mm_cvtsd_si64(_mm_set_sd(e)),
                         _mm_cvttsd_si64(_mm_set_sd(e)), _mm_cvtss_si32(_mm_set_ss(x / y))};
            h = tl_fnv(h, r, sizeof r);
            h = tl_fnv(h, c, sizeof c);
            unsigned s = _mm_getcsr();
            printf("%x ", s);
        }
    puts("");
    _mm_setcsr(0x1f80);
    (void)dv(&x, &z);
    printf("%x ", _mm_getcsr());
    _mm_setcsr(0x1f80);
    dv(&z, &z);
    printf("%x ", _mm_getcsr());
    _mm_setcsr(0x1f80);
    volatile float q = big * 10;
    printf("%x ", _mm_getcsr());
    _mm_setcsr(0x1f80);
    q = x / y;
    printf("%x\n", _mm_getcsr());
    asm volatile("ldmxcsr %0" ::"m"((int){0x1fbf}));
    for (volatile int i = 0; i < 1000; i++)
        write(-1, "", 0);
    unsigned s;
    asm volatile("stmxcsr %0" : "=m"(s));
    printf("%x\n", s);
    _mm_setcsr(0x7f80);
    fork() ? wait(0) : _exit(0);
    printf("%x\n", _mm_getcsr());
    _mm_setcsr(0x1f80);
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
