#include "tl.h"

int
main(void)
{
    struct rlimit r = {256 << 20, 256 << 20}, o;
    getrlimit(RLIMIT_AS, &o);
    CHECK(o.rlim_cur == RLIM_INFINITY);
    EQ(setrlimit(RLIMIT_AS, &r), 0);
    EQ(getrlimit(RLIMIT_AS, &o), 0);
    EQ(o.rlim_cur, 256 << 20);
    EQ(mmap(0, 300 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
    EQ(errno, ENOMEM);
    char *p = malloc(20 << 20);
    CHECK(p);
    memset(p, 1, 20 << 20);
    pid_t k = fork();
    if (!k) {
        uint64_t s = 1;
        for (int i = 0; i < 1000; i++)
            tl_rng(&s);
        _exit(s & 127);
    }
    int st;
    waitpid(k, &st, 0);
    printf("%d\n", WEXITSTATUS(st));
    for (int i = 0; i < 100; i++)
        free(malloc(1 << 20));
    r.rlim_cur = 1;
    for (int i = 0; i < 16; i++) {
        struct rlimit q;
        EQ(getrlimit(i, &q), 0);
        if (i != RLIMIT_NPROC && i != RLIMIT_SIGPENDING && i != RLIMIT_AS && i != RLIMIT_NOFILE &&
            i != RLIMIT_MEMLOCK)
            printf("%d:%lx,%lx ", i, q.rlim_cur, q.rlim_max);
    }
    puts("");
    struct rusage ru;
    EQ(getrusage(RUSAGE_SELF, &ru), 0);
    EQ(prlimit(0, RLIMIT_FSIZE, &(struct rlimit){1000, 1000}, 0), 0);
    signal(SIGXFSZ, SIG_IGN);
    int f = open("f", O_WRONLY | O_CREAT, 0600);
    char b[2000] = {0};
    EQ(write(f, b, 2000), 1000);
    EQ(write(f, b, 1), -1);
    EQ(errno, EFBIG);
    return tl_end();
}
