/* Generation of cases. A case is a function of (seed, index) and of the list
 * of forms this processor has, and of nothing else.
 * Threads: a struct generator belongs to one thread. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_GENERATE_H
#define DRTOOLS_FUZZ_GENERATE_H

#include "forms.h"
#include "recipe.h"

/* What can be left out, to look at the rest (option --without). */
enum feature {
    WITHOUT_GS = 1,           /* GS-relative operands and the GS base */
    WITHOUT_FS = 2,           /* FS-relative operands */
    WITHOUT_TF = 4,           /* popf that sets TF */
    WITHOUT_AC = 8,           /* popf that sets AC */
    WITHOUT_FAR = 16,         /* far jumps, calls and returns, iret */
    WITHOUT_SMC = 32,         /* sequences that modify themselves */
    WITHOUT_FAULTS = 64,      /* operands and instructions that are meant to fault */
    WITHOUT_X87SAVE = 128,    /* fnstenv, fnsave, fxsave, xsave and their inverses */
    WITHOUT_BRANCH16 = 256,   /* near branches with an operand-size prefix */
    WITHOUT_INSTALL = 512,    /* code put in place otherwise than by stores */
    WITHOUT_SIGRETURN = 1024, /* entry by way of a signal frame */
    WITHOUT_EDIT = 2048,      /* signal handlers that change registers */
    WITHOUT_END = 4096,       /* code that ends where its mapping ends */
};

extern const char *const feature_names[]; /* by bit number, NULL-terminated */

struct generator {
    const struct forms *forms;
    uint32_t *all, *plain; /* forms to use: every one; those without vector operands */
    uint32_t nall, nplain;
    uint32_t common[128], ncommon; /* those that programs mostly consist of */
    uint64_t seed;
    unsigned without; /* WITHOUT_* */
};

/* Learns which forms are to be generated: those not excluded for which `had` is
 * set (NULL: all). */
void generator_init(struct generator *g, const struct forms *f, const bool *had, uint64_t seed,
                    unsigned without);
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
/* It is of a kind that is left out. */
bool form_left_out(const struct form *f, unsigned without);

#endif
