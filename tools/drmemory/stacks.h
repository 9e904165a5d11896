/* Call stacks: what the rest of the tool does with them is in drmemory.h; this is for its start and its statistics. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_STACKS_H
#define DRTOOLS_DRMEMORY_STACKS_H

#include "drmemory.h"

/* In init. False: no memory. */
bool stacks_init(void);
void stacks_fork_child(void);

/* kept: distinct stacks; words: of memory for them; walked: captures that the thread's last stacks did not answer. */
struct stacks_stats { uint64_t kept, words, walked; };
extern struct stacks_stats stacks_stats;

#endif
