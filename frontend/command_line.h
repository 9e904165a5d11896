/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: `[options] [-t TOOL [tool options]]... [--] [APP ARGS]`. */
#ifndef DRTOOLS_FRONTEND_COMMAND_LINE_H
#define DRTOOLS_FRONTEND_COMMAND_LINE_H

#include "command.h"
#include "install.h"
#include "settings.h"

enum action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_TOOL_HELP,
    ACTION_VERSION,
    ACTION_LIST_TOOLS,
};

struct command_line {
    enum action action;
    struct settings settings;
    struct tool asked_about; /* ACTION_TOOL_HELP */
    int status;              /* to end with, if all went well */
    char **app;              /* APP and its arguments, of the caller's array; app[0] NULL: none */
};

/* `words` is argv without its first element. */
bool command_line_parse(const struct command *cmd, const struct install *in, char **words,
                        struct command_line *out, struct error *err);

#endif
