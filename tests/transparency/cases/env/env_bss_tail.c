//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* the bytes after the file part of the data segment are zero, up to the end of the page, and .bss is big */
static char bss[50 << 20];
static int data = 7;
extern char edata, end;

int
main(void)
{
    for (char *p = &edata; p < &end && p < &edata + 100000; p++)
        if (*p && p > &edata + 64) {
            CHECK(!*p);
            break;
        }
    for (int i = 0; i < sizeof bss; i += 4096) {
        CHECK(!bss[i]);
        bss[i] = 1;
    }
    EQ(data, 7);
    return tl_end();
}
