/* Without a C library: recursion, mutual recursion, tail calls, calls through pointers, a jump table, loops. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define NOINLINE __attribute__((noinline, noclone))

NOINLINE int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int odd(unsigned n);
NOINLINE int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }      /* a tail call at -O2 */
NOINLINE int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }

NOINLINE int add(int a, int b) { return a + b; }
NOINLINE int sub(int a, int b) { return a - b; }
NOINLINE int mul(int a, int b) { return a * b; }
NOINLINE int xor(int a, int b) { return a ^ b; }

typedef int operation(int, int);
operation *volatile table[4] = {add, sub, mul, xor};

NOINLINE int indirect(int n)
{
    int v = 1;

    for (int i = 0; i < n; i++)
        v = table[i & 3](v, i) + table[i % 3](i, v);
    return v;
}

NOINLINE int machine(const unsigned char *p, int n)
{
    int v = 0;

    for (int i = 0; i < n; i++)
        switch (p[i & 15]) {
        case 0: v += 3; break;
        case 1: v ^= i; break;
        case 2: v = v * 5 + 1; break;
        case 3: v -= i; break;
        case 4: v = v << 3 | v >> 5; break;
        case 5: v = add(v, i); break;
        default: v = ~v; break;
        }
    return v;
}

NOINLINE int calls_in_loop(int n)
{
    int v = 0;

    for (int i = 0; i < n; i++)
        v += mul(v, i) + fib(3);
    return v;
}

static const unsigned char bytes[16] = {0, 5, 2, 3, 9, 4, 1, 1, 5, 5, 0, 2, 7, 3, 4, 6};

__attribute__((force_align_arg_pointer, noreturn)) void
_start(void)
{
    int v = fib(15) + even(1001) + indirect(3000) + machine(bytes, 5000) + calls_in_loop(200);

    __asm__ volatile("syscall" : : "a"(231), "D"(v == 12345 ? 1 : 7) : "rcx", "r11", "memory");
    __builtin_unreachable();
}
