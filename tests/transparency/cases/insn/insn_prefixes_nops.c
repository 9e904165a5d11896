#include "tl.h"

int
main(void)
{
    uint64_t x = 5, y = 7;
    long m[4] = {1, 2, 3, 4};
    for (int i = 0; i < 1000; i++) {
        asm volatile(".byte 0x90\n"
                     " .byte 0x66,0x90\n"
                     " nopl (%%rax)\n"
                     " nopl 8(%%rax)\n"
                     " nopw 0(%%rax,%%rax,1)\n"
                     " nopl 0x12345678(%%rax)\n"
                     " nopw %%cs:0x12345678(%%rax,%%rax,1)\n"
                     " .byte 0x66,0x66,0x66,0x66,0x66,0x2e,0x0f,0x1f,0x84,0,0,0,0,0\n"
                     " .byte 0x0f,0x18,0x38\n"
                     " .byte 0x0f,0x19,0xc0\n"
                     " .byte 0x0f,0x1d,0x00\n"
                     " .byte 0xf3,0x0f,0x1e,0xc8\n"
                     " pause\n"
                     " .byte 0x66,0x66,0x66,0x90\n"
                     " .byte 0x49,0x90-0x00\n"
                     " xchg %%r8,%%rax\n"
                     " xchg %%r8,%%rax\n"
                     " .byte 0xf2,0x90\n"
                     " .byte 0x0f,0x0d,0x08\n"
                     " prefetcht0 (%%rax)\n"
                     " prefetchnta (%%rax)\n" ::
                         : "r8", "rax");
        asm volatile(".byte 0x2e\n"
                     " add %1,%0\n"
                     " .byte 0x3e\n"
                     " add %1,%0\n"
                     " .byte 0x26\n"
                     " mov %1,%1\n"
                     " .byte 0x36\n"
                     " sub %1,%0\n"
                     : "+r"(x)
                     : "r"(y)
                     : "cc");
        asm volatile("mov %%ds:(%1),%0\n"
                     " add %%es:8(%1),%0\n"
                     " add %%cs:16(%1),%0\n"
                     " add %%ss:24(%1),%0\n"
                     " .byte 0x40,0x48\n"
                     " add (%1),%0\n"
                     " .byte 0x66,0x48\n"
                     " .byte 0x01,0xc0"
                     : "=&a"(y)
                     : "D"(m)
                     : "cc");
        EQ(y, 22);
        y = 7;
        asm volatile(".byte 0x48,0x40,0x90\n"
                     " .byte 0x66,0x2e,0x0f,0x1f,0x84,0,0,2,0,0\n"
                     " .byte 0xf3,0x48,0x90\n"
                     " lea %%fs:8(%%rsp),%%rcx\n"
                     " sub %%rsp,%%rcx\n"
                     " mov %%rcx,%0"
                     : "=r"(y)::"rcx", "rax");
        EQ(y, 8);
        y = 7;
        if (tl_bad)
            break;
    }
    printf("%ld\n", x);
    /* a 15-byte instruction */
    asm volatile(".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90");
    asm volatile("mov %0,%%rax\n"
                 " .byte 0x2e,0x2e,0x2e,0x2e,0x48,0x81,0x80,0x08,0,0,0,0x44,0x33,0x22,0x11" ::"r"(m)
                 : "rax", "memory", "cc");
    EQ(m[1], 0x11223346);
    asm volatile("sfence\n"
                 " lfence\n"
                 " mfence\n"
                 " clflush (%0)\n"
                 " movnti %1,(%0)\n"
                 " sfence" ::"r"(m),
                 "r"(x)
                 : "memory");
    EQ(m[0], x);
    uint16_t sw;
    asm volatile("mov %%ss,%0" : "=r"(sw));
    printf("ss %x ", sw);
    asm volatile("mov %%cs,%0" : "=r"(sw));
    printf("cs %x ", sw);
    asm volatile("mov %%ds,%0" : "=r"(sw));
    printf("ds %x\n", sw);
    asm volatile("xor %%eax,%%eax\n"
                 " mov %%eax,%%es\n"
                 " mov %%es,%%ecx\n"
                 " mov %%eax,%%ds\n" ::
                     : "rax", "rcx");
    uint64_t lim = 0;
    uint8_t z;
    asm volatile("mov %%ss,%%ecx\n"
                 " lsl %%ecx,%k0\n"
                 " setz %1\n"
                 " verr %%cx\n"
                 : "+r"(lim), "=r"(z)::"rcx", "cc");
    printf("%d %llx\n", z, (unsigned long long)lim);
    return tl_end();
}
