#include "tl.h"
#include <atomic>

/* thread_local destructors, pthread keys with destructors that set keys again, order and number */
static void
say(const char *s, int n)
{
    char b[64];
    write(1, b, snprintf(b, sizeof b, "%s %d\n", s, n));
}

struct L {
    int n;

    explicit L(int n) : n(n)
    {
        say("construct", n);
    }

    ~L()
    {
        say("destruct", n);
    }
};

static thread_local L first(1);
static thread_local L second(2);
static pthread_key_t k1, k2;
static std::atomic<int> runs;

static void
again(void *v)
{
    long n = (long)v;
    say("key", n);
    runs++;
    if (n < 10)
        pthread_setspecific(n & 1 ? k1 : k2, (void *)(n + 2));
}

static void *
thread(void *a)
{
    pthread_setspecific(k1, (void *)1);
    pthread_setspecific(k2, (void *)2);
    second.n += 10;
    first.n += 100;
    thread_local L third(3);
    third.n++;
    if (a)
        pthread_exit((void *)5);
    return (void *)6;
}

int
main()
{
    pthread_key_create(&k1, again);
    pthread_key_create(&k2, again);
    for (long i = 0; i < 2; i++) {
        pthread_t t;
        void *r;
        pthread_create(&t, 0, thread, (void *)i);
        pthread_join(t, &r);
        say("joined", (long)r);
    }
    EQ(runs.load(), 16);
    pthread_key_t many[200];
    int made = 0;
    while (made < 200 && pthread_key_create(&many[made], 0) == 0)
        pthread_setspecific(many[made], (void *)(long)made), made++;
    for (int i = 0; i < made; i++)
        EQ((long)pthread_getspecific(many[i]), i);
    say("keys", made);
    first.n = 1000;
    return tl_end();
}
