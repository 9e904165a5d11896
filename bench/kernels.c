/* Small compute kernels, one habit of real programs each. usage: kernels NAME SCALE; prints a checksum. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng_state = 88172645463325252u;
static uint64_t
rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    return rng_state ^= rng_state << 17;
}

/* heap: many small blocks of mixed sizes, freed in another order, some resized */
static uint64_t
heap(int scale)
{
    enum { SLOTS = 4096 };
    static char *slot[SLOTS];
    uint64_t sum = 0;
    for (long i = 0; i < scale * 3000000L; i++) {
        unsigned k = rng() % SLOTS;
        size_t n = 8 + rng() % 120;
        if (slot[k] && (i & 7) == 0) {
            slot[k] = realloc(slot[k], n);
        } else {
            free(slot[k]);
            slot[k] = malloc(n);
        }
        slot[k][0] = (char)i;
        slot[k][n - 1] = (char)n;
        sum += (unsigned char)slot[k][0];
    }
    for (int k = 0; k < SLOTS; k++)
        free(slot[k]);
    return sum;
}

/* fp: a stencil and a dense product that the compiler vectorises */
static uint64_t
fp(int scale)
{
    enum { N = 192 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = sin(i + j), b[i][j] = i * 0.25 - j;
    for (int r = 0; r < 12 * scale; r++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++)
                for (int j = 0; j < N; j++)
                    c[i][j] += a[i][k] * b[k][j];
    double s = 0;
    for (int i = 0; i < N; i++)
        s += c[i][N - 1 - i];
    return (uint64_t)fabs(s);
}

/* chase: a binary tree larger than the second-level cache, and random table updates */
struct node {
    struct node *kid[2];
    uint64_t key;
};
static uint64_t
chase(int scale)
{
    size_t n = 1 << 17;
    struct node *t = malloc(n * sizeof *t);
    uint32_t *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        t[i].kid[0] = 2 * i + 1 < n ? &t[2 * i + 1] : NULL;
        t[i].kid[1] = 2 * i + 2 < n ? &t[2 * i + 2] : NULL;
        t[i].key = rng();
        v[i] = (uint32_t)(i * 7919);
    }
    uint64_t s = 0;
    for (long it = 0; it < scale * 1200000L; it++)
        for (struct node *p = t; p; p = p->kid[(p->key ^ (uint64_t)it) & 1])
            s += p->key;
    for (long it = 0; it < scale * 30; it++)
        for (size_t i = 0; i < n; i++) {
            uint32_t x = v[i];
            s += t[x & (n - 1)].key;
            v[i] = x + 1;
        }
    free(v);
    free(t);
    return s;
}

/* calls: deep recursion and returns to many sites */
__attribute__((noinline)) static uint64_t
fib(uint64_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}
__attribute__((noinline)) static int
cmp(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}
static uint64_t
calls(int scale)
{
    uint64_t s = 0;
    for (int i = 0; i < 4 * scale; i++)
        s += fib(32 + (i & 1));
    size_t n = 300000;
    uint64_t *v = malloc(n * sizeof *v);
    for (int r = 0; r < 4 * scale; r++) {
        for (size_t i = 0; i < n; i++)
            v[i] = rng();
        qsort(v, n, sizeof *v, cmp);
        s ^= v[n / 2];
    }
    free(v);
    return s;
}

/* interp: a bytecode loop through a jump table and through function pointers */
typedef uint64_t (*op_fn)(uint64_t, uint64_t);
static uint64_t
op_add(uint64_t a, uint64_t b)
{
    return a + b;
}
static uint64_t
op_xor(uint64_t a, uint64_t b)
{
    return a ^ (b << 1);
}
static uint64_t
op_mul(uint64_t a, uint64_t b)
{
    return a * (b | 1);
}
static uint64_t
op_rot(uint64_t a, uint64_t b)
{
    return (a << (b & 63)) | (a >> (64 - (b & 63)) % 64);
}
static uint64_t
interp(int scale)
{
    static op_fn volatile table[4] = {op_add, op_xor, op_mul, op_rot};
    static unsigned char code[256];
    for (int i = 0; i < 256; i++)
        code[i] = rng() % 10;
    uint64_t acc = 1, tmp = 3;
    for (long it = 0; it < scale * 500000L; it++)
        for (int pc = 0; pc < 64; pc++)
            switch (code[(pc + it) & 255]) {
            case 0: acc += tmp; break;
            case 1: acc ^= tmp; break;
            case 2: tmp = acc >> 3; break;
            case 3: acc *= 31; break;
            case 4: acc = table[acc & 3](acc, tmp); break;
            case 5: tmp -= acc; break;
            case 6: acc = acc << 7 | acc >> 57; break;
            case 7: tmp ^= tmp << 13; break;
            case 8: acc = table[tmp & 3](tmp, acc); break;
            default: tmp++; break;
            }
    return acc ^ tmp;
}

/* threads: SCALE threads, each with its own blocks and a shared atomic counter */
static uint64_t shared_count;
static void *
worker(void *arg)
{
    uint64_t s = (uintptr_t)arg, *v = malloc(1 << 20);
    for (int r = 0; r < 400; r++)
        for (int i = 0; i < 1 << 17; i++) {
            v[i] = r == 0 ? (uint64_t)i : v[i] * 3 + s;
            s ^= v[i];
            if ((i & 1023) == 0)
                __atomic_fetch_add(&shared_count, 1, __ATOMIC_RELAXED);
        }
    free(v);
    return (void *)s;
}
static uint64_t
threads(int n)
{
    pthread_t t[64];
    uint64_t s = 0;
    if (n > 64)
        n = 64;
    for (int i = 0; i < n; i++)
        pthread_create(&t[i], NULL, worker, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < n; i++) {
        void *r;
        pthread_join(t[i], &r);
        s ^= (uintptr_t)r;
    }
    return s + shared_count;
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint64_t (*run)(int);
    } kernel[] = {{"heap", heap},   {"fp", fp},         {"chase", chase},
                  {"calls", calls}, {"interp", interp}, {"threads", threads}};
    int scale = argc > 2 ? atoi(argv[2]) : 1;
    for (size_t i = 0; argc > 1 && i < sizeof kernel / sizeof *kernel; i++)
        if (!strcmp(argv[1], kernel[i].name)) {
            printf("%s %016llx\n", kernel[i].name, (unsigned long long)kernel[i].run(scale));
            return 0;
        }
    fprintf(stderr, "usage: kernels heap|fp|chase|calls|interp|threads SCALE\n");
    return 2;
}
