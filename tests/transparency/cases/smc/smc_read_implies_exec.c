#include "tl.h"
#include <sys/personality.h>

/* under READ_IMPLIES_EXEC readable memory runs; and mprotect to read keeps it so */

int
main(void)
{
    personality(READ_IMPLIES_EXEC);
    unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 500; i++) {
        p[0] = 0xb8;
        memcpy(p + 1, &i, 4);
        p[5] = 0xc3;
        EQ(((int (*)(void))p)(), i);
        if (tl_bad)
            break;
    }
    mprotect(p, 4096, PROT_READ);
    EQ(((int (*)(void))p)(), 499);
    FILE *f = fopen("/proc/self/maps", "r");
    char l[4096], perm[8];
    unsigned long a, b;
    while (fgets(l, sizeof l, f))
        if (sscanf(l, "%lx-%lx %7s", &a, &b, perm) == 3 && (uintptr_t)p >= a && (uintptr_t)p < b)
            printf("%s\n", perm);
    personality(0);
    unsigned char *q = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    q[0] = 0xc3;
    pid_t k = fork();
    if (!k) {
        ((void (*)(void))q)();
        _exit(0);
    }
    int st;
    waitpid(k, &st, 0);
    printf("%d\n", WTERMSIG(st));
    return tl_end();
}
