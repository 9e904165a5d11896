//! expect: signal 11
#include "tl.h"

int
main(void)
{
    puts("before");
    fflush(stdout);
    ((void (*)(void))0)();
    return 0;
}
