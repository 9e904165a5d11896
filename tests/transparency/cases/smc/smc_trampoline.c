//! build: gcc -O1 -w -z execstack -I$INC $SRC -o $OUT -lpthread
#include "tl.h"

/* nested functions whose address is taken: the compiler writes code onto the stack, the same place over and over */
__attribute__((noinline)) static long
apply(long (*f)(long), long x)
{
    return f(x);
}

__attribute__((noinline)) static long
outer(long a, int depth)
{
    long inner(long x)
    {
        return x * a + depth;
    }
    if (depth)
        return apply(inner, outer(a + 1, depth - 1) & 0xffff);
    return apply(inner, a);
}

static int
sort_by(int *v, int n, int key)
{
    int cmp(const void *x, const void *y)
    {
        int p = *(int *)x ^ key, q = *(int *)y ^ key;
        return (p > q) - (p < q);
    }
    qsort(v, n, sizeof *v, cmp);
    return v[0];
}

static void *
thread(void *x)
{
    long t = 0;
    for (int i = 0; i < 2000; i++)
        t = t * 31 + outer(i + (long)x, i % 20);
    return (void *)t;
}

int
main(void)
{
    long t = 0;
    for (int i = 0; i < 5000; i++)
        t = t * 31 + outer(i, i % 30);
    printf("%lx\n", t);
    int v[500];
    uint64_t s = 5;
    for (int r = 0; r < 100; r++) {
        for (int i = 0; i < 500; i++)
            v[i] = tl_rng(&s) >> 40;
        t += sort_by(v, 500, r * 37);
    }
    printf("%lx\n", t);
    pthread_t th[3];
    for (long i = 0; i < 3; i++)
        pthread_create(th + i, 0, thread, (void *)i);
    for (int i = 0; i < 3; i++) {
        void *r;
        pthread_join(th[i], &r);
        printf("%lx\n", (long)r);
    }
    return tl_end();
}
