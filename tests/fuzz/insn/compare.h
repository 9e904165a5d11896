/* Comparing two results of one case, and saying how they differ. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_COMPARE_H
#define DRTOOLS_FUZZ_COMPARE_H

#include "forms.h"
#include "protocol.h"

#include <stdbool.h>
#include <stdio.h>

bool results_agree(const struct insn_result *a, const struct insn_result *b);

/* Field by field; `names` are the two columns' heads. */
void print_difference(FILE *out, const struct insn_case *c, const struct insn_result *a,
                      const struct insn_result *b, const char *const names[2]);

/* The sequence with its addresses, one instruction a line. */
void print_case(FILE *out, const struct forms *f, const struct insn_case *c);

uint64_t case_address(const struct insn_case *c);
extern const char *const install_names[INSTALL_COUNT],
    *const entry_names[ENTRY_COUNT], *const fault_action_names[FAULT_COUNT], *const gpr_names[16];

#endif
