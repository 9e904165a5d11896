#include "tl.h"
#define M 0x8d5ull

int
main(void)
{
    uint64_t s = 12345, h = FNV0;
    for (int i = 0; i < 20000; i++) {
        uint64_t a = tl_rng(&s) >> (i % 60), b = tl_rng(&s) >> (i % 37), f, g, r = a;
        uint8_t ah;
        asm volatile("add %3,%1\n"
                     " pushfq\n"
                     " pop %0\n"
                     " lahf\n"
                     " mov %%ah,%2"
                     : "=&r"(f), "+r"(r), "=&Q"(ah)
                     : "r"(b)
                     : "rax", "cc");
        EQ(ah & 0xd5, f & 0xd5);
        EQ(ah & 2, 2);
        h = tl_fnv(h, &r, 8) ^ (f & M);
        asm volatile("mov %2,%%ah\n"
                     " sahf\n"
                     " seto %b0\n"
                     " lahf\n"
                     " mov %%ah,%b1"
                     : "=&r"(f), "=&Q"(g)
                     : "Q"((uint8_t)(a >> 3))
                     : "rax", "cc");
        EQ((uint8_t)g & 0xd5, (a >> 3) & 0xd5);
        f = (a & M) | 0x202;
        asm volatile("push %1\n"
                     " popfq\n"
                     " inc %2\n"
                     " pushfq\n"
                     " pop %0"
                     : "=&r"(g)
                     : "r"(f), "r"(b)
                     : "cc");
        EQ(g & 1, f & 1);
        h = tl_fnv(h, &g, 8);
        asm volatile("push %1\n"
                     " popfq\n"
                     " cmc\n"
                     " pushfq\n"
                     " pop %0"
                     : "=&r"(g)
                     : "r"(f)
                     : "cc");
        EQ(g & M, (f ^ 1) & M);
        asm volatile("push %1\n"
                     " popfq\n"
                     " pushfw\n"
                     " pop %w0\n"
                     : "=&r"(g)
                     : "r"(f)
                     : "cc");
        EQ((uint16_t)g & M, f & M);
        asm volatile("push %1\n"
                     " popfq\n"
                     " not %2\n"
                     " lea 5(%2,%2),%2\n"
                     " bswap %2\n"
                     " mov $5,%0\n"
                     " pushfq\n"
                     " pop %0"
                     : "=&r"(g)
                     : "r"(f), "r"(b)
                     : "cc");
        EQ(g & M, f & M);
        if (tl_bad)
            break;
    }
    printf("%llx\n", (unsigned long long)h);
    /* ID and AC bits may be changed by a user program and read back; IF may not */
    uint64_t f, g;
    asm volatile("pushfq\n"
                 " pop %0\n"
                 " mov %0,%1\n"
                 " xor $0x200000,%1\n"
                 " push %1\n"
                 " popfq\n"
                 " pushfq\n"
                 " pop %1\n"
                 " push %0\n"
                 " popfq"
                 : "=&r"(f), "=&r"(g)::"cc");
    EQ((f ^ g) & 0x200000, 0x200000);
    asm volatile("pushfq\n"
                 " pop %0\n"
                 " mov %0,%1\n"
                 " and $~0x200,%1\n"
                 " push %1\n"
                 " popfq\n"
                 " pushfq\n"
                 " pop %1\n"
                 " push %0\n"
                 " popfq"
                 : "=&r"(f), "=&r"(g)::"cc");
    EQ(g & 0x200, 0x200);
    EQ(f & 0x700, 0x200);
    /* popf with DF set, then a string instruction */
    char b[8] = "abcdefg";
    asm volatile("pushfq\n"
                 " orq $0x400,(%%rsp)\n"
                 " popfq\n"
                 " mov $3,%%ecx\n"
                 " rep movsb\n"
                 " cld" ::"S"(b + 5),
                 "D"(b + 6)
                 : "rcx", "memory", "cc");
    puts(b);
    return tl_end();
}
