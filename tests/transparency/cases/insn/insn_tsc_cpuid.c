#include "tl.h"
#include <cpuid.h>

int
main(void)
{
    uint64_t last = 0;
    uint32_t a, b, c, d, aux;
    for (int i = 0; i < 10000; i++) {
        asm volatile("rdtsc" : "=a"(a), "=d"(d));
        uint64_t t = a | (uint64_t)d << 32;
        if (t < last) {
            CHECK(!"tsc");
            break;
        }
        last = t;
    }
    uint64_t hi = ~0ull;
    asm volatile("mov $-1,%%rax\n"
                 " mov $-1,%%rdx\n"
                 " rdtsc\n"
                 " shr $32,%%rdx\n"
                 " shr $32,%%rax\n"
                 " or %%rax,%%rdx\n"
                 " mov %%rdx,%0"
                 : "=r"(hi)::"rax", "rdx");
    EQ(hi, 0);
    asm volatile("rdtscp" : "=a"(a), "=d"(d), "=c"(aux));
    CHECK((aux & 0xfff) < 4096);
    asm volatile("lfence\n"
                 " rdtsc\n"
                 " lfence" ::
                     : "rax", "rdx");
    for (unsigned leaf = 0; leaf <= 0x16; leaf++)
        if (leaf != 0xb && leaf != 0xd && leaf != 4) {
            __cpuid_count(leaf, 0, a, b, c, d);
            if (leaf == 1)
                b &= 0xffff;
            printf("%x: %x %x %x %x\n", leaf, a, b, c, d);
        }
    __cpuid_count(13, 0, a, b, c, d);
    printf("d: %x %x %x\n", a, b, c);
    __cpuid_count(13, 1, a, b, c, d);
    printf("d1: %x\n", a);
    for (unsigned leaf = 0x80000000; leaf <= 0x80000008; leaf++) {
        __cpuid(leaf, a, b, c, d);
        printf("%x: %x %x %x %x\n", leaf, a, leaf == 0x80000008 || leaf == 0x80000001 ? 0 : b, c, d);
    }
    uint64_t r = 1, x = ~0ull;
    asm volatile("mov $-1,%%rbx\n"
                 " xor %%eax,%%eax\n"
                 " cpuid\n"
                 " shr $32,%%rbx\n"
                 " mov %%rbx,%0"
                 : "=r"(x)::"rax", "rbx", "rcx", "rdx");
    EQ(x, 0);
    return tl_end();
}
