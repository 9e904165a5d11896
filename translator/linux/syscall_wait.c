/* Waiting for descriptors: poll's and select's sets, epoll's commands.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/errno.h>
#include <linux/eventpoll.h>
#include <linux/poll.h>

#include "syscall_walk.h"

enum {
    MAX_POLLED = 1 << 20, /* far beyond any RLIMIT_NOFILE in use; the walk says so if it stops there */
    MAX_SELECTED = 1 << 20,
};

/* Events of an entry with a negative descriptor are ignored; its result is
 * cleared all the same, also when the call ends in EINTR. */
void
walk_pollfds(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, k + 1);

    if (n > MAX_POLLED) {
        walk_unknown(w);
        n = MAX_POLLED;
    }
    if (w->post && w->result < 0 && w->result != -EINTR)
        return;
    for (uint32_t i = 0; i < n && !w->stopped; i++, at += sizeof(struct pollfd)) {
        walk_enter(w, i);
        if (!w->post) {
            bool ignored = (int32_t)walk_fetch32(w, at) < 0;

            walk_in(w, at, 4, "[%].fd");
            (ignored ? walk_copy : walk_in)(w, at + offsetof(struct pollfd, events), 2, "[%].events");
        }
        walk_out(w, at + offsetof(struct pollfd, revents), 2, "[%].revents");
        walk_leave(w);
    }
}

/* Bits 0 to n - 1 count; the kernel moves whole longs. It clamps n to the size
 * of the descriptor table, so that it may touch less than a caller with a large n says. */
void
walk_fd_set(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, 0), used = (n + 7) / 8, whole = (n + 63) / 64 * 8,
             sure = 8;

    if (n > MAX_SELECTED) {
        walk_unknown(w);
        return;
    }
    if (used < sure)
        sure = used;
    walk_in(w, at, sure, NULL);
    w->maybe = true;
    walk_in(w, at + sure, used - sure, NULL);
    w->maybe = whole > 8;
    walk_copy(w, at + used, whole - used, NULL);
    w->maybe = false;
    walk_out(w, at, whole ? 8 : 0, NULL);
    w->maybe = true;
    walk_out(w, at + 8, whole > 8 ? whole - 8 : 0, NULL);
}

static uint32_t
op_key(const uint64_t *arg)
{
    return (uint32_t)arg[1];
}

static const struct syscall_field epoll_event_field[] = {
    FIELD(struct epoll_event, events), /* `data` is the program's own, often half set */
};
static const struct syscall_layout epoll_event_fields = {
    .size = sizeof(struct epoll_event), .nfields = 1, .field = epoll_event_field};

/* clang-format off */
static const struct syscall_variant epoll_ctl_rows[] = {
    VARIANT(EPOLL_CTL_ADD, 0, COMMAND("op"), FD("fd"), IN_FIELDS("event", epoll_event_fields)),
    VARIANT(EPOLL_CTL_DEL, 0, COMMAND("op"), FD("fd"), UNUSED("event")),
    VARIANT(EPOLL_CTL_MOD, 0, COMMAND("op"), FD("fd"), IN_FIELDS("event", epoll_event_fields)),
};
/* clang-format on */
const struct syscall_variants epoll_ctl_commands = VARIANTS(op_key, 1, epoll_ctl_rows);
