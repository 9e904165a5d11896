#include "tl.h"
#include <linux/sched.h>

/* clone without libc: own stack, CLONE_CHILD_CLEARTID join, no TLS */
static volatile int ctid, val[4];
extern int rawclone(unsigned long fl, void *sp, volatile int *ct, volatile int *ptid);
asm(".text\n"
    "rawclone: mov %rdx,%r10\n"
    " mov %rcx,%rdx\n"
    " xor %r8d,%r8d\n"
    " mov $56,%eax\n"
    " syscall\n"
    " test %eax,%eax\n"
    " jnz 1f\n"
    " pop %rdi\n"
    " pop %rsi\n"
    " mov $1000,%ecx\n"
    "2: lock incl (%rdi)\n"
    " loop 2b\n"
    " add %esi,4(%rdi)\n"
    " mov $60,%eax\n"
    " xor %edi,%edi\n"
    " syscall\n"
    " hlt\n"
    "1: ret\n");

static int
cfn(void *a)
{
    *(int *)a += 5;
    return 3;
}

int
main(void)
{
    static uint64_t st[50][512] __attribute__((aligned(16)));
    for (int i = 0; i < 50; i++) {
        uint64_t *sp = st[i] + 500;
        sp[0] = (uint64_t)val;
        sp[1] = i;
        ctid = 1;
        int pt = 0;
        int t = rawclone(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                             CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID,
                         sp, &ctid, &pt);
        CHECK(t > 0);
        EQ(pt, t);
        while (ctid)
            syscall(SYS_futex, &ctid, 0, 1, &(struct timespec){0, 1000000}, 0, 0);
    }
    EQ(val[0], 50000);
    EQ(val[1], 1225);
    static char s2[65536];
    int x = 1;
    int p = clone(cfn, s2 + 65536, CLONE_VM | SIGCHLD, &x), stt;
    EQ(waitpid(p, &stt, 0), p);
    EQ(WEXITSTATUS(stt), 3);
    EQ(x, 6);
    p = clone(cfn, s2 + 65536, SIGCHLD, &x);
    waitpid(p, &stt, 0);
    EQ(x, 6);
    EQ(WEXITSTATUS(stt), 3);
    struct clone_args ca = {.exit_signal = SIGCHLD};
    p = syscall(SYS_clone3, &ca, sizeof ca);
    if (!p)
        _exit(8);
    waitpid(p, &stt, 0);
    EQ(WEXITSTATUS(stt), 8);
    EQ(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), -1);
    EQ(errno, EINVAL);
    return tl_end();
}
