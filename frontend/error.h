/* SPDX-License-Identifier: BSD-3-Clause */
/* A failure: described where it is understood, printed once, in main. */
#ifndef DRTOOLS_FRONTEND_ERROR_H
#define DRTOOLS_FRONTEND_ERROR_H

#include <stdbool.h>

/* What the user's shell sees; docs/troubleshooting.md explains each. */
enum status {
    STATUS_OK = 0,
    STATUS_USAGE = 2,          /* wrong usage, or a file given to us that cannot be used */
    STATUS_ENGINE = 125,       /* a fault of drtools' own                                */
    STATUS_NOT_RUNNABLE = 126, /* the program exists but cannot be run                   */
    STATUS_NOT_FOUND = 127,
};

struct error {
    enum status status;
    const char *text; /* one sentence, no newline, no program name; NULL: no failure */
};

/* Both are always false, so that a failing function can end in `return error_set(...)`. */
bool error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, followed by ": " and what errno says. A shortage of descriptors or
 * memory is no fault of the file's: the status is then STATUS_ENGINE. */
bool error_sys(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
