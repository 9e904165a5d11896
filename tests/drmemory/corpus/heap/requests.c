/* CASE: pools, blocks and states that the program tells of by Valgrind's client requests
 * EXPECT: UNADDRESSABLE write 1 at LINE(bug1)
 * EXPECT: UNADDRESSABLE read 1 at LINE(bug2)
 * EXPECT: UNINITIALIZED at LINE(bug3)
 * EXPECT: UNADDRESSABLE read 1 at LINE(bug4)
 * EXPECT: INVALID_FREE|DOUBLE_FREE at LINE(bug5)
 * EXIT: native=9
 * BUILDS: O0 O2 clang2
 */
#include "corpus.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
static NI uint64_t request(uint64_t code, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    volatile uint64_t args[6] = {code, a, b, c, d, 0};
    uint64_t result = 0;
    __asm__ volatile(/* bug5 */ "rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
                     : "=d"(result) : "a"(args), "0"(result) : "cc", "memory");
    return result;
}
enum { RUNNING = 0x1001, POOL_CREATE = 0x1303, POOL_ALLOC = 0x1305, POOL_FREE, POOL_EXISTS = 0x130a, MALLOCLIKE = 0x1301, FREELIKE };
enum { NOACCESS = 0x4d430000, UNDEFINED, DEFINED, CHECK_DEFINED = 0x4d430005, GET_VBITS = 0x4d430008, SET_VBITS };
static char area[4096] __attribute__((aligned(16)));
int main(void)
{
    char *volatile p = area;
    unsigned char bits[8];
    if (!request(RUNNING, 0, 0, 0, 0))
        return 9;
    request(POOL_CREATE, 77, 8, 0, 0);
    request(POOL_ALLOC, 77, (uint64_t)area + 16, 100, 0);
    if (!request(POOL_EXISTS, 77, 0, 0, 0) || request(POOL_EXISTS, 78, 0, 0, 0))
        return 1;
    memset(p + 16, 1, 100);
    p[116] = 1; /* bug1 */
    request(POOL_FREE, 77, (uint64_t)area + 16, 0, 0);
    corpus_sink = p[20]; /* bug2 */
    request(UNDEFINED, (uint64_t)area + 1000, 8, 0, 0);
    if (request(GET_VBITS, (uint64_t)area + 1000, (uint64_t)bits, 8, 0) != 1 || bits[0] != 0xff || bits[7] != 0xff)
        return 2;
    bits[0] = 0x0f;
    request(SET_VBITS, (uint64_t)area + 1000, (uint64_t)bits, 1, 0);
    if (p[1000] & 0x10)
        return 3;
    if (p[1001]) /* bug3 */
        corpus_sink = 4;
    request(DEFINED, (uint64_t)area + 1000, 8, 0, 0);
    if (request(CHECK_DEFINED, (uint64_t)area + 1000, 8, 0, 0))
        return 5;
    request(NOACCESS, (uint64_t)area + 2000, 16, 0, 0);
    corpus_sink = p[2003]; /* bug4 */
    request(DEFINED, (uint64_t)area + 2000, 16, 0, 0);
    request(MALLOCLIKE, (uint64_t)area + 3000, 50, 0, 1);
    request(FREELIKE, (uint64_t)area + 3000, 0, 0, 0);
    return request(FREELIKE, (uint64_t)area + 3000, 0, 0, 0); /* freed before */
}
