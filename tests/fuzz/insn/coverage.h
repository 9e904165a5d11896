/* Which forms have been run, and how. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_COVERAGE_H
#define DRTOOLS_FUZZ_COVERAGE_H

#include "forms.h"
#include "recipe.h"

#include <stdbool.h>
#include <stdio.h>

struct coverage {
    const struct forms *forms;
    bool *had;                              /* this processor has the form */
    uint32_t *completed, *faulted, *riprel; /* times run to its end; faulted; completed RIP-relative */
};

void coverage_init(struct coverage *v, const struct forms *f);
void coverage_free(struct coverage *v);

/* Counts the forms that surely were executed: those before the first control
 * transfer, and no further than where the case ended. */
void coverage_count(struct coverage *v, const struct recipe *r, const struct insn_case *c,
                    const struct insn_result *native);

/* Prints the summary and, if asked, the forms that were not covered. Returns the percentage. */
double coverage_print(const struct coverage *v, FILE *out, bool list);

#endif
