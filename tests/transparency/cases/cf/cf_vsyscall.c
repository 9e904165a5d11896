//! need: vsyscall
#include "tl.h"

/* the three calls of the vsyscall page, made the old way */
int
main(void)
{
    long (*gtod)(struct timeval *, void *) = (void *)0xffffffffff600000;
    long (*vtime)(long *) = (void *)0xffffffffff600400;
    long (*getcpu)(unsigned *, unsigned *, void *) = (void *)0xffffffffff600800;
    for (int i = 0; i < 200; i++) {
        struct timeval tv = {0};
        long t = 0;
        time_t before = time(0);
        EQ(gtod(&tv, 0), 0);
        CHECK(tv.tv_sec >= before && tv.tv_sec <= before + 5);
        CHECK(vtime(&t) == t && t >= before - 1 && t <= before + 5);
        unsigned cpu = ~0u, node = ~0u;
        EQ(getcpu(&cpu, &node, 0), 0);
        CHECK(cpu < 4096 && node < 1024);
        if (tl_bad)
            break;
    }
    return tl_end();
}
