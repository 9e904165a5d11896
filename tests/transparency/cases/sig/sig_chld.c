#include "tl.h"

static siginfo_t got[32];
static volatile int n;

static void
hd(int s, siginfo_t *si, void *v)
{
    if (n < 32)
        got[n] = *si;
    n++;
}

static void
until(int k)
{
    for (int i = 0; i < 3000 && n < k; i++)
        usleep(1000);
    EQ(n, k);
}

int
main(void)
{
    tl_on(SIGCHLD, hd, SA_RESTART);
    pid_t c = fork();
    if (!c)
        _exit(7);
    until(1);
    EQ(got[0].si_code, CLD_EXITED);
    EQ(got[0].si_status, 7);
    EQ(got[0].si_pid, c);
    int st;
    EQ(waitpid(c, &st, 0), c);
    c = fork();
    if (!c)
        for (;;)
            pause();
    kill(c, SIGSTOP);
    until(2);
    EQ(got[1].si_code, CLD_STOPPED);
    EQ(got[1].si_status, SIGSTOP);
    kill(c, SIGCONT);
    until(3);
    EQ(got[2].si_code, CLD_CONTINUED);
    kill(c, SIGKILL);
    until(4);
    EQ(got[3].si_code, CLD_KILLED);
    EQ(got[3].si_status, SIGKILL);
    EQ(waitpid(c, &st, 0), c);
    EQ(WTERMSIG(st), 9);
    tl_on(SIGCHLD, hd, SA_NOCLDWAIT);
    c = fork();
    if (!c)
        _exit(1);
    until(5);
    for (int i = 0; i < 1000 && kill(c, 0) == 0; i++)
        usleep(1000);
    EQ(waitpid(-1, &st, 0), -1);
    EQ(errno, ECHILD);
    signal(SIGCHLD, SIG_IGN);
    if (!fork())
        _exit(1);
    EQ(wait(&st), -1);
    EQ(errno, ECHILD);
    tl_on(SIGCHLD, hd, SA_NOCLDSTOP | SA_RESTART);
    c = fork();
    if (!c)
        for (;;)
            pause();
    kill(c, SIGSTOP);
    EQ(waitpid(c, &st, WUNTRACED), c);
    EQ(WSTOPSIG(st), SIGSTOP);
    EQ(n, 5);
    kill(c, SIGTERM);
    kill(c, SIGCONT);
    EQ(waitpid(c, &st, 0), c);
    EQ(WTERMSIG(st), SIGTERM);
    return tl_end();
}
