#include "tl.h"
#include <spawn.h>

/* posix_spawn: file actions, attributes, errors; system and popen */
extern char **environ;

int
main(int c, char **v)
{
    if (c > 1) {
        char b[64];
        int n = read(0, b, 64);
        sigset_t m;
        sigprocmask(SIG_BLOCK, 0, &m);
        struct sigaction o;
        sigaction(SIGUSR2, 0, &o);
        printf("child %s: stdin %d, fd 9 %d, USR1 blocked %d, USR2 default %d, own group %d, env %s\n", v[1],
               n, fcntl(9, F_GETFD), sigismember(&m, SIGUSR1), o.sa_handler == SIG_DFL, getpgrp() == getpid(),
               getenv("SP") ?: "-");
        return 12;
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    int fd = open("in", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "hello", 5);
    signal(SIGUSR2, SIG_IGN);
    for (int i = 0; i < 5; i++) {
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t at;
        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_addopen(&fa, 0, "in", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&fa, 1, 9);
        posix_spawn_file_actions_addclose(&fa, fd);
        posix_spawnattr_init(&at);
        sigset_t m, d;
        sigemptyset(&m);
        sigaddset(&m, SIGUSR1);
        sigemptyset(&d);
        sigaddset(&d, SIGUSR2);
        posix_spawnattr_setsigmask(&at, &m);
        posix_spawnattr_setsigdefault(&at, &d);
        posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        pid_t p;
        char num[4] = {'0' + i};
        EQ(posix_spawn(&p, "/proc/self/exe", &fa, &at, (char *[]){v[0], num, 0}, (char *[]){"SP=1", 0}), 0);
        int st;
        EQ(waitpid(p, &st, 0), p);
        EQ(WEXITSTATUS(st), 12);
        posix_spawn_file_actions_destroy(&fa);
    }
    pid_t p;
    EQ(posix_spawn(&p, "/no/such", 0, 0, v, environ), ENOENT);
    EQ(posix_spawn(&p, "/", 0, 0, v, environ), EACCES);
    EQ(posix_spawnp(&p, "no-such-command-here", 0, 0, v, environ), ENOENT);
    EQ(posix_spawnp(&p, "true", 0, 0, (char *[]){"true", 0}, environ), 0);
    int st;
    waitpid(p, &st, 0);
    EQ(st, 0);
    EQ(WEXITSTATUS(system("exit 33")), 33);
    EQ(WTERMSIG(system("kill -9 $$")), 9);
    FILE *f = popen("echo from; echo popen; exit 4", "r");
    char line[64];
    while (fgets(line, sizeof line, f))
        fputs(line, stdout);
    EQ(WEXITSTATUS(pclose(f)), 4);
    f = popen("cat", "w");
    fputs("to popen\n", f);
    EQ(pclose(f), 0);
    return tl_end();
}
