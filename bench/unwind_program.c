/* Stacks for bench/unwind.c: frames of several sizes that keep several registers, 60 deep. */
/* SPDX-License-Identifier: BSD-3-Clause */
volatile unsigned sink;

__attribute__((noinline)) void unwind_here(void) { sink++; }

__attribute__((noinline)) static unsigned
small(unsigned n);

__attribute__((noinline)) static unsigned
large(unsigned n, unsigned a, unsigned b, unsigned c)
{
    volatile unsigned x[50];

    x[n] = a * b;
    unsigned r = small(n - 1);
    return r + a * b + c + x[n];
}

__attribute__((noinline)) static unsigned
small(unsigned n)
{
    unsigned r;

    if (n == 0) {
        unwind_here();
        return 1;
    }
    r = n % 2 ? large(n, n + 1, n + 2, n + 3) : small(n - 1);
    return r * 3 + n;
}

int
main(void)
{
    return small(40) == 1;
}
