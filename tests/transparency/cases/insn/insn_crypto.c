//! need: cpu:aes cpu:pclmulqdq cpu:sha_ni cpu:ssse3
//! build: gcc -O1 -w -maes -mpclmul -msha -mssse3 -msse4.1 -I$INC $SRC -o $OUT
#include "tl.h"
#include <immintrin.h>

int
main(void)
{
    uint64_t s = 1, h = FNV0;
    for (int i = 0; i < 20000; i++) {
        __m128i a = _mm_set_epi64x(tl_rng(&s), tl_rng(&s)), b = _mm_set_epi64x(tl_rng(&s), tl_rng(&s)), c = a;
        a = _mm_aesenc_si128(a, b);
        a = _mm_aesdec_si128(a, c);
        a = _mm_aesenclast_si128(a, b);
        a = _mm_aesdeclast_si128(a, c);
        a = _mm_xor_si128(a, _mm_aesimc_si128(b));
        a = _mm_xor_si128(a, _mm_aeskeygenassist_si128(b, 0x1b));
        a = _mm_xor_si128(a, _mm_clmulepi64_si128(a, b, 0x10));
        a = _mm_xor_si128(a, _mm_clmulepi64_si128(b, c, 0x01));
        a = _mm_sha1rnds4_epu32(a, b, 2);
        a = _mm_sha1nexte_epu32(a, c);
        a = _mm_sha1msg1_epu32(a, b);
        a = _mm_sha1msg2_epu32(a, c);
        a = _mm_sha256msg1_epu32(a, b);
        a = _mm_sha256msg2_epu32(a, c);
        a = _mm_sha256rnds2_epu32(a, b, c);
        h = tl_fnv(h, &a, 16);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
