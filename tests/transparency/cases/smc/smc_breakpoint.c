#include "tl.h"

/* the program debugs itself: int3 written into its own functions, taken out by the handler, run again, put back by a second one */
static volatile int hits;
static unsigned char *where, saved;

__attribute__((noinline)) static int
victim(int x)
{
    asm volatile(".globl spot\n spot: nop\n nop\n nop" ::: "memory");
    return x * 3 + 1;
}

extern unsigned char spot[];

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    if (u->uc_mcontext.gregs[REG_EFL] & 0x100) { /* the stepped instruction is done */
        *where = 0xcc;
        u->uc_mcontext.gregs[REG_EFL] &= ~0x100;
        return;
    }
    hits++;
    EQ(u->uc_mcontext.gregs[REG_RIP], where + 1);
    *where = saved;
    u->uc_mcontext.gregs[REG_RIP]--;
    u->uc_mcontext.gregs[REG_EFL] |= 0x100;
}

int
main(void)
{
    tl_on(SIGTRAP, hd, 0);
    where = spot;
    NEED(!mprotect((void *)((uintptr_t)spot & ~4095ul), 8192, 7));
    for (int i = 0; i < 100; i++)
        EQ(victim(i), i * 3 + 1);
    saved = *where;
    *where = 0xcc;
    for (int i = 0; i < 500; i++) {
        EQ(victim(i), i * 3 + 1);
        EQ(hits, i + 1);
        if (tl_bad)
            break;
    }
    *where = saved;
    EQ(victim(5), 16);
    EQ(hits, 500);
    return tl_end();
}
