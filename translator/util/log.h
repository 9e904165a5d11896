/* Logging by subject, off by default, safe in a signal handler. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_LOG_H
#define DRTOOLS_TRANSLATOR_LOG_H

#include "util/base.h"

enum log_subject { LOG_CACHE, LOG_DISPATCH, LOG_SIGNAL, LOG_SYSCALL, LOG_MEMORY, LOG_LOADER, LOG_THREAD, LOG_SUBJECTS };
extern uint32_t log_mask;
bool log_enable(const char *subjects);          /* comma-separated; false: one is unknown  */
void log_open(const char *dir);                 /* <dir>/engine.<pid>.log; stderr if NULL  */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define LOG(subject, ...) (UNLIKELY(log_mask >> (subject) & 1) ? log_line(__VA_ARGS__) : (void)0)

#endif
