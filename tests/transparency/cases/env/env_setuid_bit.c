//! build: gcc -O1 -w -I$INC $SRC -o $OUT && chmod u+s $OUT
#include "tl.h"

int
main(void)
{
    printf("%d %d %d\n", getuid() == geteuid(), (int)getauxval(AT_SECURE), getgid() == getegid());
    struct stat s;
    stat("/proc/self/exe", &s);
    EQ(!!(s.st_mode & S_ISUID), 1);
    return tl_end();
}
