//! build: gcc -O1 -w -mcx16 -I$INC $SRC -o $OUT -lpthread
#include "tl.h"

static int c1;
static long c2, c3;
static short c4;
static unsigned char c5;

static struct {
    uint64_t a, b;
} w __attribute__((aligned(16)));

static volatile uint64_t lk;
static long guarded;

static void *
f(void *x)
{
    for (int i = 0; i < 30000; i++) {
        __atomic_add_fetch(&c1, 1, 5);
        __sync_fetch_and_sub(&c2, 3);
        asm volatile("lock incw %0\n"
                     " lock addb $1,%1"
                     : "+m"(c4), "+m"(c5)::"cc");
        long o = c3;
        while (!__atomic_compare_exchange_n(&c3, &o, o * 5 + 1, 0, 5, 5))
            ;
        uint64_t lo = w.a, hi = w.b;
        asm volatile("1: mov %%rax,%%rbx\n"
                     " mov %%rdx,%%rcx\n"
                     " add $1,%%rbx\n"
                     " sub $1,%%rcx\n"
                     " lock cmpxchg16b %0\n"
                     " jnz 1b"
                     : "+m"(w), "+a"(lo), "+d"(hi)::"rbx", "rcx", "cc", "memory");
        while (__atomic_exchange_n(&lk, 1, __ATOMIC_ACQUIRE))
            sched_yield();
        guarded++;
        __atomic_store_n(&lk, 0, __ATOMIC_RELEASE);
    }
    return 0;
}

int
main(void)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(t + i, 0, f, 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], 0);
    long e = 0;
    for (int i = 0; i < 120000; i++)
        e = e * 5 + 1;
    EQ(c1, 120000);
    EQ(c2, -360000);
    EQ(c3, e);
    EQ(c4, (short)120000);
    EQ(c5, (unsigned char)120000);
    EQ(w.a, 120000);
    EQ(w.b, -120000l);
    EQ(guarded, 120000);
    return tl_end();
}
