/* Time structs whose members count only by what others say.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/time_types.h>
#include <linux/timex.h>

#include "syscall_walk.h"

enum {
    NSEC_NOW = (1 << 30) - 1,  /* UTIME_NOW */
    NSEC_OMIT = (1 << 30) - 2, /* UTIME_OMIT */
};

/* A member is an input if its bit is in `modes`; all are outputs. */
/* clang-format off */
static const struct syscall_field timex_field[] = {
    FIELD(struct __kernel_timex, modes),
    FIELD_IF(struct __kernel_timex, offset,   ADJ_OFFSET, 0),
    FIELD_IF(struct __kernel_timex, freq,     ADJ_FREQUENCY, 0),
    FIELD_IF(struct __kernel_timex, maxerror, ADJ_MAXERROR, 0),
    FIELD_IF(struct __kernel_timex, esterror, ADJ_ESTERROR, 0),
    FIELD_IF(struct __kernel_timex, status,   ADJ_STATUS, 0),
    FIELD_IF(struct __kernel_timex, constant, ADJ_TIMECONST | ADJ_TAI, 0),
    FIELD_IF(struct __kernel_timex, time,     ADJ_SETOFFSET, 0),
    FIELD_IF(struct __kernel_timex, tick,     ADJ_TICK, 0),
};
/* clang-format on */
static const struct syscall_layout timex_fields = {
    .size = sizeof(struct __kernel_timex),
    .flags_at = offsetof(struct __kernel_timex, modes),
    .nfields = sizeof timex_field / sizeof timex_field[0],
    .field = timex_field,
};

void
walk_timex(struct syscall_walk *w, unsigned k)
{
    walk_layout_in(w, w->call->arg[k], &timex_fields, timex_fields.size);
    walk_out(w, w->call->arg[k], timex_fields.size, NULL);
}

/* Seconds are ignored where the nanoseconds say now or not at all. */
void
walk_utimensat(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    for (uint32_t i = 0; i < 2; i++, at += sizeof(struct __kernel_timespec)) {
        uint64_t nsec = walk_fetch64(w, at + 8);

        walk_enter(w, i);
        (nsec == NSEC_NOW || nsec == NSEC_OMIT ? walk_copy : walk_in)(w, at, 8, "[%].tv_sec");
        walk_in(w, at + 8, 8, "[%].tv_nsec");
        walk_leave(w);
    }
}
