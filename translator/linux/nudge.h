/* Nudges: a word for the tools of a running process, by a signal that only an engine understands. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_NUDGE_H
#define DRTOOLS_TRANSLATOR_NUDGE_H

#include "core/thread.h"
#include "core/tools.h"
#include "drtools/nudge.h"
#include "linux/abi.h"

static inline bool nudge_waits(const struct thread *t) { return t->nudges_in != t->nudges_out; }

/* In the handler. True: it is one, and noted. */
static inline bool
nudge_received(struct thread *t, const struct ksiginfo *info)
{
    if (info->signo != DR_NUDGE_SIGNAL || info->code != DR_NUDGE_CODE)
        return false;
    if (t->nudges_in - t->nudges_out < COUNT_OF(t->nudge)) {
        t->nudge[t->nudges_in % COUNT_OF(t->nudge)] = info->kill.value;
        t->nudges_in++;
    }
    return true;
}

/* Tells the tools of what has come. No locks held; more may come meanwhile. */
static inline void
nudge_deliver(struct thread *t)
{
    while (nudge_waits(t)) {
        uint64_t arg = t->nudge[t->nudges_out % COUNT_OF(t->nudge)];
        t->nudges_out++;
        tools_nudge(t, arg);
    }
}

#endif
