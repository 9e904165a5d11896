/* One process under the engine writes into the memory of another: pages that the
 * other's engine has write-protected must open first. The writer asks by a queued
 * signal that only an engine understands, and tries again until the kernel lets it.
 * The asked one answers in its handler, where no engine lock can be held: in the
 * code cache or in a system call; elsewhere the notice is dropped, and comes again.
 * Not covered: writes that the kernel lets pass (ptrace, /proc/PID/mem of another).
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/stat.h>

#include "core/engine.h"
#include "linux/handle.h"
#include "linux/memory.h"
#include "linux/signal.h"

enum { NOTICE_SIGNAL = SIG_ILL, NOTICE_CODE = -0x6472, TRIES = 200, PAUSE_NS = 250000, EMPTY_PATH = 0x1000, MAX_RANGES = 1024 };
static const uint64_t MAGIC = 0x6e6f746963652131;

struct notice { uint64_t magic, lo, hi; };

static struct notice *
notice_of(struct ksiginfo *info)
{
    return (struct notice *)(info->fill + 8);    /* after pid and uid; the kernel passes 32 bytes in all */
}

/* The user's queue of signals is full (RLIMIT_SIGPENDING): the kernel then sends a signal without what came with
 * it, as if from process 0. One that kill sends always keeps its sender (kernel/signal.c, __send_signal_locked). */
static bool
has_lost_its_content(const struct ksiginfo *info)
{
    char text[4096], *s;
    uint64_t pending = 0, most = 0;

    if (info->signo != NOTICE_SIGNAL || info->code != 0 /* SI_USER */ || *(const uint64_t *)info->fill)
        return false;
    int fd = (int)sys_openat(-100, "/proc/self/status", 02000000, 0);
    long n = fd >= 0 ? sys_read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        sys_close(fd);
    text[MAX(n, 0)] = 0;
    for (s = strchr(text, '\n'); s && !str_starts(s, "\nSigQ:\t"); s = strchr(s + 1, '\n'))
        ;
    if (!s)
        return false;
    for (s += 7; *s >= '0' && *s <= '9'; s++)
        pending = pending * 10 + (uint64_t)(*s - '0');
    for (s += *s == '/'; *s >= '0' && *s <= '9'; s++)
        most = most * 10 + (uint64_t)(*s - '0');
    return pending >= most;
}

bool
notice_received(const struct ksiginfo *info, bool no_lock_held)
{
    const struct notice *n = notice_of((struct ksiginfo *)info);

    if (UNLIKELY(has_lost_its_content(info))) {
        if (no_lock_held)
            code_unprotect_all();        /* whichever was meant */
        return true;
    }
    if (info->signo != NOTICE_SIGNAL || info->code != NOTICE_CODE || n->magic != MAGIC)
        return false;
    if (no_lock_held)
        code_release(n->lo, n->hi);
    return true;
}

static bool
same_file(int fd, const char *path)
{
    struct statx a, b;

    return !sys_failed(sys6(__NR_statx, fd, (long)"", EMPTY_PATH, STATX_INO, (long)&a, 0)) &&
           !sys_failed(sys6(__NR_statx, -100, (long)path, 0, STATX_INO, (long)&b, 0)) && a.stx_ino == b.stx_ino &&
           a.stx_dev_major == b.stx_dev_major && a.stx_dev_minor == b.stx_dev_minor;
}

static bool
runs_under_engine(int pid)
{
    char exe[32];

    format(exe, sizeof exe, "/proc/%d/exe", pid);
    return engine_fd >= 0 && same_file(engine_fd, exe);
}

/* Sends a notice for each range. */
static void
announce(int pid, uint64_t vector, uint64_t count)
{
    struct { uint64_t base, len; } e;

    for (uint64_t i = 0; i < MIN(count, MAX_RANGES) && safe_read(&e, vector + 16 * i, 16); i++) {
        struct ksiginfo info = {.signo = NOTICE_SIGNAL, .code = NOTICE_CODE};
        *notice_of(&info) = (struct notice){MAGIC, e.base, e.base + e.len};
        sys3(__NR_rt_sigqueueinfo, pid, NOTICE_SIGNAL, (long)&info);
    }
}

static uint64_t
vector_bytes(uint64_t vector, uint64_t count)
{
    struct { uint64_t base, len; } e;
    uint64_t total = 0;

    for (uint64_t i = 0; i < MIN(count, MAX_RANGES) && safe_read(&e, vector + 16 * i, 16); i++)
        total += e.len;
    return total;
}

long
write_other_process(struct thread *t)
{
    int pid = (int)ARG0(t);
    uint64_t wanted = MIN(vector_bytes(ARG1(t), ARG2(t)), vector_bytes(ARG3(t), ARG4(t)));
    long r = native(t);

    if ((r != -E_FAULT && (r < 0 || (uint64_t)r >= wanted)) || !runs_under_engine(pid))
        return r;
    for (int i = 0; i < TRIES && (r == -E_FAULT || (r >= 0 && (uint64_t)r < wanted)) && !t->s.pending; i++) {
        uint64_t pause[2] = {0, PAUSE_NS};
        announce(pid, ARG3(t), ARG4(t));
        sys2(__NR_nanosleep, (long)pause, 0);
        r = native(t);
    }
    return r;
}
