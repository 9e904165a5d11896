/* Says itself what is to be counted, by callgrind's requests; or works until its input ends. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>

enum { DUMP = 0x43540000, ZERO, TOGGLE, DUMP_AT, START, STOP };

static uint64_t
request(uint64_t code)
{
    volatile uint64_t args[6] = {code};
    uint64_t result = 1;

    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
                     : "=d"(result) : "a"(args), "0"(result) : "cc", "memory");
    return result;
}

volatile unsigned sink;
__attribute__((noinline, noclone)) void work(void) { sink++; }
static void
times(unsigned n)
{
    while (n--)
        work();
}

int
main(int argc, char **argv)
{
    struct pollfd in = {0, POLLIN, 0};

    (void)argv;
    if (argc > 1) {
        puts("ready");
        fflush(stdout);
        while (poll(&in, 1, 0) == 0)
            times(1000);
        return 0;
    }
    times(7);
    request(ZERO);
    times(10);
    request(DUMP);           /* 10 */
    times(20);
    request(STOP);
    times(100);
    request(START);
    times(10);
    request(DUMP);           /* 30 */
    request(TOGGLE);
    times(5000);
    request(TOGGLE);
    times(1000);
    return 0;
}
