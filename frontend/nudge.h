/* SPDX-License-Identifier: BSD-3-Clause */
/* -nudge PID: a word to the tools of a process that runs. */
#ifndef DRTOOLS_FRONTEND_NUDGE_H
#define DRTOOLS_FRONTEND_NUDGE_H

#include "command_line.h"

bool nudge_command(const struct install *in, struct command_line *line, struct error *err);

#endif
