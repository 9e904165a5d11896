/* Waiting for descriptors, signals, children, futexes. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static const struct timespec at_once = {0, 0}, long_time = {600, 0};
static const uint64_t no_signals = 0;

static void
on_alarm(int sig)
{
    (void)sig;
}

static void
soon_interrupted(void)
{
    struct sigaction sa = {.sa_handler = on_alarm};
    struct itimerval soon = {{0, 20000}, {0, 20000}};

    must(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0, "timer");
}

/* Descriptors. */

static uint64_t
one_ready(struct run *r)
{
    struct pollfd p[3] = {{eventfd(1, 0), POLLIN, 0x7777}, {-1, POLLIN, 0x7777}, {eventfd(0, 0), POLLIN, 0x7777}};

    return in(r, p, sizeof p);
}

CASE(poll) { return CALL(poll, one_ready(r), 3, 0); }
CASE(ppoll) { return CALL(ppoll, one_ready(r), 3, in(r, &at_once, 16), in(r, &no_signals, 8), 8); }

CASE(poll_interrupted)
{
    struct pollfd p = {eventfd(0, 0), POLLIN, 0x7777};

    soon_interrupted();
    expect(r, -EINTR);
    return CALL(poll, in(r, &p, sizeof p), 1, -1);
}

CASE(ppoll_with_time_left)
{
    const struct timespec t = {5, 0};

    return CALL(ppoll, one_ready(r), 3, in(r, &t, 16), 0, 0);
}

CASE(select)
{
    int fd = eventfd(1, 0);
    uint64_t readable = 1u << fd, none = 0;
    struct timeval t = {5, 0};

    return CALL(select, fd + 1, in(r, &readable, 8), in(r, &none, 8), 0, in(r, &t, 16));
}

CASE(select_of_many)
{
    uint64_t set[2] = {0};
    struct timeval t = {0, 0};
    int fd = eventfd(1, 0);

    must(dup2(fd, 100) == 100, "dup2");
    set[1] = (uint64_t)1 << (100 - 64);
    return CALL(select, 101, in(r, set, 16), 0, 0, in(r, &t, 16));
}

/* What is left of the time is told also when a signal ends the wait. */
CASE(select_interrupted)
{
    struct timeval t = {600, 0};

    soon_interrupted();
    expect(r, -EINTR);
    return CALL(select, 0, 0, 0, 0, in(r, &t, 16));
}

CASE(pselect6_interrupted)
{
    soon_interrupted();
    expect(r, -EINTR);
    return CALL(pselect6, 0, 0, 0, 0, in(r, &long_time, 16), 0);
}

CASE(ppoll_interrupted)
{
    struct pollfd p = {eventfd(0, 0), POLLIN, 0x7777};

    soon_interrupted();
    expect(r, -EINTR);
    return CALL(ppoll, in(r, &p, sizeof p), 1, loose(r, &long_time, 16), 0, 0);
}

CASE(pselect6)
{
    struct abi_sigset_pair s = {in(r, &no_signals, 8), 8};
    int fd = eventfd(1, 0);
    uint64_t readable = 1u << fd;

    null_free(r);
    return CALL(pselect6, fd + 1, in(r, &readable, 8), 0, 0, in(r, &long_time, 16), in(r, &s, sizeof s));
}

static int
ready_epoll(void)
{
    struct epoll_event e = {EPOLLIN, {.u64 = 0x1122334455667788}};
    int ep = epoll_create1(0);

    must(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(1, 0), &e) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, eventfd(1, 0), &e) == 0, "epoll");
    return ep;
}

CASE(epoll_ctl_add)
{
    struct epoll_event e = {EPOLLIN, {.u64 = 1}};

    return CALL(epoll_ctl, epoll_create1(0), EPOLL_CTL_ADD, eventfd(0, 0), in(r, &e, 12));
}

CASE(epoll_ctl_del)
{
    struct epoll_event e = {EPOLLIN, {.u64 = 1}};
    int ep = epoll_create1(0), fd = eventfd(0, 0);

    must(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
    return CALL(epoll_ctl, ep, EPOLL_CTL_DEL, fd, room(r, 12));
}

CASE(epoll_wait) { return CALL(epoll_wait, ready_epoll(), room(r, 60), 5, 0); }
CASE(epoll_pwait) { return CALL(epoll_pwait, ready_epoll(), room(r, 60), 5, 0, in(r, &no_signals, 8), 8); }
CASE(epoll_pwait_without_mask) { return CALL(epoll_pwait, ready_epoll(), room(r, 60), 5, 0, 0, 0); }
CASE(epoll_pwait2) { return CALL(epoll_pwait2, ready_epoll(), room(r, 60), 5, in(r, &at_once, 16), in(r, &no_signals, 8), 8); }
CASE(signalfd) { const uint64_t set = 1 << (SIGUSR1 - 1); return CALL(signalfd, -1, in(r, &set, 8), 8); }
CASE(signalfd4) { const uint64_t set = 1 << (SIGUSR1 - 1); return CALL(signalfd4, -1, in(r, &set, 8), 8, 0); }

/* Signals. */

struct kernel_sigaction { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; };

CASE(rt_sigaction)
{
    struct kernel_sigaction sa = {.handler = SIG_IGN};

    return CALL(rt_sigaction, SIGUSR1, in(r, &sa, sizeof sa), out(r, sizeof sa), 8);
}

CASE(rt_sigprocmask) { return CALL(rt_sigprocmask, SIG_BLOCK, in(r, &no_signals, 8), out(r, 8), 8); }
CASE(rt_sigprocmask_asking) { return CALL(rt_sigprocmask, 1234, 0, out(r, 8), 8); }
CASE(rt_sigpending) { return CALL(rt_sigpending, out(r, 8), 8); }
CASE(rt_sigpending_in_part) { return CALL(rt_sigpending, out(r, 4), 4); }

static uint64_t
pending_usr1(void)
{
    sigset_t set;
    uint64_t bits = 1 << (SIGUSR1 - 1);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && raise(SIGUSR1) == 0, "raise");
    return bits;
}

CASE(rt_sigtimedwait)
{
    const uint64_t set = pending_usr1();

    return CALL(rt_sigtimedwait, in(r, &set, 8), out(r, 128), in(r, &at_once, 16), 8);
}

CASE(rt_sigtimedwait_too_long)
{
    const uint64_t set = 1 << (SIGUSR2 - 1);

    expect(r, -EAGAIN);
    null_free(r);
    return CALL(rt_sigtimedwait, in(r, &set, 8), room(r, 128), in(r, &at_once, 16), 8);
}

CASE(rt_sigsuspend)
{
    soon_interrupted();
    expect(r, -EINTR);
    return CALL(rt_sigsuspend, in(r, &no_signals, 8), 8);
}

static siginfo_t
queued(void)
{
    siginfo_t i;

    memset(&i, 0, sizeof i);
    i.si_code = SI_QUEUE;
    i.si_pid = getpid();
    i.si_uid = getuid();
    signal(SIGUSR1, SIG_IGN);
    return i;
}

CASE(rt_sigqueueinfo) { siginfo_t i = queued(); return CALL(rt_sigqueueinfo, getpid(), SIGUSR1, in(r, &i, sizeof i)); }
CASE(rt_tgsigqueueinfo) { siginfo_t i = queued(); return CALL(rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, in(r, &i, sizeof i)); }

CASE(rt_sigqueueinfo_of_an_unknown_code)
{
    siginfo_t i = queued();

    i.si_code = -8;
    return CALL(rt_sigqueueinfo, getpid(), SIGUSR1, in(r, &i, sizeof i));
}

CASE(pidfd_send_signal)
{
    siginfo_t i = queued();
    int fd = (int)syscall(__NR_pidfd_open, getpid(), 0);

    i.si_signo = SIGUSR1;
    return CALL(pidfd_send_signal, fd, SIGUSR1, in(r, &i, sizeof i), 0);
}

CASE(sigaltstack)
{
    static char stack[16384];
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};

    return CALL(sigaltstack, in(r, &s, 24), out(r, 24));
}

CASE(sigaltstack_off)
{
    stack_t s = {.ss_flags = SS_DISABLE};

    return CALL(sigaltstack, in(r, &s, 24), 0);
}

CASE(kill) { return CALL(kill, getpid(), 0); }
CASE(tgkill) { return CALL(tgkill, getpid(), gettid(), 0); }

/* Children. */

static pid_t
child_that_exits(int code)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(code);
    must(pid > 0, "fork");
    return pid;
}

/* Gone when the run is, whatever becomes of it. */
static pid_t
busy_child(void)
{
    pid_t parent = getpid(), pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent)
            pause();
        _exit(0);
    }
    must(pid > 0, "fork");
    return pid;
}

CASE(wait4) { return CALL(wait4, child_that_exits(3), out(r, 4), 0, out(r, 144)); }

CASE(wait4_of_a_busy_child) { return CALL(wait4, busy_child(), room(r, 4), WNOHANG, room(r, 144)); }
CASE(waitid) { return CALL(waitid, P_PID, child_that_exits(3), out(r, 28), WEXITED, out(r, 144)); }

CASE(waitid_of_a_busy_child) { return CALL(waitid, P_PID, busy_child(), out(r, 28), WEXITED | WNOHANG, room(r, 144)); }

CASE(waitid_without_children)
{
    expect(r, -ECHILD);
    return CALL(waitid, P_ALL, 0, room(r, 28), WEXITED, room(r, 144));
}

static long
ended(long pid)
{
    if (pid == 0)
        _exit(0);
    return pid;
}

CASE(clone_with_parent_tid) { return ended(CALL(clone, SIGCHLD | CLONE_PARENT_SETTID, 0, room(r, 4), 0, 0)); }
CASE(clone_with_pidfd) { return ended(CALL(clone, SIGCHLD | CLONE_PIDFD, 0, out(r, 4), 0, 0)); }

CASE(clone3)
{
    struct abi { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } c = {0};

    c.flags = CLONE_PIDFD | CLONE_PARENT_SETTID;
    c.pidfd = out(r, 4);
    c.parent_tid = room(r, 4);
    c.exit_signal = SIGCHLD;
    return ended(CALL(clone3, in(r, &c, 64), 64));
}

CASE(clone3_newest)
{
    struct abi { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } c = {0};

    c.exit_signal = SIGCHLD;
    return ended(CALL(clone3, in(r, &c, sizeof c), sizeof c));
}

/* The file is executable, but no program: all arguments have been read when that is found. */
CASE(execve)
{
    uint64_t argv[3] = {text(r, "first"), text(r, "second argument"), 0}, envp[2] = {text(r, "A=b"), 0};
    char name[] = "progXXXXXX";
    int fd = mkstemp(name);

    must(fd >= 0 && write(fd, "no program", 10) == 10 && fchmod(fd, 0700) == 0 && close(fd) == 0, "file");
    expect(r, -ENOEXEC);
    return CALL(execve, text(r, name), in(r, argv, sizeof argv), in(r, envp, sizeof envp));
}

CASE(execveat)
{
    uint64_t argv[2] = {text(r, "first"), 0};
    char name[] = "progXXXXXX";
    int fd = mkstemp(name);

    must(fd >= 0 && write(fd, "no program", 10) == 10 && fchmod(fd, 0700) == 0 && close(fd) == 0, "file");
    expect(r, -ENOEXEC);
    return CALL(execveat, (uint64_t)AT_FDCWD, text(r, name), in(r, argv, sizeof argv), 0, 0);
}

/* Futexes. */

CASE(futex_wait_on_another_value)
{
    const uint32_t word = 5;
    uint64_t at = in(r, &word, 4);

    aligned(r, 4);
    expect(r, -EAGAIN);
    return CALL(futex, at, FUTEX_WAIT, 6, in(r, &at_once, 16), 0, 0);
}

CASE(futex_wait_too_long)
{
    const struct timespec t = {0, 1000};
    const uint32_t word = 5;
    uint64_t at = in(r, &word, 4);

    aligned(r, 4);
    expect(r, -ETIMEDOUT);
    null_free(r);
    return CALL(futex, at, FUTEX_WAIT, 5, in(r, &t, 16), 0, 0);
}

CASE(futex_wake) { return CALL(futex, (uintptr_t)&no_signals, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0); }

CASE(futex_cmp_requeue)
{
    const uint32_t word = 5;
    uint64_t at = in(r, &word, 4);

    aligned(r, 4);
    return CALL(futex, at, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, (uintptr_t)&no_signals, 5);
}

CASE(futex_wake_op)
{
    const uint32_t word = 5;
    uint64_t at = in(r, &word, 4);

    aligned(r, 4);
    return CALL(futex, (uintptr_t)&no_signals, FUTEX_WAKE_OP_PRIVATE, 1, 1, at, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
}

CASE(futex_lock_pi)
{
    const uint32_t word = 0;
    uint64_t at = loose(r, &word, 4);

    aligned(r, 4);
    return CALL(futex, at, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0);
}

struct waiter { uint64_t val, uaddr; uint32_t flags, reserved; };

CASE(futex_waitv)
{
    const uint32_t word = 5;
    struct waiter v[2] = {{.flags = 2}, {.flags = 2}};

    for (int i = 0; i < 2; i++) {
        v[i].val = i == 0 ? 5 : 6;
        v[i].uaddr = in(r, &word, 4);
        aligned(r, 4);
    }
    expect(r, -EAGAIN);
    return CALL(futex_waitv, in(r, v, sizeof v), 2, 0, in(r, &at_once, 16), CLOCK_MONOTONIC);
}

CASE(futex2_wait)
{
    const uint32_t word = 5;
    uint64_t at = in(r, &word, 4);

    aligned(r, 4);
    expect(r, -EAGAIN);
    return CALL(futex_wait, at, 6, 0xffffffff, 2, in(r, &at_once, 16), CLOCK_MONOTONIC);
}

CASE(futex2_wake) { return CALL(futex_wake, (uintptr_t)&no_signals, 0xffffffff, 1, 2 | 128); }

CASE(futex2_requeue)
{
    const uint32_t word = 5;
    struct waiter v[2] = {{.val = 5, .flags = 2 | 128}, {.uaddr = (uintptr_t)&no_signals, .flags = 2 | 128}};

    v[0].uaddr = in(r, &word, 4);
    aligned(r, 4);
    return CALL(futex_requeue, in(r, v, sizeof v), 0, 1, 1);
}
