#include "tl.h"

/* vfork: the child runs in the parent's memory and the parent waits; exec that fails, exec that works, in threads, with handlers */
static volatile int shared, handled;

static void
hd(int s, siginfo_t *si, void *v)
{
    handled++;
}

static int
spawn(const char *path, int *err)
{
    volatile int e = 0;
    pid_t p = vfork();
    if (p == 0) {
        shared++;
        char *argv[] = {"x", "exit", 0};
        execv(path, argv);
        e = errno;
        shared += 100;
        _exit(77);
    }
    int st;
    NEED(waitpid(p, &st, 0) == p);
    *err = e;
    return WEXITSTATUS(st);
}

static void *
thread(void *a)
{
    int e, bad = 0;
    for (int i = 0; i < 30; i++) {
        bad += spawn("/proc/self/exe", &e) != 9 || e;
        bad += spawn("/no/such/file", &e) != 77 || e != ENOENT;
    }
    return (void *)(long)bad;
}

static void *
spin(void *stop)
{
    volatile long n = 0;
    while (!*(volatile int *)stop)
        n++;
    return 0;
}

int
main(int c, char **v)
{
    if (c > 1)
        return 9;
    int e;
    tl_on(SIGCHLD, hd, SA_RESTART);
    for (int i = 0; i < 100; i++) {
        EQ(spawn("/proc/self/exe", &e), 9);
        EQ(e, 0);
        EQ(spawn("/no/such", &e), 77);
        EQ(e, ENOENT);
        if (tl_bad)
            break;
    }
    EQ(shared, 100 * 102);
    CHECK(handled > 0);
    /* a child that does much before it leaves: calls, system calls, new code */
    volatile long sum = 0;
    pid_t p = vfork();
    if (!p) {
        for (int i = 0; i < 1000; i++)
            sum += i * (getppid() != 0);
        _exit(3);
    }
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 3);
    EQ(sum, 499500);
    /* killed by a signal, and nested */
    p = vfork();
    if (!p) {
        pid_t q = vfork();
        if (!q) {
            shared = -5;
            _exit(1);
        }
        waitpid(q, &st, 0);
        shared += st >> 8;
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    waitpid(p, &st, 0);
    EQ(WTERMSIG(st), SIGKILL);
    EQ(shared, -4);
    int stop = 0;
    pthread_t t[3], s;
    pthread_create(&s, 0, spin, &stop);
    for (int i = 0; i < 3; i++)
        pthread_create(t + i, 0, thread, 0);
    for (int i = 0; i < 3; i++) {
        void *r;
        pthread_join(t[i], &r);
        EQ(r, 0);
    }
    stop = 1;
    pthread_join(s, 0);
    return tl_end();
}
