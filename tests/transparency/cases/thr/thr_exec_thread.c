//! expect: exit 6
#include "tl.h"

static void *
sp(void *a)
{
    for (;;)
        ;
}

static pid_t pid;

static void *
ex(void *a)
{
    char b[20];
    sprintf(b, "%d", pid);
    usleep(5000);
    execl("/proc/self/exe", "self", b, (char *)0);
    return 0;
}

int
main(int c, char **v)
{
    if (c > 1) {
        EQ(getpid(), atoi(v[1]));
        EQ(syscall(SYS_gettid), getpid());
        int n = 0;
        FILE *f = fopen("/proc/self/status", "r");
        char l[200];
        while (fgets(l, 200, f))
            if (sscanf(l, "Threads: %d", &n))
                ;
        printf("threads %d\n", n);
        return tl_end() + 6;
    }
    pid = getpid();
    pthread_t t;
    pthread_create(&t, 0, sp, 0);
    pthread_create(&t, 0, sp, 0);
    pthread_create(&t, 0, ex, 0);
    for (;;)
        pause();
}
