//! build: g++ -O1 -w -fnon-call-exceptions -fasynchronous-unwind-tables -I$INC $SRC -o $OUT -lpthread
#include "tl.h"
#include <string>

/* C++ exceptions thrown from a handler unwind through the signal frame into the code that faulted */
static int live;

struct Guard {
    Guard()
    {
        live++;
    }

    ~Guard()
    {
        live--;
    }
};

struct Fault {
    int sig;
    void *addr;
};

static void
hd(int s, siginfo_t *si, void *v)
{
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, s);
    sigprocmask(SIG_UNBLOCK, &m, 0);
    throw Fault{s, si->si_addr};
}

__attribute__((noinline)) static int
load(volatile int *p)
{
    Guard g;
    return *p;
}

__attribute__((noinline)) static int
divide(volatile int a, volatile int b)
{
    Guard g;
    return a / b;
}

__attribute__((noinline)) static int
deep(int n, volatile int *p)
{
    Guard g;
    return n ? deep(n - 1, p) + 1 : load(p);
}

static void *
thread(void *)
{
    long sum = 0;
    for (int i = 0; i < 200; i++)
        try {
            deep(i % 30, (volatile int *)(uintptr_t)(8 + i));
        } catch (const Fault &f) {
            sum += (uintptr_t)f.addr;
        }
    return (void *)sum;
}

int
main()
{
    tl_on(SIGSEGV, hd, 0);
    tl_on(SIGFPE, hd, 0);
    int caught = 0;
    uintptr_t sum = 0;
    for (int i = 0; i < 500; i++) {
        try {
            if (i % 3 == 2)
                divide(i, i % 3 - 2);
            else
                deep(i % 40, (volatile int *)(uintptr_t)(16 + i));
            puts("no fault");
        } catch (const Fault &f) {
            caught += f.sig;
            if (f.sig == SIGSEGV)
                sum += (uintptr_t)f.addr;
        }
        EQ(live, 0);
    }
    printf("%d %ld\n", caught, (long)sum);
    pthread_t t;
    void *r;
    pthread_create(&t, 0, thread, 0);
    pthread_join(t, &r);
    printf("thread %ld\n", (long)r);
    return tl_end();
}
