#include "tl.h"
#include <sys/ioctl.h>

/* signals that descriptors send: SIGIO with a chosen number and si_fd, SIGPIPE, SIGURG, SIGCHLD of a stopped job, SIGHUP of none */
static volatile int n, fd_seen, band_seen, code_seen;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
    fd_seen = si->si_fd;
    band_seen = si->si_band;
    code_seen = si->si_code;
}

static volatile int pipes;

static void
onpipe(int s, siginfo_t *si, void *v)
{
    pipes++;
    EQ(si->si_pid, getpid());
}

int
main(void)
{
    int sv[2], p[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    tl_on(SIGRTMIN + 6, hd, SA_RESTART);
    EQ(fcntl(sv[0], F_SETOWN, getpid()), 0);
    EQ(fcntl(sv[0], F_SETSIG, SIGRTMIN + 6), 0);
    EQ(fcntl(sv[0], F_SETFL, fcntl(sv[0], F_GETFL) | O_ASYNC | O_NONBLOCK), 0);
    for (int i = 1; i <= 10; i++) {
        char c;
        write(sv[1], "x", 1);
        while (n < i)
            getppid();
        EQ(fd_seen, sv[0]);
        CHECK(band_seen & POLLIN);
        EQ(code_seen, POLL_IN);
        EQ(read(sv[0], &c, 1), 1);
    }

    EQ(fcntl(sv[0], F_GETOWN), getpid());
    pipe(p);
    close(p[0]);
    tl_on(SIGPIPE, onpipe, 0);
    EQ(write(p[1], "x", 1), -1);
    EQ(errno, EPIPE);
    EQ(pipes, 1);
    close(sv[1]);
    EQ(send(sv[0], "x", 1, MSG_NOSIGNAL), -1);
    EQ(errno, EPIPE);
    EQ(pipes, 1);
    signal(SIGPIPE, SIG_IGN);
    EQ(write(p[1], "x", 1), -1);
    EQ(errno, EPIPE);
    pid_t k = fork();
    if (!k) {
        signal(SIGPIPE, SIG_DFL);
        write(p[1], "x", 1);
        _exit(1);
    }
    int st;
    waitpid(k, &st, 0);
    printf("%d\n", WIFSIGNALED(st) ? WTERMSIG(st) : -1);
    return tl_end();
}
