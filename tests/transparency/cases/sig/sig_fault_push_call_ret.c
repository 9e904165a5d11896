//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

SNIP(p1, "mov %r8,%rsp\n", "push %rax");
SNIP(p2, "mov %r8,%rsp\n", "call fc_return");
SNIP(p3, "mov %r8,%rsp\n", "ret");
SNIP(p4, "mov %r8,%rsp\n", "pop %rbx");
SNIP(p5, "mov %r8,%rsp\n", "call *%rcx");
SNIP(p6, "", "call *(%r8)");
SNIP(p7, "", "jmp *8(%r8)");
SNIP(p8, "mov %r8,%rsp\n", "ret $16");
SNIP(p9, "", "push (%r8)");
SNIP(p10, "", "pop (%r8)");
SNIP(p11, "mov %r8,%rsp\n", "pushfq");
SNIP(p12, "mov %r8,%rsp\n", "popfq");
SNIP(p13, "mov %r8,%rbp\n", "leave");
SNIP(p14, "mov %r8,%rsp\n", "push $5");
SNIP(p15, "mov %r8,%rsp\n", "enter $16,$0");

int
main(void)
{
    fc_init();
    fc_defaults();
    uint64_t B = 0x24000000;
    char *p = mmap((void *)B, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    NEED(p == (void *)B);
    fc_in[2] = (uint64_t)fc_return;
#define T(n, v, ad) fc_in[7] = v, fc_run(#n, n, (uint64_t)n##_ip, ad, ~0)
    for (int k = 0; k < 2; k++) {
        fc_flags = 0x202 | k * 0x8d5;
        T(p1, B + 4096, B + 4088);
        T(p2, B + 4096, B + 4088);
        T(p3, B + 16, B + 16);
        T(p4, B + 24, B + 24);
        T(p5, B + 64, B + 56);
        T(p6, B, B);
        T(p7, B, B + 8);
        T(p8, B + 8, B + 8);
        T(p9, B, B);
        T(p10, B + 8, B + 8);
        T(p11, B + 32, B + 24);
        T(p12, B + 32, B + 32);
        T(p13, B + 128, B + 128);
        T(p14, B + 256, B + 248);
        T(p15, B + 256, B + 248);
    }
    return tl_end();
}
