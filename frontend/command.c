/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of commands. */
#include "command.h"

#include <stddef.h>
#include <string.h>

#include "options.h"

static const char *const drrun_usage[] = {"[options] [-t TOOL [tool options]]... [--] APP [ARGS]", NULL};
static const char *const tool_usage[] = {"[options] -- APP [ARGS]", "-nudge PID", NULL};
static const char *const drconfig_usage[] = {
    "[-global] -reg APP [options] [-t TOOL [tool options]]...",
    "[-global] -norun APP",
    "[-global] -unreg APP",
    "[-global] -list",
    "-nudge PID",
    NULL,
};

const struct command commands[] = {
    {"drrun", FOR_DRRUN, NULL, drrun_usage, "run a program under a dynamic binary translator",
     "Runs the program APP, which may be any x86-64 Linux program, under the translator, with the tools that are "
     "given or with none. The program needs no recompiling, and its output, exit status and signals are as without "
     "drrun."},
    {"drconfig", FOR_DRCONFIG, NULL, drconfig_usage, "register programs with the translator",
     "Records, by the name of a program, with which options and tools drrun runs it, whether it is followed when "
     "another program executes it, or that it is never followed."},
    {"drmemory", FOR_DRRUN, "drmemory", tool_usage, "find memory errors in a program",
     "Runs the program APP under the tool drmemory."},
    {"drprof", FOR_DRRUN, "drprof", tool_usage, "profile a program",
     "Runs the program APP under the tool drprof."},
};
/* Not installed under this name, but understood: test drivers choose what they say by it. */
static const struct command valgrind = {
    "valgrind", FOR_DRRUN, "drmemory", tool_usage, "find memory errors in a program", "Runs the program APP under the tool drmemory.",
};

const unsigned commands_n = sizeof commands / sizeof *commands;

const struct command *
command_of(const char *argv0)
{
    for (unsigned i = 0; argv0 && i < commands_n; i++)
        if (strcmp(commands[i].name, basename(argv0)) == 0)
            return &commands[i];
    if (argv0 && strstr(basename(argv0), "valgrind"))
        return &valgrind;
    return &commands[0];
}
