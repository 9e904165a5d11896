#include "tl.h"

/* exec with many descriptors, close-on-exec or not, long arguments, and 2 MB of them */
static uint64_t
hash_args(char **v)
{
    uint64_t h = FNV0;
    for (; *v; v++)
        h = tl_fnv(h, *v, strlen(*v) + 1);
    return h;
}

int
main(int c, char **v, char **e)
{
    if (c > 2) {
        char *end;
        uint64_t want = strtoull(getenv("HASH"), &end, 16);
        char *self = v[0], *first = v[1];
        EQ(hash_args(v + 2), want);
        if (!strcmp(first, "fds")) {
            int open_ = 0, wrong = 0;
            for (int i = 3; i < 600; i++) {
                int there = fcntl(i, F_GETFD) >= 0;
                open_ += there;
                wrong += there != (i % 3 != 0);
            }
            printf("open %d wrong %d\n", open_, wrong);
        }
        return tl_end();
    }
    char h[32];
    struct rlimit r = {700, 700};
    getrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur < 700) {
        r.rlim_cur = 700;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    fflush(stdout);
    pid_t p = fork();
    int st;
    if (!p) {
        for (int i = 3; i < 600; i++)
            close(i);
        int d = open("/dev/null", O_RDONLY);
        for (int i = 3; i < 600; i++)
            if (i % 3 == 0)
                dup3(d, i, O_CLOEXEC) < 0 && i != d ? _exit(1) : 0;
            else if (i != d)
                dup2(d, i);
        fcntl(d, F_SETFD, d % 3 == 0 ? FD_CLOEXEC : 0);
        char *args[] = {"self", "fds", "a", 0};
        sprintf(h, "HASH=%llx", (unsigned long long)hash_args(args + 2));
        execve("/proc/self/exe", args, (char *[]){h, 0});
        _exit(2);
    }
    waitpid(p, &st, 0);
    EQ(st, 0);
    /* one argument of 131071 characters, then 15,000 of 100 */
    for (int k = 0; k < 2; k++) {
        p = fork();
        if (!p) {
            static char *args[15100];
            int n = 0;
            args[n++] = "self";
            args[n++] = "args";
            for (int i = 0; i < (k ? 15000 : 5); i++) {
                int len = k ? 100 : 131071;
                char *s = malloc(len + 1);
                memset(s, 'a' + i % 26, len);
                s[len] = 0;
                args[n++] = s;
            }
            args[n] = 0;
            sprintf(h, "HASH=%llx", (unsigned long long)hash_args(args + 2));
            execve("/proc/self/exe", args, (char *[]){h, "X=1", 0});
            _exit(errno);
        }
        waitpid(p, &st, 0);
        EQ(st, 0);
    }
    return 0;
}
