/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing a man page, in the macros of man(7). */
#include <stdio.h>
#include <string.h>

#include "documents.h"
#include "options.h"

/* In running text '-' is a minus sign that can be copied, and a line may not start with a control character. */
static void
put(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
}

static void
put_line(const char *macro, const char *text)
{
    if (macro)
        printf("%s ", macro);
    put(text);
    putchar('\n');
}

/* A labelled paragraph. */
static void
put_item(const char *label, const char *text)
{
    puts(".TP");
    put_line(".B", label);
    put_line(NULL, text);
}

static void
put_option(const struct option *o)
{
    puts(".TP");
    printf("\\fB");
    put(option_spelling(o));
    printf("\\fR");
    if (o->arg) {
        printf(" \\fI");
        put(o->arg);
        printf("\\fR");
    }
    putchar('\n');
    put(o->help);
    puts(".");
    if (o->fallback && o->shape != SHAPE_FLAG) {
        printf("Default: ");
        put(o->fallback);
        puts(".");
    }
}

static void
put_options(const struct command *cmd)
{
    const char *group = "";

    puts(".SH OPTIONS");
    put_line(NULL,
             "An option may be written with one dash or two, its value as the next word or behind an equals "
             "sign. What -NAME switches on, -no_NAME switches off, and the other way round.");
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &options[i];

        if (!option_is_listed(o, cmd->options))
            continue;
        if (strcmp(o->group, group) != 0)
            put_line(".SS", o->group);
        group = o->group;
        put_option(o);
    }
}

static void
put_statuses(const struct command *cmd)
{
    puts(".SH EXIT STATUS");
    if (cmd->options == FOR_DRCONFIG) {
        put_item("0", "Done.");
        put_item("2", "Wrong usage, or a file that cannot be read or written.");
        return;
    }
    puts("That of the program, or its death by the same signal. If the program was not run:");
    put_item("2", "Wrong usage, or a file given to drrun cannot be used.");
    put_item("125", "A fault of drtools itself, or something the engine needs is missing.");
    put_item(
        "126",
        "The program was found, but cannot be run: a directory, no permission, damaged, for another machine.");
    put_item("127", "The program was not found.");
}

static void
put_files(void)
{
    puts(".SH FILES");
    put_item(
        "$XDG_CONFIG_HOME/drtools/APP.conf",
        "What drconfig recorded about programs named APP. XDG_CONFIG_HOME is ~/.config if it is not set.");
    put_item(DRTOOLS_SYSCONFDIR "/drtools/APP.conf",
             "The same for all users. A user's own file comes first.");
    put_item("lib/drtools/tools/libTOOL.so", "The tools, beside the folder that drrun is in.");
}

static void
put_examples(const struct command *cmd)
{
    puts(".SH EXAMPLES");
    if (cmd->options == FOR_DRCONFIG) {
        put_item("drconfig -reg server -cache_max 64M -t bbcount",
                 "Whenever drrun runs a program named server, run it so.");
        put_item("drconfig -norun ssh", "Let every ssh that a program starts run natively.");
        return;
    }
    put_item("drrun -t bbcount -- python3 -c 'print(1)'", "Count the basic blocks that Python executes.");
    put_item("drrun -t", "List the tools.");
    put_item("drrun -t bbcount -help", "List that tool's options.");
}

static void
put_environment(const struct command *cmd)
{
    puts(".SH ENVIRONMENT");
    put_item("XDG_CONFIG_HOME, HOME", "Where the user's configuration files are.");
    put_item("DRTOOLS_SYSCONFDIR", "A folder to use instead of " DRTOOLS_SYSCONFDIR ".");
    if (cmd->options == FOR_DRRUN)
        put_item("NO_COLOR", "If set and not empty, -color auto means never.");
}

void
man_page_print(const struct command *cmd)
{
    printf(".\\\" Generated from the table of options.\n.TH %s 1 \"\" \"drtools %s\" \"User Commands\"\n",
           cmd->name, DRTOOLS_VERSION);
    printf(".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", cmd->name, cmd->purpose);
    for (size_t i = 0; cmd->usage[i]; i++) {
        printf("%s.B %s\n", i ? ".br\n" : "", cmd->name);
        put_line(NULL, cmd->usage[i]);
    }
    puts(".SH DESCRIPTION");
    put_line(NULL, cmd->description);
    put_options(cmd);
    put_statuses(cmd);
    put_environment(cmd);
    put_files();
    put_examples(cmd);
    printf(".SH SEE ALSO\n.BR %s (1)\n", cmd->options == FOR_DRCONFIG ? "drrun" : "drconfig");
}
