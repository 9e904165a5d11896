#include "tl.h"

static void
at(uint64_t a)
{
    unsigned char *p = tl_rwx((void *)a, 4096),
                  c[] = {0x48, 0x8d, 0x05, 0xf9, 0xff, 0xff,
                         0xff, 0x48, 0x01, 0xf8, 0xc3}; /* lea rax,[rip-7]; add rax,rdi; ret */
    memcpy(p + 16, c, sizeof c);
    for (int i = 0; i < 1000; i++)
        EQ(((uint64_t(*)(long))(p + 16))(i), a + 16 + i);
    unsigned char loop[] = {0x31, 0xc0, 0xff, 0xc0, 0x39, 0xf8, 0x75, 0xfa, 0xc3};
    memcpy(p + 1000, loop, sizeof loop);
    EQ(((int (*)(int))(p + 1000))(100000), 100000);
    munmap(p, 4096);
}

int
main(void)
{
    at(0x10000);
    at(0x20000);
    at(0x7ffff000);
    at(0x80000000);
    at(0xfffff000);
    at(0x100000000);
    at(0x7ff000000000);
    at(0x5fffffff0000);
    return tl_end();
}
