//! build: gcc -O1 -w -mavx512f -mavx512bw -mavx512dq -mavx512vl -I$INC $SRC -o $OUT
//! need: cpu:avx512f cpu:avx512bw cpu:avx512dq cpu:avx512vl
#include "tl.h"
#include <immintrin.h>

int
main(void)
{
    uint64_t s = 20, h = FNV0;
    static int tab[1024];
    for (int i = 0; i < 1024; i++)
        tab[i] = tl_rng(&s);
    for (int i = 0; i < 5000; i++) {
        long a_[8], o[8] = {0};
        for (int k = 0; k < 8; k++)
            a_[k] = tl_rng(&s);
        __m512i a = _mm512_loadu_si512(a_), b = _mm512_ror_epi64(a, 13),
                ix = _mm512_and_si512(a, _mm512_set1_epi32(511)), r;
        __mmask16 m = a_[0], m2 = _mm512_cmplt_epi32_mask(a, b);
        __mmask64 mb = _mm512_cmpgt_epu8_mask(a, b);
        r = _mm512_mask_add_epi32(b, m, a, ix);
        r = _mm512_maskz_xor_epi64(m2 | 1, r, a);
        r = _mm512_mask_i32gather_epi32(r, m, ix, tab, 4);
        r = _mm512_ternarylogic_epi64(r, a, b, 0x96);
        r = _mm512_mask_blend_epi8(mb, r, a);
        r = _mm512_permutexvar_epi32(a, r);
        r = _mm512_mask_compress_epi32(r, m, b);
        r = _mm512_maskz_expand_epi64(m2, r);
        r = _mm512_add_epi32(r, _mm512_mullo_epi64(a, b));
        r = _mm512_rolv_epi32(r, a);
        r = _mm512_add_epi32(r, _mm512_set1_epi32(((int *)tab)[i & 1023])); /* broadcast */
        _mm512_mask_storeu_epi32(o, m ^ m2, r);
        h = tl_fnv(h, o, 64);
        h = tl_fnv(h, &r, 64) + mb + _kortestc_mask16_u8(m, m2) + (m2 & ~m) + __builtin_popcountll(mb);
        int sc[1024 / 64 + 8] = {0};
        _mm512_mask_i32scatter_epi32(sc, m, _mm512_and_si512(a, _mm512_set1_epi32(15)), b, 4);
        h = tl_fnv(h, sc, sizeof sc);
        h += _mm512_reduce_add_epi32(r);
        __m512d d = _mm512_cvtepi64_pd(a),
                e = _mm512_mask_div_round_pd(d, m, d, _mm512_cvtepi64_pd(b),
                                             _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
        e = _mm512_fmadd_round_pd(e, d, e, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
        h = tl_fnv(h, &e, 64);
        __m256i v = _mm512_cvtepi64_epi32(r);
        h = tl_fnv(h, &v, 32);
    }
    printf("%llx\n", (unsigned long long)h);
    /* zmm16..31 and all of k0..k7 survive calls, syscalls and signals */
    uint64_t k[8], z[8];
    asm volatile("mov $0x1234567890abcdef,%%rax\n"
                 " kmovq %%rax,%%k1\n"
                 " kmovq %%rax,%%k7\n"
                 " vpbroadcastq %%rax,%%zmm31\n"
                 " vpbroadcastq %%rax,%%zmm16\n"
                 " mov $39,%%eax\n"
                 " syscall\n"
                 " mov $39,%%eax\n"
                 " syscall\n"
                 " kaddq %%k1,%%k7,%%k2\n"
                 " kmovq %%k2,%0\n"
                 " vpaddq %%zmm31,%%zmm16,%%zmm30\n"
                 " vmovdqu64 %%zmm30,%1\n"
                 " vzeroupper"
                 : "=m"(k[0]), "=m"(z)::"rax", "rcx", "r11", "memory", "xmm16", "xmm30", "xmm31", "k1", "k2",
                   "k7");
    EQ(k[0], 0x1234567890abcdefull * 2);
    for (int i = 0; i < 8; i++)
        EQ(z[i], 0x1234567890abcdefull * 2);
    return tl_end();
}
