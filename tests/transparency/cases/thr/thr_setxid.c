//! need: root
#include "tl.h"
#include <grp.h>

/* dropping rights in a process with threads: every thread changes, and exec, files and signals work afterwards */
static volatile int stop, dropped, ok;

static void *
thread(void *a)
{
    while (!dropped)
        if (a)
            usleep(100);
    if (getuid() == 65534 && geteuid() == 65534 && getgid() == 65534)
        __atomic_add_fetch(&ok, 1, __ATOMIC_SEQ_CST);
    return 0;
}

int
main(void)
{
    pthread_t t[4];
    for (long i = 0; i < 4; i++)
        pthread_create(t + i, 0, thread, (void *)(i & 1));
    EQ(setgroups(0, 0), 0);
    EQ(setresgid(65534, 65534, 65534), 0);
    EQ(setresuid(65534, 65534, 65534), 0);
    dropped = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], 0);
    EQ(ok, 4);
    EQ(setuid(0), -1);
    EQ(errno, EPERM);
    EQ(open("/etc/shadow", O_RDONLY), -1);
    EQ(errno, EACCES);
    unsigned char *p = tl_rwx(0, 4096);
    p[0] = 0xc3;
    ((void (*)(void))p)();
    fflush(stdout);
    pid_t k = fork();
    if (!k) {
        execl("/bin/sh", "sh", "-c", "id -u", (char *)0);
        _exit(1);
    }
    int st;
    waitpid(k, &st, 0);
    EQ(st, 0);
    return tl_end();
}
