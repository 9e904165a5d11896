//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* TF set with popf: one SIGTRAP an instruction, rip on the next one each time */
static uint64_t tr[4096];
static volatile int n, code;
extern char ss_begin[], ss_end[];

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    if (n < 4096)
        tr[n++] = u->uc_mcontext.gregs[REG_RIP];
    code = si->si_code;
    if (u->uc_mcontext.gregs[REG_RIP] == (greg_t)ss_end)
        u->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

int
main(void)
{
    tl_on(SIGTRAP, hd, 0);
    long r;
    asm volatile("pushfq\n"
                 " orq $0x100,(%%rsp)\n"
                 " popfq\n"
                 " ss_begin: nop\n"
                 " mov $3,%%ecx\n"
                 " xor %%eax,%%eax\n"
                 " 1: add %%rcx,%%rax\n"
                 " loop 1b\n"
                 " call 2f\n"
                 " jmp 3f\n"
                 " 2: ret\n"
                 " 3: push $5\n"
                 " pop %%rdx\n"
                 " cmp $6,%%eax\n"
                 " je ss_end\n"
                 " nop\n"
                 " nop\n"
                 " ss_end: mov %%rax,%0"
                 : "=r"(r)::"rax", "rcx", "rdx", "cc", "memory");
    EQ(r, 6);
    printf("steps %d code %d\n", n, code);
    for (int i = 0; i < n; i++)
        printf("%d ", (int)(tr[i] - (uint64_t)ss_begin));
    puts("");
    return tl_end();
}
