/* CASE: memcpy and memmove of overlapping ranges in a static program, where one address serves both
 * EXPECT: OVERLAP at LINE(bug1)
 * BUILDS: static
 * CFLAGS: -fno-builtin
 */
#include "corpus.h"
#include <stdlib.h>
#include <string.h>
int main(void)
{
    volatile size_t n = 40;
    char *p = calloc(1, 100);
    HIDE(p);
    memmove(p, p + 20, n);
    memcpy(p, p, n); /* compilers copy structures onto themselves */
    memcpy(p, p + 20, n); /* bug1 */
    HIDE(p);
    free(p);
    return 0;
}
