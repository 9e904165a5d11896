#include "tl.h"

/* to a thread, to the process, to a group: who gets it */
static volatile int got[4], ready;
static __thread int me = 3;
static volatile int stop;

static void
hd(int s, siginfo_t *si, void *v)
{
    __atomic_add_fetch(&got[me], 1, __ATOMIC_SEQ_CST);
}

static void *
open_thread(void *a)
{
    me = (long)a;
    sigset_t m;
    sigemptyset(&m);
    if (me == 1)
        pthread_sigmask(SIG_SETMASK, &m, 0); /* the only one that lets it in */
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    volatile uint64_t h = 0;
    while (!stop)
        if (me & 1)
            h++;
        else
            usleep(200);
    return 0;
}

static void
wait_for(volatile int *p, int n)
{
    while (*p < n)
        sched_yield();
}

int
main(void)
{
    sigset_t m;
    sigfillset(&m);
    sigprocmask(SIG_SETMASK, &m, 0);
    tl_on(SIGUSR1, hd, 0);
    pthread_t t[3];
    for (long i = 0; i < 3; i++)
        pthread_create(t + i, 0, open_thread, (void *)i);
    wait_for(&ready, 3);
    for (int i = 1; i <= 200; i++) {
        kill(getpid(), SIGUSR1);
        wait_for(&got[1], i);
    }
    EQ(got[0] + got[2] + got[3], 0);
    /* to a thread that blocks it: pending there, and nowhere else */
    pthread_kill(t[2], SIGUSR1);
    for (int i = 1; i <= 100; i++) {
        pthread_kill(t[1], SIGUSR1);
        wait_for(&got[1], 200 + i);
    }
    EQ(got[2], 0);
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], 0);
    /* a whole process group */
    setpgid(0, 0);
    int p[2];
    pipe(p);
    for (int i = 0; i < 3; i++)
        if (!fork()) {
            tl_on(SIGTERM, hd, 0);
            me = 0;
            got[0] = 0;
            write(p[1], "r", 1);
            sigemptyset(&m);
            while (!got[0])
                sigsuspend(&m);
            _exit(10 + got[0]);
        }
    char c;
    for (int i = 0; i < 3; i++)
        read(p[0], &c, 1);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    for (int i = 0; i < 3; i++) {
        int st;
        wait(&st);
        EQ(WEXITSTATUS(st), 11);
    }
    return tl_end();
}
