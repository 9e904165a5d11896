/* One leak of 77 bytes, one read beyond a block, one jump on an uninitialized value. */
#include <stdlib.h>

int
main(void)
{
    volatile char *lost = malloc(77), *small = malloc(8), *unset = malloc(8), c;

    lost[0] = 1;
    lost = NULL;
    c = small[8];
    if (unset[3] == 5)
        c = 1;
    free((void *)small);
    free((void *)unset);
    return c == 99 && lost;
}
