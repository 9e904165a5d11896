//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* single steps across what traps late (syscall, mov ss), often (rep), or shows TF (pushf, r11) */
static struct { uint64_t rip, flags, r11, same; } tr[64];
static volatile int n;
extern char sf_begin[], sf_end[];

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;

    if (n < 64) {
        tr[n].rip = g[REG_RIP] - (uint64_t)sf_begin;
        tr[n].flags = g[REG_EFL] & 0x700;
        tr[n].r11 = g[REG_R11] & 0x100;
        tr[n].same = (uint64_t)si->si_addr == g[REG_RIP];
    }
    n++;
    if (g[REG_RIP] == (greg_t)sf_end)
        g[REG_EFL] &= ~0x100;
}

int
main(void)
{
    char from[64] = "abc", to[64] = "";
    uint64_t pushed;

    tl_on(SIGTRAP, hd, 0);
    asm volatile("pushfq\n"
                 " orq $0x100,(%%rsp)\n"
                 " xor %%r11d,%%r11d\n"
                 " popfq\n"
                 " sf_begin: nop\n"
                 " mov $39,%%eax\n"
                 " syscall\n"
                 " nop\n"
                 " pushfq\n"
                 " pop %0\n"
                 " mov %1,%%rsi\n"
                 " mov %2,%%rdi\n"
                 " mov $4,%%ecx\n"
                 " rep movsb\n"
                 " mov %2,%%rdi\n"
                 " mov $40,%%ecx\n"
                 " xor %%eax,%%eax\n"
                 " repne scasb\n"
                 " lea 1f(%%rip),%%rdx\n"
                 " call *%%rdx\n"
                 " jmp 2f\n"
                 " 1: ret\n"
                 " 2: mov %%ss,%%edx\n"
                 " mov %%edx,%%ss\n"
                 " nop\n"
                 " pushfq\n"
                 " popfq\n"
                 " nop\n"
                 " sf_end: nop\n"
                 : "=&b"(pushed)
                 : "r"((uint64_t)from), "r"((uint64_t)to)
                 : "rax", "rcx", "rdx", "rsi", "rdi", "r11", "cc", "memory");
    for (int i = 0; i < n && i < 64; i++)
        printf("%d: at %d flags %x r11 %x addr %d\n", i, (int)tr[i].rip, (int)tr[i].flags, (int)tr[i].r11, (int)tr[i].same);
    printf("pushed %x\n", (int)(pushed & 0x300));
    EQ(strcmp(to, "abc"), 0);
    return tl_end();
}
