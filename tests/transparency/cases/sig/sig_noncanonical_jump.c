//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* a jump, call or ret to a non-canonical or kernel address: what the handler sees is printed */
static sigjmp_buf jb;
static volatile uint64_t rip, ad;
static volatile int code, sg;
static uint64_t tgt;
extern char nj_a[], nj_b[], nj_c[];

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    sg = s;
    code = si->si_code;
    ad = (uint64_t)si->si_addr;
    rip = u->uc_mcontext.gregs[REG_RIP];
    siglongjmp(jb, 1);
}

int
main(void)
{
    static char alt[65536];
    stack_t ss = {alt, 0, sizeof alt};
    sigaltstack(&ss, 0);
    tl_on(SIGSEGV, hd, SA_ONSTACK);
    tl_on(SIGBUS, hd, SA_ONSTACK);
    uint64_t t[] = {0x8000000000000000ull, 0xffff800000000000ull, 0x800000000000ull, 0xffffffffff700000ull};
    for (volatile int i = 0; i < 4; i++)
        for (volatile int k = 0; k < 3; k++) {
            tgt = t[i];
            if (!sigsetjmp(jb, 1)) {
                if (k == 0)
                    asm volatile("nj_a: jmp *%0" ::"r"(tgt));
                else if (k == 1)
                    asm volatile("nj_b: call *%0" ::"r"(tgt) : "memory");
                else
                    asm volatile("push %0\n"
                                 " nj_c: ret" ::"r"(tgt)
                                 : "memory");
            }
            printf("%d %d: sig %d code %d addr %lx rip %s\n", i, k, sg, code, ad,
                   rip == tgt                                                                ? "target"
                   : rip == (uint64_t)nj_a || rip == (uint64_t)nj_b || rip == (uint64_t)nj_c ? "branch"
                                                                                             : "elsewhere");
        }
    return tl_end();
}
