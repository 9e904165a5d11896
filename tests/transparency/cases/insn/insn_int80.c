//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* the old gate from 64-bit code: 32-bit numbers and arguments, all registers but eax kept, and threads and signals through it */
static char text[] = "written through int 0x80\n";
static volatile int n, fault;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
}

static void
segv(int s, siginfo_t *si, void *v)
{
    fault = 1;
    ((ucontext_t *)v)->uc_mcontext.gregs[REG_RIP] += 2;
}

static long
gate(int nr, long b, long c, long d)
{
    long r;
    asm volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(b), "c"(c), "d"(d) : "memory");
    return r;
}

int
main(void)
{
    tl_on(SIGSEGV, segv, 0);
    long pid = gate(20, 0, 0, 0);
    if (fault) { /* a kernel without it */
        puts("none");
        return tl_end();
    }
    EQ(pid, getpid());
    fflush(stdout);
    EQ(gate(4, 1, (long)text, sizeof text - 1), sizeof text - 1);
    EQ(gate(6, -1, 0, 0), -EBADF);
    EQ(gate(999, 0, 0, 0), -ENOSYS);
    EQ(gate(4, 1, 0x10, 5), -EFAULT);
    for (int i = 0; i < 100; i++) {
        uint64_t bad;
        asm volatile(
            "mov $0x1111111111,%%r8\n mov $0x2222222222,%%r9\n mov $0x3333333333,%%r10\n mov $0x4444444444,%%r11\n mov $0x5555555555,%%r12\n mov $0x6666666666,%%rsi\n mov $0x7777777777,%%rdi\n"
            "mov $20,%%eax\n stc\n int $0x80\n setnc %b0\n movzbl %b0,%k0\n"
            "mov $0x3333333333,%%rax\n cmp %%rax,%%r10\n je 1f\n or $2,%0\n 1: mov $0x5555555555,%%rax\n cmp %%rax,%%r12\n je 2f\n or $4,%0\n"
            "2: mov $0x6666666666,%%rax\n cmp %%rax,%%rsi\n je 3f\n or $8,%0\n 3: mov $0x7777777777,%%rax\n cmp %%rax,%%rdi\n je 4f\n or $16,%0\n"
            "4: mov $0x1111111111,%%rax\n cmp %%rax,%%r8\n je 5f\n or $32,%0\n 5:"
            : "=&b"(bad)::"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
        EQ(bad, 0);
    }
    tl_on(SIGUSR1, hd, 0);
    for (int i = 0; i < 50; i++)
        EQ(gate(37, getpid(), SIGUSR1, 0), 0);
    EQ(n, 50);
    return tl_end();
}
