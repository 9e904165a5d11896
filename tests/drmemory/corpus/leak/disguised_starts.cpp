/* CASE: blocks that only pointers behind their start lead to, where libraries and compilers put them
 * EXPECT: CLEAN
 * MEMCHECK: *: it knows neither strings behind their length nor the dtv of a thread: possibly lost
 * BUILDS: O0 O2
 */
#include "corpus.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct item { long v; ~item() { corpus_sink = v; } };
struct first { virtual ~first() {} long a = 1; };
struct second { virtual ~second() {} long b = 2; };
struct both : first, second { long c = 3; };
static item *volatile array;
static second *volatile base;
static char *volatile counted, *volatile counted_long, *volatile sized;
static NI void make(void)
{
    array = new item[5];
    base = new both;
    char *p = (char *)malloc(3 + 20 + 1); /* u8 length, u8 room, flags */
    p[0] = 5, p[1] = 20, p[2] = 1;
    strcpy(p + 3, "hello");
    counted = p + 3;
    p = (char *)malloc(5 + 1000 + 1);
    *(uint16_t *)p = 300, *(uint16_t *)(p + 2) = 1000, p[4] = 2;
    memset(p + 5, 'x', 300), p[5 + 300] = 0;
    counted_long = p + 5;
    p = (char *)calloc(1, 80);
    *(uint64_t *)p = 72;
    sized = p + 8;
    BARRIER();
}
static void *idle(void *) { return pause(), nullptr; }
int main()
{
    pthread_t t; /* its dtv */
    make();
    if (pthread_create(&t, 0, idle, 0))
        return 1;
    scrub();
    return 0;
}
