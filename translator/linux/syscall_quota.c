/* quotactl's commands; each is shifted left by 8, with the kind of quota below.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>

#include "syscall_walk.h"

enum { DQINFO = 24, DQBLK = 72 /* struct if_dqblk, if_nextdqblk */, STATV_VERSION = 1 };

static uint32_t
quotactl_key(const uint64_t *arg)
{
    return (uint32_t)arg[0] >> SUBCMDSHIFT;
}

static uint32_t
quotactl_fd_key(const uint64_t *arg)
{
    return (uint32_t)arg[1] >> SUBCMDSHIFT;
}

static const struct syscall_field dqblk_field[] = {{"dqb", 0, 68, 0, 0}}; /* all but the tail's padding */
static const struct syscall_layout dqblk_fields = {.size = DQBLK, .nfields = 1, .field = dqblk_field};

/* The caller chooses a version of the struct. */
static void
statv(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], STATV_VERSION, "qs_version");
    walk_out(w, w->call->arg[k], sizeof(struct fs_quota_statv), NULL);
}

/* clang-format off */
static const struct syscall_variant rows[] = {
    VARIANT(Q_SYNC,          0, UNUSED("id"), UNUSED("addr")),
    VARIANT(Q_QUOTAON,       0, INT("id"), PATH("addr")),
    VARIANT(Q_QUOTAOFF,      0, UNUSED("id"), UNUSED("addr")),
    VARIANT(Q_GETFMT,        0, UNUSED("id"), OUT("addr", 4)),
    VARIANT(Q_GETINFO,       0, UNUSED("id"), OUT("addr", DQINFO)),
    VARIANT(Q_SETINFO,       0, UNUSED("id"), IN("addr", DQINFO)),
    VARIANT(Q_GETQUOTA,      0, INT("id"), OUT("addr", DQBLK)),
    VARIANT(Q_SETQUOTA,      0, INT("id"), IN_FIELDS("addr", dqblk_fields)),
    VARIANT(Q_GETNEXTQUOTA,  0, INT("id"), OUT("addr", DQBLK)),
    VARIANT(Q_XQUOTAON,      0, UNUSED("id"), IN("addr", 4)),
    VARIANT(Q_XQUOTAOFF,     0, UNUSED("id"), IN("addr", 4)),
    VARIANT(Q_XGETQUOTA,     0, INT("id"), OUT("addr", sizeof(struct fs_disk_quota))),
    VARIANT(Q_XSETQLIM,      0, INT("id"), IN("addr", sizeof(struct fs_disk_quota))),
    VARIANT(Q_XGETQSTAT,     0, UNUSED("id"), OUT("addr", sizeof(struct fs_quota_stat))),
    VARIANT(Q_XQUOTARM,      0, UNUSED("id"), IN("addr", 4)),
    VARIANT(Q_XQUOTASYNC,    0, UNUSED("id"), UNUSED("addr")),
    VARIANT(Q_XGETQSTATV,    0, UNUSED("id"), INOUT_WALK("addr", statv)),
    VARIANT(Q_XGETNEXTQUOTA, 0, INT("id"), OUT("addr", sizeof(struct fs_disk_quota))),
};
const struct syscall_variants quotactl_commands = VARIANTS(quotactl_key, 2, rows);
const struct syscall_variants quotactl_fd_commands = VARIANTS(quotactl_fd_key, 2, rows);
/* clang-format on */
