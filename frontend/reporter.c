/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting the reporter, and its service.
 * It is an orphan, so that the program, whose process starts it, never has it
 * for a child. Where that process would adopt it (it is number 1 of a container),
 * it stays a child without an exit signal, and the engine keeps it out of sight.
 * Each process of the program's has a connection; a new one arrives as a descriptor
 * over its parent's. A connection that ends without more words was killed.
 * Invariant: what a process said before it ended is read before the program's
 *            own end is acknowledged.
 * See docs/reports.md. */
#include "reporter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profile_report.h"
#include "progress.h"
#include "reports/memory.h"

enum { PACKET_MAX = 64 << 10, TEXT_MAX = 1 << 20, SEND_SECONDS = 10 };

struct connection {
    int fd;
    uint8_t *bytes; /* of a record that is not complete */
    size_t size, room;
    uint32_t *pids; /* of processes that speak here     */
    size_t pid_count, pid_room;
    bool gone;
};

static struct {
    struct session *session;
    struct connection *connections; /* the first is the root process' */
    size_t count, room;
    int root_fd; /* -1 once it has ended                                    */
    uint32_t root;
    bool root_ended; /* it has said so                                      */
    int console;     /* -1: text goes over the root's connection            */
    char *text;      /* … and waits here while that is full                 */
    size_t text_size, text_room;
    int record;
    bool record_failed;
    const struct profile_request *profile; /* NULL: no tool profiles */
} reporter;

/* ---- the console ---- */

static bool
write_all(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool
send_reply(struct record_reply head, const char *text, size_t size, int flags)
{
    char packet[REPLY_MAX];

    memcpy(packet, &head, sizeof head);
    memcpy(packet + sizeof head, text, size);
    return send(reporter.root_fd, packet, sizeof head + size, MSG_NOSIGNAL | flags) >= 0;
}

/* As much of the waiting text as the root process takes now; all of it with flags 0. */
static void
send_text(int flags)
{
    size_t done = 0;

    while (reporter.root_fd >= 0 && done < reporter.text_size) {
        size_t left = reporter.text_size - done, most = REPLY_MAX - sizeof(struct record_reply);
        size_t n = left < most ? left : most;

        if (!send_reply((struct record_reply){.kind = REPLY_TEXT}, reporter.text + done, n, flags))
            break;
        done += n;
    }
    if (done)
        memmove(reporter.text, reporter.text + done, reporter.text_size - done);
    reporter.text_size -= done;
}

static void
say(void *context, const char *text, size_t size)
{
    (void)context;
    if (reporter.root_fd < 0)
        return; /* the prompt is back */
    progress_erase();
    if (reporter.console >= 0) {
        write_all(reporter.console, text, size);
        return;
    }
    if (reporter.text_size + size > TEXT_MAX)
        return;
    while (reporter.text_room < reporter.text_size + size) {
        reporter.text_room = reporter.text_room ? 2 * reporter.text_room : 8192;
        reporter.text = realloc(reporter.text, reporter.text_room);
        if (!reporter.text)
            abort();
    }
    memcpy(reporter.text + reporter.text_size, text, size);
    reporter.text_size += size;
}

/* ---- connections ---- */

static struct connection *
add_connection(int fd)
{
    GROW(reporter.connections, reporter.count, reporter.room);
    reporter.connections[reporter.count] = (struct connection){.fd = fd};
    return &reporter.connections[reporter.count++];
}

static void
know_pid(struct connection *c, uint32_t pid)
{
    for (size_t i = 0; i < c->pid_count; i++)
        if (c->pids[i] == pid)
            return;
    GROW(c->pids, c->pid_count, c->pid_room);
    c->pids[c->pid_count++] = pid;
}

static void
keep_records(const void *bytes, size_t size)
{
    if (reporter.record < 0 || write_all(reporter.record, bytes, size))
        return;
    reporter.record_failed = true;
    close(reporter.record);
    reporter.record = -1;
}

/* Passes on what is complete of the connection's bytes; the root process' END only with `all`. */
static void
take_records(struct connection *c, bool all)
{
    size_t at = 0;

    while (c->size - at >= RECORD_HEADER) {
        uint32_t size, pid;
        uint16_t type;

        memcpy(&size, c->bytes + at, 4);
        memcpy(&type, c->bytes + at + 4, 2);
        memcpy(&pid, c->bytes + at + 8, 4);
        if (size >= RECORD_HEADER && size <= RECORD_MAX && size > c->size - at)
            break;
        if (type == RECORD_PROCESS_START)
            know_pid(c, pid);
        if (type == RECORD_PROFILE && size >= RECORD_HEADER + 2 && size <= c->size - at)
            profile_note(pid, (const char *)c->bytes + at + RECORD_HEADER + 2, size - RECORD_HEADER - 2);
        if (type == RECORD_PROFILE && reporter.profile)
            profile_parts(reporter.profile, say);
        if (type == RECORD_END && pid == reporter.root && c->fd == reporter.root_fd && !all) {
            reporter.root_ended = true; /* what others have said comes first: it stays for `acknowledge` */
            break;
        }
        if (size < RECORD_HEADER || size > RECORD_MAX)
            size = (uint32_t)(c->size - at); /* damaged: the session says so */
        session_feed(reporter.session, c->bytes + at, size);
        at += size;
    }
    keep_records(c->bytes, at);
    memmove(c->bytes, c->bytes + at, c->size - at);
    c->size -= at;
}

static void
process_left(uint32_t pid)
{
    uint8_t bytes[RECORD_HEADER];
    struct record_writer w = {.bytes = bytes, .size = sizeof bytes};

    record_begin(&w, RECORD_PROCESS_LEFT, pid, 0, 0);
    record_end(&w);
    session_feed(reporter.session, bytes, w.used);
    keep_records(bytes, w.used);
}

/* The process has closed its end, by whatever way it went. */
static void
connection_ended(struct connection *c)
{
    close(c->fd);
    for (size_t i = 0; i < c->pid_count; i++) {
        process_left(c->pids[i]);
        if (reporter.profile && c->pids[i] != reporter.root)
            profile_ended(reporter.profile, c->pids[i], false, say);
    }
    if (c->fd == reporter.root_fd)
        reporter.root_fd = -1;
    free(c->bytes);
    free(c->pids);
    c->gone = true;
}

static int
received_descriptor(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return -1;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void
receive(size_t index)
{
    struct connection *c = &reporter.connections[index];
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec io;
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n;
    int fd;

    while (c->room < c->size + PACKET_MAX) {
        c->room = c->room ? 2 * c->room : 2 * PACKET_MAX;
        c->bytes = realloc(c->bytes, c->room);
        if (!c->bytes)
            abort();
    }
    io = (struct iovec){c->bytes + c->size, c->room - c->size};
    n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_ended(c);
    } else if ((fd = received_descriptor(&m)) >= 0) {
        add_connection(fd);
    } else {
        c->size += (size_t)n;
        take_records(c, false);
    }
}

static void
forget_ended(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < reporter.count; i++)
        if (!reporter.connections[i].gone)
            reporter.connections[kept++] = reporter.connections[i];
    reporter.count = kept;
}

/* Reads what is there, from all connections but the root's if `others`. False: nothing was. */
static bool
read_some(int timeout, bool others)
{
    static struct pollfd *polled;
    static size_t room;
    size_t n = reporter.count;
    bool any = false;

    while (room < n)
        polled = memory_grow(polled, room, &room, sizeof *polled);
    for (size_t i = 0; i < n; i++) {
        bool skip = others && reporter.connections[i].fd == reporter.root_fd;

        polled[i] = (struct pollfd){.fd = skip ? -1 : reporter.connections[i].fd, .events = POLLIN};
    }
    if (poll(polled, n, timeout) <= 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (polled[i].revents) {
            receive(i);
            any = true;
        }
    forget_ended();
    return any;
}

/* ---- the end ---- */

static void
still_busy(void)
{
    int saved = errno;

    if (reporter.root_fd >= 0)
        send_reply((struct record_reply){.kind = REPLY_BUSY}, "", 0, MSG_DONTWAIT);
    errno = saved;
}

static void
end_console(void)
{
    if (reporter.console >= 0)
        close(reporter.console);
    reporter.console = -1;
    reporter.root_fd = -1;
}

/* The program the user started has ended: everything that is known goes to disk, and then it is told so. */
static void
acknowledge(void)
{
    struct record_reply done = {.kind = REPLY_DONE};
    struct timeval limit = {SEND_SECONDS, 0};

    setsockopt(reporter.root_fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    while (read_some(0, true))
        ;
    take_records(&reporter.connections[0], true);
    if (reporter.count <= 1) {
        session_finish(reporter.session, NULL);
        done.flags |= REPLY_LAST;
    } else {
        session_write(reporter.session);
    }
    if (reporter.profile)
        profile_ended(reporter.profile, reporter.root, true, say);
    if (reporter.profile && done.flags & REPLY_LAST)
        profile_finish(reporter.profile);
    progress_end();
    done.errors = session_errors(reporter.session);
    if (session_is_incomplete(reporter.session) || reporter.record_failed)
        done.flags |= REPLY_INCOMPLETE;
    send_text(0);
    send_reply(done, "", 0, 0);
    end_console();
    if (done.flags & REPLY_LAST)
        _exit(0);
    reporter.root_ended = false;
}

/* The root process was killed, or has become a program that is not followed. */
static void
root_left(void)
{
    while (read_some(0, false))
        ;
    session_write(reporter.session);
    if (reporter.profile)
        profile_ended(reporter.profile, reporter.root, true, say);
    end_console();
}

static void
serve(void)
{
    bool root_there = true;

    while (reporter.count) {
        read_some(-1, false);
        if (reporter.root_ended) {
            progress_begin(reporter.console, "~~Dr.M~~ writing the report …", still_busy);
            acknowledge();
            root_there = false;
        } else if (root_there && reporter.root_fd < 0) {
            root_left();
            root_there = false;
        }
        send_text(MSG_DONTWAIT);
    }
    session_finish(reporter.session, NULL);
    if (reporter.profile)
        profile_finish(reporter.profile);
}

/* ---- becoming it ---- */

static void
ignore_signals(void)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGALRM, SIGCHLD};
    sigset_t none;

    for (int sig = 1; sig <= SIGRTMAX; sig++) {
        bool keep = false;

        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            keep |= sig == kept[i];
        signal(sig, keep ? SIG_DFL : SIG_IGN);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
raise_limits(void)
{
    static const int limits[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_CPU};
    struct rlimit limit;

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (getrlimit(limits[i], &limit) == 0) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(limits[i], &limit);
        }
}

enum { KEPT = 3 };

/* Closes everything but these descriptors, and has /dev/null for the standard streams. */
static void
keep_only(int *kept[KEPT])
{
    unsigned from = KEPT + 3;
    int null;

    for (int i = 0; i < KEPT; i++)
        if (*kept[i] >= 0)
            *kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, (int)from); /* out of the way; none is a standard stream then */
    for (int i = 0; i < KEPT; i++)
        if (*kept[i] >= 0) {
            dup3(*kept[i], i + 3, O_CLOEXEC);
            *kept[i] = i + 3;
        } else {
            close(i + 3);
        }
    close_range(from, ~0u, 0);
    null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && null >= 0; i++)
        if (i != null)
            dup2(null, i);
    if (null >= 3)
        close(null);
}

void
reporter_serve(int fd, int root, int console, struct report_files *files)
{
    struct record_writer header = {.bytes = (uint8_t[RECORD_STREAM_HEADER]){0}, .size = RECORD_STREAM_HEADER};

    reporter.root_fd = fd;
    reporter.root = (uint32_t)root;
    reporter.console = console;
    reporter.record = files->record;
    reporter.profile = files->profile;
    setsid();
    ignore_signals();
    raise_limits();
    keep_only((int *[KEPT]){&reporter.root_fd, &reporter.console, &reporter.record});
    prctl(PR_SET_NAME, "drreporter");
    if (chdir("/") != 0)
        _exit(1);
    files->session.say = say;
    reporter.session = session_new(&files->session);
    record_put_stream_header(&header);
    session_feed(reporter.session, header.bytes, header.used);
    keep_records(header.bytes, header.used);
    add_connection(reporter.root_fd);
    serve();
    _exit(0);
}

/* A pipe's reader waits until all writers are gone, so nobody may keep one open but the program. */
static bool
console_is_held_safely(void)
{
    struct stat st;

    return fstat(STDERR_FILENO, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISREG(st.st_mode));
}

/* An orphan, by way of a process in between of which nobody hears: no signal, no usage of children. An exit status
 * would tell if the second fork failed, but is not to be had then; the pipe that closes without a byte does. */
static bool
start_orphan(int fd, int root, int console, struct report_files *files)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, saved;
    int adopts = 0, done[2];
    bool started = false;
    char byte = 0;
    pid_t pid;

    if (pipe2(done, O_CLOEXEC) != 0)
        return false;
    prctl(PR_GET_CHILD_SUBREAPER, &adopts);
    if (adopts)
        prctl(PR_SET_CHILD_SUBREAPER, 0);
    sigaction(SIGCHLD, &ignore, &saved);
    pid = fork();
    if (pid == 0) {
        pid = fork();
        if (pid == 0)
            reporter_serve(fd, root, console, files);
        _exit(pid < 0 || write(done[1], &byte, 1) != 1);
    }
    close(done[1]);
    if (pid > 0) {
        started = read(done[0], &byte, 1) == 1;
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        errno = EAGAIN;
    }
    close(done[0]);
    sigaction(SIGCHLD, &saved, NULL);
    if (adopts)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    return started;
}

/* The number, or -1. */
static int
start_unseen_child(int fd, int root, int console, struct report_files *files)
{
    int pid = (int)syscall(SYS_clone, 0ul, 0ul, 0ul, 0ul, 0ul);

    if (pid == 0)
        reporter_serve(fd, root, console, files);
    return pid;
}

bool
reporter_start(struct reporter *r, struct report_files *files, const char **why)
{
    int root = (int)getpid(), pair[2], console = console_is_held_safely() ? STDERR_FILENO : -1;
    bool started;

    *r = (struct reporter){.fd = -1, .console = console < 0};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        *why = strerror(errno);
        return false;
    }
    if (root == 1)
        started = (r->pid = start_unseen_child(pair[1], root, console, files)) > 0;
    else
        started = start_orphan(pair[1], root, console, files);
    *why = strerror(errno);
    close(pair[1]);
    if (files->record >= 0)
        close(files->record);
    if (!started) {
        close(pair[0]);
        return false;
    }
    r->fd = pair[0];
    fcntl(r->fd, F_SETFD, 0);
    return true;
}
