//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* beyond the end of a mapped file: SIGBUS, for loads, stores, system calls (EFAULT) and for code that lies there */
SNIP(b1, "", "mov (%r8),%rax");
SNIP(b2, "", "movb $1,5(%r8)");
SNIP(b3, "", "jmp *%r8");
SNIP(b4, "", "rep movsb");

int
main(void)
{
    fc_init();
    fc_defaults();
    int fd = open("f", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 4096);
    char *p = mmap((void *)0x2c000000, 12288, 7, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    NEED(p == (void *)0x2c000000);
    memset(p, 0xc3, 4096);
    uint64_t e = (uint64_t)p + 4096;
    for (int k = 0; k < 3; k++) {
        fc_in[7] = e + 16;
        fc_run("load", b1, (uint64_t)b1_ip, e + 16, ~0);
        fc_run("store", b2, (uint64_t)b2_ip, e + 21, ~0);
        fc_run("jump", b3, e + 16, e + 16, ~0);
        fc_in[7] = e - 3;
        fc_run("load across", b1, (uint64_t)b1_ip, e, ~0);
        fc_in[4] = (uint64_t)p + 4000;
        fc_in[2] = 200;
        fc_in[5] = (uint64_t)p;
        fc_run("string", b4, (uint64_t)b4_ip, e, ~0);
    }
    EQ(write(fd, p + 4096, 10), -1);
    EQ(errno, EFAULT);
    /* the file grows: the same address is fine; it shrinks under running code: the code is gone */
    ftruncate(fd, 8192);
    memcpy(p + 4096, "\xb8\x05\0\0\0\xc3", 6);
    for (int k = 0; k < 20; k++) {
        EQ(((int (*)(void))(p + 4096))(), 5);
        ftruncate(fd, 4096);
        fc_in[7] = e;
        fc_run("gone", b3, e, e, ~0);
        ftruncate(fd, 8192);
        memcpy(p + 4096, "\xb8\x05\0\0\0\xc3", 6);
    }
    return tl_end();
}
