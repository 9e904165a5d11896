/* Files: fcntl's commands, file handles, extended attributes by struct, and
 * other small structs of calls on files.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/landlock.h>
#include <linux/mqueue.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

static uint32_t
key1(const uint64_t *arg)
{
    return (uint32_t)arg[1];
}

/* clang-format off */
#define LOCK_BODY FIELD(struct flock, l_type), FIELD(struct flock, l_whence), FIELD(struct flock, l_start), FIELD(struct flock, l_len)
static const struct syscall_layout flock_fields = LAYOUT(struct flock, LOCK_BODY);
static const struct syscall_layout ofd_flock_fields = LAYOUT(struct flock, LOCK_BODY, FIELD(struct flock, l_pid));   /* must be 0 */

#define OWNER 8        /* struct f_owner_ex */
#define HINT  8        /* uint64_t          */

/* F_GETLK hands the caller's struct back with the answer in it: all of it, padding too. */
static void getlk(struct syscall_walk *w, unsigned k) {
    walk_layout_in(w, w->call->arg[k], &flock_fields, flock_fields.size);
    walk_out(w, w->call->arg[k], flock_fields.size, NULL);
}
static void ofd_getlk(struct syscall_walk *w, unsigned k) {
    walk_layout_in(w, w->call->arg[k], &ofd_flock_fields, ofd_flock_fields.size);
    walk_out(w, w->call->arg[k], ofd_flock_fields.size, NULL);
}

static const struct syscall_variant fcntl_rows[] = {
    VARIANT(F_DUPFD,           NEWFD, COMMAND("cmd"), INT("arg")),
    VARIANT(F_GETFD,           0, COMMAND("cmd")),
    VARIANT(F_SETFD,           FDS, COMMAND("cmd"), FLAGS("arg")),
    VARIANT(F_GETFL,           0, COMMAND("cmd")),
    VARIANT(F_SETFL,           0, COMMAND("cmd"), FLAGS("arg")),
    VARIANT(F_GETLK,           0, COMMAND("cmd"), INOUT_WALK("arg", getlk)),
    VARIANT(F_SETLK,           0, COMMAND("cmd"), IN_FIELDS("arg", flock_fields)),
    VARIANT(F_SETLKW,          BLOCKS | RESTARTS, COMMAND("cmd"), IN_FIELDS("arg", flock_fields)),
    VARIANT(F_SETOWN,          SIGNALS, COMMAND("cmd"), INT("arg")),
    VARIANT(F_GETOWN,          0, COMMAND("cmd")),
    VARIANT(F_SETSIG,          SIGNALS, COMMAND("cmd"), SIG("arg")),
    VARIANT(F_GETSIG,          0, COMMAND("cmd")),
    VARIANT(F_SETOWN_EX,       SIGNALS, COMMAND("cmd"), IN("arg", OWNER)),
    VARIANT(F_GETOWN_EX,       0, COMMAND("cmd"), OUT("arg", OWNER)),
    VARIANT_NR(17, F_GETOWNER_UIDS,   0, COMMAND("cmd"), OUT("arg", 8)),
    VARIANT_NR(36, F_OFD_GETLK,       0, COMMAND("cmd"), INOUT_WALK("arg", ofd_getlk)),
    VARIANT_NR(37, F_OFD_SETLK,       0, COMMAND("cmd"), IN_FIELDS("arg", ofd_flock_fields)),
    VARIANT_NR(38, F_OFD_SETLKW,      BLOCKS | RESTARTS, COMMAND("cmd"), IN_FIELDS("arg", ofd_flock_fields)),
    VARIANT(F_SETLEASE,        SIGNALS, COMMAND("cmd"), INT("arg")),
    VARIANT(F_GETLEASE,        0, COMMAND("cmd")),
    VARIANT(F_NOTIFY,          SIGNALS, COMMAND("cmd"), FLAGS("arg")),
    VARIANT_NR(1027, F_DUPFD_QUERY,     0, COMMAND("cmd"), FD("arg")),
    VARIANT_NR(1028, F_CREATED_QUERY,   0, COMMAND("cmd")),
    VARIANT_NR(1029, F_CANCELLK,        0, COMMAND("cmd"), ADDR("arg")),
    VARIANT(F_DUPFD_CLOEXEC,   NEWFD, COMMAND("cmd"), INT("arg")),
    VARIANT(F_SETPIPE_SZ,      0, COMMAND("cmd"), INT("arg")),
    VARIANT(F_GETPIPE_SZ,      0, COMMAND("cmd")),
    VARIANT(F_ADD_SEALS,       0, COMMAND("cmd"), FLAGS("arg")),
    VARIANT(F_GET_SEALS,       0, COMMAND("cmd")),
    VARIANT(F_GET_RW_HINT,     0, COMMAND("cmd"), OUT("arg", HINT)),
    VARIANT(F_SET_RW_HINT,     0, COMMAND("cmd"), IN("arg", HINT)),
    VARIANT(F_GET_FILE_RW_HINT, 0, COMMAND("cmd"), OUT("arg", HINT)),
    VARIANT(F_SET_FILE_RW_HINT, 0, COMMAND("cmd"), IN("arg", HINT)),
};
const struct syscall_variants fcntl_commands = VARIANTS(key1, 1, fcntl_rows);

static const struct syscall_variant landlock_rows[] = {
    VARIANT(LANDLOCK_RULE_PATH_BENEATH, 0, COMMAND("rule_type"), IN("rule_attr", sizeof(struct landlock_path_beneath_attr)), FLAGS("flags")),
    VARIANT_NR(2, LANDLOCK_RULE_NET_PORT,          0, COMMAND("rule_type"), IN("rule_attr", 16), FLAGS("flags")),
};
const struct syscall_variants landlock_rules = VARIANTS(key1, 1, landlock_rows);

const struct syscall_layout mq_attr_open_fields = LAYOUT(struct mq_attr, FIELD(struct mq_attr, mq_maxmsg), FIELD(struct mq_attr, mq_msgsize));
const struct syscall_layout mq_attr_set_fields = LAYOUT(struct mq_attr, FIELD(struct mq_attr, mq_flags));

/* clang-format on */

/* struct file_handle: room (then length), type, bytes. */
enum { HANDLE_HEADER = 8, HANDLE_MAX = 128, HANDLE_UNIQUE_ID = 1 /* AT_HANDLE_MNT_ID_UNIQUE */ };

void
walk_file_handle_in(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t n = walk_fetch32(w, at);

    walk_in(w, at, HANDLE_HEADER, NULL);
    if (n <= HANDLE_MAX)
        walk_in(w, at + HANDLE_HEADER, n, "f_handle");
}

/* EOVERFLOW says how much room is needed. */
void
walk_file_handle_out(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t n = walk_length(w, at);

    walk_in(w, at, 4, "handle_bytes");
    walk_copy(w, at + 4, 4, "handle_type");
    if (!walk_ok(w) && w->result != -EOVERFLOW)
        return;
    walk_out(w, at, HANDLE_HEADER, NULL);
    if (walk_ok(w) && n <= HANDLE_MAX)
        walk_out(w, at + HANDLE_HEADER, n, "f_handle");
}

void
walk_mount_id(struct syscall_walk *w, unsigned k)
{
    if (walk_ok(w) || w->result == -EOVERFLOW)
        walk_out(w, w->call->arg[k], w->call->arg[4] & HANDLE_UNIQUE_ID ? 8 : 4, NULL);
}

/* struct xattr_args names the value's buffer. */
static bool
xattr_args(struct syscall_walk *w, unsigned k, struct abi_xattr_args *x)
{
    walk_in(w, w->call->arg[k], walk_count(w, k + 1), NULL);
    return walk_fetch(w, x, w->call->arg[k], sizeof *x);
}

void
walk_xattr_set(struct syscall_walk *w, unsigned k)
{
    struct abi_xattr_args x;

    if (xattr_args(w, k, &x))
        walk_in(w, x.value, x.size, "value");
}

void
walk_xattr_get(struct syscall_walk *w, unsigned k)
{
    struct abi_xattr_args x;

    if (xattr_args(w, k, &x))
        walk_out(w, x.value, x.size < walk_limit(w) ? x.size : walk_limit(w), "value");
}

/* The room is behind the next argument. With LSM_FLAG_SINGLE the first context says which module is asked. */
void
walk_lsm_ctx(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    if (w->call->arg[3] & 1)
        walk_in(w, at, sizeof(struct abi_lsm_ctx), NULL);
    walk_out(w, at, walk_length(w, w->call->arg[k + 1]), NULL);
}
