/* SPDX-License-Identifier: BSD-3-Clause */
/* The exit status, from numbers alone. */
#include "gate.h"

#include "model.h"

int
gate_status(const struct gate *g)
{
    if (g->enabled && (g->errors > 0 || g->incomplete))
        return g->status_if_errors;
    return g->always_zero ? 0 : g->app_status;
}

unsigned long
gate_count(const struct report *r, bool show_reachable)
{
    unsigned long count = 0;

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if (!finding_counts(f) || f->known || f->kind == FINDING_INDIRECT_LEAK)
            continue;
        if (f->kind == FINDING_REACHABLE_LEAK && !show_reachable)
            continue;
        count++;
    }
    return count;
}
