/* SPDX-License-Identifier: BSD-3-Clause */
/* drrun, drconfig, drmemory and drprof: one program, told apart by the name
 * it is called by. Every failure ends up here and is printed here. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "command_line.h"
#include "drrun.h"
#include "help.h"
#include "nudge.h"
#include "valgrind.h"

/* Names in a message may contain anything, and a message is one line. */
static void
print_error(const struct command *cmd, const char *text)
{
    struct text line = {0};

    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            text_addf(&line, "\\x%02x", (unsigned char)*text);
        else
            text_add_char(&line, *text);
    dprintf(STDERR_FILENO, "%s: %s\n", cmd->name, line.s);
}

static bool
act(const struct command *cmd, const struct install *in, struct command_line *line, struct error *err)
{
    switch (line->action) {
    case ACTION_HELP: help_print(cmd, cmd->tool ? &line->settings.tools[0].tool : NULL); return true;
    case ACTION_TOOL_HELP: help_tool(cmd, &line->asked_about); return true;
    case ACTION_VERSION: help_version(cmd); return true;
    case ACTION_LIST_TOOLS: help_list_tools(in); return true;
    default: break;
    }
    if (line->settings.value[OPT_NUDGE])
        return nudge_command(in, line, err);
    return cmd->options == FOR_DRCONFIG ? drconfig(line, err) : drrun(cmd, in, line, err);
}

/* Output that could not be written, to a full disk say, is a failure. */
static bool
finish_output(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return error_sys(err, STATUS_USAGE, "cannot write to standard output");
}

int
main(int argc, char **argv)
{
    const struct command *cmd = command_of(argv[0]);
    struct error err = {0};
    struct command_line line;
    struct install in;
    char **words = argv + 1;

    if (argc < 2) {
        help_usage(cmd);
        return STATUS_USAGE;
    }
    if (!install_find(&in, &err) || (strcmp(cmd->name, "valgrind") == 0 && !valgrind_words(&in, &words, &err)) ||
        !command_line_parse(cmd, &in, words, &line, &err) ||
        !act(cmd, &in, &line, &err) || !finish_output(&err)) {
        print_error(cmd, err.text);
        return err.status;
    }
    return line.status;
}
