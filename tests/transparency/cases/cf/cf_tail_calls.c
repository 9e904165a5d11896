//! build: gcc -O2 -w -foptimize-sibling-calls -I$INC $SRC -o $OUT
#include "tl.h"

/* calls that are jumps: the stack must not grow however many there are */
static long a(long, long), b(long, long), c(long, long);
static long (*volatile next[3])(long, long) = {a, b, c};

__attribute__((noinline)) static long
a(long n, long acc)
{
    return n ? next[n % 3](n - 1, acc * 3 + 1) : acc;
}

__attribute__((noinline)) static long
b(long n, long acc)
{
    return n ? next[(n + 1) % 3](n - 1, acc ^ n) : acc;
}

__attribute__((noinline)) static long
c(long n, long acc)
{
    return n ? a(n - 1, acc - n) : acc;
}

__attribute__((noinline)) static int odd(long n);

__attribute__((noinline)) static int
even(long n)
{
    return n ? odd(n - 1) : 1;
}

__attribute__((noinline)) static int
odd(long n)
{
    return n ? even(n - 1) : 0;
}

/* a tail call that conditionally jumps to another function, and one that leaves through its caller's frame */
extern long cond_tail(long);
asm(".text\n.globl cond_tail\n"
    "cond_tail: test %rdi,%rdi\n je 1f\n dec %rdi\n test $1,%dil\n jne cond_tail\n jmp 2f\n"
    "1: mov $-5,%rax\n ret\n2: sub $0,%rdi\n jnz cond_tail\n jmp 1b\n");

int
main(void)
{
    struct rlimit r;
    getrlimit(RLIMIT_STACK, &r);
    r.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_STACK, &r);
    printf("%ld\n", a(3000000, 1));
    EQ(even(5000001), 0);
    EQ(odd(5000001), 1);
    EQ(cond_tail(1000000), -5);
    return tl_end();
}
