#include "tl.h"

/* a stack made executable: code pushed there, run, popped, overwritten by calls and data */
__attribute__((noinline)) static int
run_here(int k)
{
    unsigned char buf[64] __attribute__((aligned(16)));
    memset(buf, 0x90, sizeof buf);
    buf[40] = 0xb8;
    memcpy(buf + 41, &k, 4);
    buf[45] = 0xc3;
    asm volatile("" ::"r"(buf) : "memory");
    return ((int (*)(void))(buf + k % 40))();
}

__attribute__((noinline)) static int
recurse(int d, int k)
{
    volatile char pad[48];
    pad[d % 48] = d;
    int r = run_here(k + d);
    return d ? r + recurse(d - 1, k) : r;
}

int
main(void)
{
    char here;
    char *lo = (char *)((uintptr_t)&here & ~0xfffful) - 0x10000;
    for (int i = 0; i < 1000; i++)
        *(volatile char *)(lo + (0x10000 - i * 64)) = 0;
    NEED(!mprotect(lo, 0x10000, 7));
    NEED(!mprotect(lo + 0x10000, ((uintptr_t)&here - (uintptr_t)lo - 0x10000 + 4096) & ~4095ul, 7));
    for (int i = 0; i < 3000; i++) {
        EQ(run_here(i), i);
        if (i % 20 == 0) {
            int want = 0;
            for (int d = 0; d <= i % 100; d++)
                want += i + d;
            EQ(recurse(i % 100, i), want);
        }
        if (tl_bad)
            break;
    }
    /* code made by pushes: mov eax,imm ; ret */
    for (int i = 0; i < 2000; i++) {
        long r, imm = 0xb8 | (long)i << 8 | 0xc3l << 40;
        asm volatile("push %1\n call *%%rsp\n pop %1" : "=a"(r), "+r"(imm)::"memory");
        EQ((int)r, i);
        if (tl_bad)
            break;
    }
    return tl_end();
}
