//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

SNIP(n1, "", "mov (%r8),%rax");
SNIP(n2, "", "mov %rax,8(%r8)");
SNIP(n3, "", "rep movsb");
SNIP(n4, "", "push (%r8)");
SNIP(n5, "mov %r8,%rsp\n", "push %rax");
SNIP(n6, "mov %r8,%rbp\n", "mov (%rbp),%rax");
SNIP(n7, "", "movaps (%r9),%xmm0");

int
main(void)
{
    fc_init();
    fc_defaults();
    fc_in[7] = 0x8000000000000000ull;
    fc_in[4] = 0x123400000000ull << 16;
    fc_in[2] = 4;
    fc_in[8] = 0x21000001;
    mmap((void *)0x21000000, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
#define T(n) fc_run(#n, n, (uint64_t)n##_ip, 0, ~0)
    T(n1);
    T(n2);
    T(n3);
    T(n4);
    T(n5);
    T(n6);
    T(n7);
    fc_in[7] = 0xffffffff80000000ull;
    fc_run("n1 kernel", n1, (uint64_t)n1_ip, 0xffffffff80000000ull, ~0);
    return tl_end();
}
