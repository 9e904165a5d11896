#include "tl.h"

/* enter with every nesting level, and leave; 16-bit and deep frames */
#define E(size, level)                                                                                     \
    do {                                                                                                   \
        static uint64_t area[512];                                                                         \
        for (int i = 0; i < 512; i++)                                                                      \
            area[i] = 1000 + i;                                                                            \
        uint64_t sp_, bp_, bp2_, sp2_;                                                                     \
        asm volatile("mov %%rsp,%%rbx\n mov %%rbp,%%r12\n lea 3200(%4),%%rsp\n lea 3000(%4),%%rbp\n"       \
                     "enter $" #size ",$" #level "\n mov %%rsp,%0\n mov %%rbp,%1\n leave\n mov %%rsp,%2\n" \
                     "mov %%rbp,%3\n mov %%rbx,%%rsp\n mov %%r12,%%rbp"                                    \
                     : "=&a"(sp_), "=&d"(bp_), "=&S"(sp2_), "=&D"(bp2_)                                    \
                     : "c"(area)                                                                           \
                     : "rbx", "r12", "memory", "cc");                                                      \
        uint64_t h_ = FNV0;                                                                                \
        for (int i = 0; i < 512; i++) {                                                                    \
            uint64_t v_ = area[i] - (uint64_t)area < 4096 ? area[i] - (uint64_t)area : area[i];            \
            h_ = tl_fnv(h_, &v_, 8);                                                                       \
        }                                                                                                  \
        printf("enter %d,%d: rsp %ld rbp %ld leave rsp %ld rbp %ld frame %llx\n", size, level,             \
               (long)(sp_ - (uint64_t)area), (long)(bp_ - (uint64_t)area), (long)(sp2_ - (uint64_t)area),  \
               (long)(bp2_ - (uint64_t)area), (unsigned long long)h_);                                     \
    } while (0)

__attribute__((noinline)) static long
framed(long a)
{
    long r;
    asm volatile(
        "call 1f\n jmp 2f\n"
        "1: enter $128,$0\n mov %1,-8(%%rbp)\n mov %1,-128(%%rbp)\n test %1,%1\n jz 3f\n dec %1\n call 1b\n"
        "mov -8(%%rbp),%0\n add -128(%%rbp),%0\n 3: leave\n ret\n 2:"
        : "=&a"(r), "+D"(a)::"memory", "cc");
    return r;
}

int
main(void)
{
    E(0, 0);
    E(16, 0);
    E(8, 1);
    E(32, 2);
    E(256, 5);
    E(0, 31);
    E(1000, 31);
    E(64, 33); /* levels count modulo 32 */
    for (int i = 0; i < 100; i++)
        EQ(framed(200), 400);
    uint64_t a[8], sp, bp;
    asm volatile(
        "mov %%rsp,%%rbx\n mov %%rbp,%%r12\n lea 32(%2),%%rbp\n movw $0x5555,32(%2)\n data16 leave\n mov %%rsp,%0\n"
        "mov %%rbp,%1\n mov %%rbx,%%rsp\n mov %%r12,%%rbp"
        : "=&a"(sp), "=&d"(bp)
        : "c"(a)
        : "rbx", "r12", "memory");
    printf("leavew rsp %ld bp %lx\n", (long)(sp - (uint64_t)a), bp & 0xffff);
    return tl_end();
}
