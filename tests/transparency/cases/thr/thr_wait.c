#include "tl.h"

/* every way of waiting for children, and that there are no others than one's own */
static pid_t
child(int status, int sig)
{
    pid_t p = fork();
    if (!p) {
        if (sig)
            kill(getpid(), sig);
        _exit(status);
    }
    return p;
}

static int
six(void *a)
{
    return 6;
}

int
main(void)
{
    int st;
    siginfo_t si;
    struct rusage ru;
    EQ(wait(&st), -1);
    EQ(errno, ECHILD);
    EQ(waitpid(-1, &st, WNOHANG | __WALL), -1);
    EQ(errno, ECHILD);
    EQ(waitid(P_ALL, 0, &si, WEXITED), -1);
    char path[64], b[256];
    sprintf(path, "/proc/self/task/%d/children", getpid());
    int fd = open(path, O_RDONLY);
    if (fd >= 0) {
        EQ(read(fd, b, sizeof b), 0);
        close(fd);
    }
    pid_t p = child(5, 0);
    EQ(waitid(P_PID, p, &si, WEXITED | WNOWAIT), 0);
    EQ(si.si_pid, p);
    EQ(si.si_status, 5);
    EQ(si.si_code, CLD_EXITED);
    EQ(si.si_uid, getuid());
    EQ(wait4(p, &st, 0, &ru), p);
    EQ(WEXITSTATUS(st), 5);
    p = child(0, SIGKILL);
    EQ(waitid(P_ALL, 0, &si, WEXITED), 0);
    EQ(si.si_code, CLD_KILLED);
    EQ(si.si_status, SIGKILL);
    EQ(waitid(P_ALL, 0, &si, WEXITED), -1);
    /* pidfd */
    p = fork();
    if (!p)
        for (;;)
            pause();
    int pf = syscall(SYS_pidfd_open, p, 0);
    CHECK(pf >= 0);
    EQ(waitid(P_PIDFD, pf, &si, WEXITED | WNOHANG), 0);
    EQ(si.si_pid, 0);
    struct pollfd pl = {pf, POLLIN};
    EQ(poll(&pl, 1, 0), 0);
    EQ(syscall(SYS_pidfd_send_signal, pf, SIGTERM, 0, 0), 0);
    EQ(poll(&pl, 1, 20000), 1);
    EQ(waitid(P_PIDFD, pf, &si, WEXITED), 0);
    EQ(si.si_status, SIGTERM);
    /* by group */
    p = fork();
    if (!p) {
        setpgid(0, 0);
        _exit(9);
    }
    setpgid(p, p);
    pid_t other = child(8, 0);
    EQ(waitpid(-p, &st, 0), p);
    EQ(WEXITSTATUS(st), 9);
    EQ(waitpid(0, &st, 0), other);
    EQ(WEXITSTATUS(st), 8);
    /* a clone child: only with __WCLONE or __WALL */
    static char stack[65536];
    p = clone(six, stack + sizeof stack, 0, 0);
    EQ(waitpid(p, &st, 0), -1);
    EQ(errno, ECHILD);
    EQ(waitpid(p, &st, __WCLONE), p);
    EQ(WEXITSTATUS(st), 6);
    /* orphans come to a subreaper, and only they */
    EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    p = fork();
    if (!p) {
        if (!fork()) {
            _exit(33);
        }
        _exit(1);
    }
    int sum = 0, n = 0;
    while ((p = wait(&st)) > 0) {
        sum += WEXITSTATUS(st);
        n++;
    }
    EQ(errno, ECHILD);
    printf("%d children, sum %d\n", n, sum);
    EQ(waitpid(getpid(), &st, 0), -1);
    EQ(waitpid(-1, &st, 0xff00000), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
