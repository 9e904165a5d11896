#include "tl.h"
#include <sys/user.h>

/* a child that is traced by the program: syscall stops are not judged, signals, exec and registers at a breakpoint are */
extern char bp[];

int
main(int c, char **v)
{
    if (c > 1)
        return 9;
    pid_t k = fork();
    int st;
    if (!k) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR1);
        asm volatile("mov $0x1234,%%r12d\n"
                     " int3\n"
                     " .globl bp\n"
                     " bp: nop" ::
                         : "r12");
        execl("/proc/self/exe", "x", "y", (char *)0);
        _exit(1);
    }
    waitpid(k, &st, 0);
    EQ(WSTOPSIG(st), SIGUSR1);
    ptrace(PTRACE_CONT, k, 0, 0);
    waitpid(k, &st, 0);
    EQ(WSTOPSIG(st), SIGTRAP);
    struct user_regs_struct r;
    ptrace(PTRACE_GETREGS, k, 0, &r);
    EQ(r.r12, 0x1234);
    EQ(r.rip, (uint64_t)bp);
    ptrace(PTRACE_CONT, k, 0, 0);
    waitpid(k, &st, 0);
    EQ(WIFSTOPPED(st), 1);
    EQ(WSTOPSIG(st), SIGTRAP);
    ptrace(PTRACE_CONT, k, 0, 0);
    waitpid(k, &st, 0);
    EQ(WIFEXITED(st), 1);
    EQ(WEXITSTATUS(st), 9);
    return tl_end();
}
