#include "tl.h"
#include <dirent.h>

/* which descriptors there are: by /proc/self/fd, by fstat on all numbers, at the limit, after close_range */
static int
listing(const char *dir, int *fds)
{
    DIR *d = opendir(dir);
    int n = 0;
    if (!d)
        return -1;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
            fds[n++] = atoi(e->d_name);
    closedir(d);
    return n;
}

static int
by_fstat(int limit)
{
    int n = 0;
    struct stat st;
    for (int i = 0; i < limit; i++)
        n += fstat(i, &st) == 0;
    return n;
}

int
main(void)
{
    int f[5000];
    int n = listing("/proc/self/fd", f);
    for (int i = 0; i < n; i++)
        printf("%d ", f[i]);
    printf("= %d; fstat finds %d\n", n, by_fstat(4096));
    EQ(listing("/proc/self/fdinfo", f), 3);
    EQ(listing("/proc/thread-self/fd", f), 3);
    char path[64];
    sprintf(path, "/proc/%d/fd", getpid());
    EQ(listing(path, f), 3);
    sprintf(path, "/proc/%d/task/%d/fd", getpid(), getpid());
    EQ(listing(path, f), 3);
    for (int i = 0; i < 10; i++)
        EQ(open("/dev/null", O_RDONLY), 3 + i);
    EQ(listing("/proc/self/fd", f), 13);
    EQ(syscall(SYS_close_range, 5, 8, 0), 0);
    EQ(listing("/proc/self/fd", f), 9);
    EQ(open("/dev/null", O_RDONLY), 5);
    /* the limit: exactly as many as it allows, then EMFILE; the highest number is one below it */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){20, 4096});
    int got = 0, last = -1, fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
        got++;
        last = fd > last ? fd : last;
    }
    EQ(errno, EMFILE);
    printf("%d more, last %d\n", got, last);
    EQ(dup2(0, 19), 19);
    EQ(dup2(0, 20), -1);
    EQ(errno, EBADF);
    EQ(fcntl(0, F_DUPFD, 20), -1);
    EQ(errno, EINVAL);
    EQ(socket(AF_UNIX, SOCK_STREAM, 0), -1);
    EQ(errno, EMFILE);
    /* closed ones stay closed, whatever the number */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){4096, 4096});
    syscall(SYS_close_range, 3, ~0u, 0);
    EQ(by_fstat(4096), 3);
    for (int i = 3; i < 4096; i++)
        if (close(i) == 0)
            CHECK(!"was open");
    for (int i = 4095; i > 4000; i--)
        EQ(dup2(1, i), i);
    EQ(by_fstat(4096), 98);
    return tl_end();
}
