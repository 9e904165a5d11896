//! run: setarch -R $CMD $OUT; $CMD $OUT; (ulimit -s unlimited; $CMD $OUT); (ulimit -s 512; $CMD $OUT); (ulimit -s 65536; $CMD $OUT)
#include "tl.h"
#include <sys/personality.h>

/* without randomization, with legacy layout, with small and large stack limits: where things lie, and that the stack can be used to its limit */
__attribute__((noinline)) static long
deep(long bytes)
{
    volatile char pad[4096];
    pad[bytes % 4096] = 1;
    return bytes > 8192 ? deep(bytes - 4200) + pad[bytes % 4096] : 0;
}

int
main(int c, char **v)
{
    struct rlimit r;
    getrlimit(RLIMIT_STACK, &r);
    unsigned long p = personality(0xffffffff);
    char *m = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("personality %lx limit %ld mmap below stack %d\n", p, (long)r.rlim_cur,
           m<(char *)&r, m>(char *) main);
    long room = r.rlim_cur > 64 << 20 ? 64 << 20 : r.rlim_cur;
    printf("%ld\n", deep(room - (room >> 3) - 65536));
    if (p & ADDR_NO_RANDOMIZE) {
        extern char __executable_start;
        printf("image %lx\n", (unsigned long)&__executable_start);
        printf("stack in %lx\n", (unsigned long)&r >> 32);
    }
    return tl_end();
}
