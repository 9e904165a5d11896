/* Generation of cases. A case is a function of (seed, index) and of the list
 * of forms this processor has, and of nothing else.
 * Threads: a struct generator belongs to one thread. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_GENERATE_H
#define DRTOOLS_FUZZ_GENERATE_H

#include "forms.h"
#include "recipe.h"

struct generator {
    const struct forms *forms;
    uint32_t *all, *plain; /* forms to use: every one; those without vector operands */
    uint32_t nall, nplain;
    uint64_t seed;
};

/* Learns which forms are to be generated: those not excluded for which `had` is
 * set (NULL: all). */
void generator_init(struct generator *g, const struct forms *f, const bool *had, uint64_t seed);
void generator_free(struct generator *g);

/* Case number `index`. */
void generate_case(const struct generator *g, uint64_t index, struct recipe *out);

/* Straight code without faults, for asynchronous signals. */
void generate_async_case(const struct generator *g, uint64_t index, struct recipe *out);

/* One instruction of the form, with what it needs before it, and nothing else.
 * False: no instance was found in many tries. */
bool generate_probe(const struct generator *g, uint32_t form, uint64_t index, struct recipe *out);

/* Why a form is never generated; NULL if it is. */
const char *form_excluded(const struct form *f);
/* It raises a fault whatever its operands are: that counts as having run. */
bool form_always_faults(const struct form *f);

#endif
