#include "tl.h"

/* which flag bits popf, popfw, sahf and iretq may change, for all patterns */
int
main(void)
{
    uint64_t s = 2, h = FNV0;
    for (int i = 0; i < 3000; i++) {
        uint64_t want = tl_rng(&s) & ~0x40100ull, got, before; /* not TF, not AC */
        asm volatile("pushfq\n pop %0\n push %2\n popfq\n pushfq\n pop %1\n push $0x202\n popfq"
                     : "=&r"(before), "=&r"(got)
                     : "r"(want)
                     : "cc", "memory");
        EQ(got & 0x202, 0x202); /* IF stays, bit 1 is 1 */
        EQ(got & 0x8028, 0);    /* reserved */
        EQ(got & 0x3000, 0);    /* IOPL stays 0 */
        EQ(got & 0xcd5, want & 0xcd5);
        EQ(got & 0x200000, want & 0x200000); /* ID */
        EQ(got & 0x4000, want & 0x4000);     /* NT */
        EQ(got & 0x1b0000, 0);               /* RF, VM, VIF, VIP */
        got &= ~0x200000ull;
        asm volatile("push %1\n popfq\n pushw %w2\n popfw\n pushfq\n pop %0\n push $0x202\n popfq"
                     : "=&r"(got)
                     : "r"(0x200202ull), "r"((uint32_t)want)
                     : "cc", "memory");
        EQ(got & 0xcd5, want & 0xcd5);
        EQ(got & 0x200000, 0x200000); /* popfw leaves the upper half */
        h = h * 31 + (got & 0x7fff);
        if (tl_bad)
            break;
    }
    printf("%llx\n", (unsigned long long)h);
    /* ID and AC stay set over calls, branches and system calls */
    uint64_t f;
    asm volatile(
        "pushfq\n orq $0x200400,(%%rsp)\n popfq\n call 1f\n jmp 2f\n 1: ret\n 2: mov $39,%%eax\n syscall\n mov $20,%%ecx\n 3: loop 3b\n"
        "pushfq\n pop %0\n push $0x202\n popfq"
        : "=r"(f)::"rax", "rcx", "r11", "cc", "memory");
    EQ(f & 0x200400, 0x200400);
    asm volatile("cld\n stc\n clc\n cmc\n pushfq\n pop %0" : "=r"(f)::"cc");
    EQ(f & 0x401, 1);
    return tl_end();
}
