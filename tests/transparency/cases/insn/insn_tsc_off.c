//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* rdtsc and rdtscp forbidden by prctl fault where they stand, until allowed again; child processes inherit it */
extern char t1[], t2[];
static volatile int n;
static volatile uint64_t at;

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;
    n++;
    at = g[REG_RIP];
    EQ(si->si_code, SI_KERNEL);
    g[REG_RAX] = 0x1234;
    g[REG_RDX] = 0x5678;
    g[REG_RIP] += ((unsigned char *)at)[1] == 0x31 ? 2 : 3;
}

int
main(void)
{
    int mode = 0;
    tl_on(SIGSEGV, hd, 0);
    asm volatile("rdtsc" ::: "rax", "rdx");
    EQ(prctl(PR_SET_TSC, PR_TSC_SIGSEGV), 0);
    EQ(prctl(PR_GET_TSC, &mode), 0);
    EQ(mode, PR_TSC_SIGSEGV);
    for (int i = 0; i < 100; i++) {
        uint32_t a, d;
        asm volatile(".globl t1\n t1: rdtsc" : "=a"(a), "=d"(d));
        EQ(at, t1);
        EQ(a, 0x1234);
        EQ(d, 0x5678);
        asm volatile(".globl t2\n t2: rdtscp" : "=a"(a), "=d"(d)::"rcx");
        EQ(at, t2);
        if (tl_bad)
            break;
    }
    EQ(n, 200);
    pid_t p = fork();
    if (!p) {
        n = 0;
        asm volatile("rdtsc" ::: "rax", "rdx");
        _exit(n);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 1);
    EQ(prctl(PR_SET_TSC, PR_TSC_ENABLE), 0);
    n = 0;
    asm volatile("rdtsc\n rdtscp" ::: "rax", "rdx", "rcx");
    EQ(n, 0);
    return tl_end();
}
