//! build: gcc -O1 -w -I$INC $SRC -o $OUT
#include "tl.h"

/* a block that begins in memory that cannot be written and runs on into memory that can: private, or shared and
   written through another mapping */
static void
run(unsigned char *p, unsigned char *write_second)
{
    for (int k = 1; k < 12; k++) {
        NEED(mprotect(p, 4096, PROT_READ | PROT_WRITE) == 0);
        memset(p + 4096 - 16, 0x90, 16);
        unsigned char *q = p + 4096 - k, *w = write_second - k;
        for (int i = 0; i < 5; i++)      /* mov eax, imm32; ret: up to five bytes of it in the first page */
            if (q + i < p + 4096)
                q[i] = i ? 0x40 + i : 0xb8;
            else
                w[i] = i ? 0x40 + i : 0xb8;
        if (k <= 5) {
            w[5] = 0xc3;
        } else { /* all of it, and nops: the return is in the second page, behind another mov */
            memset(write_second, 0x90, 8);
            memset(q + 5, 0x90, k - 5);
            write_second[0] = 0xb8;
            memset(write_second + 1, 0x50, 4);
            write_second[5] = 0xc3;
        }
        NEED(mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
        unsigned char *at = k > 5 ? write_second + 1 : write_second;      /* a byte of the immediate that can be written */
        unsigned byte = k > 5 ? 0 : k - 1;
        for (int i = 0; i < 60; i++) {
            int got;
            if (k == 5) {
                got = ((int (*)(void))q)();
                EQ(got, 0x44434241);
                break;
            }
            *(volatile unsigned char *)at = i;
            got = ((int (*)(void))q)();
            EQ((got >> 8 * byte) & 0xff, i);
            if (tl_bad)
                return;
        }
    }
}

int
main(void)
{
    unsigned char *p = tl_rwx(0, 8192);
    run(p, p + 4096);

    int fd = memfd_create("code", 0);
    NEED(fd >= 0 && ftruncate(fd, 4096) == 0);
    unsigned char *q = tl_rwx(0, 8192);
    NEED(mmap(q + 4096, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == q + 4096);
    unsigned char *alias = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(alias != MAP_FAILED);
    run(q, alias);
    return tl_end();
}
