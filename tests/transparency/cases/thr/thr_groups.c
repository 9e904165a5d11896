#include "tl.h"
#include <termios.h>

/* sessions and process groups, on a terminal of one's own: what ^C reaches, background reads, hangup */
int posix_openpt(int), grantpt(int), unlockpt(int);
char *ptsname(int);
static volatile int got, hung_up;

static void
hd(int s, siginfo_t *si, void *v)
{
    got = s;
    hung_up |= s == SIGHUP;
}

static int
status_of(pid_t p, int flags)
{
    int st;
    if (waitpid(p, &st, flags) != p)
        return -1;
    return WIFEXITED(st) ? WEXITSTATUS(st) : WIFSTOPPED(st) ? 2000 + WSTOPSIG(st) : 1000 + WTERMSIG(st);
}

int
main(void)
{
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    NEED(m >= 0 && !grantpt(m) && !unlockpt(m));
    char *name = strdup(ptsname(m));
    int p[2];
    pipe(p);
    pid_t leader = fork();
    if (!leader) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(m);
        EQ(setsid(), getpid());
        EQ(getsid(0), getpid());
        EQ(getpgrp(), getpid());
        int t = open(name, O_RDWR); /* becomes the controlling terminal */
        EQ(tcgetpgrp(t), getpid());
        EQ(setsid(), -1);
        EQ(errno, EPERM);
        pid_t fg = fork();
        if (!fg) {
            char c;
            tl_on(SIGINT, hd, 0);
            write(p[1], "r", 1);
            EQ(read(t, &c, 1), -1); /* ^C interrupts it */
            EQ(errno, EINTR);
            _exit(got == SIGINT && !tl_bad ? 21 : 22);
        }
        tl_on(SIGINT, hd, SA_RESTART);
        EQ(status_of(fg, 0), 21);
        pid_t bg = fork();
        if (!bg) {
            char c;
            setpgid(0, 0);
            read(t, &c, 1); /* stops: background */
            _exit(23);
        }
        setpgid(bg, bg);
        EQ(status_of(bg, WUNTRACED), 2000 + SIGTTIN);
        kill(bg, SIGTERM);
        kill(bg, SIGCONT);
        EQ(status_of(bg, 0), 1000 + SIGTERM);
        bg = fork();
        if (!bg) {
            setpgid(0, 0);
            signal(SIGTTIN, SIG_IGN);
            char c;
            int r = read(t, &c, 1);
            _exit(r == -1 && errno == EIO ? 24 : 25);
        }
        setpgid(bg, bg);
        EQ(status_of(bg, 0), 24);
        /* the terminal goes: SIGHUP to the leader */
        tl_on(SIGHUP, hd, 0);
        write(p[1], "h", 1);
        while (!hung_up)
            usleep(200);
        _exit(tl_bad ? 1 : 31);
    }
    char c;
    read(p[0], &c, 1);
    /* ^C until it is known to have met the read */
    while (poll(&(struct pollfd){p[0], POLLIN}, 1, 1) == 0)
        write(m, "\3", 1);
    read(p[0], &c, 1);
    EQ(c, 'h');
    close(m);
    EQ(status_of(leader, 0), 31);
    return tl_end();
}
