#include "tl.h"
#include <dirent.h>

/* /proc/self: stat, status, task, limits, environ after change, maps against what was mapped, mem, smaps, auxv, exe through links */
static char b[1 << 18];

static int
slurp(const char *p)
{
    int fd = open(p, O_RDONLY), n = 0, r;
    if (fd < 0)
        return -1;
    while ((r = read(fd, b + n, sizeof b - 1 - n)) > 0)
        n += r;
    close(fd);
    b[n] = 0;
    return n;
}

static char *
field(const char *name)
{
    static char out[200];
    char *p = strstr(b, name);
    if (!p)
        return "?";
    snprintf(out, sizeof out, "%.*s", (int)strcspn(p, "\n"), p);
    return out;
}

static int
tasks(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void *
sleeper(void *a)
{
    char c;
    read((int)(long)a, &c, 1);
    return 0;
}

int
main(int c, char **v, char **e)
{
    const char *st[] = {"Name:",   "Umask:",  "State:",      "TracerPid:", "Threads:",        "SigPnd:",
                        "SigBlk:", "SigIgn:", "NoNewPrivs:", "Seccomp:",   "Seccomp_filters:"};
    slurp("/proc/self/status");
    for (int i = 0; i < 11; i++)
        puts(field(st[i]));
    unsigned long long caught;
    slurp("/proc/self/status");
    sscanf(field("SigCgt:"), "SigCgt: %llx", &caught);
    printf("caught %llx\n", caught);
    tl_on(SIGUSR1, (void *)abs, 0);
    signal(SIGHUP, SIG_IGN);
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGTERM);
    sigaddset(&m, SIGSEGV);
    sigprocmask(SIG_BLOCK, &m, 0);
    raise(SIGTERM);
    slurp("/proc/self/status");
    for (int i = 5; i < 8; i++)
        puts(field(st[i]));
    puts(field("SigCgt:"));
    puts(field("ShdPnd:"));
    /* stat: names, addresses of the stack, of arguments and of the environment */
    slurp("/proc/self/stat");
    char name[64], state;
    int pid, ppid, pgrp, sid;
    unsigned long long f[60];
    sscanf(b, "%d (%63[^)]) %c %d %d %d", &pid, name, &state, &ppid, &pgrp, &sid);
    EQ(pid, getpid());
    EQ(ppid, getppid());
    EQ(pgrp, getpgrp());
    EQ(sid, getsid(0));
    printf("%s %c\n", name, state);
    char *p = strrchr(b, ')') + 2;
    for (int i = 3; i < 53 && p; i++) {
        f[i] = i == 3 ? 0 : strtoull(p, 0, 10);
        p = strchr(p, ' ');
        p = p ? p + 1 : 0;
    }
    EQ(f[20], 1);
    CHECK(f[28] <= (uint64_t)v && f[28] > (uint64_t)v - 4096); /* startstack */
    EQ(f[48], v[0]);                                           /* arg_start, arg_end */
    EQ(f[49], v[c - 1] + strlen(v[c - 1]) + 1);
    EQ(f[50], e[0]);
    extern char edata;
    printf("code %d data %d brk %d\n", f[26] <= (uint64_t)main && f[27] > (uint64_t)main,
           f[45] <= (uint64_t)&edata && f[46] >= (uint64_t)&edata - 4096,
           f[47] <= (uint64_t)sbrk(0) && f[47] > (uint64_t)&edata - 4096);
    int pp[2];
    pipe(pp);
    pthread_t t[5];
    for (int i = 0; i < 5; i++)
        pthread_create(t + i, 0, sleeper, (void *)(long)pp[0]);
    EQ(tasks(), 6);
    slurp("/proc/self/status");
    puts(field("Threads:"));
    write(pp[1], "abcde", 5);
    for (int i = 0; i < 5; i++)
        pthread_join(t[i], 0);
    /* a thread is gone from the list soon after it was joined */
    for (int i = 0; i < 5000 && tasks() > 1; i++)
        usleep(200);
    EQ(tasks(), 1);
    slurp("/proc/self/limits");
    puts(field("Max core"));
    puts(field("Max stack"));
    puts(field("Max address"));
    int fd = open("/proc/self/mem", O_RDWR);
    static volatile int word = 1234;
    int w;
    EQ(pread(fd, &w, 4, (off_t)(uintptr_t)&word), 4);
    EQ(w, 1234);
    w = 99;
    EQ(pwrite(fd, &w, 4, (off_t)(uintptr_t)&word), 4);
    EQ(word, 99);
    EQ(pread(fd, &w, 4, 16), -1);
    EQ(errno, EIO);
    /* the image is named in maps, smaps and map_files as it was started */
    CHECK(slurp("/proc/self/maps") > 0 && strstr(b, v[0]));
    CHECK(slurp("/proc/self/smaps") > 0 && strstr(b, v[0]));
    CHECK(strstr(b, "[stack]") && strstr(b, "[vdso]"));
    slurp("/proc/self/cmdline");
    EQ(strcmp(b, v[0]), 0);
    strcpy(v[0], "changed");
    slurp("/proc/self/cmdline");
    EQ(strcmp(b, "changed"), 0);
    struct stat s1, s2;
    char link[64];
    sprintf(link, "/proc/%d/exe", getpid());
    EQ(lstat(link, &s1), 0);
    CHECK(S_ISLNK(s1.st_mode));
    EQ(stat("/proc/thread-self/exe", &s2), 0);
    CHECK(S_ISREG(s2.st_mode));
    return tl_end();
}
