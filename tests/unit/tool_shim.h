/* The tool API and the shadow, as far as drmemory's heap needs them, on the host. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_TOOL_SHIM_H
#define DRTOOLS_TESTS_TOOL_SHIM_H

#include "drmemory.h"

/* Reserves the shadow; exits with status 77 where that cannot be had. */
void shim_start(void);
/* From now on dr_program_map refuses. */
extern bool shim_no_memory;

#endif
