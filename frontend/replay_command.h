/* SPDX-License-Identifier: BSD-3-Clause */
/* `drrun -replay FILE`. */
#ifndef DRTOOLS_FRONTEND_REPLAY_COMMAND_H
#define DRTOOLS_FRONTEND_REPLAY_COMMAND_H

#include "command_line.h"

/* Prints and writes the reports that `s` asks for; line->status is the status to end with. */
bool replay_command(const struct install *in, const struct settings *s, struct command_line *line, struct error *err);

#endif
