#include "tl.h"

static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n++;
}

static void *
th(void *a)
{
    return (void *)5;
}

int
main(void)
{
    EQ(syscall(SYS_close_range, 3, ~0u, 0), 0);
    for (int i = 3; i < 2000; i++)
        EQ(close(i), -1);
    closefrom(3);
    tl_on(SIGUSR1, hd, 0);
    raise(SIGUSR1);
    EQ(n, 1);
    pthread_t t;
    void *v;
    pthread_create(&t, 0, th, 0);
    pthread_join(t, &v);
    EQ(v, 5);
    pid_t p = fork();
    if (!p) {
        syscall(SYS_close_range, 0, ~0u, 0);
        if (open("/dev/null", O_RDWR) != 0)
            _exit(1);
        if (dup(0) != 1 || dup(0) != 2)
            _exit(2);
        execl("/bin/true", "true", (char *)0);
        _exit(3);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(st, 0);
    void *h = dlopen("libm.so.6", RTLD_NOW);
    CHECK(h);
    double (*f)(double) = dlsym(h, "sqrt");
    CHECK(f(9) == 3);
    unsigned char *q = tl_rwx(0, 4096);
    q[0] = 0xc3;
    ((void (*)(void))q)();
    EQ(syscall(SYS_close_range, 10, 5, 0), -1);
    EQ(errno, EINVAL);
    int a = open("/dev/null", 0);
    EQ(a, 3);
    EQ(syscall(SYS_close_range, 3, 100, 4), 0);
    EQ(fcntl(a, F_GETFD), 1);
    EQ(unshare(CLONE_FILES), 0);
    return tl_end();
}
