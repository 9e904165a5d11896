#include "tl.h"

static void *
f(void *a)
{
    volatile long *v = a;
    while (!v[1])
        v[0]++;
    return 0;
}

static int at[3];

static void
a1(void)
{
    at[0]++;
}

static void
a2(void)
{
    at[1]++;
}

static void
a3(void)
{
    at[2]++;
}

int
main(void)
{
    pthread_atfork(a1, a2, a3);
    int st;
    for (int i = 0; i < 30; i++) {
        pid_t p = fork();
        if (!p) {
            int s = 0;
            for (int k = 0; k < 1000; k++)
                s += k * i;
            _exit((s ^ i) & 127);
        }
        EQ(waitpid(p, &st, 0), p);
        int s = 0;
        for (int k = 0; k < 1000; k++)
            s += k * i;
        EQ(WEXITSTATUS(st), (s ^ i) & 127);
    }
    static volatile long v[2];
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(t + i, 0, f, (void *)v);
    for (int i = 0; i < 20; i++) {
        pid_t p = fork();
        if (!p) {
            pthread_t q;
            long w[2] = {0, 1};
            pthread_create(&q, 0, f, w);
            pthread_join(q, 0);
            char *m = malloc(10000);
            free(m);
            pid_t g = fork();
            if (!g)
                _exit(4);
            waitpid(g, &st, 0);
            _exit(WEXITSTATUS(st) + at[2]);
        }
        EQ(waitpid(p, &st, 0), p);
        EQ(WEXITSTATUS(st), 4 + 1);
        if (tl_bad)
            break;
    }
    v[1] = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], 0);
    printf("%d %d %d\n", at[0], at[1], at[2]);
    return tl_end();
}
