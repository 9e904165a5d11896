#include "tl.h"
#include <sys/user.h>

/* a debugger (the parent) writes code into its child: POKETEXT, a breakpoint put and taken, through /proc/PID/mem */
int
main(void)
{
    unsigned char *p = tl_rwx(0, 4096);
    memcpy(p, "\xb8\x01\0\0\0\xc3", 6);
    pid_t k = fork();
    int st;
    if (!k) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        int sum = 0;
        for (int i = 0; i < 40; i++) {
            sum += ((int (*)(void))p)();
            raise(SIGSTOP);
        }
        _exit(sum & 0x7f);
    }
    char path[64];
    sprintf(path, "/proc/%d/mem", k);
    int fd = open(path, O_RDWR), want = 0, v = 1;
    for (int i = 0; i < 40; i++) {
        want += v;
        EQ(waitpid(k, &st, 0), k);
        EQ(WIFSTOPPED(st), 1);
        EQ(WSTOPSIG(st), SIGSTOP);
        v = i + 2;
        if (i & 1) {
            unsigned char c[8] = {0xb8, v, 0, 0, 0, 0xc3};
            EQ(ptrace(PTRACE_POKETEXT, k, p, *(long *)c), 0);
        } else
            EQ(pwrite(fd, &v, 4, (off_t)(uintptr_t)(p + 1)), 4);
        EQ((int)(ptrace(PTRACE_PEEKTEXT, k, p, 0) >> 8), v);
        ptrace(PTRACE_CONT, k, 0, 0);
        if (tl_bad)
            break;
    }
    waitpid(k, &st, 0);
    EQ(WIFEXITED(st), 1);
    EQ(WEXITSTATUS(st), want & 0x7f);
    return tl_end();
}
