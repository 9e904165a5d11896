/* Strides, unaligned and two-line accesses, random places, recursion, pushes; no libc. Exits with 0.
 * Its stack is its own: where the kernel puts one differs from run to run, and with it the lines. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>

static char buffer[1 << 20];
static long table[4096];
static volatile long sink;

__attribute__((noinline)) static long
walk(int stride, int rounds)
{
    long sum = 0;

    for (int r = 0; r < rounds; r++)
        for (int i = 0; i + 8 < 1 << 20; i += stride) {
            int64_t v;
            __builtin_memcpy(&v, buffer + i, 8);        /* two lines where i is 57 to 63 */
            sum += v;
            buffer[i]++;
        }
    return sum;
}

__attribute__((noinline)) static long
anywhere(int n)
{
    unsigned x = 1;
    long sum = 0;

    for (int i = 0; i < n; i++) {
        x = x * 1103515245 + 12345;
        sum += table[x >> 16 & 4095]++;
    }
    return sum;
}

__attribute__((noinline)) static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

struct node { struct node *next; long a, b, c, d; };
static struct node nodes[2000];

__attribute__((noinline)) static long
chase(int rounds)
{
    long sum = 0;

    for (int i = 0; i < 2000; i++)
        nodes[i].next = &nodes[(i * 7 + 1) % 2000];
    for (int r = 0; r < rounds; r++)
        for (struct node *p = nodes; (sum & 0x7ff) != 0x7ff && p->next != nodes; p = p->next) {
            sum += p->a + p->b + p->c + p->d + 1;
            p->d = sum;
        }
    return sum;
}

char stack[1 << 16] __attribute__((aligned(4096)));
__asm__(".globl _start\n_start: lea stack+65536(%rip), %rsp\n call run\n");

void run(void);
void
run(void)
{
#ifdef SMALL
    sink = walk(64, 1) + walk(201, 1) + anywhere(5000) + fib(12) + chase(2);
#else
    sink = walk(64, 3) + walk(41, 3) + walk(200, 3) + anywhere(100000) + fib(18) + chase(20);
#endif
    __asm__ volatile("syscall" : : "a"(231), "D"(0));
    __builtin_unreachable();
}
