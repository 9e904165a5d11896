// SPDX-License-Identifier: BSD-3-Clause
/* Locked read-modify-write instructions lose no update: LITMUS_THREADS threads do each LITMUS_ROUNDS times on the
 * same words, and every word has the value that follows. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 16 };

struct line {
    volatile uint64_t v;
    volatile uint64_t high;
} __attribute__((aligned(64)));

static struct line added, incremented, exchanged, compared, wide, flipped, subtracted, bits, bytes, lock,
    guarded;
static long rounds;
static uint64_t taken[MAX_THREADS]; /* sum of what each thread got from xadd */
static uint64_t held[MAX_THREADS];  /* what each thread holds at last of the exchanged values */

static void
add_by_compare(void)
{
    uint64_t was = compared.v;

    while (!__atomic_compare_exchange_n(&compared.v, &was, was + 3, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
}

static void
add_wide(void)
{
    uint64_t lo = wide.v, hi = wide.high;
    unsigned char done;

    do
        __asm__ volatile(
            "mov %%rax, %%rbx; add $1, %%rbx; mov %%rdx, %%rcx; adc $5, %%rcx; lock cmpxchg16b %1; sete %0"
            : "=q"(done), "+m"(wide), "+a"(lo), "+d"(hi)
            :
            : "rbx", "rcx", "cc", "memory");
    while (!done);
}

/* A lock of xchg, with plain code inside and a plain store that frees it. */
static void
add_under_lock(void)
{
    uint64_t one;

    do {
        one = 1;
        __asm__ volatile("pause; xchg %0, %1" : "+r"(one), "+m"(lock.v)::"memory");
    } while (one);
    guarded.v += 1;
    guarded.high ^= guarded.v;
    __asm__ volatile("movq $0, %0" : "=m"(lock.v)::"memory");
}

static void *
run(void *number)
{
    long me = (long)number;
    uint64_t token = (uint64_t)me + 1, got;

    for (long i = 0; i < rounds; i++) {
        got = 2;
        __asm__ volatile("lock xadd %0, %1" : "+r"(got), "+m"(added.v)::"memory", "cc");
        taken[me] += got;
        __asm__ volatile("lock incq %0" : "+m"(incremented.v)::"memory", "cc");
        __asm__ volatile("xchg %0, %1" : "+r"(token), "+m"(exchanged.v)::"memory");
        add_by_compare();
        add_wide();
        __asm__ volatile("lock btcq %1, %0" : "+m"(flipped.v) : "r"((uint64_t)me) : "memory", "cc");
        __asm__ volatile("lock subl $1, %0" : "+m"(subtracted.v)::"memory", "cc");
        __asm__ volatile("lock btsq %1, %0"
                         : "+m"(bits.v)
                         : "r"((uint64_t)(me + i % 4 * MAX_THREADS))
                         : "memory", "cc");
        __asm__ volatile("lock incb %0" : "+m"(((volatile uint8_t *)&bytes)[me])::"memory", "cc");
        add_under_lock();
    }
    held[me] = token;
    return NULL;
}

static int failed;

static void
expect(const char *what, uint64_t got, uint64_t want)
{
    if (got == want)
        return;
    printf("FAIL %s: %#lx, should be %#lx\n", what, got, want);
    failed = 1;
}

int
main(void)
{
    const char *size = getenv("LITMUS_ROUNDS"), *count = getenv("LITMUS_THREADS");
    long threads = count ? strtol(count, NULL, 10) : 4;
    pthread_t id[MAX_THREADS];
    uint64_t sum = 0, tokens = 0, all_bits = 0;

    rounds = size ? strtol(size, NULL, 10) : 20000;
    for (long i = 0; i < threads; i++)
        pthread_create(&id[i], NULL, run, (void *)i);
    for (long i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        sum += taken[i];
        tokens += held[i];
        for (int k = 0; k < 4; k++)
            all_bits |= 1ull << (i + k * MAX_THREADS);
    }
    uint64_t n = (uint64_t)(threads * rounds);
    expect("lock xadd", added.v, 2 * n);
    expect("what lock xadd returned", sum, n * (n - 1));
    expect("lock inc", incremented.v, n);
    expect("xchg", tokens + exchanged.v, (uint64_t)(threads * (threads + 1) / 2));
    expect("lock cmpxchg", compared.v, 3 * n);
    expect("lock cmpxchg16b, low", wide.v, n);
    expect("lock cmpxchg16b, high", wide.high, 5 * n);
    expect("lock btc", flipped.v, rounds % 2 ? (1ull << threads) - 1 : 0);
    expect("lock sub", (uint32_t)subtracted.v, (uint32_t)-n);
    expect("lock bts", bits.v, all_bits);
    for (long i = 0; i < threads; i++)
        expect("lock inc of a byte", ((volatile uint8_t *)&bytes)[i], (uint8_t)rounds);
    expect("under a lock", guarded.v, n);
    printf("%ld threads, %ld rounds\n", threads, rounds);
    return failed;
}
