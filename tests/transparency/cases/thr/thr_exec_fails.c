#include "tl.h"

static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
}

static void *
sp(void *a)
{
    while (!*(volatile int *)a)
        ;
    return (void *)7;
}

int
main(void)
{
    tl_on(SIGUSR1, hd, 0);
    int stop = 0;
    pthread_t t;
    pthread_create(&t, 0, sp, &stop);
    int fd = open("noexec", O_CREAT | O_WRONLY, 0644);
    write(fd, "x", 1);
    close(fd);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char *big = malloc(200000);
    memset(big, 'a', 199999);
    big[199999] = 0;
    for (int i = 0; i < 50; i++) {
        EQ(execl("/no/such", "x", (char *)0), -1);
        EQ(errno, ENOENT);
        EQ(execl("./noexec", "x", (char *)0), -1);
        EQ(errno, EACCES);
        EQ(execl("/", "x", (char *)0), -1);
        EQ(errno, EACCES);
        EQ(execl("/proc/self/exe/x", "x", (char *)0), -1);
        EQ(errno, ENOTDIR);
        EQ(execl("/proc/self/exe", big, (char *)0), -1);
        EQ(errno, E2BIG);
        EQ(syscall(SYS_execve, (void *)8, 0, 0), -1);
        EQ(errno, EFAULT);
        EQ(syscall(SYS_execve, "/proc/self/exe", (void *)8, 0), -1);
        EQ(errno, EFAULT);
        if (tl_bad)
            break;
    }
    raise(SIGUSR1);
    EQ(n, 1);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    stop = 1;
    void *v;
    pthread_join(t, &v);
    EQ(v, 7);
    return tl_end();
}
