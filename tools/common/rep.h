/* How often a string instruction with a rep prefix will run. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TOOLS_REP_H
#define DRTOOLS_TOOLS_REP_H

#include "drtools/tool.h"

/* Elements that the instruction at `pc` (`length` bytes) will access from `mc` on: rcx, or for cmps and scas as many as it takes to
 * find what they look for. `m`: its n operands. Reads program memory. */
uint64_t rep_elements(uint64_t pc, unsigned length, const struct dr_memory *m, unsigned n, const struct dr_mcontext *mc);

#endif
