/* CASE: memcmp of equal blocks reads beyond the shorter one; one that differs before its end does not
 * EXPECT: UNADDRESSABLE read any at LINE(bug1)
 * BUILDS: O0 O2 clang2 static
 * CFLAGS: -fno-builtin
 */
#include "corpus.h"
#include <stdlib.h>
#include <string.h>
int main(void)
{
    volatile size_t n = 24;
    char *p = malloc(16), *q = malloc(64);
    HIDE(p);
    HIDE(q);
    memset(p, 1, 16);
    memset(q, 1, 64);
    q[3] = 2;
    if (memcmp(p, q, n) > 0) /* ends at the fourth byte */
        taken();
    q[3] = 1;
    int d = memcmp(p, q, n); /* bug1 */
    HIDE(d);
    free(p);
    free(q);
    return 0;
}
