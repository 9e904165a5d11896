//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* an asynchronous signal shows the program at an instruction's boundary: rip is inside the loop, and every register has exactly
   the value that it has just before the instruction at rip */
extern char lp[], l1[], l2[], l3[], l4[], l5[], l6[], l7[], l8[], l9[], lend[];
extern void loop_forever(volatile int *stop, uint64_t *mem);
asm(".text\n.globl loop_forever,lp,l1,l2,l3,l4,l5,l6,l7,l8,l9,lend\n"
    "loop_forever: push %rbx\n push %r12\n xor %eax,%eax\n xor %ebx,%ebx\n xor %ecx,%ecx\n xor %edx,%edx\n xor %r8d,%r8d\n mov %rsp,%r12\n pxor %xmm1,%xmm1\n"
    "lp: lea 1(%rax),%rax\n" /* invariant at lp: rbx = 3 rax, rcx = ~rax, rdx = [rsi], r8 = rax, xmm1 = rax, rsp = r12 */
    "l1: lea (%rax,%rax,2),%rbx\n"
    "l2: mov %rax,%rcx\n"
    "l3: not %rcx\n"
    "l4: push %rcx\n"
    "l5: pop %rdx\n"
    "l6: mov %rax,(%rsi)\n"
    "l7: xchg %rax,%r8\n"
    "l8: mov %r8,%rax\n"
    "l9: cmpl $0,(%rdi)\n je lp\n"
    "lend: pop %r12\n pop %rbx\n ret\n");
static volatile int n, stop, seen[12];
static uint64_t mem;

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;
    char *at[] = {lp, l1, l2, l3, l4, l5, l6, l7, l8, l9, lend}, *ip = (char *)g[REG_RIP];
    int k = -1;
    if (ip < lp || ip >= lend)
        return; /* before or after the loop */
    for (int i = 0; i < 10; i++)
        if (ip == at[i])
            k = i;
    uint64_t a = g[REG_RAX];
    n++;
    if (k < 0) { /* the je after the cmp */
        CHECK(ip > l9 && ip < lend);
        k = 9;
    }
    seen[k]++;
    uint64_t now = k >= 1 ? a : a + 1; /* the turn's number */
    if (k == 8)
        now = g[REG_R8];
    EQ(a, k >= 1 && k != 8 ? now : now - 1);
    EQ(g[REG_RBX], 3 * (k >= 2 ? now : now - 1));
    if (now > 1)
        EQ(g[REG_RCX], k == 3 ? now : ~(k >= 4 ? now : now - 1));
    if (now > 1)
        EQ(g[REG_RDX], ~(k >= 6 ? now : now - 1));
    EQ(g[REG_R8], k >= 8 ? now : now - 1);
    EQ(mem, k >= 7 ? now : now - 1);
    EQ(g[REG_RSP], g[REG_R12] - (k == 5 ? 8 : 0));
    if (k == 5)
        EQ(*(uint64_t *)g[REG_RSP], ~now);
    EQ(g[REG_RSI], &mem);
    EQ(g[REG_RDI], &stop);
    if (n >= 2000 || tl_bad > 10)
        stop = 1;
}

int
main(void)
{
    tl_on(SIGALRM, hd, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, 0);
    loop_forever(&stop, &mem);
    setitimer(ITIMER_REAL, &(struct itimerval){{0}}, 0);
    CHECK(n >= 2000);
    return tl_end();
}
