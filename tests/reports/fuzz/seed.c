/* SPDX-License-Identifier: BSD-3-Clause */
/* A tiny program whose debug information the DWARF fuzzer changes. */
struct pair {
    int a;
    const char *b;
};

static inline int
twice(int x)
{
    return x * 2 + 1;
}

static inline __attribute__((always_inline)) int
both(struct pair *p)
{
    return twice(p->a) ^ p->b[0];
}

int
other(int n)
{
    struct pair p = {n, "abc"};

    return both(&p) + twice(n);
}

void
_start(void)
{
    volatile int sink = other(3);

    (void)sink;
    for (;;)
        ;
}
