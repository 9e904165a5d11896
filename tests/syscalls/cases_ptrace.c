/* ptrace: a stopped child of the run's own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <asm/prctl.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static uint64_t word = 0x1122334455667788;

static pid_t
traced(struct run *r)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        raise(SIGSTOP);
        _exit(0);
    }
    must(pid > 0 && waitpid(pid, &status, 0) == pid, "traced child");
    if (!WIFSTOPPED(status))
        skip(r, "tracing is not allowed here");
    must(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL) == 0, "PTRACE_O_EXITKILL");
    return pid;
}

CASE(ptrace_peek) { return CALL(ptrace, PTRACE_PEEKDATA, traced(r), (uintptr_t)&word, out(r, 8)); }
CASE(ptrace_peekuser) { return CALL(ptrace, PTRACE_PEEKUSER, traced(r), 8, out(r, 8)); }
CASE(ptrace_poke) { return CALL(ptrace, PTRACE_POKEDATA, traced(r), (uintptr_t)&word, 5); }
CASE(ptrace_getregs) { return CALL(ptrace, PTRACE_GETREGS, traced(r), 0, out(r, 216)); }
CASE(ptrace_getfpregs) { return CALL(ptrace, PTRACE_GETFPREGS, traced(r), 0, out(r, 512)); }
CASE(ptrace_getsiginfo) { return CALL(ptrace, PTRACE_GETSIGINFO, traced(r), 0, out(r, 128)); }
CASE(ptrace_geteventmsg) { return CALL(ptrace, PTRACE_GETEVENTMSG, traced(r), 0, out(r, 8)); }
CASE(ptrace_getsigmask) { return CALL(ptrace, PTRACE_GETSIGMASK, traced(r), 8, out(r, 8)); }
CASE(ptrace_setsigmask) { const uint64_t none = 0; return CALL(ptrace, PTRACE_SETSIGMASK, traced(r), 8, in(r, &none, 8)); }
CASE(ptrace_arch_prctl) { return CALL(ptrace, 30, traced(r), out(r, 8), ARCH_GET_FS); }
CASE(ptrace_setoptions) { return CALL(ptrace, PTRACE_SETOPTIONS, traced(r), 0, PTRACE_O_EXITKILL); }
CASE(ptrace_cont) { return CALL(ptrace, PTRACE_CONT, traced(r), 0, 0); }

CASE(ptrace_setregs)
{
    struct user_regs_struct regs;
    pid_t pid = traced(r);

    must(ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0, "PTRACE_GETREGS");
    return CALL(ptrace, PTRACE_SETREGS, pid, 0, in(r, &regs, sizeof regs));
}

CASE(ptrace_getregset)
{
    struct iovec v = {PTR(room(r, 320)), 320};

    return CALL(ptrace, PTRACE_GETREGSET, traced(r), NT_PRSTATUS, in(r, &v, sizeof v));
}

CASE(ptrace_getregset_in_part)
{
    struct iovec v = {PTR(out(r, 40)), 40};

    return CALL(ptrace, PTRACE_GETREGSET, traced(r), NT_PRSTATUS, in(r, &v, sizeof v));
}

CASE(ptrace_setregset)
{
    struct user_regs_struct regs;
    pid_t pid = traced(r);
    struct iovec v = {NULL, sizeof regs};

    must(ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0, "PTRACE_GETREGS");
    v.iov_base = PTR(in(r, &regs, sizeof regs));
    return CALL(ptrace, PTRACE_SETREGSET, pid, NT_PRSTATUS, in(r, &v, sizeof v));
}

CASE(ptrace_setsiginfo)
{
    pid_t pid = traced(r);
    siginfo_t i;

    must(ptrace(PTRACE_GETSIGINFO, pid, 0, &i) == 0, "PTRACE_GETSIGINFO");
    return CALL(ptrace, PTRACE_SETSIGINFO, pid, 0, in(r, &i, sizeof i));
}

CASE(ptrace_peeksiginfo)
{
    struct { uint64_t off; uint32_t flags; int32_t nr; } args = {0, 1 /* shared */, 2};
    pid_t pid = traced(r);

    kill(pid, SIGUSR1);
    return CALL(ptrace, PTRACE_PEEKSIGINFO, pid, in(r, &args, sizeof args), room(r, 256));
}

CASE(ptrace_get_syscall_info)
{
    pid_t pid = traced(r);
    char info[88];

    if (syscall(__NR_ptrace, 0x420e, pid, sizeof info, info) < 0)
        skip(r, "no PTRACE_GET_SYSCALL_INFO here");
    holes(r);
    return CALL(ptrace, 0x420e, pid, 88, room(r, 88));
}
