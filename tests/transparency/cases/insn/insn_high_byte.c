#include "tl.h"

/* ah, bh, ch and dh in every kind of instruction that takes a byte; spl, bpl, sil, dil beside them */
int
main(void)
{
    uint64_t s = 8, h = FNV0;
    uint8_t mem[16];
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), b = tl_rng(&s), c = tl_rng(&s), d = tl_rng(&s), f;
        for (int k = 0; k < 16; k++)
            mem[k] = a >> k;
        asm volatile(
            "mov %%bh,%%al\n mov %%dl,%%ah\n add %%ch,%%dh\n adc %%ah,%%bl\n xchg %%cl,%%ch\n xchg %%bh,%%dh\n sub $7,%%ah\n"
            "mov %%ah,(%5)\n mov 1(%5),%%bh\n cmp %%bh,%%ch\n setb %%dh\n inc %%ch\n neg %%ah\n not %%bh\n rol $3,%%ch\n"
            "test $0x5a,%%dh\n sete %%bl\n movzbl %%ah,%%eax\n mov $0x3c,%%ah\n xor %%ah,%%al\n or %%dh,%%ah\n and 2(%5),%%ch\n"
            "add %%ch,3(%5)\n lock addb $1,4(%5)\n xadd %%dh,%%ch\n movsbw %%ch,%%cx\n movzbl %%dh,%%edx\n mov $0x81,%%dh\n"
            "imul %%bh\n shr %%ah\n lahf\n mov %%ah,5(%5)\n mov $0x45,%%ah\n sahf\n pushfq\n pop %4"
            : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "=&r"(f)
            : "S"(mem)
            : "memory", "cc");
        uint64_t v[5] = {a, b, c, d, f & 0xd5};
        h = tl_fnv(h, v, sizeof v);
        h = tl_fnv(h, mem, 16);
        uint64_t si = a, di = b, r8 = c;
        asm volatile(
            "mov %%rbp,%%rdx\n mov %1,%%rbp\n mov %%sil,%%bpl\n add %%r8b,%%sil\n xchg %%bpl,%%dil\n sete %%dil\n mov $9,%%r8b\n"
            "mov %%bpl,%%r8b\n mov %%rbp,%1\n mov %%rdx,%%rbp"
            : "+S"(si), "+D"(di)
            :
            : "rdx", "r8", "cc");
        asm volatile(
            "mov %%rsp,%%rdx\n mov %%spl,%%al\n mov %%dl,%%cl\n cmp %%al,%%cl\n setne %%al\n movzbl %%al,%%eax"
            : "=a"(f)::"rdx", "rcx", "cc");
        EQ(f, 0);
        h = tl_fnv(h, &si, 8) + di;
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
