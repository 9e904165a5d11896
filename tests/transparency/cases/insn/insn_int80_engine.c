//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"

/* int 0x80 for what an engine must know of: code mapped and unmapped, processes, threads, masks, the end */
static long
gate(int nr, long b, long c, long d, long s, long di)
{
    long r;
    asm volatile("int $0x80" : "=a"(r) : "a"(nr), "b"(b), "c"(c), "d"(d), "S"(s), "D"(di) : "memory");
    return r;
}

static volatile int fault, steps;
static uint64_t at[16];

static void
segv(int s, siginfo_t *si, void *v)
{
    fault++;
    ((ucontext_t *)v)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void
step(int s, siginfo_t *si, void *v)
{
    if (steps < 16)
        at[steps++] = ((ucontext_t *)v)->uc_mcontext.gregs[REG_RIP];
}

static void
put(unsigned char *p, int v)
{
    p[0] = 0xb8;
    memcpy(p + 1, &v, 4);
    p[5] = 0xc3;
}

static char stack[1 << 16] __attribute__((aligned(16)));
static volatile int ran;
static volatile int tid_word;

int
main(void)
{
    tl_on(SIGSEGV, segv, 0);
    gate(20, 0, 0, 0, 0, 0);
    if (fault) {
        puts("none");
        return tl_end();
    }
    /* code comes and goes at one address */
    unsigned char *p = (void *)0x30000000;
    for (int i = 0; i < 50; i++) {
        long m = gate(192, (long)p, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
        EQ(m, p);
        put(p, i);
        EQ(((int (*)(void))p)(), i);
        put(p, i + 1000);
        EQ(((int (*)(void))p)(), i + 1000);
        EQ(gate(125, (long)p, 4096, 5, 0, 0), 0);        /* mprotect */
        EQ(((int (*)(void))p)(), i + 1000);
        EQ(gate(125, (long)p, 4096, 3, 0, 0), 0);
        put(p, i + 2000);
        EQ(gate(125, (long)p, 4096, 7, 0, 0), 0);
        EQ(((int (*)(void))p)(), i + 2000);
        if (i & 1)
            EQ(gate(91, (long)p, 4096, 0, 0, 0), 0);     /* munmap */
        if (tl_bad)
            return tl_end();
    }
    /* read() into code */
    static int pfd[2];
    EQ(pipe(pfd), 0);
    unsigned char code[6];
    NEED(mmap(p, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    put(p, 1);
    for (int i = 0; i < 30; i++) {
        put(code, i);
        EQ(write(pfd[1], code, 6), 6);
        EQ(gate(3, pfd[0], (long)p, 6, 0, 0), 6);
        EQ(((int (*)(void))p)(), i);
    }
    /* the old mmap, without an address: below 4 GiB */
    static uint32_t block[6] = {0, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};
    long low = gate(90, (long)block, 0, 0, 0, 0);
    CHECK(low > 0 && low < 1ll << 32);
    *(volatile int *)low = 1;
    EQ(gate(91, low, 8192, 0, 0, 0), 0);

    /* masks */
    static uint64_t set, old;
    set = 1ull << (SIGSEGV - 1) | 1ull << (SIGUSR1 - 1);
    EQ(gate(175, SIG_BLOCK, (long)&set, (long)&old, 8, 0), 0);
    sigset_t now;
    sigprocmask(SIG_SETMASK, 0, &now);
    CHECK(sigismember(&now, SIGSEGV) && sigismember(&now, SIGUSR1));
    set = 0;
    EQ(gate(175, SIG_SETMASK, (long)&set, 0, 8, 0), 0);

    /* processes */
    long pid = gate(2, 0, 0, 0, 0, 0);
    if (pid == 0)
        gate(252, 7, 0, 0, 0, 0);
    int st;
    EQ(waitpid(pid, &st, 0), pid);
    EQ(st, 7 << 8);
    static char *sh = "/bin/sh", *dash_c = "-c", *what = "exit 9";
    static uint32_t argv[4];
    argv[0] = (long)sh, argv[1] = (long)dash_c, argv[2] = (long)what;
    static uint32_t envp[1];
    pid = gate(2, 0, 0, 0, 0, 0);
    if (pid == 0) {
        gate(11, (long)sh, (long)argv, (long)envp, 0, 0);
        gate(252, 8, 0, 0, 0, 0);
    }
    EQ(waitpid(pid, &st, 0), pid);
    EQ(st, 9 << 8);

    /* a thread: flags, stack, parent_tid, tls, child_tid; it keeps its other registers */
    long kept, r;
    asm volatile("mov $0x123456789,%%r12\n mov $0x987654321,%%rcx\n"
                 "mov %2,%%ecx\n int $0x80\n test %%rax,%%rax\n jnz 1f\n"
                 "mov $0x123456789,%%rax\n cmp %%rax,%%r12\n jne 2f\n movl $1,ran\n 2: mov $1,%%eax\n xor %%ebx,%%ebx\n int $0x80\n"
                 "1:"
                 : "=a"(r)
                 : "0"(120), "r"((int)(long)(stack + sizeof stack - 64)),
                   "b"(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID), "d"(0), "S"(0),
                   "D"(&tid_word)
                 : "rcx", "r12", "memory", "cc");
    CHECK(r > 0);
    for (int i = 0; i < 2000 && !ran; i++)
        usleep(1000);
    EQ(ran, 1);

    /* a single step over it */
    tl_on(SIGTRAP, step, 0);
    extern char g0[], g1[], g2[], g3[];
    asm volatile("pushfq\n orq $0x100,(%%rsp)\n mov $20,%%eax\n popfq\n"
                 "g0: nop\n g1: int $0x80\n g2: nop\n pushfq\n andq $~0x100,(%%rsp)\n popfq\n g3:\n" ::: "rax", "cc", "memory");
    for (int i = 0; i < steps; i++)
        printf("%d ", (int)(at[i] - (uint64_t)g0));
    puts("");

    /* every descriptor goes, and the program stays */
    EQ(gate(436, 3, -1, 0, 0, 0), 0);
    EQ(system("exit 5"), 5 << 8);
    puts(tl_bad ? "BAD" : "OK");
    fflush(stdout);
    gate(252, tl_bad != 0, 0, 0, 0, 0);
}
