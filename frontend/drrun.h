/* SPDX-License-Identifier: BSD-3-Clause */
/* What the commands do once their command line is parsed. False: `err` says why. */
#ifndef DRTOOLS_FRONTEND_DRRUN_H
#define DRTOOLS_FRONTEND_DRRUN_H

#include "command_line.h"

/* drrun, drmemory and drprof: become the program. Returns only on failure. */
bool drrun(const struct command *cmd, const struct install *in, struct command_line *line, struct error *err);

bool drconfig(const struct command_line *line, struct error *err);

#endif
