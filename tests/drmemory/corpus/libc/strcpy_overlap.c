/* CASE: strcpy within one buffer, two bytes on
 * EXPECT: OVERLAP at LINE(bug1)
 * BUILDS: O0 O2 clang2 static
 * CFLAGS: -fno-builtin
 */
#include "corpus.h"
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *p = calloc(1, 100);
    HIDE(p);
    strcpy(p, "abcdefgh");
    strcpy(p + 9, p); /* touches, does not overlap */
    strcpy(p, p + 2); /* bug1 */
    HIDE(p);
    free(p);
    return 0;
}
