#include "tl.h"

/* stacks of threads: size, guard, given by the program, deep recursion on each, the main thread's bounds */
__attribute__((noinline)) static long
deep(int n)
{
    volatile char pad[100];
    pad[n % 100] = n;
    return n ? deep(n - 1) + pad[n % 100] : 0;
}

static void *
thread(void *a)
{
    pthread_attr_t at;
    void *lo;
    size_t size, guard;
    pthread_getattr_np(pthread_self(), &at);
    pthread_attr_getstack(&at, &lo, &size);
    pthread_attr_getguardsize(&at, &guard);
    char here;
    CHECK(&here > (char *)lo && &here < (char *)lo + size);
    printf("size %zu guard %zu sum %ld\n", size, guard, deep((int)(long)a));
    return 0;
}

static sigjmp_buf jb;

static void
hd(int s, siginfo_t *si, void *v)
{
    siglongjmp(jb, 1);
}

int
main(void)
{
    size_t sizes[] = {16384 * 4, 1 << 17, 1 << 20, 8 << 20, 64 << 20};
    for (int i = 0; i < 5; i++) {
        pthread_attr_t at;
        pthread_t t;
        pthread_attr_init(&at);
        pthread_attr_setstacksize(&at, sizes[i]);
        pthread_attr_setguardsize(&at, i * 4096);
        NEED(!pthread_create(&t, &at, thread, (void *)(long)(sizes[i] / 400)));
        pthread_join(t, 0);
    }
    char *own = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t at;
    pthread_t t;
    pthread_attr_init(&at);
    pthread_attr_setstack(&at, own, 1 << 20);
    pthread_create(&t, &at, thread, (void *)2000);
    pthread_join(t, 0);
    /* the main thread's stack, as pthread_getattr_np works it out from maps and the limit */
    setrlimit(RLIMIT_STACK, &(struct rlimit){4 << 20, RLIM_INFINITY});
    void *lo;
    size_t size;
    pthread_getattr_np(pthread_self(), &at);
    pthread_attr_getstack(&at, &lo, &size);
    char here;
    CHECK(&here > (char *)lo && &here < (char *)lo + size);
    CHECK(size > (3 << 20) && size <= (4 << 20));
    printf("%ld\n", deep(20000));
    tl_on(SIGSEGV, hd, 0);
    if (!sigsetjmp(jb, 1)) {
        own = mmap(0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *(volatile char *)own = 1;
        CHECK(!"wrote");
    }
    return tl_end();
}
