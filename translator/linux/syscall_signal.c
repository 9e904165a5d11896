/* Signal structs: sigaction, sigevent, siginfo, alternate stacks, sets with their size.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/mqueue.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum {
    HAS_RESTORER = 0x04000000, /* SA_RESTORER */
    STACK_OFF = 2,             /* SS_DISABLE  */
    EVENT_NONE = 1,
    EVENT_THREAD = 2,
    EVENT_THREAD_ID = 4,
    NOTIFY_COOKIE = 32,  /* NOTIFY_COOKIE_LEN */
    KERNEL_SIGINFO = 48, /* sizeof(struct kernel_siginfo) */
    CODE_KERNEL = 0x80,
    CODE_ASYNCNL = -60,
    CODE_DETHREAD = -7,
};

/* clang-format off */
const struct syscall_layout sigaction_fields = LAYOUT_IF(struct sigaction, sa_flags,
    FIELD(struct sigaction, sa_handler),
    FIELD(struct sigaction, sa_flags),
    FIELD_IF(struct sigaction, sa_restorer, HAS_RESTORER, 0),
    FIELD(struct sigaction, sa_mask));

const struct syscall_layout sigaltstack_fields = LAYOUT_IF(struct sigaltstack, ss_flags,
    FIELD_IF(struct sigaltstack, ss_sp, 0, STACK_OFF),
    FIELD(struct sigaltstack, ss_flags),
    FIELD_IF(struct sigaltstack, ss_size, 0, STACK_OFF));

/* clang-format on */

/* Codes whose layout the kernel knows: it then fetches only the members that exist. */
static bool
known_code(int32_t code)
{
    return code == CODE_KERNEL || code == CODE_ASYNCNL || (code <= 0 && code >= CODE_DETHREAD);
}

/* The kernel sets si_signo itself (pidfd_send_signal insists on it), and passes what follows si_code on to the
 * receiver: how much of the union that is depends on si_code, which only the
 * two programs agree upon. Beyond it there must be zeroes if the code is unknown. */
void
walk_siginfo_in(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    int32_t code = (int32_t)walk_fetch32(w, at + 8);

    (w->call->nr == __NR_pidfd_send_signal ? walk_in : walk_copy)(w, at, 4, "si_signo");
    walk_in(w, at + 4, 8, "si_errno");
    walk_copy(w, at + 12, KERNEL_SIGINFO - 12, NULL);
    w->maybe = code > 0; /* known up to a number that depends on the signal */
    if (!known_code(code))
        walk_in(w, at + KERNEL_SIGINFO, ABI_SIGINFO_SIZE - KERNEL_SIGINFO, NULL);
}

static void
event(struct syscall_walk *w, uint64_t at, bool cookie)
{
    uint32_t notify = walk_fetch32(w, at + offsetof(struct sigevent, sigev_notify));
    uint64_t value = cookie && notify == EVENT_THREAD ? walk_fetch64(w, at) : 0;

    if (cookie && notify == EVENT_THREAD)
        walk_in(w, at, 8, "sigev_value");
    else
        walk_copy(w, at, 8, "sigev_value"); /* opaque: comes back in si_value; often only sival_int is set */
    (notify == EVENT_NONE ? walk_copy : walk_in)(w, at + 8, 4, "sigev_signo");
    walk_in(w, at + 12, 4, "sigev_notify");
    (notify & EVENT_THREAD_ID ? walk_in : walk_copy)(w, at + 16, 4, "sigev_notify_thread_id");
    walk_copy(w, at + 20, sizeof(struct sigevent) - 20, NULL);
    if (value)
        walk_in(w, value, NOTIFY_COOKIE, "sigev_value.sival_ptr");
}

void
walk_sigevent(struct syscall_walk *w, unsigned k)
{
    event(w, w->call->arg[k], false);
}

/* mq_notify's SIGEV_THREAD is glibc's business with a netlink socket: a cookie is read now and sent later. */
void
walk_mq_sigevent(struct syscall_walk *w, unsigned k)
{
    event(w, w->call->arg[k], true);
}

void
walk_sigset_pair(struct syscall_walk *w, unsigned k)
{
    struct abi_sigset_pair p;
    uint64_t at = w->call->arg[k];

    walk_in(w, at, 8, "sigmask");
    if (!walk_fetch(w, &p, at, sizeof p)) {
        walk_in(w, at + 8, 8, "size");
        return;
    }
    (p.sigmask ? walk_in : walk_copy)(w, at + 8, 8, "size");
    if (p.sigmask)
        walk_in(w, p.sigmask, ABI_SIGSET_SIZE, "sigmask[0]");
}
