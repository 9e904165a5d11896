//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* a handler that edits what it interrupted: registers, rip, flags, vector registers, x87, mxcsr, the stack pointer */
extern char fault1[], after1[], fault2[];
static volatile int mode, hits;
static char other[65536] __attribute__((aligned(64)));

static void
hd(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    greg_t *g = u->uc_mcontext.gregs;
    hits++;
    switch (mode) {
    case 0: /* skip the instruction, change every register but rsp */
        EQ(g[REG_RIP], fault1);
        for (int i = REG_R8; i <= REG_RCX; i++)
            if (i != REG_RSP)
                g[i] = 0x1000 + i;
        g[REG_RIP] = (greg_t)after1;
        g[REG_EFL] = (g[REG_EFL] & ~0x8d5) | 0x845;
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < 4; k++)
                u->uc_mcontext.fpregs->_xmm[i].element[k] = i * 16 + k;
        u->uc_mcontext.fpregs->mxcsr = 0x9fc0;
        u->uc_mcontext.fpregs->cwd = 0x27f;
        break;
    case 1: /* make the address good and try again */ g[REG_RDI] = (greg_t)other; break;
    case 2: /* continue on another stack */
        g[REG_RSP] = (greg_t)(other + sizeof other - 64);
        g[REG_RDI] = (greg_t)other;
        break;
    }
}

int
main(void)
{
    tl_on(SIGSEGV, hd, 0);
    static uint64_t regs[16], x[32];
    for (int i = 0; i < 300; i++) {
        uint64_t f;
        uint32_t mx;
        uint16_t cw;
        mode = 0;
        asm volatile(
            "push %%rbp\n mov %%rsp,saved_sp(%%rip)\n xor %%edi,%%edi\n .globl fault1,after1\n fault1: mov (%%rdi),%%rax\n ud2\n"
            "after1: mov %%rax,regs_(%%rip)\n mov %%rbx,regs_+8(%%rip)\n mov %%rcx,regs_+16(%%rip)\n mov %%rdx,regs_+24(%%rip)\n"
            "mov %%rsi,regs_+32(%%rip)\n mov %%rdi,regs_+40(%%rip)\n mov %%rbp,regs_+48(%%rip)\n mov %%r8,regs_+56(%%rip)\n mov %%r9,regs_+64(%%rip)\n"
            "mov %%r10,regs_+72(%%rip)\n mov %%r11,regs_+80(%%rip)\n mov %%r12,regs_+88(%%rip)\n mov %%r13,regs_+96(%%rip)\n mov %%r14,regs_+104(%%rip)\n"
            "mov %%r15,regs_+112(%%rip)\n pushfq\n popq regs_+120(%%rip)\n movups %%xmm0,xs_(%%rip)\n movups %%xmm7,xs_+16(%%rip)\n movups %%xmm15,xs_+32(%%rip)\n"
            "stmxcsr xs_+48(%%rip)\n fnstcw xs_+52(%%rip)\n pop %%rbp\n" ::
                : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                  "r15", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                  "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        asm volatile("ldmxcsr %0\n fninit" ::"m"((int){0x1f80}));
        extern uint64_t regs_[16], xs_[8];
        static const int order[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
                                      REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
        for (int k = 0; k < 15; k++)
            EQ(regs_[k], 0x1000 + order[k]);
        EQ(regs_[15] & 0x8d5, 0x845);
        EQ((uint32_t)xs_[0], 0);
        EQ((uint32_t)xs_[2], 7 * 16);
        EQ(xs_[5] >> 32, 15 * 16 + 3);
        EQ((uint32_t)xs_[6], 0x9fc0);
        EQ((uint16_t)(xs_[6] >> 32), 0x27f);
        mode = 1;
        *(uint64_t *)other = 4321 + i;
        uint64_t r, sp0, sp1;
        asm volatile("xor %%edi,%%edi\n xor %%eax,%%eax\n inc %%rax\n add (%%rdi),%%rax"
                     : "=&a"(r)::"rdi", "cc");
        EQ(r, 4322 + i);
        mode = 2;
        asm volatile(
            "mov %%rsp,%1\n xor %%edi,%%edi\n fault2: mov (%%rdi),%0\n mov %%rsp,%2\n push %0\n pop %0\n mov %1,%%rsp"
            : "=&r"(r), "=&r"(sp0), "=&r"(sp1)::"rdi", "memory", "cc");
        EQ(r, 4321 + i);
        EQ(sp1, other + sizeof other - 64);
        if (tl_bad)
            break;
    }
    EQ(hits, 900);
    return tl_end();
}

asm(".data\n.balign 16\n.globl regs_,xs_\nregs_: .fill 16,8,0\nxs_: .fill 8,8,0\nsaved_sp: .quad 0\n.text\n");
