/* Processes: what clone, waitid, capabilities, scheduling attributes and a few
 * small multiplexers read and write.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/ldt.h>
#include <asm/siginfo.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/filter.h>
#include <linux/kcmp.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/seccomp.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum { RESTART_STRING = 255 };

static uint32_t
key0(const uint64_t *arg)
{
    return (uint32_t)arg[0];
}

static uint32_t
key2(const uint64_t *arg)
{
    return (uint32_t)arg[2];
}

/* Thread ids. The call returns twice: 0 in the child, which shares memory only
 * with CLONE_VM. The kernel fills parent_tid (and a pidfd) from the parent, after
 * it has copied the memory, and child_tid from the child. */
static void
tid_out(struct syscall_walk *w, uint64_t flags, uint64_t addr, bool by_child, const char *member)
{
    bool in_child = w->post && w->result == 0;

    if (w->post && !(flags & CLONE_VM) && in_child != by_child)
        return;
    w->maybe = by_child && !in_child; /* the other thread may not have got there yet */
    walk_out(w, addr, 4, member);
    w->maybe = false;
}

void
walk_clone_tid(struct syscall_walk *w, unsigned k)
{
    uint64_t flags = w->call->arg[0];

    if (k == 2)
        tid_out(w, flags, w->call->arg[2], false, NULL);
    else if (flags & CLONE_CHILD_SETTID)
        tid_out(w, flags, w->call->arg[3], true, NULL);
}

/* clang-format off */
static const struct syscall_layout clone_args_fields = LAYOUT_IF(struct clone_args, flags,
    FIELD(struct clone_args, flags),
    FIELD_IF(struct clone_args, pidfd, CLONE_PIDFD, 0),
    FIELD_IF(struct clone_args, child_tid, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0),
    FIELD_IF(struct clone_args, parent_tid, CLONE_PARENT_SETTID, 0),
    FIELD(struct clone_args, exit_signal),
    FIELD(struct clone_args, stack),
    FIELD(struct clone_args, stack_size),
    FIELD_IF(struct clone_args, tls, CLONE_SETTLS, 0),
    FIELD(struct clone_args, set_tid),
    FIELD(struct clone_args, set_tid_size));

/* clang-format on */

void
walk_clone3(struct syscall_walk *w, unsigned k)
{
    struct clone_args c = {0};
    uint64_t at = w->call->arg[k], size = walk_count(w, k + 1),
             into_cgroup = offsetof(struct clone_args, cgroup);

    if (size < CLONE_ARGS_SIZE_VER0 || size > 4096)
        return; /* refused, unread */
    walk_layout_in(w, at, &clone_args_fields, size < into_cgroup ? size : into_cgroup);
    if (!walk_fetch(w, &c, at, size < sizeof c ? size : sizeof c))
        return;
    if (size > into_cgroup) {
        uint64_t rest = size - into_cgroup;

        (c.flags & CLONE_INTO_CGROUP ? walk_in : walk_copy)(w, at + into_cgroup, rest < 8 ? rest : 8,
                                                            "cgroup");
        if (rest > 8)
            walk_in(w, at + into_cgroup + 8, rest - 8, NULL);
    }
    if (c.flags & CLONE_PIDFD)
        tid_out(w, c.flags, c.pidfd, false, "pidfd");
    if (c.flags & CLONE_PARENT_SETTID)
        tid_out(w, c.flags, c.parent_tid, false, "parent_tid");
    if (c.flags & CLONE_CHILD_SETTID)
        tid_out(w, c.flags, c.child_tid, true, "child_tid");
    if (c.set_tid && c.set_tid_size <= 32)
        walk_in(w, c.set_tid, c.set_tid_size * 4, "set_tid");
}

/* Only these members are stored, whatever comes of the call. */
static const struct syscall_field waitid_field[] = {
    {"si_signo", 0, 4, 0, 0}, {"si_errno", 4, 4, 0, 0}, {"si_code", 8, 4, 0, 0},
    {"si_pid", 16, 4, 0, 0},  {"si_uid", 20, 4, 0, 0},  {"si_status", 24, 4, 0, 0},
};
static const struct syscall_layout waitid_fields = {
    .size = ABI_SIGINFO_SIZE, .nfields = sizeof waitid_field / sizeof waitid_field[0], .field = waitid_field};

void
walk_waitid_info(struct syscall_walk *w, unsigned k)
{
    w->maybe = w->post && w->result < 0; /* an early error leaves it alone, a late one does not */
    walk_layout_out(w, w->call->arg[k], &waitid_fields);
}

/* Stored only if a child was found; infop tells (its si_signo is then SIGCHLD). */
void
walk_waitid_rusage(struct syscall_walk *w, unsigned k)
{
    uint64_t info = w->call->arg[2];

    if (w->post && info && walk_fetch32(w, info) == 0)
        return;
    w->maybe = !info;
    walk_out(w, w->call->arg[k], sizeof(struct rusage), NULL);
}

static unsigned
cap_words(struct syscall_walk *w)
{
    switch (walk_fetch32(w, w->call->arg[0])) {
    case _LINUX_CAPABILITY_VERSION_1: return _LINUX_CAPABILITY_U32S_1;
    case _LINUX_CAPABILITY_VERSION_2: return _LINUX_CAPABILITY_U32S_2;
    case _LINUX_CAPABILITY_VERSION_3: return _LINUX_CAPABILITY_U32S_3;
    default: return 0;
    }
}

/* A header with an unknown version is answered with the kernel's. */
void
walk_cap_header(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t known = cap_words(w);

    walk_in(w, at, 4, "version");
    if (known)
        walk_in(w, at + 4, 4, "pid");
    walk_remember(w, &known);
    if (!known)
        walk_out(w, at, 4, "version");
}

void
walk_cap_data(struct syscall_walk *w, unsigned k)
{
    uint64_t n = cap_words(w) * sizeof(struct __user_cap_data_struct);

    if (w->view->arg[k]->access & ACCESS_OUT)
        walk_out(w, w->call->arg[k], n, NULL);
    else
        walk_in(w, w->call->arg[k], n, NULL);
}

/* struct sched_attr says its own size; 0 means the first version. */
enum {
    SCHED_ATTR_VER0 = 48,
    SCHED_ATTR_MAX = 4096,
    SCHED_CLAMP_MIN = 0x20,
    SCHED_CLAMP_MAX = 0x40,
    SCHED_KEEP_POLICY = 0x8,
    SCHED_KEEP_PARAMS = 0x10,
};

static const struct syscall_field sched_attr_field[] = {
    {"size", 0, 4, 0, 0},
    {"sched_policy", 4, 4, 0, SCHED_KEEP_POLICY},
    {"sched_flags", 8, 8, 0, 0},
    {"sched_nice", 16, 4, 0, SCHED_KEEP_PARAMS},
    {"sched_priority", 20, 4, 0, SCHED_KEEP_PARAMS},
    {"sched_runtime", 24, 24, 0, SCHED_KEEP_PARAMS},
    {"sched_util_min", 48, 4, SCHED_CLAMP_MIN, 0},
    {"sched_util_max", 52, 4, SCHED_CLAMP_MAX, 0},
};
static const struct syscall_layout sched_attr_fields = {.size = 56,
                                                        .flags_at = 8,
                                                        .nfields = sizeof sched_attr_field /
                                                                   sizeof sched_attr_field[0],
                                                        .field = sched_attr_field};

void
walk_sched_setattr(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t size = walk_fetch32(w, at);

    if (w->post ? w->result == -E2BIG : size && (size < SCHED_ATTR_VER0 || size > SCHED_ATTR_MAX)) {
        walk_in(w, at, 4, "size");
        w->maybe = true;
        walk_out(w, at, 4, "size"); /* what the kernel would have liked */
        return;
    }
    walk_layout_in(w, at, &sched_attr_fields, size ? size : SCHED_ATTR_VER0);
}

/* seccomp */
void
walk_sock_fprog(struct syscall_walk *w, uint64_t addr)
{
    struct {
        uint16_t len;
        uint16_t pad[3];
        uint64_t filter;
    } p;

    walk_in(w, addr, 2, "len");
    walk_copy(w, addr + 2, 6, NULL);
    walk_in(w, addr + 8, 8, "filter");
    if (walk_fetch(w, &p, addr, sizeof p))
        walk_in(w, p.filter, p.len * sizeof(struct sock_filter), "filter[0]");
}

static void
walk_fprog_arg(struct syscall_walk *w, unsigned k)
{
    walk_sock_fprog(w, w->call->arg[k]);
}

/* clang-format off */
static const struct syscall_variant seccomp_rows[] = {
    VARIANT(SECCOMP_SET_MODE_STRICT,  CREDS, FLAGS("flags"), LONG("args")),
    VARIANT(SECCOMP_SET_MODE_FILTER,  CREDS | NEWFD, FLAGS("flags"), IN_WALK("args", walk_fprog_arg)),
    VARIANT(SECCOMP_GET_ACTION_AVAIL, 0, FLAGS("flags"), IN("args", 4)),
    VARIANT(SECCOMP_GET_NOTIF_SIZES,  0, FLAGS("flags"), OUT("args", sizeof(struct seccomp_notif_sizes))),
};
const struct syscall_variants seccomp_commands = VARIANTS(key0, 1, seccomp_rows);

static const struct syscall_variant kcmp_rows[] = {
    VARIANT(KCMP_FILE,      0, COMMAND("type"), LONG("idx1"), LONG("idx2")),
    VARIANT(KCMP_VM,        0, COMMAND("type")),
    VARIANT(KCMP_FILES,     0, COMMAND("type")),
    VARIANT(KCMP_FS,        0, COMMAND("type")),
    VARIANT(KCMP_SIGHAND,   0, COMMAND("type")),
    VARIANT(KCMP_IO,        0, COMMAND("type")),
    VARIANT(KCMP_SYSVSEM,   0, COMMAND("type")),
    VARIANT(KCMP_EPOLL_TFD, 0, COMMAND("type"), LONG("idx1"), IN("idx2", sizeof(struct kcmp_epoll_slot))),
};
const struct syscall_variants kcmp_commands = VARIANTS(key2, 2, kcmp_rows);

/* user_desc: three words and one byte of bit fields. */
static const struct syscall_field user_desc_field[] = {{"entry_number", 0, 13, 0, 0}};
static const struct syscall_layout user_desc_fields = {.size = sizeof(struct user_desc), .nfields = 1, .field = user_desc_field};

static const struct syscall_variant modify_ldt_rows[] = {
    VARIANT_NR(0, READ_LDT,     SYSCALL_INT_RESULT, OUT_RESULT("ptr", 2, 1), LONG("bytecount")),
    VARIANT_NR(1, WRITE_OLD,    SYSCALL_INT_RESULT, IN_FIELDS("ptr", user_desc_fields), LONG("bytecount")),
    VARIANT_NR(2, READ_DEFAULT, SYSCALL_INT_RESULT, OUT_RESULT("ptr", 2, 1), LONG("bytecount")),
    VARIANT_NR(0x11, WRITE_LDT,    SYSCALL_INT_RESULT, IN_FIELDS("ptr", user_desc_fields), LONG("bytecount")),
};
const struct syscall_variants modify_ldt_commands = VARIANTS(key0, 1, modify_ldt_rows);

static const struct syscall_variant syslog_rows[] = {
    VARIANT_NR(0, SYSLOG_ACTION_CLOSE,         0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(1, SYSLOG_ACTION_OPEN,          0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(2, SYSLOG_ACTION_READ,          BLOCKS | RESTARTS, OUT_RESULT("buf", 2, 1), INT("len")),
    VARIANT_NR(3, SYSLOG_ACTION_READ_ALL,      0, OUT_RESULT("buf", 2, 1), INT("len")),
    VARIANT_NR(4, SYSLOG_ACTION_READ_CLEAR,    0, OUT_RESULT("buf", 2, 1), INT("len")),
    VARIANT_NR(5, SYSLOG_ACTION_CLEAR,         0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(6, SYSLOG_ACTION_CONSOLE_OFF,   0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(7, SYSLOG_ACTION_CONSOLE_ON,    0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(8, SYSLOG_ACTION_CONSOLE_LEVEL, 0, UNUSED("buf"), INT("len")),
    VARIANT_NR(9, SYSLOG_ACTION_SIZE_UNREAD,   0, UNUSED("buf"), UNUSED("len")),
    VARIANT_NR(10, SYSLOG_ACTION_SIZE_BUFFER,   0, UNUSED("buf"), UNUSED("len")),
};
const struct syscall_variants syslog_commands = VARIANTS(key0, 1, syslog_rows);

static const struct syscall_variant reboot_rows[] = {
    VARIANT(LINUX_REBOOT_CMD_RESTART,    0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_HALT,       0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_CAD_ON,     0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_CAD_OFF,    0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_POWER_OFF,  0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_RESTART2,   0, COMMAND("cmd"), STR("arg", RESTART_STRING)),
    VARIANT(LINUX_REBOOT_CMD_SW_SUSPEND, 0, COMMAND("cmd"), UNUSED("arg")),
    VARIANT(LINUX_REBOOT_CMD_KEXEC,      0, COMMAND("cmd"), UNUSED("arg")),
};
const struct syscall_variants reboot_commands = VARIANTS(key2, 2, reboot_rows);
/* clang-format on */
