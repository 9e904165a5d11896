#include "tl.h"

/* a system call changes rax, rcx and r11 and nothing else; unknown numbers give ENOSYS */
extern long sys_all(uint64_t *in, uint64_t *out);
extern char after_syscall[];
asm(".text\n.globl sys_all,after_syscall\n"
    "sys_all: push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rsi\n mov %rdi,%rcx\n"
    " mov 8(%rcx),%rbx\n mov 24(%rcx),%rdx\n mov 32(%rcx),%rsi\n mov 40(%rcx),%rdi\n mov 48(%rcx),%rbp\n"
    " mov 56(%rcx),%r8\n mov 64(%rcx),%r9\n mov 72(%rcx),%r10\n mov 80(%rcx),%r11\n mov 88(%rcx),%r12\n mov 96(%rcx),%r13\n"
    " mov 104(%rcx),%r14\n mov 112(%rcx),%r15\n pushq 120(%rcx)\n popfq\n mov (%rcx),%rax\n syscall\n"
    "after_syscall: xchg %rcx,(%rsp)\n mov %rax,(%rcx)\n pop %rax\n mov %rbx,8(%rcx)\n mov %rax,16(%rcx)\n mov %rdx,24(%rcx)\n"
    " mov %rsi,32(%rcx)\n mov %rdi,40(%rcx)\n mov %rbp,48(%rcx)\n mov %r8,56(%rcx)\n mov %r9,64(%rcx)\n mov %r10,72(%rcx)\n"
    " mov %r11,80(%rcx)\n mov %r12,88(%rcx)\n mov %r13,96(%rcx)\n mov %r14,104(%rcx)\n mov %r15,112(%rcx)\n"
    " pushfq\n pop %rax\n mov %rax,120(%rcx)\n cld\n"
    " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

static void
one(const char *name, uint64_t number, int show)
{
    uint64_t in[16], out[16];
    for (int i = 0; i < 16; i++)
        in[i] = 0x0101010101010101ull * (i + 1) | 0x8000000000000000ull;
    in[0] = number;
    for (int f = 0; f < 4; f++) {
        in[15] = (uint64_t[]){0x202, 0x203, 0x202 | 0x8d5, 0x202 | 0x8d5 | 0x400}[f];
        sys_all(in, out);
        EQ(out[2], after_syscall);           /* rcx: where it returned to */
        EQ(out[10] & 0xcd5, in[15] & 0xcd5); /* r11: the flags */
        EQ(out[10] & 0x202, 0x202);
        EQ(out[15] & 0xcd5, in[15] & 0xcd5);
        for (int i = 1; i < 15; i++)
            if (i != 2 && i != 10)
                EQ(out[i], in[i]);
        if (show)
            EQ(out[0], show);
        else
            CHECK((int64_t)out[0] > 0);
    }
    printf("%s\n", name);
}

int
main(void)
{
    for (int r = 0; r < 2; r++) {
        one("getpid", SYS_getpid, getpid());
        one("gettid", SYS_gettid, getpid());
        one("getppid", SYS_getppid, getppid());
        one("getuid or more", SYS_getpgid, -ESRCH);
    }

    one("unknown 600", 600, -ENOSYS);
    one("unknown -1", -1ull, -ENOSYS);
    one("unknown 380", 380, -ENOSYS);
    one("unknown 999999", 999999, -ENOSYS);
    one("close(garbage)", SYS_close, -EBADF);
    one("read(garbage)", SYS_read, -EBADF);
    one("munmap(garbage)", SYS_munmap, -EINVAL);
    one("mmap(garbage)", SYS_mmap, -EINVAL);
    one("kill(garbage)", SYS_tgkill, -ESRCH);
    one("fcntl(garbage)", SYS_fcntl, -EBADF);
    /* only the low 32 bits of the number are what the kernel looks at */
    one("getpid with high bits", 0x100000000ull | SYS_getpid, getpid());
    return tl_end();
}
