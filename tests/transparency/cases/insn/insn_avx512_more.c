//! build: gcc -O1 -w -mavx512f -mavx512bw -mavx512vl -mavx512vbmi -mavx512vbmi2 -mavx512vnni -mavx512bitalg -mavx512vpopcntdq -mavx512ifma -mavx512cd -mgfni -mvaes -mvpclmulqdq -I$INC $SRC -o $OUT
//! need: cpu:avx512_vbmi2 cpu:avx512_vnni cpu:avx512_bitalg cpu:avx512_vpopcntdq cpu:avx512ifma cpu:avx512vbmi cpu:avx512cd cpu:gfni cpu:vaes cpu:vpclmulqdq
#include "tl.h"
#include <immintrin.h>

/* the younger extensions: VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ, IFMA, CD, GFNI, VAES, VPCLMULQDQ */
int
main(void)
{
    uint64_t s = 909, h = FNV0;
    for (int i = 0; i < 4000; i++) {
        uint64_t q[24];
        for (int k = 0; k < 24; k++)
            q[k] = tl_rng(&s);
        __m512i a = _mm512_loadu_si512(q), b = _mm512_loadu_si512(q + 8), c = _mm512_loadu_si512(q + 16), r;
        __mmask64 m = q[0];
        r = _mm512_permutexvar_epi8(a, b);
        r = _mm512_permutex2var_epi8(r, b, c);
        r = _mm512_mask_multishift_epi64_epi8(r, m, a, r);
        r = _mm512_mask_compress_epi8(r, m, r);
        r = _mm512_maskz_expand_epi16(m, r);
        r = _mm512_shldi_epi64(r, a, 13);
        r = _mm512_shrdv_epi32(r, b, c);
        r = _mm512_dpbusd_epi32(r, a, b);
        r = _mm512_dpwssds_epi32(r, b, c);
        r = _mm512_madd52hi_epu64(r, a, c);
        r = _mm512_madd52lo_epu64(r, b, c);
        r = _mm512_xor_si512(r, _mm512_popcnt_epi64(a));
        r = _mm512_add_epi8(r, _mm512_popcnt_epi8(b));
        r = _mm512_add_epi32(r, _mm512_conflict_epi32(_mm512_and_si512(a, _mm512_set1_epi32(15))));
        r = _mm512_sub_epi64(r, _mm512_lzcnt_epi64(b));
        r = _mm512_gf2p8affine_epi64_epi8(r, a, 0x5a);
        r = _mm512_gf2p8affineinv_epi64_epi8(r, b, 0x11);
        r = _mm512_gf2p8mul_epi8(r, c);
        r = _mm512_aesenc_epi128(r, a);
        r = _mm512_aesdeclast_epi128(r, b);
        r = _mm512_clmulepi64_epi128(r, c, 0x10);
        h = tl_fnv(h, &r, 64) ^ _mm512_bitshuffle_epi64_mask(a, b);
        __m256i y = _mm256_mask_popcnt_epi16(_mm512_castsi512_si256(r), m, _mm512_castsi512_si256(a));
        h = tl_fnv(h, &y, 32);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
