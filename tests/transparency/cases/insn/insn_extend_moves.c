#include "tl.h"

/* widening, narrowing and partial-register moves: what is cleared, what is kept */
int
main(void)
{
    uint64_t s = 70, h = FNV0;
    static uint64_t mem[4];
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s), r = tl_rng(&s), t, q[24];
        mem[0] = a;
        mem[1] = r;
        int n = 0;
#define OP(ins)                                                            \
    t = a;                                                                 \
    q[n] = r;                                                              \
    asm volatile(ins : "+&a"(q[n]), "+&d"(t) : "r"(mem) : "memory", "cc"); \
    n++
        OP("movsbl %b1,%k0");
        OP("movsbw %b1,%w0");
        OP("movsbq %b1,%0");
        OP("movswl %w1,%k0");
        OP("movswq (%2),%0");
        OP("movslq %k1,%0");
        OP("movslq 2(%2),%0");
        OP(".byte 0x63,0xc2"); /* movsxd eax,edx: no REX.W */
        OP("movzbl %b1,%k0");
        OP("movzbw (%2),%w0");
        OP("movzwl 1(%2),%k0");
        OP("movzwq %w1,%0");
        OP("mov %k1,%k0");
        OP("mov %w1,%w0");
        OP("mov %b1,%b0");
        OP("mov $-5,%0");
        OP("mov $0x80000000,%k0");
        OP("movabs $0x8000000000000001,%0");
        OP("cbtw");
        OP("cwtl");
        OP("cltq");
        OP("cwtd\n mov %%rdx,%0");
        OP("cqto\n xor %%rdx,%0");
        OP("xchg %k1,%k0\n xchg %k1,%k0");
        EQ(n, 24);
        q[21] &= 0xffff;
        h = tl_fnv(h, q, sizeof q);
        asm volatile(
            "movb $1,8(%0)\n movw $-1,10(%0)\n movl $-7,12(%0)\n movq $-9,16(%0)\n movnti %1,24(%0)" ::"r"(
                mem),
            "r"(a)
            : "memory");
        h = tl_fnv(h, mem, sizeof mem);
    }
    printf("%llx\n", (unsigned long long)h);
    return tl_end();
}
