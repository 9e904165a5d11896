//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* int3 and its kin: where rip stands, what si_code says, TF over system calls and through a handler */
static volatile uint64_t rip[64];
static volatile int n, codes[64], step_left;

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    greg_t *g = u->uc_mcontext.gregs;
    if (n < 64) {
        rip[n] = g[REG_RIP];
        codes[n] = si->si_code;
        n++;
    }
    if (step_left > 0 && --step_left == 0)
        g[REG_EFL] &= ~0x100;
}

static void
stepper(int s, siginfo_t *si, void *v) /* turns stepping on in what it returns to */
{
    ((ucontext_t *)v)->uc_mcontext.gregs[REG_EFL] |= 0x100;
    step_left = 6;
}

extern char b0[], b1[], b3[];

int
main(void)
{
    tl_on(SIGTRAP, hd, 0);
    tl_on(SIGUSR1, stepper, 0);
    for (int i = 0; i < 100; i++) {
        n = 0;
        asm volatile(".globl b0,b1,b3\n b0: int3\n nop\n b1: .byte 0xcd,3\n nop\n b3: nop" ::: "memory");
        EQ(n, 2);
        EQ(rip[0], b0 + 1);
        EQ(rip[1], b1 + 2);
        if (!i)
            printf("%d %d\n", codes[0], codes[1]);
    }
    n = 0;
    int pid = getpid();
    asm volatile(
        "mov $62,%%eax\n mov %0,%%edi\n mov $10,%%esi\n syscall\n 1: nop\n nop\n mov $39,%%eax\n syscall\n nop\n nop\n nop\n nop" ::
            "r"(pid)
        : "rax", "rcx", "rdi", "rsi", "r11", "memory");
    printf("%d steps:", n);
    for (int i = 1; i < n; i++)
        printf(" +%d", (int)(rip[i] - rip[0]));
    puts("");
    for (int i = 0; i < n; i++)
        EQ(codes[i], TRAP_TRACE);
    return tl_end();
}
