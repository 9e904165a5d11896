/* When reports are sent; what they are is in drmemory.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_REPORT_H
#define DRTOOLS_DRMEMORY_REPORT_H

#include <stdbool.h>

/* In init. False: no memory. */
bool report_init(void);
/* Nothing has been reported by this process yet. */
void report_fork_child(void);
/* Counts that have not been sent: before exec, and last at exit. */
void report_flush(void);
/* After the leak scan of a nudge: the reporter writes what there is. */
void report_nudge(void);

#endif
