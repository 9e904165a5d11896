/* Cases as text files, to be kept and run again. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_CASEFILE_H
#define DRTOOLS_FUZZ_CASEFILE_H

#include "forms.h"
#include "protocol.h"

#include <stdbool.h>
#include <stdio.h>

/* The file may hold several cases, to be run in order; each ends with a line "end". */
void casefile_write(FILE *out, const struct forms *f, const struct insn_case *c);

/* Reads the next case. False at the end of the file, or with *error set. */
bool casefile_read(FILE *in, struct insn_case *c, const char **error);

#endif
