//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tlfault.h"

/* control reaches an unmapped or non-executable place: rip and si_addr are that place, and the transfer has happened */
SNIP(j1, "", "jmp *%r8");
SNIP(j2, "", "call *%r8");
SNIP(j3, "push %r8\n", "ret");
SNIP(j4, "mov %r8,-64(%rsp)\n", "jmp *-64(%rsp)");
SNIP(j5, "mov %r8,-64(%rsp)\n", "call *-64(%rsp)");
SNIP(j6,
     "push $1\n"
     " push $2\n"
     " push %r8\n",
     "ret $16");
SNIP(j7, "", "jmp 0x25000010");
SNIP(j8, "", "call 0x25000010");
SNIP(j9, "cmp %r9,%r9\n", "je 0x25000010");
static char data[64] = {0x90, 0x90, 0xc3};

int
main(void)
{
    fc_init();
    fc_defaults();
    uint64_t B = 0x25000000;
    mmap((void *)B, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    uint64_t tg[] = {B + 0x10, 0, 8, (uint64_t)data, 0x7ffffffff000 - 4096 * 900, 0x26000000};
    for (int i = 0; i < 6; i++) {
#define T(n)                             \
    {                                    \
        fc_in[7] = tg[i];                \
        char nm[40];                     \
        sprintf(nm, #n " to %d", i);     \
        fc_run(nm, n, tg[i], tg[i], ~0); \
    }
        if (i == 4)
            continue;
        T(j1) T(j2) T(j3) T(j4) T(j5) T(j6)
    }
    fc_run("j7", j7, B + 0x10, B + 0x10, ~0);
    fc_run("j8", j8, B + 0x10, B + 0x10, ~0);
    fc_run("j9", j9, B + 0x10, B + 0x10, ~0);
    return tl_end();
}
