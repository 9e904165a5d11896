/* Files and directories. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

#define HERE   ((uint64_t)AT_FDCWD)
#define HUNDRED "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

static const char *
unused_name(void)
{
    static char name[32];

    snprintf(name, sizeof name, "new%d", (int)getpid());
    return name;
}

static const char *
existing_file(void)
{
    static char name[32];
    int fd;

    snprintf(name, sizeof name, "old%d", (int)getpid());
    fd = open(name, O_CREAT | O_RDWR, 0600);
    must(fd >= 0 && write(fd, HUNDRED, 100) == 100 && close(fd) == 0, "file");
    return name;
}

static const char *
existing_link(void)
{
    static char name[32];

    snprintf(name, sizeof name, "link%d", (int)getpid());
    must(symlink("target", name) == 0, "symlink");
    return name;
}

CASE(read) { return CALL(read, scratch_file(HUNDRED), room(r, 150), 150); }
CASE(read_at_end_of_file) { return CALL(read, scratch_file(""), room(r, 50), 50); }
CASE(write) { return CALL(write, scratch_file(""), loose(r, HUNDRED, 100), 100); }
CASE(write_all_or_nothing) { const uint64_t one = 1; return CALL(write, syscall(__NR_eventfd, 0), in(r, &one, 8), 8); }
CASE(pread64) { return CALL(pread64, scratch_file(HUNDRED), room(r, 150), 150, 10); }
CASE(pwrite64) { return CALL(pwrite64, scratch_file(""), loose(r, HUNDRED, 100), 100, 10); }

static uint64_t
scattered(struct run *r)
{
    struct iovec v[3] = {{PTR(room(r, 40)), 40}, {NULL, 0}, {PTR(room(r, 100)), 100}};

    return in(r, v, sizeof v);
}

static uint64_t
gathered(struct run *r)
{
    struct iovec v[3] = {{PTR(loose(r, HUNDRED, 40)), 40}, {NULL, 0}, {PTR(loose(r, HUNDRED, 20)), 20}};

    return in(r, v, sizeof v);
}

CASE(readv) { return CALL(readv, scratch_file(HUNDRED), scattered(r), 3); }
CASE(preadv) { return CALL(preadv, scratch_file(HUNDRED), scattered(r), 3, 80); }
CASE(preadv2) { return CALL(preadv2, scratch_file(HUNDRED), scattered(r), 3, 10, 0, 0); }
CASE(writev) { return CALL(writev, scratch_file(""), gathered(r), 3); }
CASE(pwritev) { return CALL(pwritev, scratch_file(""), gathered(r), 3, 5); }
CASE(pwritev2) { return CALL(pwritev2, scratch_file(""), gathered(r), 3, 5, 0, 0); }

CASE(vmsplice_into_a_pipe)
{
    int p[2];

    must(pipe(p) == 0, "pipe");
    return CALL(vmsplice, p[1], gathered(r), 3, 0);
}

CASE(vmsplice_out_of_a_pipe)
{
    struct iovec v = {PTR(room(r, 40)), 40};
    int p[2];

    must(pipe(p) == 0 && write(p[1], HUNDRED, 30) == 30, "pipe");
    return CALL(vmsplice, p[0], in(r, &v, sizeof v), 1, 0);
}

CASE(open_existing) { return CALL(open, text(r, existing_file()), O_RDONLY, 0); }
CASE(open_creating) { return CALL(open, text(r, unused_name()), O_CREAT | O_RDWR, 0600); }
CASE(open_tmpfile) { return CALL(open, text(r, "."), O_TMPFILE | O_RDWR, 0600); }
CASE(openat) { return CALL(openat, HERE, text(r, existing_file()), O_RDONLY); }
CASE(openat_creating) { return CALL(openat, HERE, text(r, unused_name()), O_CREAT | O_RDWR, 0600); }
CASE(creat) { return CALL(creat, text(r, unused_name()), 0600); }

CASE(openat2)
{
    struct { uint64_t flags, mode, resolve; } how = {O_RDONLY, 0, 0};

    return CALL(openat2, HERE, text(r, existing_file()), in(r, &how, sizeof how), sizeof how);
}

CASE(openat2_with_a_later_struct)
{
    uint64_t how[5] = {O_RDONLY};

    return CALL(openat2, HERE, text(r, existing_file()), in(r, how, sizeof how), sizeof how);
}

CASE(stat) { return CALL(stat, text(r, "."), out(r, 144)); }
CASE(lstat) { return CALL(lstat, text(r, "."), out(r, 144)); }
CASE(fstat) { return CALL(fstat, scratch_file(""), out(r, 144)); }
CASE(newfstatat) { return CALL(newfstatat, HERE, text(r, "."), out(r, 144), 0); }
CASE(statx) { return CALL(statx, HERE, text(r, "."), 0, 0x7ff, out(r, 256)); }
CASE(statfs) { return CALL(statfs, text(r, "."), out(r, 120)); }
CASE(fstatfs) { return CALL(fstatfs, scratch_file(""), out(r, 120)); }

CASE(ustat)
{
    struct stat st;
    long result;

    must(stat(".", &st) == 0, "stat");
    expect(r, 0);
    if (major(st.st_dev) == 0)
        skip(r, "the scratch directory is on no device");
    result = CALL(ustat, st.st_dev, out(r, 32));
    return result;
}

CASE(access) { return CALL(access, text(r, "."), R_OK); }
CASE(faccessat) { return CALL(faccessat, HERE, text(r, "."), R_OK); }
CASE(faccessat2) { return CALL(faccessat2, HERE, text(r, "."), R_OK, 0); }
CASE(chdir) { return CALL(chdir, text(r, "/")); }
CASE(chroot) { return CALL(chroot, text(r, "/")); }
CASE(getcwd) { return CALL(getcwd, room(r, 200), 200); }
CASE(getcwd_without_room) { expect(r, -ERANGE); return CALL(getcwd, room(r, 3), 3); }
CASE(rename) { const char *from = existing_file(); return CALL(rename, text(r, from), text(r, unused_name())); }
CASE(renameat) { const char *from = existing_file(); return CALL(renameat, HERE, text(r, from), HERE, text(r, unused_name())); }
CASE(renameat2) { const char *from = existing_file(); return CALL(renameat2, HERE, text(r, from), HERE, text(r, unused_name()), 1); }
CASE(link) { const char *from = existing_file(); return CALL(link, text(r, from), text(r, unused_name())); }
CASE(linkat) { const char *from = existing_file(); return CALL(linkat, HERE, text(r, from), HERE, text(r, unused_name()), 0); }
CASE(symlink) { return CALL(symlink, text(r, "to"), text(r, unused_name())); }
CASE(symlinkat) { return CALL(symlinkat, text(r, "to"), HERE, text(r, unused_name())); }
CASE(readlink) { return CALL(readlink, text(r, existing_link()), room(r, 50), 50); }
CASE(readlink_cut_short) { return CALL(readlink, text(r, existing_link()), out(r, 3), 3); }
CASE(readlinkat) { return CALL(readlinkat, HERE, text(r, existing_link()), room(r, 50), 50); }
CASE(unlink) { return CALL(unlink, text(r, existing_file())); }
CASE(unlinkat) { return CALL(unlinkat, HERE, text(r, existing_file()), 0); }
CASE(mkdir) { return CALL(mkdir, text(r, unused_name()), 0700); }
CASE(mkdirat) { return CALL(mkdirat, HERE, text(r, unused_name()), 0700); }
CASE(rmdir) { must(mkdir(unused_name(), 0700) == 0, "mkdir"); return CALL(rmdir, text(r, unused_name())); }
CASE(mknod_of_a_fifo) { return CALL(mknod, text(r, unused_name()), S_IFIFO | 0600, 0); }
CASE(mknodat_of_a_file) { return CALL(mknodat, HERE, text(r, unused_name()), S_IFREG | 0600, 0); }
CASE(chmod) { return CALL(chmod, text(r, existing_file()), 0600); }
CASE(fchmod) { return CALL(fchmod, scratch_file(""), 0600); }
CASE(fchmodat) { return CALL(fchmodat, HERE, text(r, existing_file()), 0600); }
CASE(fchmodat2) { return CALL(fchmodat2, HERE, text(r, existing_file()), 0600, 0); }
CASE(chown) { return CALL(chown, text(r, existing_file()), getuid(), getgid()); }
CASE(lchown) { return CALL(lchown, text(r, existing_file()), getuid(), getgid()); }
CASE(fchownat) { return CALL(fchownat, HERE, text(r, existing_file()), getuid(), getgid(), 0); }
CASE(truncate) { return CALL(truncate, text(r, existing_file()), 10); }
CASE(ftruncate) { return CALL(ftruncate, scratch_file(""), 10); }
CASE(umask) { return CALL(umask, 022); }
CASE(memfd_create) { return CALL(memfd_create, text(r, "name"), 0); }
CASE(lseek) { return CALL(lseek, scratch_file(""), 1, SEEK_SET); }

static const long long ago[4] = {1000000000, 0, 1000000001, 0};

CASE(utime) { return CALL(utime, text(r, existing_file()), in(r, ago, 16)); }
CASE(utimes) { return CALL(utimes, text(r, existing_file()), in(r, ago, 32)); }
CASE(futimesat) { return CALL(futimesat, HERE, text(r, existing_file()), in(r, ago, 32)); }
CASE(utimensat) { return CALL(utimensat, HERE, text(r, existing_file()), in(r, ago, 32), 0); }
CASE(utimensat_to_now) { return CALL(utimensat, HERE, text(r, existing_file()), 0, 0); }

/* The gaps between names are not written: records are claimed whole. */
CASE(getdents) { holes(r); return CALL(getdents, open(".", O_RDONLY), room(r, 2000), 2000); }
CASE(getdents64) { holes(r); return CALL(getdents64, open("/proc/self", O_RDONLY), room(r, 2000), 2000); }

CASE(pipe) { return CALL(pipe, out(r, 8)); }
CASE(pipe2) { return CALL(pipe2, out(r, 8), O_CLOEXEC); }

CASE(sendfile)
{
    uint64_t offset = 3;

    return CALL(sendfile, scratch_file(""), scratch_file(HUNDRED), in(r, &offset, sizeof offset), 20);
}

CASE(sendfile_into_nothing)
{
    uint64_t offset = 3;

    expect(r, -EBADF);
    return CALL(sendfile, -1, scratch_file(HUNDRED), in(r, &offset, sizeof offset), 20);
}

CASE(splice_out_of_a_pipe)
{
    uint64_t offset = 3;
    int p[2];

    must(pipe(p) == 0 && write(p[1], "0123456789", 10) == 10, "pipe");
    return CALL(splice, p[0], 0, scratch_file(HUNDRED), in(r, &offset, sizeof offset), 10, 0);
}

CASE(splice)
{
    uint64_t offset = 3;
    int p[2], fd = scratch_file(HUNDRED);

    must(pipe(p) == 0, "pipe");
    return CALL(splice, fd, in(r, &offset, sizeof offset), p[1], 0, 20, 0);
}

CASE(copy_file_range)
{
    uint64_t from = 3, to = 7;

    return CALL(copy_file_range, scratch_file(HUNDRED), in(r, &from, sizeof from), scratch_file(""), in(r, &to, sizeof to), 20, 0);
}

CASE(copy_file_range_of_nothing)
{
    uint64_t from = 300;

    return CALL(copy_file_range, scratch_file(HUNDRED), in(r, &from, sizeof from), scratch_file(""), 0, 20, 0);
}

/* Extended attributes of the user's own; not every file system has them. */
static const char *
file_with_attribute(struct run *r)
{
    const char *name = existing_file();

    if (syscall(__NR_setxattr, name, "user.color", "green", 5, 0) != 0)
        skip(r, "no extended attributes in the scratch directory");
    return name;
}

CASE(setxattr) { return CALL(setxattr, text(r, file_with_attribute(r)), text(r, "user.x"), in(r, "abcd", 4), 4, 0); }
CASE(lsetxattr) { return CALL(lsetxattr, text(r, file_with_attribute(r)), text(r, "user.x"), in(r, "abcd", 4), 4, 0); }
CASE(fsetxattr) { return CALL(fsetxattr, open(file_with_attribute(r), O_RDWR), text(r, "user.x"), in(r, "abcd", 4), 4, 0); }
CASE(getxattr) { return CALL(getxattr, text(r, file_with_attribute(r)), text(r, "user.color"), room(r, 30), 30); }
CASE(getxattr_asking_for_size) { return CALL(getxattr, text(r, file_with_attribute(r)), text(r, "user.color"), room(r, 30), 0); }
CASE(lgetxattr) { return CALL(lgetxattr, text(r, file_with_attribute(r)), text(r, "user.color"), room(r, 30), 30); }
CASE(fgetxattr) { return CALL(fgetxattr, open(file_with_attribute(r), O_RDONLY), text(r, "user.color"), room(r, 30), 30); }
CASE(listxattr) { return CALL(listxattr, text(r, file_with_attribute(r)), room(r, 100), 100); }
CASE(llistxattr) { return CALL(llistxattr, text(r, file_with_attribute(r)), room(r, 100), 100); }
CASE(flistxattr) { return CALL(flistxattr, open(file_with_attribute(r), O_RDONLY), room(r, 100), 100); }
CASE(removexattr) { return CALL(removexattr, text(r, file_with_attribute(r)), text(r, "user.color")); }
CASE(lremovexattr) { return CALL(lremovexattr, text(r, file_with_attribute(r)), text(r, "user.color")); }
CASE(fremovexattr) { return CALL(fremovexattr, open(file_with_attribute(r), O_RDWR), text(r, "user.color")); }

CASE(setxattrat)
{
    struct abi_xattr_args x = {in(r, "abcd", 4), 4, 0};

    return CALL(setxattrat, HERE, text(r, file_with_attribute(r)), 0, text(r, "user.x"), in(r, &x, sizeof x), sizeof x);
}

CASE(getxattrat)
{
    struct abi_xattr_args x = {room(r, 30), 30, 0};

    return CALL(getxattrat, HERE, text(r, file_with_attribute(r)), 0, text(r, "user.color"), in(r, &x, sizeof x), sizeof x);
}

CASE(listxattrat) { return CALL(listxattrat, HERE, text(r, file_with_attribute(r)), 0, room(r, 100), 100); }
CASE(removexattrat) { return CALL(removexattrat, HERE, text(r, file_with_attribute(r)), 0, text(r, "user.color")); }

static const char *
file_with_attributes(struct run *r)
{
    const char *name = existing_file();
    struct abi_file_attr a;

    if (syscall(__NR_file_getattr, AT_FDCWD, name, &a, sizeof a, 0) != 0)
        skip(r, errno == ENOSYS ? "the kernel says ENOSYS" : "no such attributes in the scratch directory");
    return name;
}

CASE(file_getattr) { return CALL(file_getattr, HERE, text(r, file_with_attributes(r)), out(r, 24), 24, 0); }
CASE(file_getattr_with_a_later_struct) { return CALL(file_getattr, HERE, text(r, file_with_attributes(r)), out(r, 40), 40, 0); }

CASE(file_setattr)
{
    const char *name = file_with_attributes(r);
    struct abi_file_attr a;

    must(syscall(__NR_file_getattr, AT_FDCWD, name, &a, sizeof a, 0) == 0, "file_getattr");
    a.nextents = 0;
    if (syscall(__NR_file_setattr, AT_FDCWD, name, &a, sizeof a, 0) != 0)
        skip(r, "such attributes cannot be set in the scratch directory");
    return CALL(file_setattr, HERE, text(r, name), in(r, &a, sizeof a), sizeof a, 0);
}

struct handle { uint32_t bytes; int32_t type; uint8_t f[120]; };

static bool
has_handles(const char *name, struct handle *h)
{
    int id;

    *h = (struct handle){.bytes = sizeof h->f};
    return syscall(__NR_name_to_handle_at, AT_FDCWD, name, h, &id, 0) == 0;
}

CASE(name_to_handle_at)
{
    struct handle h;
    uint32_t bytes;

    if (!has_handles("/proc", &h) && !has_handles(".", &h))
        skip(r, "no file handles in the scratch directory");
    bytes = has_handles(".", &h) ? h.bytes : 0;
    if (!bytes)
        skip(r, "no file handles in the scratch directory");
    h = (struct handle){.bytes = bytes};
    return CALL(name_to_handle_at, HERE, text(r, "."), in(r, &h, 8 + bytes), out(r, 4), 0);
}

CASE(name_to_handle_at_without_room)
{
    struct handle h;

    if (!has_handles(".", &h))
        skip(r, "no file handles in the scratch directory");
    h = (struct handle){.bytes = 0};
    expect(r, -EOVERFLOW);
    return CALL(name_to_handle_at, HERE, text(r, "."), in(r, &h, 8), out(r, 4), 0);
}

CASE(open_by_handle_at)
{
    struct handle h;

    if (!has_handles(".", &h))
        skip(r, "no file handles in the scratch directory");
    return CALL(open_by_handle_at, HERE, in(r, &h, 8 + h.bytes), O_RDONLY);
}

CASE(cachestat)
{
    struct abi_cachestat_range range = {0, 4096};

    return CALL(cachestat, scratch_file(HUNDRED), in(r, &range, sizeof range), out(r, sizeof(struct abi_cachestat)), 0);
}

CASE(inotify_add_watch)
{
    int fd = (int)syscall(__NR_inotify_init1, 0);

    return CALL(inotify_add_watch, fd, text(r, "."), 2);
}

CASE(fanotify_mark)
{
    int fd = (int)syscall(__NR_fanotify_init, 0x200 /* FAN_REPORT_FID */, 0);

    if (fd < 0)
        skip(r, "no fanotify here");
    return CALL(fanotify_mark, fd, 1, 0x100, HERE, text(r, "."));
}

CASE(fanotify_mark_flush)
{
    int fd = (int)syscall(__NR_fanotify_init, 0x200, 0);

    if (fd < 0)
        skip(r, "no fanotify here");
    return CALL(fanotify_mark, fd, 0x80, 0, HERE, text(r, "."));
}

CASE(acct_off) { return CALL(acct, 0); }
CASE(swapoff_of_a_file) { expect(r, geteuid() ? -EPERM : -EINVAL); return CALL(swapoff, geteuid() ? room(r, 1) : text(r, existing_file())); }
