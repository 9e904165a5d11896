#include "tl.h"

/* loop, loope, loopne, jrcxz and jecxz: 32- and 64-bit counts, both ways, and no flag touched */
#define RUN(form, count, flags)                                                                        \
    do {                                                                                               \
        uint64_t c_ = (count), t_ = 0, f_ = (flags) | 0x202;                                           \
        asm volatile("push %2\n"                                                                       \
                     "popfq\n" form "\n"                                                               \
                     "jmp 2f\n"                                                                        \
                     "1: mov $1,%1\n"                                                                  \
                     "2: pushfq\n"                                                                     \
                     "pop %2"                                                                          \
                     : "+c"(c_), "+r"(t_), "+r"(f_)::"memory", "cc");                                  \
        printf("%-8.8s %16llx %3x: rcx %llx taken %d flags %llx\n", form, (unsigned long long)(count), \
               flags, (unsigned long long)c_, (int)t_, (unsigned long long)f_ & 0x8d5);                \
    } while (0)

int
main(void)
{
    uint64_t counts[] = {0, 1, 2, 0x100000000, 0x100000001, 0xffffffff, ~0ull};
    int flags[] = {0, 0x40, 0x8d5, 0x895};
    for (int i = 0; i < 7; i++)
        for (int k = 0; k < 4; k++) {
            RUN("loop 1f", counts[i], flags[k]);
            RUN("loope 1f", counts[i], flags[k]);
            RUN("loopne 1f", counts[i], flags[k]);
            RUN("jrcxz 1f", counts[i], flags[k]);
            RUN("jecxz 1f", counts[i], flags[k]);
            RUN("addr32 loop 1f", counts[i], flags[k]);
            RUN("addr32 loope 1f", counts[i], flags[k]);
            RUN("addr32 loopne 1f", counts[i], flags[k]);
        }
    /* as the back edge of hot loops */
    long n = 0, c = 1000000;
    asm volatile("1: add $3,%0\n loop 1b" : "+r"(n), "+c"(c)::"cc");
    EQ(n, 3000000);
    c = 0x100000005;
    n = 0;
    asm volatile("1: inc %0\n addr32 loop 1b" : "+r"(n), "+c"(c)::"cc");
    EQ(n, 5);
    EQ(c, 0);
    char s[] = "a long string with an x in it";
    c = sizeof s;
    char *p = s - 1;
    asm volatile("1: inc %1\n cmpb $'x',(%1)\n loopne 1b" : "+c"(c), "+r"(p)::"cc", "memory");
    printf("x at %d\n", (int)(p - s));
    n = 0;
    for (int i = 0; i < 100000; i++)
        asm volatile("jrcxz 1f\n inc %0\n 1:" : "+r"(n) : "c"((long)(i % 3)) : "cc");
    printf("%ld\n", n);
    return tl_end();
}
