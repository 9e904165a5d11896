//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT -Wl,-Ttext-segment=0x6abcd000
#include "tl.h"

int
main(void)
{
    printf("%lx\n", (uint64_t)main >> 16);
    EQ(getauxval(AT_ENTRY) >> 16, 0x6abc + (getauxval(AT_ENTRY) >> 16) - ((uint64_t)main >> 16));
    Dl_info d;
    CHECK(dladdr(main, &d));
    EQ(d.dli_fbase, 0x6abcd000);
    char *b = sbrk(0);
    CHECK(b > (char *)main);
    return tl_end();
}
