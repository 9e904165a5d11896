/* Makes client requests as valgrind.h does, from every place in a block. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdint.h>
#include <stdio.h>

#define SEQUENCE "rolq $3, %%rdi\n rolq $13, %%rdi\n rolq $61, %%rdi\n rolq $51, %%rdi\n xchgq %%rbx, %%rbx\n"

static uint64_t
request(uint64_t otherwise, uint64_t code, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    volatile uint64_t args[6] = {code, a, b, c, d, e};
    uint64_t result = otherwise, rdi = 77;

    __asm__ volatile(SEQUENCE : "+d"(result), "+D"(rdi) : "a"(args) : "cc", "memory");
    return rdi == 77 ? result : 0;
}

/* After 0 … 110 instructions of its block; then another, with the first as its end. */
static uint64_t
everywhere(void)
{
    volatile uint64_t args[6] = {0x7001, 0, 0, 0, 0, 1};
    uint64_t sum = 0, result;

#define AFTER(n) result = 0; __asm__ volatile(".rept " #n "\n nop\n .endr\n" SEQUENCE SEQUENCE : "+d"(result) : "a"(args) : "rdi", "cc", "memory"); sum += result;
    AFTER(0) AFTER(1) AFTER(2) AFTER(50) AFTER(91) AFTER(92) AFTER(93) AFTER(94) AFTER(95) AFTER(96) AFTER(97) AFTER(110)
    return sum;
}

int
main(void)
{
    uint64_t n = 0;

    printf("running on %d\n", (int)request(0, 0x1001, 0, 0, 0, 0, 0));
    printf("arguments %d\n", (int)request(5, 0x7001, 1, 2, 3, 4, 5));
    printf("unknown %d\n", (int)request(42, 0x7fff, 1, 2, 3, 4, 5));
    for (int i = 0; i < 10000; i++)
        n += request(0, 0x7001, 0, 0, 0, 0, 1);
    printf("loop %d\n", (int)n);
    printf("everywhere %d\n", (int)everywhere());
    printf("came %d\n", (int)request(0, 0x7002, 0, 0, 0, 0, 0));
    printf("discarded %d\n", (int)request(3, 0x1002, (uint64_t)main, 4096, 0, 0, 0));
    return 0;
}
