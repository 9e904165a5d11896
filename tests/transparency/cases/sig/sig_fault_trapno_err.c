//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

SNIP(e1, "", "mov (%r8),%rax");
SNIP(e2, "", "mov %rax,(%r8)");
SNIP(e3, "", "ud2");
SNIP(e4, "",
     "int3\n"
     " .globl e4_x\n"
     " e4_x: nop");
SNIP(e5,
     "xor %edx,%edx\n"
     " xor %ecx,%ecx\n",
     "div %rcx");
SNIP(e6, "", "hlt");
SNIP(e7, "", "lock addq $1,(%r8)");
extern char e4_x[];

static void
show(const char *n)
{
    greg_t *g = fc_uc.uc_mcontext.gregs;
    printf("%s trapno %lld err %llx cr2 %llx csgsfs %llx\n", n, g[REG_TRAPNO], g[REG_ERR],
           g[REG_TRAPNO] == 14 ? g[REG_CR2] : 0, g[REG_CSGSFS]);
}

int
main(void)
{
    fc_init();
    fc_defaults();
    mmap((void *)0x21000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    *(volatile char *)0x21000000;
    fc_in[7] = 0x10;
    fc_run("e1", e1, (uint64_t)e1_ip, 0x10, ~0);
    show("e1");
    fc_run("e2", e2, (uint64_t)e2_ip, 0x10, ~0);
    show("e2");
    fc_run("e7", e7, (uint64_t)e7_ip, 0x10, ~0);
    show("e7");
    fc_in[7] = 0x21000008;
    fc_run("e2", e2, (uint64_t)e2_ip, 0x21000008, ~0);
    show("e2 ro");
    fc_run("e3", e3, (uint64_t)e3_ip, (uint64_t)e3_ip, ~0);
    show("e3");
    fc_run("e4", e4, (uint64_t)e4_x, 0, ~0);
    show("e4");
    fc_run("e5", e5, (uint64_t)e5_ip, (uint64_t)e5_ip, ~0x10);
    show("e5");
    fc_run("e6", e6, (uint64_t)e6_ip, 0, ~0);
    show("e6");
    return tl_end();
}
