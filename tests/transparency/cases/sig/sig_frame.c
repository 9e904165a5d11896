#include "tl.h"

/* what the kernel puts on the stack and in registers when it enters a handler */
extern void raw_handler(void);
asm(".text\n.globl raw_handler\n"
    "raw_handler: mov %rsp,entry_(%rip)\n mov %rax,entry_+8(%rip)\n mov %rdi,entry_+16(%rip)\n mov %rsi,entry_+24(%rip)\n mov %rdx,entry_+32(%rip)\n"
    " pushfq\n popq entry_+40(%rip)\n mov (%rsp),%rax\n mov %rax,entry_+48(%rip)\n mov %cs,%eax\n mov %rax,entry_+56(%rip)\n mov %ss,%eax\n mov %rax,entry_+64(%rip)\n"
    " stmxcsr entry_+72(%rip)\n fnstcw entry_+80(%rip)\n cld\n jmp handler_c\n"
    ".data\n.globl entry_\nentry_: .fill 20,8,0\n.text\n");
extern uint64_t entry_[20];
static volatile int n;

void
handler_c(int s, siginfo_t *si, ucontext_t *u)
{
    n++;
    EQ(entry_[0] % 16, 8);
    EQ(entry_[1], 0); /* al: no vector arguments */
    EQ(entry_[2], s);
    EQ(entry_[3], si);
    EQ(entry_[4], u);
    EQ(entry_[5] & 0x500, 0); /* DF and TF are clear */
    EQ(entry_[7], 0x33);
    EQ(entry_[8], 0x2b);
    EQ((uint32_t)entry_[9], u->uc_mcontext.fpregs->mxcsr); /* inherited, not reset */
    EQ((uint16_t)entry_[10], u->uc_mcontext.fpregs->cwd);
    greg_t *g = u->uc_mcontext.gregs;
    CHECK((uint64_t)g[REG_RSP] - entry_[0] >= 128); /* the red zone is below rsp */
    EQ((uint64_t)u - entry_[0], 8);                 /* the frame: return address, ucontext, siginfo */
    EQ((uint64_t)si - entry_[0], 8 + 304);
    EQ((uint64_t)u->uc_mcontext.fpregs % 64, 0);
    EQ(u->uc_link, 0);
    printf("uc_flags %lx csgsfs %llx ", u->uc_flags, (unsigned long long)g[REG_CSGSFS]);
    uint32_t *sw = (uint32_t *)((char *)u->uc_mcontext.fpregs + 464);
    printf("magic %x extended %u xstate %llx size %u ", sw[0], sw[1], *(unsigned long long *)(sw + 2), sw[4]);
    printf("magic2 %x\n", *(uint32_t *)((char *)u->uc_mcontext.fpregs + sw[4]));

    struct {
        void *h;
        unsigned long f;
        void *r;
        unsigned long m;
    } k;

    syscall(SYS_rt_sigaction, s, 0, &k, 8);
    EQ(entry_[6], k.r); /* returns to the restorer that was given */
    EQ(k.f & 0x4000000, 0x4000000);
}

int
main(void)
{
    struct sigaction sa = {.sa_flags = SA_SIGINFO};
    sa.sa_sigaction = (void *)raw_handler;
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGSEGV, &sa, 0);
    int pid = getpid();
    for (int i = 0; i < 3; i++) {
        uint64_t bad = 0, f;
        /* fill the red zone, die a little, look at it again; with DF set */
        asm volatile(
            "mov $16,%%ecx\n 1: mov %%rcx,-136(%%rsp,%%rcx,8)\n dec %%ecx\n jnz 1b\n std\n"
            "mov $62,%%eax\n mov %2,%%edi\n mov $10,%%esi\n syscall\n"
            "mov $16,%%ecx\n 2: cmp %%rcx,-136(%%rsp,%%rcx,8)\n setne %%dl\n movzbl %%dl,%%edx\n add %%rdx,%0\n dec %%ecx\n jnz 2b\n pushfq\n pop %1\n cld"
            : "+&r"(bad), "=&r"(f)
            : "r"(pid)
            : "rax", "rcx", "rdx", "rdi", "rsi", "r11", "memory", "cc");
        EQ(bad, 0);
        EQ(f & 0x400, 0x400);
    }
    EQ(n, 3);
    return tl_end();
}
