/* ptrace's requests: what `addr` and `data` are to each. Addresses in the
 * traced process are not ours to check: LONG.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <asm/ptrace-abi.h>
#include <linux/filter.h>
#include <linux/ptrace.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum { USER_REGS = 27 * 8, USER_FPREGS = 512, PEEK_ARGS = 16 };

static uint32_t
request_key(const uint64_t *arg)
{
    return arg[0] > INT32_MAX ? (uint32_t)INT32_MAX : (uint32_t)arg[0];
}

/* data is an iovec: the kernel reads it, fills or reads its buffer, and stores the length used. */
static void
regset(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], base = walk_fetch64(w, at), len = walk_length(w, at + 8);

    walk_in(w, at, 16, NULL);
    walk_out(w, at + 8, 8, "iov_len");
    if (w->view->arg[k]->access & ACCESS_IN)
        walk_in(w, base, len, "iov_base");
    else
        walk_out(w, base, len, "iov_base");
}

/* Siginfos, as many as the result says. */
static void
peek_siginfo(struct syscall_walk *w, unsigned k)
{
    uint64_t n = walk_fetch32(w, w->call->arg[2] + 12);

    if (n > INT32_MAX)
        return;
    walk_out(w, w->call->arg[k], (n < walk_limit(w) ? n : walk_limit(w)) * ABI_SIGINFO_SIZE, NULL);
}

/* The offset of a filter is asked for, its flags are the answer. */
static void
filter_metadata(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], size = walk_count(w, 2), n = size < 16 ? size : 16;

    walk_in(w, at, 8, "filter_off");
    walk_out(w, at, w->post && walk_limit(w) < n ? walk_limit(w) : n, NULL);
}

/* The caller asked for the number of instructions before, with a NULL. */
static void
seccomp_filter(struct syscall_walk *w, unsigned k)
{
    if (!w->post)
        walk_unknown(w);
    walk_out(w, w->call->arg[k], (w->post ? walk_limit(w) : 1) * sizeof(struct sock_filter), NULL);
}

static void
arch_get(struct syscall_walk *w, unsigned k)
{
    if (w->call->arg[3] == ARCH_GET_FS || w->call->arg[3] == ARCH_GET_GS)
        walk_out(w, w->call->arg[k], 8, NULL);
}

/* clang-format off */
#define P PID("pid")
#define OUT_REGSET POINTER("data", ACCESS_OUT, HOW_WALK, .walk = regset)
#define IN_REGSET  POINTER("data", ACCESS_IN | ACCESS_OUT, HOW_WALK, .walk = regset)
static const struct syscall_variant rows[] = {
    VARIANT(PTRACE_TRACEME,        0),
    VARIANT(PTRACE_PEEKTEXT,       0, P, LONG("addr"), OUT("data", 8)),
    VARIANT(PTRACE_PEEKDATA,       0, P, LONG("addr"), OUT("data", 8)),
    VARIANT(PTRACE_PEEKUSR,        0, P, LONG("addr"), OUT("data", 8)),
    VARIANT(PTRACE_POKETEXT,       FARMEM, P, LONG("addr"), LONG("data")),
    VARIANT(PTRACE_POKEDATA,       FARMEM, P, LONG("addr"), LONG("data")),
    VARIANT(PTRACE_POKEUSR,        0, P, LONG("addr"), LONG("data")),
    VARIANT(PTRACE_CONT,           RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_KILL,           RAISES, P),
    VARIANT(PTRACE_SINGLESTEP,     RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_GETREGS,        0, P, UNUSED("addr"), OUT("data", USER_REGS)),
    VARIANT(PTRACE_SETREGS,        0, P, UNUSED("addr"), IN("data", USER_REGS)),
    VARIANT(PTRACE_GETFPREGS,      0, P, UNUSED("addr"), OUT("data", USER_FPREGS)),
    VARIANT(PTRACE_SETFPREGS,      0, P, UNUSED("addr"), IN("data", USER_FPREGS)),
    VARIANT(PTRACE_ATTACH,         INVISIBLE | RAISES, P),
    VARIANT(PTRACE_DETACH,         RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_OLDSETOPTIONS,  0, P, UNUSED("addr"), LONG("options")),
    VARIANT(PTRACE_SYSCALL,        RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_GET_THREAD_AREA, 0, P, LONG("addr"), OUT("data", sizeof(struct user_desc))),
    VARIANT(PTRACE_SET_THREAD_AREA, 0, P, LONG("addr"), IN("data", sizeof(struct user_desc))),
    VARIANT(PTRACE_ARCH_PRCTL,     0, P, OUT_WALK("addr", arch_get), LONG("code")),
    VARIANT(PTRACE_SYSEMU,         RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_SYSEMU_SINGLESTEP, RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_SINGLEBLOCK,    RAISES, P, UNUSED("addr"), LONG("sig")),
    VARIANT(PTRACE_SETOPTIONS,     0, P, UNUSED("addr"), LONG("options")),
    VARIANT(PTRACE_GETEVENTMSG,    0, P, UNUSED("addr"), OUT("data", 8)),
    VARIANT(PTRACE_GETSIGINFO,     0, P, UNUSED("addr"), OUT("data", ABI_SIGINFO_SIZE)),
    VARIANT(PTRACE_SETSIGINFO,     0, P, UNUSED("addr"), IN_WALK("data", walk_siginfo_in)),
    VARIANT(PTRACE_GETREGSET,      0, P, LONG("type"), OUT_REGSET),
    VARIANT(PTRACE_SETREGSET,      0, P, LONG("type"), IN_REGSET),
    VARIANT(PTRACE_SEIZE,          INVISIBLE, P, LONG("addr"), LONG("options")),
    VARIANT(PTRACE_INTERRUPT,      0, P),
    VARIANT(PTRACE_LISTEN,         0, P),
    VARIANT(PTRACE_PEEKSIGINFO,    0, P, IN("addr", PEEK_ARGS), OUT_WALK("data", peek_siginfo)),
    VARIANT(PTRACE_GETSIGMASK,     0, P, LONG("size"), OUT("data", ABI_SIGSET_SIZE)),
    VARIANT(PTRACE_SETSIGMASK,     0, P, LONG("size"), IN("data", ABI_SIGSET_SIZE)),
    VARIANT(PTRACE_SECCOMP_GET_FILTER, 0, P, LONG("index"), OUT_WALK("data", seccomp_filter, OPTIONAL)),
    VARIANT(PTRACE_SECCOMP_GET_METADATA, 0, P, LONG("size"), INOUT_WALK("data", filter_metadata)),
    VARIANT(PTRACE_GET_SYSCALL_INFO, 0, P, LONG("size"), OUT_RESULT("data", 2, 1)),
    VARIANT(PTRACE_GET_RSEQ_CONFIGURATION, 0, P, LONG("size"), OUT_RESULT("data", 2, 1)),
    VARIANT_NR(0x4210, PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, 0, P, LONG("size"), IN_COUNT("data", 2, 1)),
    VARIANT_NR(0x4211, PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, 0, P, LONG("size"), OUT_COUNT("data", 2, 1)),
    VARIANT_NR(0x4212, PTRACE_SET_SYSCALL_INFO, 0, P, LONG("size"), IN_COUNT("data", 2, 1)),
};
const struct syscall_variants ptrace_requests = VARIANTS(request_key, 1, rows);
/* clang-format on */
