/* CASE: strncpy pads beyond a heap block, in programs of every kind of linking
 * EXPECT: UNADDRESSABLE write 4 at LINE(bug1)
 * BUILDS: O0 O2 clang2 static stripped
 * CFLAGS: -fno-builtin
 */
#include "corpus.h"
#include <stdlib.h>
#include <string.h>
int main(void)
{
    volatile size_t n = 12;
    char *p = malloc(8);
    HIDE(p);
    strncpy(p, "ab", 8);
    strncpy(p, "ab", n); /* bug1 */
    HIDE(p);
    free(p);
    return 0;
}
