/* SPDX-License-Identifier: BSD-3-Clause */
/* What is printed on request: usage, options, tools, version. */
#ifndef DRTOOLS_FRONTEND_HELP_H
#define DRTOOLS_FRONTEND_HELP_H

#include "command.h"
#include "install.h"
#include "tool.h"

void help_usage(const struct command *cmd); /* to standard error: what a bare command name gets */
void help_print(const struct command *cmd, const struct tool *tool); /* `tool`: a command's own, or NULL */
void help_tool(const struct command *cmd, const struct tool *tool);
void help_list_tools(const struct install *in);
void help_version(const struct command *cmd);

#endif
