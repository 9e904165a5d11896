//! run: trap '' INT QUIT USR2; ulimit -n 777; ulimit -c 0; umask 027; cd /usr; exec 7</dev/null 8>&1; SH=$$ $CMD $OUT a b; echo "status $?"; nice -n 3 $CMD $OUT n; $CMD $OUT closed <&- 2>&-; true
#include "tl.h"

/* what a program inherits from the shell: ignored signals, limits, umask, directory, niceness, descriptors, its parent */
int
main(int c, char **v)
{
    struct sigaction o;
    for (int s = 1; s < 32; s++) {
        sigaction(s, 0, &o);
        if (o.sa_handler != SIG_DFL)
            printf("%d ignored ", s);
    }
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    mode_t m = umask(0);
    char cwd[4096];
    getcwd(cwd, sizeof cwd);
    printf("%ld files, umask %o, in %s, nice %d, fds", (long)r.rlim_cur, m, cwd,
           getpriority(PRIO_PROCESS, 0));
    for (int i = 0; i < 12; i++)
        if (fcntl(i, F_GETFD) >= 0)
            printf(" %d", i);
    if (getenv("SH"))
        printf(", child of the shell %d, group %d, session %d", getppid() == atoi(getenv("SH")),
               getpgrp() == getpgid(getppid()), getsid(0) == getsid(getppid()));
    puts("");
    char *s = strrchr(v[0], '/');
    printf("%s", s ? s + 1 : v[0]);
    for (int i = 1; i < c; i++)
        printf(" %s", v[i]);
    puts("");
    return c + 20;
}
