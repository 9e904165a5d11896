#include "tl.h"

/* coroutines by hand: each switch returns to an address that another stack pushed, at every call depth */
extern void co_switch(void **save, void *to);
asm(".text\n.globl co_switch\n"
    "co_switch: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    " mov %rsp,(%rdi)\n mov %rsi,%rsp\n"
    " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

enum { N = 50, DEPTH = 20 };

static void *mainsp, *sp[N];
static int current, alive = N;
static uint64_t h = FNV0;

static void
yield(void)
{
    co_switch(&sp[current], mainsp);
}

__attribute__((noinline)) static long
deep(int id, int d)
{
    if (d == 0) {
        yield();
        return id;
    }
    long r = deep(id, d - 1) + d;
    if (d % 5 == id % 5)
        yield();
    return r;
}

static void
body(void)
{
    int id = current;
    for (int i = 0; i < 40; i++) {
        long r = deep(id, (id * 7 + i) % DEPTH);
        h = tl_fnv(h, &r, 8) + id;
    }
    alive--;
    for (;;)
        yield();
}

int
main(void)
{
    static char stack[N][32768] __attribute__((aligned(64)));
    for (int i = 0; i < N; i++) {
        void **p = (void **)(stack[i] + sizeof stack[i]) - 2;
        *--p = (void *)body;
        sp[i] = p - 6;
    }
    int rounds = 0;
    for (; alive; rounds++)
        for (current = 0; current < N; current++)
            co_switch(&mainsp, sp[current]);
    printf("%d rounds %llx\n", rounds, (unsigned long long)h);
    return tl_end();
}
