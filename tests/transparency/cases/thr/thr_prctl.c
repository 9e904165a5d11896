#include "tl.h"

/* prctl: what can be asked and set, what a fork keeps, and that the parent's death is told */
static void
show(const char *what, long v)
{
    printf("%s %ld\n", what, v);
}

int
main(void)
{
    int v = -1;
    show("pdeathsig", prctl(PR_GET_PDEATHSIG, &v) | v);
    show("dumpable", prctl(PR_GET_DUMPABLE));
    show("keepcaps", prctl(PR_GET_KEEPCAPS));
    show("timing", prctl(PR_GET_TIMING));
    show("seccomp", prctl(PR_GET_SECCOMP));
    show("securebits", prctl(PR_GET_SECUREBITS));
    show("timerslack", prctl(PR_GET_TIMERSLACK));
    show("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    show("thp", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    show("subreaper", prctl(PR_GET_CHILD_SUBREAPER, &v) | v);
    show("tsc", prctl(PR_GET_TSC, &v) | v);
    show("endian", prctl(PR_GET_ENDIAN, &v));
    show("fpexc", prctl(PR_GET_FPEXC, &v));
    show("mce_kill", prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    show("io_flusher", prctl(58, 0, 0, 0, 0) >= -1);
    EQ(prctl(PR_SET_DUMPABLE, 0), 0);
    EQ(prctl(PR_GET_DUMPABLE), 0);
    EQ(prctl(PR_SET_DUMPABLE, 7), -1);
    EQ(errno, EINVAL);
    pid_t p = fork();
    if (!p)
        _exit(prctl(PR_GET_DUMPABLE) == 0 ? 3 : 4);
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 3);
    EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    EQ(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
    prctl(PR_GET_PDEATHSIG, &v);
    EQ(v, SIGUSR1);
    EQ(prctl(PR_SET_PDEATHSIG, 0), 0);
    EQ(prctl(PR_SET_PDEATHSIG, 99), -1);
    EQ(prctl(PR_SET_TIMERSLACK, 70000), 0);
    EQ(prctl(PR_GET_TIMERSLACK), 70000);
    EQ(prctl(PR_SET_NAME, "a name of more than fifteen"), 0);
    char name[17] = {0};
    prctl(PR_GET_NAME, name);
    puts(name);
    /* a grandchild asks to be killed when its parent goes */
    int pp[2];
    pipe(pp);
    p = fork();
    if (!p) {
        int ready[2];
        pipe(ready);
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            write(ready[1], "r", 1);
            close(ready[1]);
            for (;;)
                pause();
        }
        char c;
        read(ready[0], &c, 1);
        _exit(0);
    }
    close(pp[1]);
    waitpid(p, &st, 0);
    char c;
    EQ(read(pp[0], &c, 1), 0); /* end of file: the last holder is dead */
    EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    EQ(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
