#include "tl.h"

/* system calls turned into SIGSYS by a selector byte in memory, except from an allowed range of code */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
static volatile char selector;
static volatile int n;
extern char raw_start[], raw_end[];
extern long raw(long nr, long a, long b, long c);
asm(".text\n.globl raw,raw_start,raw_end\nraw_start:\nraw: mov %rdi,%rax\n mov %rsi,%rdi\n mov %rdx,%rsi\n mov %rcx,%rdx\n syscall\n ret\n"
    "raw_restore: mov $15,%eax\n syscall\nraw_end:\n");

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;
    selector = 0; /* sigreturn is a system call too */
    n++;
    EQ(si->si_code, 2); /* SYS_USER_DISPATCH */
    EQ(si->si_syscall, g[REG_RAX]);
    EQ(si->si_call_addr, g[REG_RIP]);
    g[REG_RAX] = si->si_syscall == SYS_getpid ? 4711 : -ENOSYS;
}

static long
call(long nr)
{
    long r;
    asm volatile("syscall" : "=a"(r) : "a"(nr), "D"(0), "S"(0), "d"(0) : "rcx", "r11", "memory");
    return r;
}

int
main(void)
{
    tl_on(SIGSYS, hd, 0);
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, raw_start, raw_end - raw_start, &selector)) {
        puts("none");
        return tl_end();
    }
    long pid = call(SYS_getpid);
    for (int i = 0; i < 100; i++) {
        selector = 1;
        long a = call(SYS_getpid);
        selector = 1;
        long b = raw(SYS_getpid, 0, 0, 0); /* from the allowed range */
        long c = call(SYS_getuid);
        selector = 0;
        long d = call(SYS_getpid);
        EQ(a, 4711);
        EQ(b, pid);
        EQ(c, -ENOSYS);
        EQ(d, pid);
        if (tl_bad)
            break;
    }
    EQ(n, 200);
    EQ(prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0), 0);
    selector = 1;
    EQ(call(SYS_getpid), pid);
    EQ(prctl(PR_SET_SYSCALL_USER_DISPATCH, 7, 0, 0, 0), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
