#include "tl.h"

static char b[65536];

static int
rd(const char *p)
{
    int fd = open(p, O_RDONLY);
    if (fd < 0)
        return -errno;
    int n = read(fd, b, sizeof b - 1);
    close(fd);
    b[n > 0 ? n : 0] = 0;
    return n;
}

int
main(int c, char **v)
{
    char l[4096];
    int n = readlink("/proc/self/exe", l, 4095);
    l[n] = 0;
    EQ(strcmp(l, v[0]), 0);
    char q[64];
    sprintf(q, "/proc/%d/exe", getpid());
    n = readlink(q, l, 4095);
    l[n] = 0;
    EQ(strcmp(l, v[0]), 0);
    n = readlinkat(AT_FDCWD, "/proc/thread-self/exe", l, 4095);
    EQ(n, strlen(v[0]));
    EQ(readlink("/proc/self/exe", l, 3), 3);
    char rp[4096];
    CHECK(realpath("/proc/self/exe", rp));
    EQ(strcmp(rp, v[0]), 0);
    n = rd("/proc/self/cmdline");
    EQ(n, strlen(v[0]) + 1);
    EQ(strcmp(b, v[0]), 0);
    n = rd("/proc/self/comm");
    fputs(b, stdout);
    struct stat s1, s2;
    stat("/proc/self/exe", &s1);
    stat(v[0], &s2);
    EQ(s1.st_ino, s2.st_ino);
    int fd = open("/proc/self/exe", O_RDONLY), f2 = open(v[0], O_RDONLY);
    EQ(read(fd, b, 4096), 4096);
    read(f2, b + 4096, 4096);
    EQ(memcmp(b, b + 4096, 4096), 0);
    EQ(access("/proc/self/exe", X_OK), 0);
    EQ(open("/proc/self/exe", O_RDWR), -1);
    EQ(errno, ETXTBSY);
    rd("/proc/self/status");
    char *t = strstr(b, "Name:");
    printf("%.*s\n", (int)strcspn(t, "\n"), t);
    t = strstr(b, "TracerPid:");
    printf("%.*s\n", (int)strcspn(t, "\n"), t);
    t = strstr(b, "Seccomp:");
    printf("%.*s\n", (int)strcspn(t, "\n"), t);
    t = strstr(b, "NoNewPrivs:");
    printf("%.*s\n", (int)strcspn(t, "\n"), t);
    n = readlink("/proc/self/cwd", l, 4095);
    l[n] = 0;
    char cw[4096];
    getcwd(cw, 4096);
    EQ(strcmp(l, cw), 0);
    EQ(program_invocation_name, v[0]);
    return tl_end();
}
