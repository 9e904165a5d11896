#include "tl.h"

/* what the signal calls refuse, raw */
#define E(call, err)    \
    do {                \
        errno = 0;      \
        EQ(call, -1);   \
        EQ(errno, err); \
    } while (0)

int
main(void)
{
    sigset_t m;
    siginfo_t si = {0};
    sigemptyset(&m);
    int pid = getpid(), tid = syscall(SYS_gettid);
    pid_t gone = fork();
    if (!gone)
        _exit(0);
    int st;
    waitpid(gone, &st, 0);
    EQ(kill(pid, 0), 0);
    E(kill(gone, SIGTERM), ESRCH);
    E(kill(pid, 65), EINVAL);
    E(kill(pid, -1), EINVAL);
    E(syscall(SYS_tkill, -1, SIGTERM), EINVAL);
    E(syscall(SYS_tkill, gone, SIGTERM), ESRCH);
    E(syscall(SYS_tgkill, pid, gone, SIGTERM), ESRCH);
    E(syscall(SYS_tgkill, pid, 0, SIGTERM), EINVAL);
    E(syscall(SYS_tgkill, pid, tid, 100), EINVAL);
    EQ(syscall(SYS_tgkill, pid, tid, 0), 0);
    E(syscall(SYS_rt_sigprocmask, 77, &m, 0, 8), EINVAL);
    E(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &m, 0, 16), EINVAL);
    E(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, 0, 8), EFAULT);
    E(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (void *)8, 8), EFAULT);
    E(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4), EINVAL);
    E(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, 0, 8), EFAULT);
    E(syscall(SYS_rt_sigaction, SIGUSR1, 0, (void *)8, 8), EFAULT);
    E(syscall(SYS_rt_sigaction, SIGKILL, (void *)8, 0, 8), EFAULT);
    E(syscall(SYS_rt_sigaction, 0, 0, 0, 8), EINVAL);
    E(syscall(SYS_rt_sigaction, 65, 0, 0, 8), EINVAL);
    E(syscall(SYS_rt_sigpending, (void *)8, 8), EFAULT);
    E(syscall(SYS_rt_sigpending, &m, 100), EINVAL);
    E(syscall(SYS_rt_sigsuspend, (void *)8, 8), EFAULT);
    E(syscall(SYS_rt_sigsuspend, &m, 3), EINVAL);
    E(syscall(SYS_rt_sigtimedwait, &m, 0, 0, 4), EINVAL);
    E(syscall(SYS_rt_sigtimedwait, (void *)8, 0, 0, 8), EFAULT);
    si.si_code = SI_TKILL;
    E(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &si), EPERM); /* only for oneself */
    si.si_code = SI_USER;
    E(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &si), EPERM);
    E(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, (void *)8), EFAULT);
    E(sigaltstack((void *)8, 0), EFAULT);
    E(signalfd(-1, &m, 0x55), EINVAL);
    E(syscall(SYS_signalfd4, -1, &m, 4, 0), EINVAL);
    E(setitimer(55, 0, 0), EINVAL);
    E(getitimer(ITIMER_REAL, (void *)8), EFAULT);
    E(setitimer(ITIMER_REAL, &(struct itimerval){{0}, {0, 1000000}}, 0), EINVAL);
    E(syscall(SYS_timer_create, 99, 0, &st), EINVAL);
    E(syscall(SYS_timer_settime, 12345, 0, 0, 0), EINVAL);
    E(syscall(SYS_timer_delete, 12345), EINVAL);
    E(nanosleep(&(struct timespec){0, 2000000000}, 0), EINVAL);
    E(syscall(SYS_restart_syscall), EINTR);
    struct sigaction sa = {0}, o;
    sa.sa_handler = SIG_DFL;
    E(sigaction(SIGKILL, &sa, 0), EINVAL);
    EQ(sigaction(SIGKILL, 0, &o), 0);
    CHECK(o.sa_handler == SIG_DFL);
    return tl_end();
}
