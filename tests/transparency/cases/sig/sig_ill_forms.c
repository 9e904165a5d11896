//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* instructions that are not: undefined opcodes, those 64-bit mode lost, forbidden prefixes, privileged ones */
SNIP(i1, "", "ud2");
SNIP(i2, "", ".byte 0x0f,0xff,0xc0"); /* ud0 */
SNIP(i3, "", ".byte 0x0f,0xb9,0xc0"); /* ud1 */
SNIP(i4, "", ".byte 0x06");           /* push es */
SNIP(i5, "", ".byte 0x27");           /* daa */
SNIP(i6, "", ".byte 0x37");
SNIP(i7, "", ".byte 0x60");                 /* pusha */
SNIP(i8, "", ".byte 0x9a,0,0,0,0,0,0");     /* call far imm */
SNIP(i9, "", ".byte 0xd4,0x0a");            /* aam */
SNIP(i10, "", ".byte 0xce");                /* into */
SNIP(i11, "", ".byte 0xf0,0x48,0x89,0xc0"); /* lock mov */
SNIP(i12, "", ".byte 0xf0,0x01,0xc0");      /* lock add reg,reg */
SNIP(i13, "", ".byte 0xf0,0x90");
SNIP(i14, "", ".byte 0x8c,0xf0"); /* mov from segment 6 */
SNIP(i15, "", ".byte 0x8e,0xc8"); /* mov to cs */
SNIP(i16, "", ".byte 0x0f,0x0a");
SNIP(i17, "", ".byte 0xff,0xf8");      /* ff /7 */
SNIP(i18, "", ".byte 0xc6,0xc8,0");    /* c6 /1 */
SNIP(i19, "", ".byte 0x0f,0xc7,0xc8"); /* cmpxchg8b reg */
SNIP(i20, "", ".byte 0x8d,0xc0");      /* lea reg,reg */
SNIP(g1, "", "hlt");
SNIP(g2, "", "cli");
SNIP(g3, "", "in $0x10,%al");
SNIP(g4, "", "mov %cr0,%rax");
SNIP(g5, "xor %ecx,%ecx\n", "rdmsr");
SNIP(g6, "", "int $0x20");
SNIP(g7, "", "lgdt (%rsp)");
SNIP(g8, "", "outsb");
SNIP(g9, "", "wbinvd");
SNIP(g10, "mov $0x1000,%eax\n", "mov %eax,%ss");
SNIP(g11, "mov $0xfffc,%eax\n", "mov %eax,%ds");
SNIP(g12, "mov $-1,%eax\n mov %eax,%edx\n xor %ecx,%ecx\n", "xsetbv");

int
main(void)
{
    fc_init();
    fc_defaults();
#define T(n) fc_run(#n, n, (uint64_t)n##_ip, (uint64_t)n##_ip, ~0)
    for (int k = 0; k < 2; k++) {
        fc_flags = 0x202 | k * 0x8d5;
        T(i1);
        T(i2);
        T(i3);
        T(i4);
        T(i5);
        T(i6);
        T(i7);
        T(i8);
        T(i9);
        T(i10);
        T(i11);
        T(i12);
        T(i13);
        T(i14);
        T(i15);
        T(i16);
        T(i17);
        T(i18);
        T(i19);
        T(i20);
    }
#undef T
#define T(n) fc_run(#n, n, (uint64_t)n##_ip, 0, ~0)
    T(g1);
    T(g2);
    T(g3);
    T(g4);
    T(g5);
    T(g6);
    T(g7);
    T(g8);
    T(g9);
    T(g10);
    T(g11);
    T(g12);
    /* sixteen bytes are one too many */
    unsigned char *p = tl_rwx((void *)0x2b000000, 4096);
    memset(p, 0x66, 15);
    p[15] = 0x90;
    fc_run("too long", p, (uint64_t)p, 0, ~0);
    printf("trapno %lld err %llx\n", fc_uc.uc_mcontext.gregs[REG_TRAPNO], fc_uc.uc_mcontext.gregs[REG_ERR]);
    return tl_end();
}
