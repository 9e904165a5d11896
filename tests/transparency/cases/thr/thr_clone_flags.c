#include "tl.h"
#include <linux/sched.h>

/* clone and clone3 with less usual flags: shared memory without threads, shared files, parent's child, pidfd, TLS, vfork style */
static char stack[8][65536] __attribute__((aligned(64)));
static volatile int shared;
static int fd_from_child;

static int
sets(void *a)
{
    shared += (int)(long)a;
    return shared & 0x7f;
}

static int
opens(void *a)
{
    fd_from_child = open("/dev/null", O_RDONLY);
    return fd_from_child;
}

static int
chdirs(void *a)
{
    return chdir("/");
}

static int
looks(void *a)
{
    return getppid() == (int)(long)a ? 4 : 5;
}

static int
slow(void *a)
{
    usleep(3000);
    shared = 99;
    return 1;
}

static int
run(int (*f)(void *), unsigned long flags, void *arg)
{
    int st;
    int p = clone(f, stack[0] + sizeof stack[0], flags | SIGCHLD, arg);
    CHECK(p > 0);
    if (waitpid(p, &st, 0) != p)
        return -1;
    return WEXITSTATUS(st);
}

extern long clone3_raw(struct clone_args *a, long size, int (*f)(void *), void *arg);
asm(".text\nclone3_raw: mov %rdx,%r8\n mov %rcx,%r9\n mov $435,%eax\n syscall\n test %rax,%rax\n jz 1f\n ret\n1: xor %ebp,%ebp\n mov %r9,%rdi\n call *%r8\n"
    " mov %eax,%edi\n mov $60,%eax\n syscall\n hlt\n");

static volatile uint64_t tls_seen;

static int
tls_child(void *a)
{
    uint64_t v;
    asm volatile("mov %%fs:0,%0" : "=r"(v));
    tls_seen = v;
    return 12;
}

int
main(void)
{
    char cwd[4096], now[4096];
    getcwd(cwd, sizeof cwd);
    for (int i = 0; i < 30; i++) {
        shared = 1;
        EQ(run(sets, 0, (void *)5), 6);
        EQ(shared, 1);
        EQ(run(sets, CLONE_VM, (void *)5), 6);
        EQ(shared, 6);
        EQ(run(sets, CLONE_VM | CLONE_VFORK, (void *)7), 13);
        int p = clone(slow, stack[1] + sizeof stack[1], CLONE_VM | CLONE_VFORK | SIGCHLD, 0);
        EQ(shared, 99); /* waited until it was gone */
        int st;
        waitpid(p, &st, 0);
        int fd = run(opens, CLONE_VM, 0);
        EQ(fcntl(fd, F_GETFD), -1);
        fd = run(opens, CLONE_FILES, 0);
        EQ(fcntl(fd, F_GETFD), 0);
        close(fd);
        EQ(run(chdirs, 0, 0), 0);
        getcwd(now, sizeof now);
        EQ(strcmp(now, cwd), 0);
        EQ(run(looks, 0, (void *)(long)getpid()), 4);
        if (tl_bad)
            break;
    }
    /* our child's child is our own child */
    fflush(stdout);
    pid_t me = getpid(), k = fork();
    if (!k) {
        int p = clone(looks, stack[2] + sizeof stack[2], CLONE_PARENT | SIGCHLD, (void *)(long)me);
        int st;
        _exit(p > 0 && waitpid(p, &st, 0) == -1 ? 6 : 7);
    }
    int st, sum = 0;
    while (wait(&st) > 0)
        sum += WEXITSTATUS(st);
    EQ(sum, 10);
    run(chdirs, CLONE_FS, 0);
    getcwd(now, sizeof now);
    EQ(strcmp(now, "/"), 0);
    for (int i = 0; i < 20; i++) {
        int pidfd = -1, ptid = 0;
        static uint64_t tls[8];
        tls[0] = 0x7777 + i;
        struct clone_args a = {.flags =
                                   CLONE_VM | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_SETTLS | CLONE_VFORK,
                               .pidfd = (uint64_t)&pidfd,
                               .parent_tid = (uint64_t)&ptid,
                               .exit_signal = SIGCHLD,
                               .stack = (uint64_t)stack[3],
                               .stack_size = sizeof stack[3],
                               .tls = (uint64_t)tls};
        long p = clone3_raw(&a, sizeof a, tls_child, 0);
        CHECK(p > 0);
        EQ(ptid, p);
        EQ(tls_seen, 0x7777 + i);
        siginfo_t si;
        EQ(waitid(P_PIDFD, pidfd, &si, WEXITED), 0);
        EQ(si.si_status, 12);
        close(pidfd);
        a.exit_signal = SIGUSR1;
        signal(SIGUSR1, SIG_IGN);
        p = clone3_raw(&a, sizeof a, tls_child, 0);
        EQ(waitpid(p, &st, __WCLONE), p);
        close(pidfd);
    }
    struct clone_args bad = {.flags = CLONE_SIGHAND};
    EQ(syscall(SYS_clone3, &bad, sizeof bad), -1);
    EQ(errno, EINVAL);
    EQ(syscall(SYS_clone3, &bad, 8), -1);
    EQ(errno, EINVAL);
    EQ(syscall(SYS_clone3, (void *)8, sizeof bad), -1);
    EQ(errno, EFAULT);
    bad.flags = 0;
    bad.exit_signal = 300;
    EQ(syscall(SYS_clone3, &bad, sizeof bad), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
