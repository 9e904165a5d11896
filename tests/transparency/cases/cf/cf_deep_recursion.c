//! build: gcc -O1 -w -fno-optimize-sibling-calls -I$INC $SRC -o $OUT
#include "tl.h"

__attribute__((noinline)) static long
down(long n)
{
    volatile long x = n;
    return n ? down(n - 1) + x : 0;
}

__attribute__((noinline)) static int
ack(int m, int n)
{
    return !m ? n + 1 : !n ? ack(m - 1, 1) : ack(m - 1, ack(m, n - 1));
}

__attribute__((noinline)) static int
fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int
main(void)
{
    for (int i = 0; i < 5; i++)
        EQ(down(100000), 5000050000L);
    EQ(ack(2, 500), 1003);
    EQ(ack(3, 6), 509);
    EQ(fib(27), 196418);
    return tl_end();
}
