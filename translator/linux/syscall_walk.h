/* What the walkers use: functions that know the memory of one argument which a
 * table cell cannot describe. One walker serves both iterators: it names all
 * it knows, and walk_in, walk_out … pass on what fits the moment.
 * Threads: a walk lives on one stack. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SYSCALL_WALK_H
#define DRTOOLS_TRANSLATOR_SYSCALL_WALK_H

#include "syscall_rows.h"

/* clang-format off */

struct syscall_walk {
    const struct syscall_args *call;
    struct syscall_args *keep;         /* before the call: where lengths are saved; NULL after it */
    const struct syscall_view *view;
    syscall_visit_fn *visit;
    void *cookie;
    int64_t result;
    uint8_t argno, next_saved;
    bool post, complete, stopped;
    bool maybe;                        /* stamped on every range */
    const char *outer;                 /* the same               */
    uint8_t depth;
    uint32_t index[2];
};

/* The value of argument k, cut to the bits that count. */
uint64_t walk_arg(const struct syscall_walk *w, unsigned k);
/* The same as a number of things: 0 if it is negative or absurd, because the kernel then touches nothing. */
uint64_t walk_count(const struct syscall_walk *w, unsigned k);

/* Fetches n bytes of program memory; false notes that the walk is incomplete. */
bool walk_fetch(struct syscall_walk *w, void *dst, uint64_t addr, size_t n);
uint32_t walk_fetch32(struct syscall_walk *w, uint64_t addr);   /* 0 if it cannot */
uint64_t walk_fetch64(struct syscall_walk *w, uint64_t addr);

/* Something the kernel touches is not known here. */
void walk_unknown(struct syscall_walk *w);

/* After the call: did it succeed? Before it: true. */
bool walk_ok(const struct syscall_walk *w);
/* After the call, one of the WROTE_ conditions; before it: true. */
bool walk_wrote(const struct syscall_walk *w, unsigned wrote);

/* Ranges. `member` is the path below the argument (or below `outer`). */
void walk_in(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member);     /* read and examined       */
void walk_copy(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member);   /* read, not examined      */
void walk_out(struct syscall_walk *w, uint64_t addr, uint64_t n, const char *member);    /* may write / has written: after the call, only call it if so */
void walk_string(struct syscall_walk *w, uint64_t addr, uint64_t max, const char *member);
void walk_strings(struct syscall_walk *w, uint64_t addr);

/* The first `limit` bytes of a struct. */
void walk_layout_in(struct syscall_walk *w, uint64_t addr, const struct syscall_layout *l, uint64_t limit);
void walk_layout_out(struct syscall_walk *w, uint64_t addr, const struct syscall_layout *l);

/* `n` iovecs at `vec` and, by `access`, their buffers, as far as `limit` bytes in all reach. */
void walk_iovec(struct syscall_walk *w, uint64_t vec, uint64_t n, unsigned access, uint64_t limit,
                const char *member, const char *base_member);
uint64_t walk_limit(const struct syscall_walk *w);   /* bytes the result covers; all before the call */

/* From before the call to after it: saves *v, or brings it back. False if it
 * was never saved. Calls must pair up in order. */
bool walk_remember(struct syscall_walk *w, uint32_t *v);
/* In-out lengths: the one at `addr`, and after the call the lesser of it and
 * the one before, which is what was written. */
uint32_t walk_length(struct syscall_walk *w, uint64_t addr);

/* Entering element i of an array: names below get `outer`, which holds a %. */
static inline void
walk_enter(struct syscall_walk *w, uint32_t i)
{
    w->index[w->depth++] = i;
}
static inline void
walk_leave(struct syscall_walk *w)
{
    w->depth--;
}

/* The walkers and multiplexers, by file. */
#define WALKER(f) void f(struct syscall_walk *w, unsigned k)

/* syscall_socket.c */
WALKER(walk_sockaddr);        /* length in argument k + 1 */
WALKER(walk_sendmsg);
WALKER(walk_recvmsg);
WALKER(walk_sendmmsg);
WALKER(walk_recvmmsg);
WALKER(walk_setsockopt);
WALKER(walk_getsockopt);

/* syscall_signal.c */
extern const struct syscall_layout sigaction_fields, sigaltstack_fields;
WALKER(walk_siginfo_in);
WALKER(walk_sigevent);
WALKER(walk_mq_sigevent);
WALKER(walk_sigset_pair);     /* pselect6's and io_pgetevents' last argument */

/* syscall_wait.c */
WALKER(walk_pollfds);
WALKER(walk_fd_set);
extern const struct syscall_variants epoll_ctl_commands;

/* syscall_time.c */
WALKER(walk_timex);
WALKER(walk_utimensat);

/* syscall_process.c */
WALKER(walk_clone_tid);
WALKER(walk_clone3);
WALKER(walk_waitid_info);
WALKER(walk_waitid_rusage);
WALKER(walk_cap_header);
WALKER(walk_cap_data);
WALKER(walk_sched_setattr);
extern const struct syscall_variants seccomp_commands, kcmp_commands, modify_ldt_commands, syslog_commands,
    reboot_commands;
void walk_sock_fprog(struct syscall_walk *w, uint64_t addr);

/* syscall_pages.c */
WALKER(walk_mincore);
WALKER(walk_nodemask_in);     /* maxnode in argument k + 1, for migrate_pages in 1 */
WALKER(walk_nodemask_out);
WALKER(walk_vmsplice);
WALKER(walk_kexec_segments);

/* syscall_file.c */
WALKER(walk_file_handle_in);
WALKER(walk_file_handle_out);
WALKER(walk_mount_id);
WALKER(walk_xattr_set);
WALKER(walk_xattr_get);
WALKER(walk_lsm_ctx);
extern const struct syscall_variants fcntl_commands, landlock_rules;
extern const struct syscall_layout mq_attr_open_fields, mq_attr_set_fields;

/* syscall_mount.c */
WALKER(walk_mount_data);
WALKER(walk_statmount);
WALKER(walk_mnt_id_req);
extern const struct syscall_variants fsconfig_commands, sysfs_commands;

/* syscall_async.c */
WALKER(walk_io_submit);
WALKER(walk_io_events);
WALKER(walk_io_cancel);
WALKER(walk_uring_params);
WALKER(walk_uring_enter);
WALKER(walk_perf_attr);
extern const struct syscall_variants io_uring_register_commands;

/* one file each */
extern const struct syscall_variants ioctl_requests;        /* syscall_ioctl.c  */
extern const struct syscall_variants prctl_options, arch_prctl_codes;   /* syscall_prctl.c  */
extern const struct syscall_variants futex_ops;             /* syscall_futex.c  */
WALKER(walk_futex_waitv);
WALKER(walk_futex_requeue);
extern const struct syscall_variants shmctl_commands, semctl_commands, msgctl_commands;   /* syscall_sysvipc.c */
WALKER(walk_msgsnd);
WALKER(walk_msgrcv);
extern const struct syscall_variants ptrace_requests;       /* syscall_ptrace.c */
extern const struct syscall_variants bpf_commands;          /* syscall_bpf.c    */
extern const struct syscall_variants keyctl_options;        /* syscall_keyctl.c */
extern const struct syscall_variants quotactl_commands;     /* syscall_quota.c  */
extern const struct syscall_variants quotactl_fd_commands;
/* clang-format on */

#endif
