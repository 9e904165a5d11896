/* What the engine tells the reporter of processes and modules (docs/records.md). Everything
 * does nothing where there is no reporter. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_RECORDS_H
#define DRTOOLS_TRANSLATOR_RECORDS_H

#include "core/thread.h"

/* Before the tools start: the program's own words. */
void records_start(long argc, const uint64_t *argv);
struct dr_module;
void records_module(const struct dr_module *m, bool loaded);
/* Around fork, under threads_lock: what the first returns is for the other two. */
int records_before_fork(bool shares_descriptors);
void records_fork_parent(int channel);
void records_fork_child(struct thread *t, int channel);
/* The kernel is about to start `path` in this process without the engine; it did not. */
void records_exec(const char *path);
void records_exec_failed(void);
/* The end: by status, or signal with EXIT_SIGNAL. Waits for the report where this is the process that the user
 * started. The status to end with in place of the program's own, or -1. */
int records_end(int kind, int code);

#endif
