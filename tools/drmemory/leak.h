/* What the last leak scan found, besides what it reported. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_LEAK_H
#define DRTOOLS_DRMEMORY_LEAK_H

#include "drmemory.h"

/* By kind: lost, possibly lost, reachable, suppressed (always 0), as COUNT_LEAKS asks. */
struct leak_counts { uint64_t bytes[4], blocks[4]; };
void leak_counts(struct leak_counts *out);

void leak_fork_child(void);

#endif
