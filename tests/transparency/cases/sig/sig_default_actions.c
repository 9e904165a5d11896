#include "tl.h"

static int sg;

static void
f(void)
{
    raise(sg);
    _exit(42);
}

static void
g(void)
{
    kill(getpid(), sg);
    for (;;)
        pause();
}

int
main(void)
{
    for (sg = 1; sg < 65; sg++) {
        if (sg == SIGSTOP || sg == SIGTSTP || sg == SIGTTIN || sg == SIGTTOU || sg == 32 || sg == 33)
            continue;
        int st = tl_child(f);
        printf("%d:%s%d ", sg, WIFEXITED(st) ? "exit" : "sig",
               WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st));
    }
    puts("");
    int w[] = {SIGTERM, SIGSEGV, SIGQUIT, SIGRTMIN};
    for (int i = 0; i < 4; i++) {
        sg = w[i];
        int st = tl_child(g);
        EQ(WTERMSIG(st), sg);
    }
    return tl_end();
}
