#include "tl.h"

static void
rd(const char *p)
{
    char b[64] = {0};
    int fd = open(p, O_RDONLY);
    read(fd, b, 63);
    close(fd);
    printf("%s", b);
}

static void *
f(void *a)
{
    char b[16], p[64];
    pthread_setname_np(pthread_self(), "worker-1");
    prctl(PR_GET_NAME, b);
    puts(b);
    sprintf(p, "/proc/self/task/%ld/comm", syscall(SYS_gettid));
    rd(p);
    return 0;
}

int
main(void)
{
    char b[16];
    prctl(PR_GET_NAME, b);
    puts(b);
    rd("/proc/self/comm");
    pthread_t t;
    pthread_create(&t, 0, f, 0);
    pthread_join(t, 0);
    prctl(PR_SET_NAME, "renamed");
    rd("/proc/self/comm");
    int fd = open("/proc/self/comm", O_WRONLY);
    write(fd, "viafile", 7);
    close(fd);
    prctl(PR_GET_NAME, b);
    puts(b);
    rd("/proc/thread-self/comm");
    FILE *s = fopen("/proc/self/stat", "r");
    int pid;
    char nm[64];
    fscanf(s, "%d %s", &pid, nm);
    puts(nm);
    EQ(pid, getpid());
    EQ(prctl(PR_GET_DUMPABLE), 1);
    EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    EQ(prctl(9999), -1);
    return tl_end();
}
