#include "tl.h"
#include <sys/file.h>
#include <linux/futex.h>

/* calls that a handler interrupts: with SA_RESTART those that can go on do, without it none does */
static volatile int handled, stop, fed;
static pthread_t target;
static int feed_fd = -1;

static void
hd(int s, siginfo_t *si, void *v)
{
    handled++;
}

/* pokes the target until told to stop; after a few it also feeds what the call waits for */
static void *
poker(void *restart)
{
    for (int i = 0; !stop; i++) {
        pthread_kill(target, SIGUSR1);
        usleep(300);
        if (restart && handled >= 5 && !fed && feed_fd >= 0) {
            write(feed_fd, "fed", 3);
            fed = 1;
        }
    }
    return 0;
}

#define TRY(name, restart, fd, call)                                              \
    do {                                                                          \
        pthread_t t_;                                                             \
        tl_on(SIGUSR1, hd, (restart) ? SA_RESTART : 0);                           \
        handled = stop = fed = 0;                                                 \
        feed_fd = fd;                                                             \
        pthread_create(&t_, 0, poker, (restart) ? &stop : 0);                     \
        errno = 0;                                                                \
        long r_ = (call);                                                         \
        int e_ = r_ < 0 ? errno : 0;                                              \
        stop = 1;                                                                 \
        pthread_join(t_, 0);                                                      \
        printf("%-22s %s -> %ld %s\n", name, restart ? "restart" : "plain  ", r_, \
               e_ ? strerrorname_np(e_) : "");                                    \
    } while (0)

int
main(void)
{
    char b[64];
    int p[2], sv[2], word = 0;
    pipe(p);
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    target = pthread_self();
    struct timespec ten = {1000, 0};
    for (int r = 0; r < 2; r++) {
        TRY("read pipe", r, p[1], read(p[0], b, 64));
        TRY("recv", r, sv[1], recv(sv[0], b, 64, 0));
        struct iovec iv = {b, 64};
        TRY("readv", r, p[1], readv(p[0], &iv, 1));
    }
    TRY("poll", 1, -1, poll(&(struct pollfd){p[0], POLLIN}, 1, 1000000));
    fd_set f;
    FD_ZERO(&f);
    FD_SET(p[0], &f);
    TRY("select", 1, -1, select(p[0] + 1, &f, 0, 0, &(struct timeval){1000, 0}));
    TRY("nanosleep", 1, -1, nanosleep(&ten, &ten));
    CHECK(ten.tv_sec > 900 && ten.tv_sec <= 1000);
    ten.tv_sec = 1000;
    TRY("clock_nanosleep", 1, -1, clock_nanosleep(CLOCK_MONOTONIC, 0, &ten, 0));
    TRY("pause", 1, -1, pause());
    TRY("futex wait", 0, -1,
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &(struct timespec){1000, 0}, 0, 0));
    TRY("futex wait_bitset", 0, -1, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, 0, 0, 1));
    int ep = epoll_create1(0);
    struct epoll_event ev;
    TRY("epoll_wait", 1, -1, epoll_wait(ep, &ev, 1, 1000000));
    TRY("sigsuspend", 1, -1, sigsuspend(&(sigset_t){0}));
    /* a child that never ends until it is killed */
    pid_t k = fork();
    if (!k)
        for (;;)
            pause();
    int st;
    TRY("waitpid", 0, -1, waitpid(k, &st, 0));
    siginfo_t si;
    TRY("waitid", 0, -1, waitid(P_PID, k, &si, WEXITED));
    kill(k, SIGKILL);
    EQ(waitpid(k, &st, 0), k);
    int l = open("lock", O_CREAT | O_RDWR, 0600), l2 = open("lock", O_RDWR);
    flock(l, LOCK_EX);
    TRY("flock", 0, -1, flock(l2, LOCK_EX));
    sem_t sem;
    sem_init(&sem, 0, 0);
    TRY("sem_wait", 0, -1, sem_wait(&sem));
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    while (write(p[1], b, 64) > 0)
        ;
    fcntl(p[1], F_SETFL, 0);
    TRY("write full pipe", 0, -1, write(p[1], b, 64));

    struct sockaddr_un {
        short fam;
        char path[100];
    } a = {AF_UNIX, "sock"};

    int ls = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(ls, (void *)&a, sizeof a);
    listen(ls, 1);
    TRY("accept", 0, -1, accept(ls, 0, 0));
    /* with a receive timeout set, recv never restarts */
    setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){1000, 0}, sizeof(struct timeval));
    TRY("recv with a timeout", 1, -1, recv(sv[0], b, 64, 0));
    return tl_end();
}
