//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* with AC set, a misaligned access is SIGBUS, BUS_ADRALN; an aligned one, and one byte, are not */
static sigjmp_buf jb;
static volatile int n, code;
static volatile long addr_off;
static char area[256] __attribute__((aligned(64)));

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    n++;
    code = si->si_code;
    EQ(u->uc_mcontext.gregs[REG_EFL] & 0x40000, 0x40000);
    u->uc_mcontext.gregs[REG_EFL] &= ~0x40000;
    u->uc_mcontext.gregs[REG_RIP] += 4; /* over mov 0(%reg),%eax in its 3- or 4-byte form, nops follow */
}

int
main(void)
{
    tl_on(SIGBUS, hd, 0);
    for (int i = 0; i < 200; i++) {
        uint64_t r = 0;
        int before = n, off = i % 8;
        asm volatile(
            "pushfq\n orq $0x40000,(%%rsp)\n popfq\n mov 0(%1),%k0\n nop\n nop\n nop\n nop\n pushfq\n andq $~0x40000,(%%rsp)\n popfq"
            : "+&a"(r)
            : "r"(area + off)
            : "cc", "memory");
        EQ(n - before, off % 4 != 0);
        asm volatile(
            "pushfq\n orq $0x40000,(%%rsp)\n popfq\n movb (%1),%b0\n pushfq\n andq $~0x40000,(%%rsp)\n popfq"
            : "+&a"(r)
            : "r"(area + off)
            : "cc", "memory");
        EQ(n - before, off % 4 != 0);
        if (tl_bad)
            break;
    }
    printf("%d code %d\n", n, code);
    return tl_end();
}
