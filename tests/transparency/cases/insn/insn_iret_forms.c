//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* iret of each operand size: what it loads, seen by the fault at its target; NT, which forbids it; selectors it refuses */
static sigjmp_buf jb;
static uint64_t rip, fl, rsp;
static int sig;
static char alt[1 << 16];
extern char iret_at[];

static void
hd(int s, siginfo_t *si, void *v)
{
    greg_t *g = ((ucontext_t *)v)->uc_mcontext.gregs;

    sig = s;
    rip = g[REG_RIP];
    fl = g[REG_EFL];
    rsp = g[REG_RSP];
    g[REG_EFL] = 0x202;
    asm volatile("push $0x202\n popfq" ::: "cc");    /* sigreturn leaves NT and ID, and so would siglongjmp */
    siglongjmp(jb, 1);
}

static uint64_t f8[8];
static uint32_t f4[8];
static uint16_t f2[8];

static void
fill(uint64_t ip, uint64_t cs, uint64_t flags, uint64_t sp, uint64_t ss)
{
    uint64_t v[5] = {ip, cs, flags, sp, ss};
    for (int i = 0; i < 5; i++)
        f8[i] = v[i], f4[i] = v[i], f2[i] = v[i];
}

static void
try(const char *what)
{
    if (!sigsetjmp(jb, 1))
        asm volatile("mov %0,%%rsp\n iretq" ::"r"(f8));
    printf("%s q: signal %d rip %s%lx flags %lx rsp %s\n", what, sig, rip < 0x10000 ? "" : "at the iret ", rip < 0x10000 ? rip : 0, fl, rsp == (uint64_t)f8 ? "as before" : "new");
    if (!sigsetjmp(jb, 1))
        asm volatile("mov %0,%%rsp\n iretl" ::"r"(f4));
    printf("%s l: signal %d rip %s%lx flags %lx rsp %s\n", what, sig, rip < 0x10000 ? "" : "at the iret ", rip < 0x10000 ? rip : 0, fl, rsp == (uint64_t)f4 ? "as before" : "new");
    if (!sigsetjmp(jb, 1))
        asm volatile("mov %0,%%rsp\n iretw" ::"r"(f2));
    printf("%s w: signal %d rip %s%lx flags %lx rsp %s %lx\n", what, sig, rip < 0x10000 ? "" : "at the iret ", rip < 0x10000 ? rip : 0, fl, rsp == (uint64_t)f2 ? "as before" : "new", rsp == (uint64_t)f2 ? 0 : rsp);
}

int
main(void)
{
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};

    sigaltstack(&ss, 0);
    tl_on(SIGSEGV, hd, SA_ONSTACK);
    tl_on(SIGBUS, hd, SA_ONSTACK);
    tl_on(SIGTRAP, hd, SA_ONSTACK);
    fill(0x10, 0x33, 0x202, 0x1234567812345678, 0x2b);
    try("plain");
    fill(0x10, 0x33, 0xffffffff & ~0x40100, 0x12345678, 0x2b);
    try("all flags");
    fill(0x10, 0x33, 0, 0x8888, 0x2b);
    try("none");
    fill(0x10, 0x30, 0x202, 0x8888, 0x2b);
    try("kernel code");
    fill(0x10, 0x33, 0x202, 0x8888, 0);
    try("no stack segment");
    fill(0x8000000000000000, 0x33, 0x202, 0x8888, 0x2b);
    if (!sigsetjmp(jb, 1))
        asm volatile("mov %0,%%rsp\n iretq" ::"r"(f8));
    printf("far off: signal %d flags %lx frame %lx\n", sig, fl, f8[2]);
    fill(0x10, 0x33, 0x202, 0x8888, 0x2b);
    if (!sigsetjmp(jb, 1))
        asm volatile("pushfq\n orq $0x4000,(%%rsp)\n popfq\n mov %0,%%rsp\n iretq" ::"r"(f8));
    printf("NT: signal %d flags %lx rsp %d\n", sig, fl, rsp == (uint64_t)f8);
    return tl_end();
}
