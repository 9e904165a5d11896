//! build: gcc -O1 -w -mavx2 -mfma -mf16c -I$INC $SRC -o $OUT
//! need: cpu:avx2 cpu:fma cpu:f16c
#include "tl.h"
#include <immintrin.h>

/* gathers (their mask is consumed), masked moves over unmapped memory, fused multiply-add, half floats, permutes */
int
main(void)
{
    uint64_t s = 3, h = FNV0;
    static int tab[2048];
    static double dtab[512];
    for (int i = 0; i < 2048; i++)
        tab[i] = tl_rng(&s);
    for (int i = 0; i < 512; i++)
        dtab[i] = i * 1.25;
    char *edge = mmap(0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + 4096, 4096);
    for (int i = 0; i < 5000; i++) {
        __m256i a = _mm256_set_epi64x(tl_rng(&s), tl_rng(&s), tl_rng(&s), tl_rng(&s)),
                b = _mm256_set_epi64x(tl_rng(&s), tl_rng(&s), tl_rng(&s), tl_rng(&s));
        __m256i ix = _mm256_and_si256(a, _mm256_set1_epi32(511)), m = b, r = a;
        asm volatile("vpgatherdd %1,(%2,%3,4),%0" : "+x"(r), "+x"(m) : "r"(tab), "x"(ix) : "memory");
        CHECK(_mm256_testz_si256(m, m));
        h = tl_fnv(h, &r, 32);
        __m256d d = _mm256_castsi256_pd(a), md = _mm256_castsi256_pd(b);
        asm volatile("vgatherdpd %1,(%2,%3,8),%0"
                     : "+x"(d), "+x"(md)
                     : "r"(dtab), "x"(_mm256_castsi256_si128(ix))
                     : "memory");
        h = tl_fnv(h, &d, 32);
        __m128i q = _mm256_castsi256_si128(b), mq = _mm256_castsi256_si128(a);
        asm volatile("vpgatherqd %1,16(%2,%3,4),%0"
                     : "+x"(q), "+x"(mq)
                     : "r"(tab), "x"(_mm256_srli_epi64(b, 54))
                     : "memory");
        h = tl_fnv(h, &q, 16);
        int n = i % 8;
        int *p = (int *)(edge + 4096) - n;
        __m256i lanes = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
        _mm256_maskstore_epi32(p, lanes, a);
        r = _mm256_maskload_epi32(p, lanes);
        h = tl_fnv(h, &r, 32);
        _mm_maskstore_ps((float *)(edge + 4096 - 8), _mm_set_epi32(0, 0, -1, -1), _mm_castsi128_ps(q));
        r = _mm256_permutevar8x32_epi32(_mm256_sllv_epi32(a, ix), b);
        r = _mm256_blendv_epi8(r, _mm256_sad_epu8(a, b), m = _mm256_mulhrs_epi16(a, b));
        r = _mm256_permute2x128_si256(r, a, 0x31);
        h = tl_fnv(h, &r, 32);
        __m256 x = _mm256_cvtepi32_ps(ix), y = _mm256_cvtepi32_ps(_mm256_srli_epi32(b, 20)),
               z = _mm256_set1_ps(0.37f);
        x = _mm256_fmadd_ps(x, y, z);
        x = _mm256_fnmsub_ps(x, z, y);
        x = _mm256_fmaddsub_ps(x, x, z);
        __m128i half = _mm256_cvtps_ph(x, 0);
        y = _mm256_cvtph_ps(half);
        h = tl_fnv(h, &x, 32);
        h = tl_fnv(h, &y, 32) + _mm256_movemask_ps(y) + _mm256_testc_si256(a, b);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
