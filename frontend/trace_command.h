/* SPDX-License-Identifier: BSD-3-Clause */
/* drrun -t memtrace -view FILE, -list FILE: a trace instead of a program. */
#ifndef DRTOOLS_FRONTEND_TRACE_COMMAND_H
#define DRTOOLS_FRONTEND_TRACE_COMMAND_H

#include "command_line.h"

bool trace_command_wanted(const struct settings *s);
bool trace_command(const struct settings *s, const struct command_line *line, struct error *err);

#endif
