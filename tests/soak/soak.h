// SPDX-License-Identifier: BSD-3-Clause
/* What every soak program shares: sizes from the environment, checks that end the program, and the two moments
 * at which soak.py measures the memory of the process from outside.
 * Without soak.py (no SOAK_FDS) a moment passes without a pause. */
#ifndef SOAK_H
#define SOAK_H
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The number in the environment variable `name`, else `otherwise`. */
static inline long
soak_size(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text ? strtol(text, NULL, 10) : otherwise;
}

/* Ends the program with what was claimed and what was found. */
__attribute__((format(printf, 2, 3), noreturn)) static inline void
soak_fail(const char *claim, const char *format, ...)
{
    va_list args;

    printf("FAIL %s: ", claim);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    _exit(1);
}

#define SOAK_CHECK(claim, ...)              \
    do {                                    \
        if (!(claim))                       \
            soak_fail(#claim, __VA_ARGS__); \
    } while (0)

/* Waits while soak.py measures. A signal may interrupt either call. */
static inline void
soak_measure(char moment)
{
    const char *fds = getenv("SOAK_FDS");
    int from, to;
    char answer;

    if (!fds || sscanf(fds, "%d,%d", &from, &to) != 2)
        return;
    while (write(to, &moment, 1) != 1)
        continue;
    while (read(from, &answer, 1) != 1)
        continue;
}

/* Call at the end of step `done` (counted from 1) of `total`: measures after the first and the last tenth. */
static inline void
soak_step(long done, long total)
{
    if (done == (total + 9) / 10)
        soak_measure('1');
    if (done == total)
        soak_measure('2');
}
#endif
