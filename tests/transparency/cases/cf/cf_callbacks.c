#include "tl.h"
#include <search.h>
#include <ftw.h>

static long cmps;

static int
cmp(const void *a, const void *b)
{
    cmps++;
    int x = *(int *)a, y = *(int *)b;
    return (x > y) - (x < y);
}

static int depth, nodes;

static void
act(const void *n, VISIT v, int d)
{
    if (v == leaf || v == postorder)
        nodes++;
    if (d > depth)
        depth = d;
}

static int nf;

static int
walk(const char *p, const struct stat *s, int f, struct FTW *w)
{
    nf++;
    return 0;
}

static void
ex1(void)
{
    puts("atexit 1");
}

static void
ex2(void)
{
    puts("atexit 2");
    fflush(stdout);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int oncen;

static void
onef(void)
{
    oncen++;
}

int
main(void)
{
    static int v[100000];
    uint64_t s = 99;
    for (int i = 0; i < 100000; i++)
        v[i] = tl_rng(&s) >> 40;
    void *root = 0;
    for (int i = 0; i < 5000; i++)
        tsearch(&v[i], &root, cmp);
    twalk(root, act);
    printf("nodes %d cmps %ld\n", nodes, cmps);
    qsort(v, 100000, 4, cmp);
    for (int i = 1; i < 100000; i++)
        CHECK(v[i - 1] <= v[i]);
    for (int i = 0; i < 100000; i += 97)
        CHECK(bsearch(&v[i], v, 100000, 4, cmp));
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    close(open("d/e/f", O_CREAT | O_WRONLY, 0644));
    nftw("d", walk, 5, 0);
    EQ(nf, 3);
    for (int i = 0; i < 5; i++)
        pthread_once(&once, onef);
    EQ(oncen, 1);
    /* nested functions: trampolines on the stack when taken by address are in smc_trampoline */
    atexit(ex2);
    atexit(ex1);
    return tl_end();
}
