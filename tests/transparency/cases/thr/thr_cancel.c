#include "tl.h"

static int cl;
static volatile int rdy, sent;

static void
cu(void *a)
{
    __atomic_add_fetch(&cl, (long)a, __ATOMIC_SEQ_CST);
}

static int p[2];

static void *
a(void *x)
{
    pthread_cleanup_push(cu, (void *)1);
    rdy = 1;
    char c;
    read(p[0], &c, 1);
    pthread_cleanup_pop(0);
    return 0;
}

static void *
b(void *x)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
    pthread_cleanup_push(cu, (void *)10);
    rdy = 1;
    volatile long n = 0;
    for (;;)
        n++;
    pthread_cleanup_pop(0);
    return 0;
}

static void *
c(void *x)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
    rdy = 1;
    while (!sent)
        usleep(100);
    cu((void *)100);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, 0);
    pthread_testcancel();
    return 0;
}

static void *
d(void *x)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t q = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&m);
    pthread_cleanup_push(cu, (void *)1000);
    rdy = 1;
    pthread_cond_wait(&q, &m);
    pthread_cleanup_pop(0);
    return 0;
}

int
main(void)
{
    pipe(p);
    void *(*f[])(void *) = {a, b, c, d};
    for (int r = 0; r < 15; r++)
        for (int i = 0; i < 4; i++) {
            pthread_t t;
            void *v;
            rdy = sent = 0;
            pthread_create(&t, 0, f[i], 0);
            while (!rdy)
                usleep(100);
            usleep(500);
            pthread_cancel(t);
            sent = 1;
            pthread_join(t, &v);
            EQ(v, PTHREAD_CANCELED);
        }
    printf("%d\n", cl);
    return tl_end();
}
