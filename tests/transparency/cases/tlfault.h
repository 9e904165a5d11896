/* Faulting snippets: every GPR and the flags get known values, the snippet runs, and
   what the handler sees is printed, so that a difference from native shows.
   Build with -no-pie: then text and data addresses are the same in every run. */
#include "tl.h"

uint64_t fc_in[16], fc_flags, fc_sp, fc_target;
extern char fc_return[];
void fc_go(void);
/* order of fc_in: rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 */
asm(".text\n"
    ".p2align 4\n"
    ".globl fc_go\n"
    "fc_go:\n"
    "push %rbx\n"
    "push %rbp\n"
    "push %r12\n"
    "push %r13\n"
    "push %r14\n"
    "push %r15\n"
    "sub $8, %rsp\n"
    "mov %rsp, fc_sp(%rip)\n"
    "mov fc_in+0(%rip), %rax\n"
    "mov fc_in+8(%rip), %rbx\n"
    "mov fc_in+16(%rip), %rcx\n"
    "mov fc_in+24(%rip), %rdx\n"
    "mov fc_in+32(%rip), %rsi\n"
    "mov fc_in+40(%rip), %rdi\n"
    "mov fc_in+48(%rip), %rbp\n"
    "mov fc_in+56(%rip), %r8\n"
    "mov fc_in+64(%rip), %r9\n"
    "mov fc_in+72(%rip), %r10\n"
    "mov fc_in+80(%rip), %r11\n"
    "mov fc_in+88(%rip), %r12\n"
    "mov fc_in+96(%rip), %r13\n"
    "mov fc_in+104(%rip), %r14\n"
    "mov fc_in+112(%rip), %r15\n"
    "pushq fc_flags(%rip)\n"
    "popfq\n"
    "jmp *fc_target(%rip)\n"
    ".globl fc_return\n"
    "fc_return:\n"
    "cld\n"
    "mov fc_sp(%rip), %rsp\n"
    "add $8, %rsp\n"
    "pop %r15\n"
    "pop %r14\n"
    "pop %r13\n"
    "pop %r12\n"
    "pop %rbp\n"
    "pop %rbx\n"
    "ret\n");
static volatile int fc_hits;
static ucontext_t fc_uc;
static siginfo_t fc_si;
static const int fc_reg[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                               REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static const char *const fc_nm[15] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                      "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static void
fc_handler(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    fc_hits++;
    fc_uc.uc_mcontext = u->uc_mcontext;
    memcpy(fc_uc.uc_mcontext.gregs, u->uc_mcontext.gregs, sizeof u->uc_mcontext.gregs);
    fc_si = *si;
    u->uc_mcontext.gregs[REG_RIP] = (greg_t)fc_return;
    u->uc_mcontext.gregs[REG_EFL] &= ~0x40500;
}

static void
fc_init(void)
{
    static char alt[65536];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
    NEED(sigaltstack(&ss, 0) == 0);
    int s[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
    for (int i = 0; i < 5; i++)
        tl_on(s[i], fc_handler, SA_ONSTACK);
}

static void
fc_defaults(void)
{
    for (int i = 0; i < 15; i++)
        fc_in[i] = 0x1111111111111111ull * (i + 1) % 0xfedcba987654321full;
    fc_flags = 0x202;
}

#define FC_STATUS 0x8d5 /* CF PF AF ZF SF OF */

/* runs the snippet; flag bits outside fmask are undefined there and not shown */
static void
fc_run(const char *name, void *target, uint64_t rip, uint64_t addr, int fmask)
{
    int h = fc_hits;
    fc_target = (uint64_t)target;
    fc_go();
    if (fc_hits != h + 1) {
        tl_bad++;
        printf("FAIL %s: %d signals\n", name, fc_hits - h);
        return;
    }
    greg_t *g = fc_uc.uc_mcontext.gregs;
    if ((uint64_t)g[REG_RIP] != rip) {
        tl_bad++;
        printf("FAIL %s: rip %#llx, want %#lx\n", name, (long long)g[REG_RIP], rip);
    }
    if (addr != ~0ull && (uint64_t)fc_si.si_addr != addr) {
        tl_bad++;
        printf("FAIL %s: si_addr %p, want %#lx\n", name, fc_si.si_addr, addr);
    }
    printf("%s: sig %d code %d flags %llx", name, fc_si.si_signo, fc_si.si_code,
           (long long)g[REG_EFL] & (0x400 | (FC_STATUS & fmask)));
    for (int i = 0; i < 15; i++)
        if ((uint64_t)g[fc_reg[i]] != fc_in[i])
            printf(" %s=%llx", fc_nm[i], (long long)g[fc_reg[i]]);
    long d = g[REG_RSP] - (long)fc_sp;
    if (d > -65536 && d < 65536)
        printf(" rsp=sp%+ld\n", d);
    else
        printf(" rsp=%llx\n", (long long)g[REG_RSP]);
}

/* a snippet NAME whose faulting instruction carries the label NAME_ip */
#define SNIP(name, pre, insn)                                                                    \
    extern char name[], name##_ip[];                                                             \
    asm(".text\n.globl " #name "\n" #name ":\n" pre "\n.globl " #name "_ip\n" #name "_ip: " insn \
        "\njmp fc_return\n")
