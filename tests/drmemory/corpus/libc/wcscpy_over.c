/* CASE: wcscpy of a string that needs one wchar_t more than there is room for
 * EXPECT: UNADDRESSABLE write 4 at LINE(bug1)
 * BUILDS: O0 O2
 * CFLAGS: -fno-builtin
 */
#include "corpus.h"
#include <stdlib.h>
#include <wchar.h>
int main(void)
{
    wchar_t *p = malloc(4 * sizeof *p);
    HIDE(p);
    wcscpy(p, L"abc");
    wcscpy(p, L"abcd"); /* bug1 */
    HIDE(p);
    free(p);
    return 0;
}
