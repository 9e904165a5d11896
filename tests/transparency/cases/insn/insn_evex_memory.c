//! build: gcc -O1 -w -I$INC $SRC -o $OUT
//! need: cpu:avx512f cpu:avx512bw cpu:avx512dq cpu:avx512vl
#include "tl.h"

/* EVEX operands in memory: RIP-relative, compressed displacements, broadcasts, with immediates behind them */
static uint32_t data[256] __attribute__((aligned(64), used));
extern void run(void *out, void *base, long index);
asm(".text\n.globl run\n"
    "run: mov $0x5555,%eax\n kmovw %eax,%k1\n"
    " vmovdqu32 data(%rip),%zmm0\n vpaddd data+64(%rip),%zmm0,%zmm1\n vpaddd data+4(%rip){1to16},%zmm1,%zmm1\n"
    " vpternlogd $0x96,data+128(%rip),%zmm0,%zmm1\n vpternlogq $0x1e,data+8(%rip){1to8},%zmm1,%zmm0\n"
    " vpaddd 64(%rsi),%zmm1,%zmm2\n vpaddd 128(%rsi,%rdx,4),%zmm2,%zmm2{%k1}\n vpaddd -64(%rsi),%ymm2,%ymm3\n vpaddd 32(%rsi),%xmm3,%xmm3\n"
    " vpaddq 504(%rsi){1to8},%zmm2,%zmm2\n vpaddd 508(%rsi){1to16},%zmm2,%zmm2\n vpaddd 260(%rsi){1to4},%xmm3,%xmm3\n"
    " vpmovzxbd data+3(%rip),%zmm4\n vpmovqd %zmm2,512(%rdi)\n vextracti32x4 $2,%zmm1,544(%rdi)\n vinserti64x2 $3,data+16(%rip),%zmm4,%zmm4\n"
    " vpcmpud $1,data+64(%rip),%zmm0,%k2{%k1}\n kmovw %k2,576(%rdi)\n vpblendmd data(%rip),%zmm1,%zmm5{%k1}\n vbroadcasti32x4 data+32(%rip),%zmm6\n"
    " vmovdqu32 %zmm0,(%rdi)\n vmovdqu32 %zmm1,64(%rdi)\n vmovdqu32 %zmm2,128(%rdi)\n vmovdqu32 %zmm3,192(%rdi)\n vmovdqu32 %zmm4,256(%rdi)\n"
    " vmovdqu32 %zmm5,320(%rdi){%k1}\n vmovdqu32 %zmm6,384(%rdi)\n vpmovdb %zmm1,448(%rdi)\n vmovss data+20(%rip),%xmm7\n vaddss data+24(%rip),%xmm7,%xmm7{%k1}{z}\n"
    " vmovss %xmm7,580(%rdi)\n vzeroupper\n ret\n");

int
main(void)
{
    uint64_t s = 12, h = FNV0;
    static char out[1024] __attribute__((aligned(64)));
    for (int i = 0; i < 500; i++) {
        for (int k = 0; k < 256; k++)
            data[k] = tl_rng(&s) >> 11;
        run(out, data + 64, i % 8);
        h = tl_fnv(h, out, sizeof out);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
