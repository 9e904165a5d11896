/* Mounts, in a mount namespace of the run's own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

#define HERE ((uint64_t)AT_FDCWD)

/* The kernel's own, where root may. */
static void
own_mounts(struct run *r)
{
    if (unshare(CLONE_NEWNS) != 0 || syscall(__NR_mount, "none", "/", NULL, 1 << 18 | 16384 /* private, recursive */, NULL) != 0)
        skip(r, "no mount namespace of one's own: not root");
    mkdir("mnt", 0700);
}

static void
mounted(struct run *r)
{
    own_mounts(r);
    must(syscall(__NR_mount, "none", "mnt", "tmpfs", 0, "size=64k") == 0, "mount");
}

CASE(mount) { own_mounts(r); return CALL(mount, text(r, "none"), text(r, "mnt"), text(r, "tmpfs"), 0, in(r, "size=64k", 9)); }
CASE(mount_without_data) { own_mounts(r); return CALL(mount, text(r, "none"), text(r, "mnt"), text(r, "tmpfs"), 0, 0); }
CASE(umount2) { mounted(r); return CALL(umount2, text(r, "mnt"), 2); }
CASE(fsopen) { own_mounts(r); return CALL(fsopen, text(r, "tmpfs"), 0); }
CASE(fspick) { mounted(r); return CALL(fspick, HERE, text(r, "mnt"), 0); }
CASE(open_tree) { mounted(r); return CALL(open_tree, HERE, text(r, "mnt"), 1); }

static int
file_system(struct run *r)
{
    int fd;

    own_mounts(r);
    fd = (int)syscall(__NR_fsopen, "tmpfs", 0);
    must(fd >= 0, "fsopen");
    return fd;
}

CASE(fsconfig_string) { int fd = file_system(r); return CALL(fsconfig, fd, 1, text(r, "size"), text(r, "64k"), 0); }
CASE(fsconfig_create) { int fd = file_system(r); return CALL(fsconfig, fd, 6, 0, 0, 0); }

CASE(move_mount)
{
    int fd = file_system(r), m;

    must(syscall(__NR_fsconfig, fd, 6, NULL, NULL, 0) == 0, "fsconfig");
    m = (int)syscall(__NR_fsmount, fd, 0, 0);
    must(m >= 0, "fsmount");
    return CALL(move_mount, m, text(r, ""), HERE, text(r, "mnt"), 4 /* MOVE_MOUNT_F_EMPTY_PATH */);
}

struct attributes { uint64_t set, clear, propagation, userns; };

CASE(mount_setattr)
{
    struct attributes a = {.set = 1};

    mounted(r);
    return CALL(mount_setattr, HERE, text(r, "mnt"), 0, in(r, &a, sizeof a), sizeof a);
}

CASE(open_tree_attr)
{
    struct attributes a = {.set = 1};

    mounted(r);
    return CALL(open_tree_attr, HERE, text(r, "mnt"), 1 /* OPEN_TREE_CLONE */, in(r, &a, sizeof a), sizeof a);
}

struct request { uint32_t size, spare; uint64_t id, param; };

static uint64_t
root_mount(void)
{
    uint64_t x[32];

    must(syscall(__NR_statx, AT_FDCWD, "/", 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, x) == 0, "statx");
    return x[18];        /* stx_mnt_id at 144 */
}

CASE(statmount)
{
    struct request q = {sizeof q, 0, root_mount(), 0x1f};

    if (syscall(__NR_statmount, NULL, NULL, 0, 0) < 0 && errno == ENOSYS)
        skip(r, "the kernel says ENOSYS");
    return CALL(statmount, in(r, &q, sizeof q), room(r, 2000), 2000, 0);
}

CASE(listmount)
{
    struct request q = {sizeof q, 0, ~(uint64_t)0 /* LSMT_ROOT */, 0};

    if (syscall(__NR_listmount, NULL, NULL, 0, 0) < 0 && errno == ENOSYS)
        skip(r, "the kernel says ENOSYS");
    return CALL(listmount, in(r, &q, sizeof q), room(r, 800), 100, 0);
}

CASE(pivot_root_refused)
{
    own_mounts(r);
    expect(r, syscall(__NR_pivot_root, ".", ".") == 0 ? 0 : -errno);
    return CALL(pivot_root, text(r, "."), text(r, "."));
}

CASE(sethostname)
{
    if (unshare(CLONE_NEWUTS) != 0)
        skip(r, "no host name of one's own: not root");
    return CALL(sethostname, in(r, "name", 4), 4);
}

CASE(setdomainname)
{
    if (unshare(CLONE_NEWUTS) != 0)
        skip(r, "no domain name of one's own: not root");
    return CALL(setdomainname, in(r, "name", 4), 4);
}
