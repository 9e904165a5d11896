/* Stopping all other threads, each where its program state is known. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SUSPEND_H
#define DRTOOLS_TRANSLATOR_SUSPEND_H

#include "core/thread.h"
#include "linux/abi.h"

/* By `self`, outside of the cache or in a clean call, without locks. Returns when every other thread of the process
 * is parked: parked_mc is its program state. The list of threads does not change until resume_others. Nests. */
void suspend_others(struct thread *self);
void resume_others(struct thread *self);

/* signal.c and dispatch: our own signal; the places to park. suspend_in_handler returns
 * true if the thread must go on at parked_mc, by way of dispatch. */
bool suspend_is_request(const struct thread *t, const struct ksiginfo *info);
bool suspend_in_handler(struct thread *t, const struct mcontext *m, enum parked how);
void suspend_in_dispatch(struct thread *t);
bool suspend_has_parked(const struct thread *t);      /* … and not been resumed */
void suspend_after_fork(struct thread *t);

#endif
