/* Descriptors of the engine's own in the program's system calls: they are not
 * there. An argument that names one is changed, for the call, to a number that no
 * descriptor has, so that the kernel itself finds the right answer; so are the
 * entries of poll. Sets, control messages and lists of requests are looked
 * through and answered with EBADF.
 * Threads: any. The program's registers are as before when the call is over.
 * Not covered: io_uring's requests and registered files.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/aio_abi.h>
#include <linux/poll.h>

#include "linux/descriptors.h"
#include "linux/handle.h"
#include "linux/memory.h"

/* ---- arguments ---- */

enum { NOBODY = INT32_MAX };        /* above any limit on descriptors (fs.nr_open) */
static const uint8_t arg_reg[SYSCALL_MAX_ARGS] = {RDI, RSI, RDX, R10, R8, R9};

/* Arguments that need not be open: a number to take, a range, one of another process. */
static unsigned
exempt(uint64_t nr)
{
    switch (nr) {
    case __NR_dup2:
    case __NR_dup3:
    case __NR_pidfd_getfd: return 1u << 1;
    case __NR_close_range: return ~0u;
    default: return 0;
    }
}

unsigned
descriptors_disguise(struct thread *t, uint64_t was[SYSCALL_MAX_ARGS])
{
    struct syscall_args a = {.nr = (uint32_t)t->s.mc.gpr[RAX]};
    uint64_t *g = t->s.mc.gpr;
    unsigned set = 0;

    for (unsigned k = 0; k < SYSCALL_MAX_ARGS; k++)
        if ((uint32_t)g[arg_reg[k]] - descriptor_lowest <= INT32_MAX && descriptor_is_ours((int)g[arg_reg[k]]))
            set |= 1u << k;
    if (LIKELY(!set))
        return 0;
    for (unsigned k = 0; k < SYSCALL_MAX_ARGS; k++)
        a.arg[k] = g[arg_reg[k]];
    set &= syscall_descriptor_args(&a) & ~exempt(a.nr);
    for (unsigned k = 0; k < SYSCALL_MAX_ARGS; k++)
        if (set >> k & 1) {
            was[k] = g[arg_reg[k]];
            g[arg_reg[k]] = NOBODY;
        }
    return set;
}

void
descriptors_restore(struct thread *t, unsigned set, const uint64_t was[SYSCALL_MAX_ARGS])
{
    for (unsigned k = 0; k < SYSCALL_MAX_ARGS; k++)
        if (set >> k & 1)
            t->s.mc.gpr[arg_reg[k]] = was[k];
}

/* ---- poll ---- */

static bool
polls_ours(uint64_t fds, uint64_t n)
{
    struct pollfd p[16];

    for (uint64_t i = 0; i < n; i += COUNT_OF(p)) {
        uint64_t k = MIN(n - i, COUNT_OF(p));
        if (!safe_read(p, fds + i * sizeof *p, k * sizeof *p))
            return false;
        while (k--)
            if (descriptor_is_ours(p[k].fd))
                return true;
    }
    return false;
}

/* With a copy of the list, in which ours are numbers that no descriptor has. */
static long
poll_disguised(struct thread *t, long (*call)(struct thread *))
{
    uint64_t at = ARG0(t), n = (uint32_t)ARG1(t), size = n * sizeof(struct pollfd);
    struct pollfd *p = engine_map(size);
    long r = -E_NOMEM;

    if (!p)
        return r;
    if (!safe_read(p, at, size)) {
        r = -E_FAULT;
        goto out;
    }
    for (uint64_t i = 0; i < n; i++)
        p[i].fd = descriptor_is_ours(p[i].fd) ? NOBODY : p[i].fd;
    ARG0(t) = (uint64_t)p;
    r = call(t);
    ARG0(t) = at;
    for (uint64_t i = 0; r >= 0 && i < n; i++)
        if (!safe_write(at + i * sizeof *p + offsetof(struct pollfd, revents), &p[i].revents, sizeof p->revents))
            r = -E_FAULT;
out:
    engine_unmap(p, size);
    return r;
}

long on_poll(struct thread *t) { return polls_ours(ARG0(t), (uint32_t)ARG1(t)) ? poll_disguised(t, native) : native(t); }
long on_ppoll(struct thread *t) { return polls_ours(ARG0(t), (uint32_t)ARG1(t)) ? poll_disguised(t, ppoll_masked) : ppoll_masked(t); }

/* ---- select ---- */

static bool
set_has_ours(uint64_t set, unsigned n)
{
    for (int fd = -1; set && n && (fd = descriptor_first_in((unsigned)fd + 1, n - 1)) >= 0 && (unsigned)fd < n - 1;) {
        uint8_t byte = 0;
        if (safe_read(&byte, set + (unsigned)fd / 8, 1) && (byte >> fd % 8 & 1))
            return true;
    }
    return false;
}

static bool
selects_ours(struct thread *t)
{
    unsigned n = (unsigned)ARG0(t);

    return (int)n > 0 && n > descriptor_lowest && (set_has_ours(ARG1(t), n) || set_has_ours(ARG2(t), n) || set_has_ours(ARG3(t), n));
}

long on_select(struct thread *t) { return selects_ours(t) ? -E_BADF : native(t); }
long on_pselect6(struct thread *t) { return selects_ours(t) ? -E_BADF : pselect6_masked(t); }

/* ---- descriptors that are sent ---- */

struct header { uint64_t name; uint32_t name_len; uint64_t iov, iov_len, control, control_len; uint32_t flags; };
struct control { uint64_t len; int32_t level, type; };
enum { LEVEL_SOCKET = 1, TYPE_RIGHTS = 1, MAX_SENT = 253 /* SCM_MAX_FD */, MAX_MESSAGES = 1024 };

static bool
control_has_ours(uint64_t at, uint64_t end)
{
    struct control c;
    int fd[MAX_SENT];

    for (; at + sizeof c <= end && safe_read(&c, at, sizeof c) && c.len >= sizeof c; at += align_up(c.len, 8)) {
        size_t n = MIN((c.len - sizeof c) / sizeof *fd, COUNT_OF(fd));
        if (c.level != LEVEL_SOCKET || c.type != TYPE_RIGHTS || !safe_read(fd, at + sizeof c, n * sizeof *fd))
            continue;
        while (n--)
            if (descriptor_is_ours(fd[n]))
                return true;
    }
    return false;
}

static bool
message_has_ours(uint64_t at)
{
    struct header h;

    return safe_read(&h, at, sizeof h) && h.control && control_has_ours(h.control, h.control + h.control_len);
}

long on_sendmsg(struct thread *t) { return message_has_ours(ARG1(t)) ? -E_BADF : native(t); }

/* The messages before the one that fails are sent. */
long
on_sendmmsg(struct thread *t)
{
    enum { EACH = 64 /* sizeof(struct mmsghdr) */ };
    uint64_t n = MIN((uint32_t)ARG2(t), MAX_MESSAGES), good = 0, was = ARG2(t);

    while (good < n && !message_has_ours(ARG1(t) + good * EACH))
        good++;
    if (good == n)
        return native(t);
    if (!good)
        return -E_BADF;
    ARG2(t) = good;
    long r = native(t);
    ARG2(t) = was;
    return r;
}

/* ---- requests ---- */

long
on_io_submit(struct thread *t)
{
    uint64_t n = ARG1(t), good = 0, was = n, at;
    struct iocb cb;

    while (good < n && safe_read(&at, ARG2(t) + 8 * good, 8) && safe_read(&cb, at, sizeof cb) && !descriptor_is_ours((int)cb.aio_fildes))
        good++;
    if (good == n || !safe_read(&at, ARG2(t) + 8 * good, 8) || !safe_read(&cb, at, sizeof cb))
        return native(t);
    if (!good)
        return -E_BADF;
    ARG1(t) = good;
    long r = native(t);
    ARG1(t) = was;
    return r;
}
