/* Calls without memory, and memory that they only name: which register bits count. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

CASE(alarm)         { return CALL(alarm, 0); }
CASE(close)         { return CALL(close, dup(0)); }
CASE(close_range)   { int fd = dup2(0, 100); return CALL(close_range, fd, fd, 0); }
CASE(dup)           { return CALL(dup, 0); }
CASE(dup2)          { return CALL(dup2, 0, 100); }
CASE(dup3)          { return CALL(dup3, 0, 100, O_CLOEXEC); }
CASE(epoll_create)  { return CALL(epoll_create, 1); }
CASE(epoll_create1) { return CALL(epoll_create1, 0); }
CASE(eventfd)       { return CALL(eventfd, 7); }
CASE(eventfd2)      { return CALL(eventfd2, 7, 0); }
CASE(timerfd_create) { return CALL(timerfd_create, 1, 0); }
CASE(inotify_init1) { return CALL(inotify_init1, 0); }
CASE(inotify_rm_watch) { int fd = inotify_init(); return CALL(inotify_rm_watch, fd, inotify_add_watch(fd, ".", 2)); }
CASE(memfd_secret)  { return CALL(memfd_secret, 0); }
CASE(pidfd_open)    { return CALL(pidfd_open, getpid(), 0); }
CASE(pidfd_getfd)   { return CALL(pidfd_getfd, syscall(__NR_pidfd_open, getpid(), 0), 0, 0); }
CASE(fadvise64)     { return CALL(fadvise64, scratch_file(""), 0, 100, 0); }
CASE(fallocate)     { return CALL(fallocate, scratch_file(""), 0, 0, 100); }
CASE(fchdir)        { return CALL(fchdir, open(".", O_RDONLY)); }
CASE(fchown)        { return CALL(fchown, scratch_file(""), getuid(), getgid()); }
CASE(flock)         { return CALL(flock, scratch_file(""), 2); }
CASE(fsync)         { return CALL(fsync, scratch_file("")); }
CASE(fdatasync)     { return CALL(fdatasync, scratch_file("")); }
CASE(readahead)     { return CALL(readahead, scratch_file("abc"), 0, 3); }
CASE(sync_file_range) { return CALL(sync_file_range, scratch_file("abc"), 0, 3, 2); }
CASE(syncfs)        { return CALL(syncfs, scratch_file("")); }
CASE(tee)           { int a[2], b[2]; must(pipe(a) == 0 && pipe(b) == 0 && write(a[1], "x", 1) == 1, "pipes"); return CALL(tee, a[0], b[1], 1, 0); }
CASE(shutdown)      { int sv[2]; must(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0, "socketpair"); return CALL(shutdown, sv[0], 2); }
CASE(listen)        { return CALL(listen, socket(AF_INET, SOCK_STREAM, 0), 1); }
CASE(getpgid)       { return CALL(getpgid, 0); }
CASE(getsid)        { return CALL(getsid, 0); }
CASE(setpgid)       { return CALL(setpgid, 0, 0); }
CASE(setsid)        { return CALL(setsid); }
CASE(setgid)        { return CALL(setgid, getgid()); }
CASE(setreuid)      { return CALL(setreuid, -1, -1); }
CASE(setregid)      { return CALL(setregid, -1, -1); }
CASE(setresuid)     { return CALL(setresuid, -1, -1, -1); }
CASE(setfsuid)      { return CALL(setfsuid, -1); }
CASE(setfsgid)      { return CALL(setfsgid, -1); }
CASE(sched_getscheduler) { return CALL(sched_getscheduler, 0); }
CASE(sched_get_priority_max) { return CALL(sched_get_priority_max, SCHED_FIFO); }
CASE(sched_get_priority_min) { return CALL(sched_get_priority_min, SCHED_FIFO); }
CASE(sched_yield)   { return CALL(sched_yield); }
CASE(tkill)         { return CALL(tkill, gettid(), 0); }
CASE(set_tid_address) { static int word; return CALL(set_tid_address, (uintptr_t)&word); }
CASE(set_robust_list) { static long head[3]; head[0] = (long)head; return CALL(set_robust_list, (uintptr_t)head, sizeof head); }
CASE(pkey_free_of_none) { expect(r, -EINVAL); return CALL(pkey_free, 9); }
CASE(munlock)       { static char page[4096] __attribute__((aligned(4096))); return CALL(munlock, (uintptr_t)page, 4096); }
CASE(mlock2)        { static char page[4096] __attribute__((aligned(4096))); return CALL(mlock2, (uintptr_t)page, 4096, 0); }
CASE(munlockall)    { return CALL(munlockall); }
CASE(brk)           { return CALL(brk, 0); }

static void
on_alarm(int sig)
{
    (void)sig;
}

CASE(pause_interrupted)
{
    signal(SIGALRM, on_alarm);
    ualarm(20000, 20000);
    expect(r, -EINTR);
    return CALL(pause);
}

CASE(shmget)
{
    long id = CALL(shmget, IPC_PRIVATE, 4096, 0600);

    shmctl((int)id, IPC_RMID, NULL);
    return id;
}

CASE(semget)
{
    long id = CALL(semget, IPC_PRIVATE, 1, 0600);

    semctl((int)id, 0, IPC_RMID);
    return id;
}

CASE(msgget)
{
    long id = CALL(msgget, IPC_PRIVATE, 0600);

    msgctl((int)id, IPC_RMID, NULL);
    return id;
}

CASE(shmat)
{
    int id = shmget(IPC_PRIVATE, 4096, 0600);
    long at;

    must(id >= 0, "shmget");
    at = CALL(shmat, id, 0, 0);
    shmctl(id, IPC_RMID, NULL);
    return at;
}

CASE(shmdt)
{
    int id = shmget(IPC_PRIVATE, 4096, 0600);
    void *at = shmat(id, NULL, 0);

    must(id >= 0 && shmctl(id, IPC_RMID, NULL) == 0, "shmget");
    return CALL(shmdt, (uintptr_t)at);
}

/* AIO on files cannot be cancelled; the key is looked at before that turns out. */
CASE(io_cancel)
{
    struct iocb c = {.aio_key = 0};
    aio_context_t ctx = 0;

    if (syscall(__NR_io_setup, 1, &ctx) != 0)
        skip(r, "no AIO here");
    expect(r, -EINVAL);
    return CALL(io_cancel, ctx, in(r, &c, sizeof c), 0);
}

CASE(io_destroy)
{
    aio_context_t ctx = 0;

    if (syscall(__NR_io_setup, 1, &ctx) != 0)
        skip(r, "no AIO here");
    return CALL(io_destroy, ctx);
}

CASE(lsm_get_self_attr)
{
    uint32_t size = 0;
    long probe = syscall(__NR_lsm_get_self_attr, 100 /* LSM_ATTR_CURRENT */, NULL, &size, 0);

    if (probe < 0 && errno != E2BIG)
        skip(r, "no security module with attributes here");
    return CALL(lsm_get_self_attr, 100, room(r, 500), in(r, &(uint32_t){500}, 4), 0);
}

CASE(sysfs_number_of_a_name)
{
    if (syscall(__NR_sysfs, 3) < 0)
        skip(r, "the kernel says ENOSYS");
    return CALL(sysfs, 1, text(r, "proc"), 0);
}

CASE(sysfs_name_of_a_number)
{
    if (syscall(__NR_sysfs, 3) < 0)
        skip(r, "the kernel says ENOSYS");
    partial(r);
    return CALL(sysfs, 2, 0, room(r, 60));
}
