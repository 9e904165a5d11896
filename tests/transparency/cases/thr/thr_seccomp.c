#include "tl.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/audit.h>

/* a program that installs filters: errno, SIGSYS with its siginfo, kill, and a strict whitelist that it can still live with */
#define LOAD(off)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define IS(nr, act) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, act)

static int
install(struct sock_filter *f, int n)
{
    struct sock_fprog p = {n, f};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
}

#define INSTALL(...)                                                                      \
    do {                                                                                  \
        struct sock_filter f_[] = {LOAD(offsetof(struct seccomp_data, nr)), __VA_ARGS__}; \
        NEED(install(f_, sizeof f_ / sizeof f_[0]) == 0);                                 \
    } while (0)
#define REST(act) BPF_STMT(BPF_RET | BPF_K, act)
static volatile int n;

static void
sys(int s, siginfo_t *si, void *v)
{
    ucontext_t *u = v;
    n++;
    EQ(si->si_code, 1); /* SYS_SECCOMP */
    EQ(si->si_syscall, SYS_getpgid);
    EQ(si->si_arch, AUDIT_ARCH_X86_64);
    EQ(si->si_errno, 55);
    EQ(u->uc_mcontext.gregs[REG_RAX], SYS_getpgid);
    EQ(si->si_call_addr, u->uc_mcontext.gregs[REG_RIP]);
    u->uc_mcontext.gregs[REG_RAX] = 4242;
}

static void
errno_child(void)
{
    INSTALL(IS(SYS_getpgid, SECCOMP_RET_ERRNO | 77), IS(SYS_uname, SECCOMP_RET_ERRNO | EPERM),
            REST(SECCOMP_RET_ALLOW));
    EQ(syscall(SYS_getpgid, 0), -1);
    EQ(errno, 77);
    struct utsname u;
    EQ(uname(&u), -1);
    unsigned char *p = tl_rwx(0, 4096);
    p[0] = 0xc3;
    ((void (*)(void))p)();
    pthread_t t;
    pthread_create(&t, 0, (void *(*)(void *))abs, 0);
    pthread_join(t, 0);
    _exit(tl_bad ? 1 : 5);
}

static void
trap_child(void)
{
    tl_on(SIGSYS, sys, 0);
    INSTALL(IS(SYS_getpgid, SECCOMP_RET_TRAP | 55), REST(SECCOMP_RET_ALLOW));
    for (int i = 0; i < 100; i++)
        EQ(syscall(SYS_getpgid, 0), 4242);
    EQ(n, 100);
    _exit(tl_bad ? 1 : 6);
}

static void
kill_child(void)
{
    INSTALL(IS(SYS_getpgid, SECCOMP_RET_KILL_PROCESS), REST(SECCOMP_RET_ALLOW));
    syscall(SYS_getpgid, 0);
    _exit(1);
}

static void
strict_child(void) /* only read, write, exit: computation goes on, new code too */
{
    unsigned char *p = tl_rwx(0, 65536);
    uint64_t h = 0;
    for (int i = 0; i < 1000; i++)
        memcpy(p + i * 16, "\xb8\0\0\0\0\xc3", 6), memcpy(p + i * 16 + 1, &i, 4);
    INSTALL(IS(SYS_write, SECCOMP_RET_ALLOW), IS(SYS_exit_group, SECCOMP_RET_ALLOW),
            IS(SYS_rt_sigreturn, SECCOMP_RET_ALLOW), REST(SECCOMP_RET_KILL_PROCESS));
    for (int r = 0; r < 3; r++)
        for (int i = 0; i < 1000; i++)
            h = h * 31 + ((int (*)(void))(p + i * 16))();
    char b[40];
    int n = 0;
    for (uint64_t v = h; v; v >>= 4)
        b[n++] = "0123456789abcdef"[v & 15];
    b[n++] = '\n';
    write(1, b, n);
    syscall(SYS_exit_group, 7);
}

int
main(void)
{
    void (*t[])(void) = {errno_child, trap_child, kill_child, strict_child};
    for (int i = 0; i < 4; i++) {
        int st = tl_child(t[i]);
        printf("%d: %s %d\n", i, WIFEXITED(st) ? "exit" : "signal",
               WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st));
    }
    return tl_end();
}
