/* What becomes of stack memory as rsp moves. The 128 bytes below rsp are the program's too (System V ABI, 3.2.2): the
 * "red zone" here. What a moving rsp uncovers is undefined, what it leaves behind is unaddressable. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_STACK_H
#define DRTOOLS_DRMEMORY_STACK_H

#include "drmemory.h"

enum { RED_ZONE = 128 };

/* rsp went from `from` to `to`: by a change that no emitted code knows. */
void stack_moved(uint64_t from, uint64_t to);
/* A thread starts at rsp; the first one's stack has not been used below. */
void stack_start(uint64_t rsp);

bool stack_init(void);
/* A signal's frame has been put at [lo, hi); the handler's rsp is lo. */
void stack_signal_frame(dr_thread *t, uint64_t lo, uint64_t hi);
/* rt_sigreturn is about to be called. */
void stack_sigreturn(dr_thread *t, uint64_t rsp);

#endif
