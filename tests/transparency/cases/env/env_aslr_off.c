#include "tl.h"
#include <sys/personality.h>

/* with ADDR_NO_RANDOMIZE the image, the stack and brk land where they always do, twice the same */
static int gv;

int
main(int c, char **v)
{
    if (c == 1) {
        personality(ADDR_NO_RANDOMIZE);
        execl("/proc/self/exe", v[0], "x", (char *)0);
        return 1;
    }
    EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
    printf("main page %lx stack top %lx\n", (uint64_t)main & ~0xfffffful, (uint64_t)v >> 24);
    printf("libc in %lx\n", (uint64_t)printf >> 36);
    printf("gv-main %ld\n", (long)&gv - (long)main);
    char *b = sbrk(0);
    printf("brk %d\n", b > (char *)&gv && b < (char *)&gv + (64 << 20));
    return tl_end();
}
