//! need: root
#include "tl.h"

/* a child that is process 1 of its own namespace: numbers differ inside and outside, threads, signals, fork and exec work in it */
static char stack[1 << 20] __attribute__((aligned(64)));
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    n += si->si_pid == getpid();
}

static void *
thread(void *a)
{
    return (void *)(long)syscall(SYS_gettid);
}

static int
inside(void *a)
{
    EQ(getpid(), 1);
    EQ(getppid(), 0);
    EQ(syscall(SYS_gettid), 1);
    tl_on(SIGUSR1, hd, 0);
    for (int i = 0; i < 20; i++)
        raise(SIGUSR1);
    EQ(kill(1, SIGUSR1), 0);
    EQ(n, 21);
    pthread_t t;
    void *r;
    pthread_create(&t, 0, thread, 0);
    pthread_join(t, &r);
    EQ(r, 2);
    unsigned char *p = tl_rwx(0, 4096);
    p[0] = 0xc3;
    ((void (*)(void))p)();
    fflush(stdout);
    pid_t k = fork();
    if (!k) {
        EQ(getpid(), 3);
        EQ(getppid(), 1);
        fflush(stdout);
        if (tl_bad)
            _exit(1);
        execl("/bin/sh", "sh", "-c", "echo sh is $$ of $PPID; exit 9", (char *)0);
        _exit(2);
    }
    int st;
    EQ(k, 3);
    EQ(waitpid(-1, &st, 0), 3);
    EQ(WEXITSTATUS(st), 9);
    fflush(stdout);
    return tl_bad ? 1 : 7;
}

int
main(void)
{
    int pid = clone(inside, stack + sizeof stack, CLONE_NEWPID | SIGCHLD, 0), st;
    if (pid < 0) {
        puts("none");
        return tl_end();
    }
    EQ(waitpid(pid, &st, 0), pid);
    EQ(WEXITSTATUS(st), 7);
    /* later children of this process only, by unshare */
    EQ(unshare(CLONE_NEWPID), 0);
    fflush(stdout);
    pid_t k = fork();
    if (!k)
        _exit(inside(0));
    waitpid(k, &st, 0);
    EQ(WEXITSTATUS(st), 7);
    return tl_end();
}
