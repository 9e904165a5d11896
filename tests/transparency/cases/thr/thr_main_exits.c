//! expect: exit 0
#include "tl.h"

/* the main thread leaves first; others go on, see it as a zombie, and the last one's end is the process's */
static volatile int gone;
static pthread_t mainth;

static void *
last(void *a)
{
    void *r;
    pthread_join(mainth, &r);
    printf("main returned %ld\n", (long)r);
    char b[512], path[64];
    sprintf(path, "/proc/self/task/%d/stat", getpid());
    int fd = open(path, O_RDONLY), n = 0;
    char state = '?';
    for (int i = 0; i < 5000 && state != 'Z'; i++) {
        n = pread(fd, b, sizeof b - 1, 0);
        b[n > 0 ? n : 0] = 0;
        char *p = strrchr(b, ')');
        state = p ? p[2] : '-';
        usleep(200);
    }
    printf("its state %c\n", state);
    CHECK(getpid() != syscall(SYS_gettid));
    pid_t p = fork();
    if (!p)
        _exit(syscall(SYS_gettid) == getpid() ? 3 : 4);
    int st;
    waitpid(p, &st, 0);
    EQ(WEXITSTATUS(st), 3);
    tl_end();
    return (void *)55;
}

int
main(void)
{
    mainth = pthread_self();
    pthread_t t;
    pthread_create(&t, 0, last, 0);
    pthread_detach(t);
    pthread_exit((void *)77);
}
