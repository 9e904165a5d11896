#include "tl.h"

/* nothing but the program's own files and the kernel's own names shows in maps (as DynamoRIO-class tools may hide or not) */
int
main(int c, char **v)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char l[5000];
    while (fgets(l, sizeof l, f)) {
        char nm[4096] = "", pe[8];
        sscanf(l, "%*s %7s %*s %*s %*s %4095s", pe, nm);
        if (nm[0] == '/' && strcmp(nm, v[0]) && !strstr(nm, "libc.so") && !strstr(nm, "ld-linux") &&
            !strstr(nm, "libm.so"))
            printf("stranger %s %s\n", pe, nm);
    }
    puts("end");
    return 0;
}
