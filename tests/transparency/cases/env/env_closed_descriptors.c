//! build: gcc -O1 -w -no-pie -fno-pie -I$INC $SRC -o $OUT
#include "tl.h"
#include <linux/aio_abi.h>
#include <sys/select.h>

/* whatever number is not open is not open to any call that takes a descriptor: the answer is that for INT_MAX */
#define F ((long)-77777)             /* the descriptor */
static char buf[4096] __attribute__((aligned(64)));
static const char empty[] = "", name[] = "user.x", rel[] = "nothing/there";
static struct iovec iov = {buf, 8};
static uint64_t zero2[2], mask, off;
static struct itimerspec its;
static struct epoll_event ev = {EPOLLIN};
static int len = 16, one, good;

static struct call { int nr; long a[6]; } calls[] = {
    {SYS_read, {F, (long)buf, 8}}, {SYS_write, {F, (long)buf, 8}}, {SYS_close, {F}}, {SYS_fstat, {F, (long)buf}}, {SYS_lseek, {F, 0, 1}},
    {SYS_mmap, {0, 4096, 1, MAP_PRIVATE, F, 0}}, {SYS_ioctl, {F, 0x5401, (long)buf}}, {SYS_ioctl, {F, 0x5421, (long)&one}}, {SYS_pread64, {F, (long)buf, 8, 0}},
    {SYS_pwrite64, {F, (long)buf, 8, 0}}, {SYS_readv, {F, (long)&iov, 1}}, {SYS_writev, {F, (long)&iov, 1}}, {SYS_dup, {F}}, {SYS_dup2, {F, 599}},
    {SYS_dup3, {F, 599, 0}}, {SYS_sendfile, {F, 0, 0, 1}}, {SYS_sendfile, {1, F, 0, 1}}, {SYS_connect, {F, (long)buf, 16}},
    {SYS_accept, {F, 0, 0}}, {SYS_accept4, {F, 0, 0, 0}}, {SYS_sendto, {F, (long)buf, 1, 0, 0, 0}}, {SYS_recvfrom, {F, (long)buf, 1, 0, 0, 0}},
    {SYS_sendmsg, {F, (long)buf, 0}}, {SYS_recvmsg, {F, (long)buf, 0}}, {SYS_sendmmsg, {F, (long)buf, 1, 0}}, {SYS_recvmmsg, {F, (long)buf, 1, 0, 0}},
    {SYS_shutdown, {F, 0}}, {SYS_bind, {F, (long)buf, 16}}, {SYS_listen, {F, 1}}, {SYS_getsockname, {F, (long)buf, (long)&len}},
    {SYS_getpeername, {F, (long)buf, (long)&len}}, {SYS_setsockopt, {F, 1, 2, (long)&one, 4}}, {SYS_getsockopt, {F, 1, 3, (long)buf, (long)&len}},
    {SYS_fcntl, {F, F_GETFD}}, {SYS_fcntl, {F, F_GETFL}}, {SYS_fcntl, {F, F_DUPFD, 0}}, {SYS_fcntl, {F, F_SETFD, 0}}, {SYS_fcntl, {0, 1027, F}},
    {SYS_flock, {F, 4}}, {SYS_fsync, {F}}, {SYS_fdatasync, {F}}, {SYS_ftruncate, {F, 0}}, {SYS_getdents, {F, (long)buf, 64}}, {SYS_getdents64, {F, (long)buf, 64}},
    {SYS_fchdir, {F}}, {SYS_fchmod, {F, 0755}}, {SYS_fchown, {F, -1, -1}}, {SYS_fstatfs, {F, (long)buf}}, {SYS_readahead, {F, 0, 0}},
    {SYS_fsetxattr, {F, (long)name, (long)buf, 1, 4}}, {SYS_fgetxattr, {F, (long)name, (long)buf, 1}}, {SYS_flistxattr, {F, (long)buf, 1}},
    {SYS_fremovexattr, {F, (long)name}}, {SYS_fadvise64, {F, 0, 0, 0}}, {SYS_epoll_wait, {F, (long)buf, 1, 0}}, {SYS_epoll_pwait, {F, (long)buf, 1, 0, 0, 8}},
    {SYS_epoll_pwait2, {F, (long)buf, 1, (long)zero2, 0, 8}}, {SYS_mq_timedsend, {F, (long)buf, 1, 0, 0}}, {SYS_mq_timedreceive, {F, (long)buf, 1, 0, 0}},
    {SYS_mq_notify, {F, 0}}, {SYS_mq_getsetattr, {F, 0, (long)buf}}, {SYS_inotify_add_watch, {F, (long)"/", 2}}, {SYS_inotify_rm_watch, {F, 1}},
    {SYS_openat, {F, (long)rel, 0, 0}}, {SYS_openat, {F, (long)"/dev/null/x", 0, 0}}, {SYS_mkdirat, {F, (long)rel, 0}}, {SYS_mknodat, {F, (long)rel, 0, 0}},
    {SYS_fchownat, {F, (long)rel, -1, -1, 0}}, {SYS_fchownat, {F, (long)empty, -1, -1, 0x1000}}, {SYS_futimesat, {F, (long)rel, 0}},
    {SYS_newfstatat, {F, (long)rel, (long)buf, 0}}, {SYS_newfstatat, {F, (long)empty, (long)buf, 0x1000}}, {SYS_newfstatat, {F, (long)empty, (long)buf, 0}},
    {SYS_unlinkat, {F, (long)rel, 0}}, {SYS_renameat, {F, (long)rel, F, (long)rel}}, {SYS_renameat2, {-100, (long)rel, F, (long)rel, 0}},
    {SYS_linkat, {F, (long)rel, F, (long)rel, 0}}, {SYS_symlinkat, {(long)rel, F, (long)rel}}, {SYS_readlinkat, {F, (long)rel, (long)buf, 8}},
    {SYS_readlinkat, {F, (long)empty, (long)buf, 8}}, {SYS_fchmodat, {F, (long)rel, 0755}}, {SYS_faccessat, {F, (long)rel, 0}},
    {SYS_faccessat2, {F, (long)rel, 0, 0}}, {SYS_faccessat2, {F, (long)empty, 0, 0x1000}}, {SYS_splice, {F, 0, 1, 0, 1, 0}}, {SYS_splice, {0, 0, F, 0, 1, 0}},
    {SYS_tee, {F, 1, 1, 0}}, {SYS_tee, {0, F, 1, 0}}, {SYS_sync_file_range, {F, 0, 1, 2}}, {SYS_vmsplice, {F, (long)&iov, 1, 0}},
    {SYS_utimensat, {F, (long)rel, 0, 0}}, {SYS_utimensat, {F, 0, 0, 0}}, {SYS_signalfd, {F, (long)&mask, 8}}, {SYS_signalfd4, {F, (long)&mask, 8, 0}},
    {SYS_fallocate, {F, 0, 0, 1}}, {SYS_timerfd_settime, {F, 0, (long)&its, 0}}, {SYS_timerfd_gettime, {F, (long)buf}},
    {SYS_preadv, {F, (long)&iov, 1, 0, 0}}, {SYS_pwritev, {F, (long)&iov, 1, 0, 0}}, {SYS_preadv2, {F, (long)&iov, 1, 0, 0, 0}},
    {SYS_pwritev2, {F, (long)&iov, 1, 0, 0, 0}}, {SYS_fanotify_mark, {F, 1, 2, -100, (long)"/"}}, {SYS_name_to_handle_at, {F, (long)rel, (long)buf, (long)&one, 0}},
    {SYS_name_to_handle_at, {F, (long)empty, (long)buf, (long)&one, 0x1000}}, {SYS_open_by_handle_at, {F, (long)buf, 0}}, {SYS_syncfs, {F}}, {SYS_setns, {F, 0}},
    {SYS_finit_module, {F, (long)empty, 0}}, {SYS_execveat, {F, (long)rel, (long)zero2, (long)zero2, 0}},
    {SYS_execveat, {F, (long)empty, (long)zero2, (long)zero2, 0x1000}}, {SYS_copy_file_range, {F, 0, 1, 0, 1, 0}}, {SYS_copy_file_range, {0, 0, F, 0, 1, 0}},
    {SYS_statx, {F, (long)rel, 0, 0, (long)buf}}, {SYS_statx, {F, (long)empty, 0x1000, 0, (long)buf}}, {424 /* pidfd_send_signal */, {F, 0, 0, 0}},
    {426 /* io_uring_enter */, {F, 0, 0, 0, 0, 0}}, {427 /* io_uring_register */, {F, 1, 0, 0}}, {428 /* open_tree */, {F, (long)rel, 0}},
    {429 /* move_mount */, {F, (long)rel, F, (long)rel, 0}}, {431 /* fsconfig */, {F, 6, 0, 0, 0}}, {432 /* fsmount */, {F, 0, 0}}, {433 /* fspick */, {F, (long)rel, 0}},
    {437 /* openat2 */, {F, (long)rel, (long)buf, 24}}, {438 /* pidfd_getfd */, {F, 0, 0}}, {440 /* process_madvise */, {F, (long)&iov, 1, 20, 0}},
    {442 /* mount_setattr */, {F, (long)rel, 0, (long)buf, 32}}, {443 /* quotactl_fd */, {F, 0, 0, 0}}, {445 /* landlock_add_rule */, {F, 1, (long)buf, 0}},
    {446 /* landlock_restrict_self */, {F, 0}}, {448 /* process_mrelease */, {F, 0}}, {451 /* cachestat */, {F, (long)zero2, (long)buf, 0}},
    {452 /* fchmodat2 */, {F, (long)rel, 0755, 0}}, {463 /* setxattrat */, {F, (long)rel, 0, (long)name, (long)buf, 16}},
    {464 /* getxattrat */, {F, (long)rel, 0, (long)name, (long)buf, 16}}, {465 /* listxattrat */, {F, (long)rel, 0, (long)buf, 16}},
    {466 /* removexattrat */, {F, (long)rel, 0, (long)name}}, {467 /* open_tree_attr */, {F, (long)rel, 0, 0, 0}}, {468 /* file_getattr */, {F, (long)rel, (long)buf, 24, 0}},
    {469 /* file_setattr */, {F, (long)rel, (long)buf, 24, 0}},
};
static int epfd, sv[2];

static long
make(const struct call *c, int fd, int *error)
{
    long a[6];

    for (int i = 0; i < 6; i++)
        a[i] = c->a[i] == F ? fd : c->a[i];
    memset(buf, 0, sizeof buf);
    errno = 0;
    long r = syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    *error = errno;
    if (r >= 0 && (c->nr == SYS_dup || (c->nr == SYS_fcntl && a[1] == F_DUPFD)))
        close(r);
    return r;
}

/* descriptors in memory */
static int
in_memory(int which, int fd)
{
    struct pollfd p[3] = {{good, POLLIN}, {fd, POLLIN, 0x55}, {fd, POLLOUT}};
    struct timespec now = {0, 0};
    static uint8_t set[1 << 13];
    int r = 0;

    errno = 0;
    switch (which) {
    case 0: return poll(p, 3, 0) * 100000 + p[0].revents * 10000 + p[1].revents * 100 + p[2].revents;
    case 1: return ppoll(p, 3, &now, 0) * 100000 + p[0].revents * 10000 + p[1].revents * 100 + p[2].revents;
    case 2:
        if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) == 0)
            epoll_ctl(epfd, EPOLL_CTL_DEL, fd, &ev);
        return errno;
    case 3: {
        char room[CMSG_SPACE(sizeof fd)] = {0};
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        return sendmsg(sv[0], &m, MSG_DONTWAIT) == -1 ? errno : 0;
    }
    case 4: {
        static aio_context_t ctx;
        struct iocb cb = {.aio_fildes = fd, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_buf = (uintptr_t)buf, .aio_nbytes = 1}, *list = &cb;
        if (!ctx && syscall(SYS_io_setup, 4, &ctx))
            return -errno;
        return syscall(SYS_io_submit, ctx, 1, &list) == -1 ? errno : 0;
    }
    }
    return 0;
}

int
main(void)
{
    int n = sizeof calls / sizeof *calls, pipefd[2];

    NEED(pipe(pipefd) == 0 && write(pipefd[1], "x", 1) == 1);
    good = pipefd[0];
    NEED(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0);
    epfd = epoll_create1(0);
    for (int i = 0; i < n; i++) {
        int e0, e1;
        long r0 = make(&calls[i], 0x7fffffff, &e0);
        for (int fd = 600; fd < 4200; fd++) {
            long r1 = make(&calls[i], fd, &e1);
            if (r1 != r0 || e1 != e0) {
                printf("call %d on %d: %ld (%s), not %ld (%s)\n", calls[i].nr, fd, r1, strerror(e1), r0, strerror(e0));
                tl_bad++;
                break;
            }
        }
    }
    for (int which = 0; which < 5; which++) {
        int was = in_memory(which, 0x7fffffff);
        for (int fd = 600; fd < 4200; fd++)
            if (in_memory(which, fd) != was) {
                printf("in memory %d on %d: %d, not %d\n", which, fd, in_memory(which, fd), was);
                tl_bad++;
                break;
            }
    }
    return tl_end();
}
