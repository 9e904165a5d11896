//! expect: signal 15
#include "tl.h"

int
main(void)
{
    puts("before");
    fflush(stdout);
    kill(getpid(), SIGTERM);
    for (;;)
        pause();
}
