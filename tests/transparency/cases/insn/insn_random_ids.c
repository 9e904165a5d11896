#include "tl.h"
#include <cpuid.h>
#include <sys/random.h>

/* rdrand, rdseed, rdpid, rdpkru, xgetbv: what they give cannot be printed, what they must satisfy can */
int
main(void)
{
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    if (c >> 30 & 1) {
        uint64_t v[64], same = 0;
        for (int i = 0; i < 64; i++) {
            uint8_t ok = 0;
            uint64_t f;
            for (int t = 0; t < 1000 && !ok; t++)
                asm volatile("rdrand %0\n setc %1\n pushfq\n pop %2" : "=r"(v[i]), "=q"(ok), "=r"(f)::"cc");
            EQ(ok, 1);
            EQ(f & 0x8d4, 0);
            same += i && v[i] == v[i - 1];
        }
        EQ(same, 0);
        uint64_t w = ~0ull;
        asm volatile("1: rdrand %w0\n jnc 1b" : "+r"(w)::"cc");
        EQ(w >> 16, 0xffffffffffffull);
    }
    __cpuid_count(7, 0, a, b, c, d);
    if (b >> 18 & 1) {
        uint32_t v;
        asm volatile("1: pause\n rdseed %0\n jnc 1b" : "=r"(v)::"cc");
    }
    if (c >> 22 & 1) {
        uint64_t pid = ~0ull;
        uint32_t aux;
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(0, &set);
        if (!sched_setaffinity(0, sizeof set, &set)) {
            asm volatile("rdpid %0" : "=r"(pid));
            asm volatile("rdtscp" : "=c"(aux)::"rax", "rdx");
            EQ(pid, aux);
            EQ(pid & 0xfff, 0);
        }
    }
    if (c >> 4 & 1) {
        uint32_t pkru = 0, hi = 1;
        asm volatile("rdpkru" : "=a"(pkru), "=d"(hi) : "c"(0));
        EQ(hi, 0);
        printf("pkru %x\n", pkru);
        asm volatile("wrpkru" ::"a"(pkru ^ 0x10), "c"(0), "d"(0) : "memory");
        for (volatile int i = 0; i < 1000; i++)
            getppid();
        uint32_t now;
        asm volatile("rdpkru" : "=a"(now) : "c"(0) : "rdx");
        EQ(now, pkru ^ 0x10);
        asm volatile("wrpkru" ::"a"(pkru), "c"(0), "d"(0) : "memory");
    }
    uint32_t lo, hi;
    asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    printf("xcr0 %x %x\n", hi, lo);
    char x[32] = {0}, y[32] = {0};
    EQ(getrandom(x, 32, 0), 32);
    EQ(getentropy(y, 32), 0);
    CHECK(memcmp(x, y, 32));
    EQ(getrandom(x, 8, 0x80), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
