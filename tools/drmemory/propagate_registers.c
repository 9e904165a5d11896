/* The program's vector, mask and x87 registers, read from the CPU: a clean call
 * leaves them as the program has them, and this code changes none.
 * Threads: any. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "propagate_priv.h"

/* What the operating system enables (XCR0). */
enum { STATE_AVX = 4, STATE_AVX512 = 0xe0 };

static uint32_t
enabled_states(void)
{
    static uint32_t states;
    uint32_t a = 1, b, c = 0, d, low = 1;

    if (states)
        return states;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (c >> 27 & 1)                                /* OSXSAVE */
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(d) : "c"(0));
    return states = low | 1;
}

bool cpu_has_mask_registers(void) { return (enabled_states() & STATE_AVX512) == STATE_AVX512; }

#define ALL16(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13) f(14) f(15)
#define ALL32(f) ALL16(f) f(16) f(17) f(18) f(19) f(20) f(21) f(22) f(23) f(24) f(25) f(26) f(27) f(28) f(29) f(30) f(31)
#define READ_ZMM(n) case n: __asm__ volatile("vmovdqu64 %%zmm" #n ", %0" : "=m"(*out)); break;
#define READ_YMM(n) case n: __asm__ volatile("vmovdqu %%ymm" #n ", %0" : "=m"(*out)); break;
#define READ_XMM(n) case n: __asm__ volatile("movdqu %%xmm" #n ", %0" : "=m"(*out)); break;
#define READ_MASK(n) case n: __asm__ volatile("kmovw %%k" #n ", %0" : "=r"(low)); break;
#define READ_MASK64(n) case n: __asm__ volatile("kmovq %%k" #n ", %0" : "=r"(v)); break;

/* At least `bytes` of the register; the rest of out is not meaningful. */
void
read_zmm(unsigned r, unsigned bytes, union vector *out)
{
    uint32_t states = enabled_states();

    if (bytes <= 16 && r < 16) {
        switch (r) { ALL16(READ_XMM) }
    } else if ((states & STATE_AVX512) == STATE_AVX512) {
        switch (r) { ALL32(READ_ZMM) }
    } else if (states & STATE_AVX && r < 16) {
        switch (r) { ALL16(READ_YMM) }
    } else {
        memset(out, 0, sizeof *out);                /* the instruction does not exist here either */
    }
}

static bool
has_avx512bw(void)
{
    uint32_t a = 7, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 30 & 1;
}

uint64_t
read_k(unsigned r)
{
    static int wide;                                /* 1 no, 2 yes: masks have 64 bits */
    uint64_t v = 0;
    uint32_t low = 0;

    if (!cpu_has_mask_registers())
        return 0;
    if (!wide)
        wide = has_avx512bw() ? 2 : 1;
    if (wide == 2) {
        switch (r) { READ_MASK64(0) READ_MASK64(1) READ_MASK64(2) READ_MASK64(3) READ_MASK64(4) READ_MASK64(5) READ_MASK64(6) READ_MASK64(7) }
        return v;
    }
    switch (r) { READ_MASK(0) READ_MASK(1) READ_MASK(2) READ_MASK(3) READ_MASK(4) READ_MASK(5) READ_MASK(6) READ_MASK(7) }
    return low;
}
