/* Making a case that shows a difference small. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_MINIMIZE_H
#define DRTOOLS_FUZZ_MINIMIZE_H

#include "session.h"

enum { HISTORY_MAX = BATCH - 1 };

struct finding {
    struct recipe recipe;   /* small, if it recurs */
    struct recipe *history; /* cases that have to run before it */
    int nhistory;
    bool recurs; /* in fresh processes */
    bool died;   /* the second peer died rather than differing */
    char death[96];
    struct insn_case layout;
    struct insn_result native, other;
};

/* `before` are the cases that ran before it in the same process, oldest first;
 * `history` needs room for HISTORY_MAX. Runs fresh processes, a few hundred at most. */
void minimize(struct session *s, const struct recipe *r, const struct recipe *before, int nbefore,
              struct finding *out);

/* Whether it differs each time of several, in fresh processes. */
bool finding_is_steady(struct session *s, struct finding *f);

#endif
