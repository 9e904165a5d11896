#include "tl.h"

static long total;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static __thread long mine;

static void *
f(void *a)
{
    long i = (long)a;
    for (int k = 0; k < 200; k++)
        mine += i ^ k;
    pthread_mutex_lock(&m);
    total += mine;
    pthread_mutex_unlock(&m);
    return (void *)(mine + 1);
}

int
main(void)
{
    long s = 0;
    for (int r = 0; r < 4; r++) {
        pthread_t t[150];
        for (long i = 0; i < 150; i++)
            NEED(!pthread_create(t + i, 0, f, (void *)(i + r)));
        for (int i = 0; i < 150; i++) {
            void *v;
            pthread_join(t[i], &v);
            s += (long)v;
        }
    }
    printf("%ld %ld\n", total, s);
    EQ(s, total + 600);
    for (long i = 0; i < 500; i++) {
        pthread_t t;
        pthread_create(&t, 0, f, (void *)i);
        void *v;
        pthread_join(t, &v);
        s += (long)v;
    }
    printf("%ld\n", s);
    return tl_end();
}
