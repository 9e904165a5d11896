//! expect: exit 23
#include "tl.h"

int
main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 0;
    printf("%d %s %d\n", n, v[0], c);
    fflush(stdout);
    if (n == 20)
        return 23;
    char b[16], e[32];
    sprintf(b, "%d", n + 1);
    sprintf(e, "STEP=%d", n);
    if (n && atoi(getenv("STEP")) != n - 1)
        return 1;
    execve("/proc/self/exe", (char *[]){"again", b, "x", 0}, (char *[]){e, 0});
    return 2;
}
