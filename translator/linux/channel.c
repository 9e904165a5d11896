/* The socket to the reporter: packets of records out; console text and the word
 * that the report is written, back.
 * Each process has a connection of its own, so that the reporter sees its end
 * whatever that is. One for a child is made before fork, and its other half sent over
 * its parent's: so the reporter knows of the child before it can hear that the
 * parent has ended. What execve starts goes on with the connection it finds.
 * As a rule the reporter is nobody's child here. Where the process that the user
 * started is number 1 and would adopt it, it is one without an exit signal: wait does
 * not see it unless it asks for such children, and then this file looks away.
 * Threads: packets of one send stay together, by `lock`.
 * See docs/reports.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/channel.h"

#include <linux/stat.h>

#include "core/engine.h"
#include "drtools/record.h"
#include "linux/descriptors.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "linux/signal.h"

enum { UNIX_FAMILY = 1, SEQPACKET = 5, SOCKET_CLOEXEC = 02000000, SOCKET_LEVEL = 1, RIGHTS = 1, SEND_TIMEOUT = 21, RECEIVE_TIMEOUT = 20 };
enum { DONT_WAIT = 0x40, NO_SIGNAL = 0x4000, GET_FLAGS = 1, SET_FLAGS = 2, EMPTY_PATH = 0x1000, E_NOBUFS = 105, E_CHILD = 10, E_PIPE = 32, NOFILE_LIMIT = 7 };
enum { PACKET = 32 << 10 };         /* fits the smallest send buffer there is */
enum { SEND_SECONDS = 30, SILENCE_SECONDS = 20, FINISH_SECONDS = 600 };

static int fd = -1, reporter;       /* reporter: its pid while it is a child of ours, else 0 */
static volatile bool broken;
static bool console;                /* text for the console comes to us */
static struct mutex lock;
static struct { uint64_t dev, ino; } console_file;
static struct record_reply done;    /* its kind is REPLY_DONE once the report is written */

static bool
console_identity(uint64_t *dev, uint64_t *ino)
{
    struct statx st;

    if (sys_failed(sys6(__NR_statx, 2, (long)"", EMPTY_PATH, STATX_INO, (long)&st, 0)))
        return false;
    *dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
    *ino = st.stx_ino;
    return true;
}

static void
set_timeouts(int s)
{
    int64_t out[2] = {SEND_SECONDS}, in[2] = {SILENCE_SECONDS};

    sys6(__NR_setsockopt, s, SOCKET_LEVEL, SEND_TIMEOUT, (long)out, sizeof out, 0);
    sys6(__NR_setsockopt, s, SOCKET_LEVEL, RECEIVE_TIMEOUT, (long)in, sizeof in, 0);
}

void
channel_start(int from, int reporter_pid, bool with_console)
{
    fd = from;
    reporter = reporter_pid;
    console = with_console && console_identity(&console_file.dev, &console_file.ino);
    sys3(__NR_fcntl, fd, SET_FLAGS, 1 /* FD_CLOEXEC */);
    descriptor_hide(&fd);
    set_timeouts(fd);
}

bool channel_is_open(void) { return fd >= 0 && !broken; }

/* ---- text for the console ---- */

/* A pipe whose reader has gone is none of the program's business. */
static long
write_without_signal(const char *text, size_t n)
{
    uint64_t mask = SIG_BIT(13 /* SIGPIPE */), old, no_time[2] = {0};

    if (engine_confined())
        return sys_write(console_fd, text, n);
    sys4(__NR_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&mask, (long)&old, 8);
    long r = sys_write(console_fd, text, n);
    if (r == -E_PIPE)
        sys4(__NR_rt_sigtimedwait, (long)&mask, 0, (long)no_time, 8);
    if (!(old & mask))               /* others may have been blocked meanwhile, for one that is queued */
        sys4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, (long)&mask, 0, 8);
    return r;
}

/* Not into a file that the program has put in standard error's place. */
static void
print_text(const char *text, size_t n)
{
    uint64_t dev, ino;

    if (console_fd == 2 && !engine_confined() && (!console_identity(&dev, &ino) || dev != console_file.dev || ino != console_file.ino))
        return;
    while (n) {
        long r = write_without_signal(text, n);
        if (r <= 0 && r != -E_INTR)
            return;
        n -= (size_t)MAX(r, 0);
        text += MAX(r, 0);
    }
}

/* One packet. Its size, 0: the reporter is gone, or -errno. */
static long
receive(int flags)
{
    static char packet[REPLY_MAX + 1];
    struct record_reply head;
    long n = engine_confined() && !flags ? sys_read(fd, packet, sizeof packet) : sys6(__NR_recvfrom, fd, (long)packet, sizeof packet, flags, 0, 0);

    if (n < (long)sizeof head)
        return MIN(n, 0);
    memcpy(&head, packet, sizeof head);
    if (head.kind == REPLY_TEXT)
        print_text(packet + sizeof head, (size_t)n - sizeof head);
    if (head.kind == REPLY_DONE)
        done = head;
    return n;
}

/* ---- out ---- */

static bool
send_packet(const uint8_t *p, size_t n)
{
    for (int tries = 0;;) {
        long r = engine_confined() ? sys_write(fd, p, n) : sys6(__NR_sendto, fd, (long)p, (long)n, NO_SIGNAL, 0, 0);
        if (r == (long)n)
            return true;
        if ((r == -E_NOBUFS || r == -E_NOMEM) && tries++ < 100) {
            uint64_t pause[2] = {0, 10000000};
            sys2(__NR_nanosleep, (long)pause, 0);
        } else if (r != -E_INTR) {
            return false;
        }
    }
}

/* As many whole records of [p, p + n) as a packet holds; a part of one that is larger. */
static size_t
packet_size(const uint8_t *p, size_t n)
{
    size_t take = 0;
    uint32_t size;

    while (n - take >= RECORD_HEADER) {
        memcpy(&size, p + take, 4);
        if (size < RECORD_HEADER || take + size > PACKET || take + size > n)
            break;
        take += size;
    }
    return take ? take : MIN(n, PACKET);
}

bool
channel_send(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    if (!channel_is_open())
        return false;
    mutex_lock(&lock);
    while (n && !broken) {
        size_t take = packet_size(p, n);
        broken = !send_packet(p, take);
        p += take;
        n -= take;
    }
    if (console && !broken && !engine_confined())
        while (receive(DONT_WAIT) > 0)
            ;
    mutex_unlock(&lock);
    return !broken;
}

/* ---- other processes ---- */

/* Also where the program's limit leaves no room for two more. */
static long
socket_pair(int pair[2])
{
    uint64_t limit[2], more[2];
    long r = sys4(__NR_socketpair, UNIX_FAMILY, SEQPACKET | SOCKET_CLOEXEC, 0, (long)pair);

    if (r != -E_MFILE || sys_failed(sys4(__NR_prlimit64, 0, NOFILE_LIMIT, 0, (long)limit)) || limit[1] <= limit[0])
        return r;
    more[0] = MIN(limit[1], limit[0] + 64);
    more[1] = limit[1];
    sys4(__NR_prlimit64, 0, NOFILE_LIMIT, (long)more, 0);
    r = sys4(__NR_socketpair, UNIX_FAMILY, SEQPACKET | SOCKET_CLOEXEC, 0, (long)pair);
    sys4(__NR_prlimit64, 0, NOFILE_LIMIT, (long)limit, 0);
    return r;
}

/* struct msghdr with one descriptor in its ancillary data. */
static long
send_descriptor(int over, int sent)
{
    struct { uint64_t len; int32_t level, type, fd, pad; } control = {20, SOCKET_LEVEL, RIGHTS, sent, 0};
    struct { const void *base; uint64_t len; } io = {"", 1};
    struct { void *name; uint64_t namelen; const void *iov; uint64_t iovlen; void *control; uint64_t controllen; uint64_t flags; } m = {
        .iov = &io, .iovlen = 1, .control = &control, .controllen = sizeof control};
    long r;

    do
        r = sys3(__NR_sendmsg, over, (long)&m, NO_SIGNAL);
    while (r == -E_INTR);
    return r;
}

/* A connection of the calling process' own, made known over the one it has from its maker. -1: not possible. */
static int
attach(void)
{
    int pair[2];

    if (engine_confined() || sys_failed(socket_pair(pair)))
        return -1;
    long r = send_descriptor(fd, pair[1]);
    sys_close(pair[1]);
    if (r == 1) {
        set_timeouts(pair[0]);
        return pair[0];
    }
    sys_close(pair[0]);
    return -1;
}

int
channel_before_fork(bool shares_descriptors)
{
    return channel_is_open() && !shares_descriptors ? attach() : -1;
}

void
channel_fork_parent(int childs)
{
    if (childs >= 0)
        sys_close(childs);
}

void
channel_fork_child(int own)
{
    mutex_init(&lock);
    console = false;
    reporter = 0;
    if (own < 0)
        return;
    sys_close(fd);
    fd = own;
    descriptor_move(fd);
}

int
channel_for_exec(const struct thread *t)
{
    int own = fd;

    if (!channel_is_open())
        return -1;
    if (t->vfork_child && (own = attach()) < 0)
        return -1;
    sys3(__NR_fcntl, own, SET_FLAGS, 0);
    return own;
}

void
channel_exec_failed(const struct thread *t, int handed)
{
    if (handed < 0)
        return;
    if (t->vfork_child)
        sys_close(handed);
    else
        sys3(__NR_fcntl, handed, SET_FLAGS, 1);
}

/* ---- the end ---- */

static uint64_t
seconds(void)
{
    uint64_t ts[2] = {0};

    if (!engine_confined())
        sys2(__NR_clock_gettime, 1, (long)ts);
    return ts[0];
}

/* The reporter has said that it ends: it shall not be left to whoever adopts our children. */
static void
reap(void)
{
    uint64_t pause[2] = {0, 500000};

    for (int i = 0; reporter && i < 1000 && sys4(__NR_wait4, reporter, 0, 0x40000001 /* __WALL | WNOHANG */, 0) == 0; i++)
        sys2(__NR_nanosleep, (long)pause, 0);
    reporter = 0;
}

bool
channel_finish(struct record_reply *out)
{
    uint64_t until = seconds() + FINISH_SECONDS;
    long n = 1;

    mutex_lock(&lock);
    while (channel_is_open() && done.kind != REPLY_DONE && (n > 0 || n == -E_INTR) && seconds() < until)
        n = receive(0);
    if ((done.flags & REPLY_LAST) && !engine_confined())
        reap();
    broken = true;                   /* nothing may follow */
    mutex_unlock(&lock);
    *out = done;
    return done.kind == REPLY_DONE;
}

/* ---- keeping the reporter out of sight ---- */

bool
reporter_signal(const struct ksiginfo *info)
{
    return UNLIKELY(reporter) && info->signo == SIG_CHLD && info->code > 0 && info->kill.pid == reporter;
}

enum { WAIT_ALL = 0x40000000, WAIT_CLONE = (int)0x80000000, WAIT_NO_REAP = 0x01000000, ID_ALL = 0 };

/* A wait has told the program of the reporter's end: it is to be told of something else. */
static void
reporter_seen(int flags)
{
    if (flags & WAIT_NO_REAP)
        sys4(__NR_wait4, reporter, 0, WAIT_ALL, 0);
    reporter = 0;
    broken = true;
}

/* A wait for any child, of the reporter's kind too, in which nobody else takes part: there are no children. */
static bool
waits_for_reporter_alone(int flags)
{
    enum { WNOHANG_EXITED_STOPPED_CONTINUED = 1 | 4 | 2 | 8 };
    struct ksiginfo info;

    return UNLIKELY(reporter) && (flags & (WAIT_ALL | WAIT_CLONE)) &&
           sys6(__NR_waitid, ID_ALL, 0, (long)&info, WNOHANG_EXITED_STOPPED_CONTINUED | WAIT_NO_REAP, 0, 0) == -E_CHILD;
}

long
on_wait4(struct thread *t)
{
    if ((int)ARG0(t) == -1 && waits_for_reporter_alone((int)ARG2(t)))
        return -E_CHILD;
    long r = native(t);

    while (UNLIKELY(reporter) && r == reporter) {
        reporter_seen(0);
        r = native(t);
    }
    return r;
}

long
on_waitid(struct thread *t)
{
    if (ARG0(t) == ID_ALL && waits_for_reporter_alone((int)ARG3(t)))
        return -E_CHILD;
    long r = native(t);
    struct ksiginfo info;

    while (UNLIKELY(reporter) && r == 0 && ARG2(t) && safe_read(&info, ARG2(t), sizeof info) && info.kill.pid == reporter) {
        reporter_seen((int)ARG3(t));
        r = native(t);
    }
    return r;
}
