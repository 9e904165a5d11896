/* SPDX-License-Identifier: BSD-3-Clause */
/* The exit status: whether a gate closes. */
#ifndef DRTOOLS_REPORTS_GATE_H
#define DRTOOLS_REPORTS_GATE_H

#include <stdbool.h>

struct report;

struct gate {
    int app_status;       /* the program's own, 128 + signal if it was killed               */
    bool enabled;         /* -exit_code_if_errors was given                                 */
    int status_if_errors; /* its N                                                          */
    bool always_zero;     /* -exit0                                                         */
    unsigned long errors; /* that count, of the process and its followed descendants        */
    bool incomplete;      /* the report may lack errors: a gate never passes silently       */
};

int gate_status(const struct gate *g);
/* Different errors that count: not suppressed, potential, stale or in the baseline; of leaks only definite and possible
 * ones, and reachable ones if those are shown. */
unsigned long gate_count(const struct report *r, bool show_reachable);

#endif
