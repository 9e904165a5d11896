//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* a 64-bit program that enters 32-bit code and comes back (far calls through 0x23/0x33) */
extern uint32_t in32(uint32_t);

int
main(void)
{
    /* code below 4G: 64-bit stub pushes, far-jumps to 32-bit, adds, far-jumps back */
    unsigned char *p =
        mmap((void *)0x30000000, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    NEED(p == (void *)0x30000000);
    unsigned char c32[] = {
        0x40, /* inc eax in 32-bit mode, a rex prefix in 64-bit */ 0x01, 0xc0, 0xea, 0, 0, 0, 0, 0x33, 0};
    uint32_t back = 0x30000800;
    memcpy(c32 + 4, &back, 4);
    memcpy(p, c32, sizeof c32);
    unsigned char c64[] = {0x4c, 0x89, 0xc4, 0xc3};
    memcpy(p + 0x800, c64, 4); /* mov rsp,r8 ; ret */

    struct {
        uint32_t off;
        uint16_t sel;
    } __attribute__((packed)) *fp = (void *)(p + 0x900);

    fp->off = 0x30000000;
    fp->sel = 0x23;
    /* stub: mov r8,rsp ; mov rsp, low stack ; mov eax,edi ; ljmp *[fp] ; r8 survives 32-bit mode on real hardware */
    unsigned char st[] = {0x49, 0x89, 0xe0, 0x48, 0xc7, 0xc4, 0x00, 0x1f, 0x00, 0x30,
                          0x89, 0xf8, 0xff, 0x2c, 0x25, 0x00, 0x09, 0x00, 0x30};
    memcpy(p + 0xa00, st, sizeof st);
    for (int i = 0; i < 100; i++)
        EQ(((uint32_t(*)(uint32_t))(p + 0xa00))(i), 2 * i + 2);
    return tl_end();
}
