//! build: gcc -O1 -w -shared -fPIC -DL1 -ftls-model=global-dynamic -I$INC $SRC -o $B/l1.so && gcc -O1 -w -shared -fPIC -DL2 -mtls-dialect=gnu2 -I$INC $SRC -o $B/l2.so && gcc -O1 -w -shared -fPIC -DL3 -ftls-model=initial-exec -I$INC $SRC -o $B/l3.so && gcc -O1 -w -I$INC $SRC -o $OUT $B/l3.so -Wl,-rpath,$B -ldl -lpthread
#include "tl.h"
#if defined L1
__thread int g1[1000] = {11};
static __thread int s1 = 7;

int
f1(int d)
{
    g1[999] += d;
    s1 += d;
    return g1[0] + g1[999] + s1;
}
#elif defined L2
__thread int g2[1000] = {21};
static __thread int s2 = 8;

int
f2(int d)
{
    g2[999] += d;
    s2 += d;
    return g2[0] + g2[999] + s2;
}
#elif defined L3
__thread int g3 = 31;

int
f3(int d)
{
    return g3 += d;
}
#else
int f3(int);
extern __thread int g3;
static __thread int le = 41;
static __thread char bss[20000];
static int (*f1)(int), (*f2)(int);

static void *
th(void *a)
{
    long s = 0;
    int k = (long)a;
    for (int i = 0; i < 300; i++) {
        s += f1(k) + f2(k) + f3(k) + (le += k) + (bss[i * 50] += k);
        sched_yield();
    }
    EQ(g3, 31 + 300 * k);
    return (void *)s;
}

int
main(void)
{
    char p[4096];
    sprintf(p, "%s/l1.so", getenv("B"));
    void *h = dlopen(p, RTLD_NOW);
    NEED(h);
    f1 = dlsym(h, "f1");
    sprintf(p, "%s/l2.so", getenv("B"));
    h = dlopen(p, RTLD_LAZY);
    NEED(h);
    f2 = dlsym(h, "f2");
    pthread_t t[8];
    for (long i = 0; i < 8; i++)
        pthread_create(t + i, 0, th, (void *)i);
    for (int i = 0; i < 8; i++) {
        void *v;
        pthread_join(t[i], &v);
        printf("%ld ", (long)v);
    }
    printf("%ld\n", (long)th((void *)3));
    static pthread_key_t k;
    pthread_key_create(&k, free);
    pthread_setspecific(k, malloc(10));
    CHECK(pthread_getspecific(k));
    return tl_end();
}
#endif
