//! need: cpu:sse4_1 cpu:sse4_2
#include "tl.h"

/* SSE to SSE4.2: conversions, scalar merges, compares with their flags, rounding, inserts, string compares */
static uint64_t h = FNV0;
#define V(ins)                                                                                \
    do {                                                                                      \
        asm volatile("movups (%1),%%xmm1\n movups 16(%1),%%xmm2\n movups 32(%1),%%xmm0\n" ins \
                     "\n movups %%xmm1,(%0)" ::"r"(out),                                      \
                     "r"(v)                                                                   \
                     : "xmm0", "xmm1", "xmm2", "rax", "rcx", "rdx", "memory", "cc");          \
        h = tl_fnv(h, out, 16);                                                               \
    } while (0)
#define F(ins)                                                                                        \
    do {                                                                                              \
        uint64_t f_;                                                                                  \
        asm volatile("movups (%1),%%xmm1\n movups 16(%1),%%xmm2\n mov $9,%%eax\n mov $11,%%edx\n" ins \
                     "\n pushfq\n pop %0"                                                             \
                     : "=&r"(f_)                                                                      \
                     : "r"(v)                                                                         \
                     : "xmm0", "xmm1", "xmm2", "rax", "rcx", "rdx", "cc");                            \
        h = h * 31 + (f_ & 0x8d5);                                                                    \
    } while (0)
#define G(ins)                                                         \
    do {                                                               \
        uint64_t r_ = ~0ull;                                           \
        asm volatile("movups (%1),%%xmm1\n movups 16(%1),%%xmm2\n" ins \
                     : "+&r"(r_)                                       \
                     : "r"(v)                                          \
                     : "xmm1", "xmm2");                                \
        h = tl_fnv(h, &r_, 8);                                         \
    } while (0)

int
main(void)
{
    uint64_t s = 6;
    static char out[16] __attribute__((aligned(16)));
    for (int i = 0; i < 3000; i++) {
        union {
            uint64_t q[6];
            float f[12];
            double d[6];
        } u;

        for (int k = 0; k < 6; k++)
            u.q[k] = tl_rng(&s);
        if (i & 1)
            for (int k = 0; k < 12; k++)
                u.f[k] = (float)(int)u.q[k / 2] / (k + 1);
        if (i & 2)
            for (int k = 0; k < 6; k++)
                u.d[k] = (double)(int)u.q[k] * 0.37;
        void *v = &u;
        V("addss %%xmm2,%%xmm1");
        V("mulsd %%xmm2,%%xmm1");
        V("sqrtss %%xmm2,%%xmm1");
        V("divsd %%xmm2,%%xmm1");
        V("minps %%xmm2,%%xmm1");
        V("maxpd %%xmm2,%%xmm1");
        V("cvtss2sd %%xmm2,%%xmm1");
        V("cvtsd2ss %%xmm2,%%xmm1");
        V("cvtdq2pd %%xmm2,%%xmm1");
        V("cvtpd2dq %%xmm2,%%xmm1");
        V("cvttps2dq %%xmm2,%%xmm1");
        V("cvtps2pd %%xmm2,%%xmm1");
        V("cvtpd2ps %%xmm2,%%xmm1");
        V("movss %%xmm2,%%xmm1");
        V("movsd %%xmm2,%%xmm1");
        V("movhlps %%xmm2,%%xmm1");
        V("movlhps %%xmm2,%%xmm1");
        V("movddup %%xmm2,%%xmm1");
        V("movshdup %%xmm2,%%xmm1");
        V("unpcklps %%xmm2,%%xmm1");
        V("shufpd $1,%%xmm2,%%xmm1");
        V("cmpps $1,%%xmm2,%%xmm1");
        V("cmppd $3,%%xmm2,%%xmm1");
        V("cmpss $5,%%xmm2,%%xmm1");
        V("cmpsd $6,%%xmm2,%%xmm1");
        V("haddps %%xmm2,%%xmm1");
        V("addsubpd %%xmm2,%%xmm1");
        V("dpps $0xf1,%%xmm2,%%xmm1");
        V("dppd $0x31,%%xmm2,%%xmm1");
        V("roundps $0,%%xmm2,%%xmm1");
        V("roundsd $1,%%xmm2,%%xmm1");
        V("roundpd $2,%%xmm2,%%xmm1");
        V("roundss $3,%%xmm2,%%xmm1");
        V("insertps $0x4d,%%xmm2,%%xmm1");
        V("blendvps %%xmm0,%%xmm2,%%xmm1");
        V("pblendvb %%xmm0,%%xmm2,%%xmm1");
        V("pblendw $0x5a,%%xmm2,%%xmm1");
        V("pshufb %%xmm2,%%xmm1");
        V("palignr $5,%%xmm2,%%xmm1");
        V("psignw %%xmm2,%%xmm1");
        V("pmulhrsw %%xmm2,%%xmm1");
        V("phaddsw %%xmm2,%%xmm1");
        V("mpsadbw $5,%%xmm2,%%xmm1");
        V("phminposuw %%xmm2,%%xmm1");
        V("pmovzxbq %%xmm2,%%xmm1");
        V("pmovsxwd %%xmm2,%%xmm1");
        V("packusdw %%xmm2,%%xmm1");
        V("pmuldq %%xmm2,%%xmm1");
        V("pcmpgtq %%xmm2,%%xmm1");
        V("pinsrb $3,%%eax,%%xmm1");
        V("movd %%xmm2,%%eax\n pinsrq $1,%%rax,%%xmm1");
        V("movq %%xmm2,%%rcx\n cvtsi2sd %%rcx,%%xmm1");
        V("movd %%xmm2,%%ecx\n cvtsi2ss %%ecx,%%xmm1");
        V("pcmpestrm $0x44,%%xmm2,%%xmm1\n movaps %%xmm0,%%xmm1");
        V("pcmpistrm $0x0c,%%xmm2,%%xmm1\n movaps %%xmm0,%%xmm1");
        F("ucomiss %%xmm2,%%xmm1");
        F("comisd %%xmm2,%%xmm1");
        F("ptest %%xmm2,%%xmm1");
        F("pcmpistri $0x1a,%%xmm2,%%xmm1");
        F("pcmpestri $0x42,%%xmm2,%%xmm1");
        G("cvttss2si %%xmm1,%0");
        G("cvtsd2si %%xmm1,%k0");
        G("movmskps %%xmm1,%k0");
        G("movmskpd %%xmm2,%k0");
        G("pmovmskb %%xmm1,%k0");
        G("pextrb $5,%%xmm1,%k0");
        G("pextrw $2,%%xmm1,%k0");
        G("pextrq $1,%%xmm2,%0");
        G("extractps $3,%%xmm1,%k0");
        G("movd %%xmm1,%k0");
        G("crc32q %0,%0");
        G("crc32b %b0,%k0");
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
