#include "tl.h"

/* signalfd: readiness, contents, mask changes, what is left pending; for fault signals sent by kill too */
int
main(void)
{
    sigset_t m, p;
    sigemptyset(&m);
    int sigs[] = {SIGUSR1, SIGRTMIN + 1, SIGSEGV, SIGFPE, SIGCHLD, SIGTERM};
    for (int i = 0; i < 6; i++)
        sigaddset(&m, sigs[i]);
    sigprocmask(SIG_BLOCK, &m, 0);
    int fd = signalfd(-1, &m, SFD_NONBLOCK | SFD_CLOEXEC);
    CHECK(fd >= 0);
    struct signalfd_siginfo si[8];
    EQ(read(fd, si, sizeof si), -1);
    EQ(errno, EAGAIN);
    struct pollfd pf = {fd, POLLIN};
    EQ(poll(&pf, 1, 0), 0);
    kill(getpid(), SIGUSR1);
    EQ(poll(&pf, 1, 0), 1);
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 42});
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 43});
    kill(getpid(), SIGSEGV);
    raise(SIGFPE);
    long n = read(fd, si, sizeof si);
    printf("%ld read\n", n / (long)sizeof si[0]);
    for (int i = 0; i < n / (int)sizeof si[0]; i++)
        printf("%d code %d int %d mine %d\n", (int)si[i].ssi_signo, si[i].ssi_code, si[i].ssi_int,
               si[i].ssi_pid == getpid());
    sigpending(&p);
    CHECK(sigisemptyset(&p));
    pid_t k = fork();
    if (!k)
        _exit(7);
    pf.revents = 0;
    EQ(poll(&pf, 1, 20000), 1);
    EQ(read(fd, si, sizeof si), sizeof si[0]);
    EQ(si[0].ssi_signo, SIGCHLD);
    EQ(si[0].ssi_status, 7);
    EQ(si[0].ssi_pid, k);
    int st;
    waitpid(k, &st, 0);
    /* through epoll, from another thread's kill; a mask that no longer has the signal reads nothing */
    int ep = epoll_create1(0);
    struct epoll_event ev = {EPOLLIN, {.fd = fd}}, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    kill(getpid(), SIGTERM);
    EQ(epoll_wait(ep, &got, 1, 20000), 1);
    EQ(got.data.fd, fd);
    sigdelset(&m, SIGTERM);
    EQ(signalfd(fd, &m, 0), fd);
    EQ(read(fd, si, sizeof si), -1);
    EQ(errno, EAGAIN);
    sigpending(&p);
    EQ(sigismember(&p, SIGTERM), 1);
    sigemptyset(&m);
    sigaddset(&m, SIGTERM);
    int g;
    EQ(sigwait(&m, &g), 0);
    EQ(g, SIGTERM);
    char small[10];
    EQ(read(fd, small, sizeof small), -1);
    EQ(errno, EINVAL);
    EQ(signalfd(0, &m, 0), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
