//! build: gcc -O1 -w -I$INC $SRC -o $OUT -lpthread
#include "tl.h"

/* several threads run new code at the same time and each goes its own way through it: what one has just made known
   of it, the others may be executing */
enum { BLOCKS = 600, THREADS = 4, ROUNDS = 25, RUNS = 40 };
static unsigned char *code;
static volatile int arrived, go;
static pthread_barrier_t gate;
static int bad;

/* eax = f(edi): at each block a bit of edi decides whether eax is changed once more */
static void
generate(unsigned round)
{
    unsigned char *p = code;

    *p++ = 0x31, *p++ = 0xc0;                                    /* xor eax, eax         */
    for (unsigned i = 0; i < BLOCKS; i++) {
        *p++ = 0x05, memcpy(p, &(int){i * 7 + round}, 4), p += 4; /* add eax, i*7 + round */
        *p++ = 0x0f, *p++ = 0xba, *p++ = 0xe7, *p++ = i * 5 % 32; /* bt edi, i*5%32       */
        *p++ = 0x73, *p++ = 3;                                   /* jnc over it          */
        *p++ = 0xc1, *p++ = 0xc0, *p++ = 1 + i % 7;              /* rol eax, 1 + i%7     */
    }
    *p = 0xc3;
}

static uint32_t
expected(unsigned round, uint32_t edi)
{
    uint32_t a = 0;

    for (unsigned i = 0; i < BLOCKS; i++) {
        a += i * 7 + round;
        if (edi >> i * 5 % 32 & 1)
            a = a << (1 + i % 7) | a >> (31 - i % 7);
    }
    return a;
}

static void *
work(void *arg)
{
    uint64_t seed = (uintptr_t)arg * 0x9e3779b97f4a7c15 + 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);     /* there is new code */
        for (int i = 0; i < RUNS; i++) {
            uint32_t edi = tl_rng(&seed), got;
            asm volatile("call *%1" : "=a"(got) : "r"(code), "D"(edi) : "cc", "memory");
            if (got != expected(round, edi))
                __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        }
        pthread_barrier_wait(&gate);
    }
    return 0;
}

int
main(void)
{
    pthread_t t[THREADS];

    pthread_barrier_init(&gate, 0, THREADS + 1);
    code = tl_rwx(0, 16 * BLOCKS);
    for (long i = 0; i < THREADS; i++)
        NEED(pthread_create(&t[i], 0, work, (void *)i) == 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        generate(round);
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], 0);
    EQ(bad, 0);
    return tl_end();
}
