/* SPDX-License-Identifier: BSD-3-Clause */
/* Printing usage, options, tools and the version. */
#include "help.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 28, WIDTH = 80 };

/* `text` from column `column` on, wrapped; the first line has `used` columns taken. */
static void
print_wrapped(const char *text, size_t used, size_t column)
{
    size_t at = used;

    if (used && used >= column) {
        putchar('\n');
        at = 0;
    }
    printf("%*s", (int)(column - at), "");
    at = column;
    while (*text) {
        size_t word = strcspn(text, " ");

        if (at > column && at + 1 + word > WIDTH) {
            printf("\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)word, text);
        at += word;
        text += word + strspn(text + word, " ");
    }
    putchar('\n');
}

static void
print_option(const char *spelling, const char *arg, const char *help)
{
    size_t used = (size_t)printf("  %s%s%s", spelling, arg ? " " : "", arg ? arg : "");

    print_wrapped(help, used, COLUMN);
}

static const char *
help_text(const struct option *o)
{
    if (o->shape == SHAPE_FLAG || !o->fallback)
        return o->help;
    return keep_printf("%s (default: %s)", o->help, o->fallback);
}

static void
print_usage(FILE *to, const struct command *cmd)
{
    for (size_t i = 0; cmd->usage[i]; i++)
        fprintf(to, "%s %s %s\n", i ? "      " : "usage:", cmd->name, cmd->usage[i]);
}

void
help_usage(const struct command *cmd)
{
    print_usage(stderr, cmd);
    fprintf(stderr, "`%s -help` lists the options.\n", cmd->name);
    if (cmd->options == FOR_DRRUN && !cmd->tool)
        fprintf(stderr, "`%s -t` lists the tools.\n", cmd->name);
}

static void
print_tool_options(const struct tool *tool)
{
    printf("\nOptions of the tool %s:\n", tool->name);
    if (!tool->described)
        print_wrapped("It does not list them; they are passed on to it as they are, and `--` must end them.",
                      0, 2);
    for (size_t i = 0; i < tool->n; i++)
        print_option(keep_printf("-%s", tool->options[i].name), tool->options[i].arg, tool->options[i].help);
}

void
help_print(const struct command *cmd, const struct tool *tool)
{
    const char *group = "";

    print_usage(stdout, cmd);
    putchar('\n');
    print_wrapped(cmd->description, 0, 0);
    if (tool)
        print_tool_options(tool);
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &options[i];

        if (!option_is_listed(o, cmd->options))
            continue;
        if (strcmp(o->group, group) != 0)
            printf("\n%s:\n", o->group);
        group = o->group;
        print_option(option_spelling(o), o->arg, help_text(o));
    }
}

void
help_tool(const struct command *cmd, const struct tool *tool)
{
    printf("usage: %s -t %s [options]%s APP [ARGS]\n", cmd->name, tool->name, tool->described ? "" : " --");
    if (tool->summary) {
        putchar('\n');
        print_wrapped(tool->summary, 0, 0);
    }
    print_tool_options(tool);
}

void
help_list_tools(const struct install *in)
{
    struct words names = tools_installed(in);

    if (!names.n)
        printf("no tools are installed in %s\n", in->tools);
    for (size_t i = 0; i < names.n; i++) {
        struct error ignored;
        struct tool tool;

        if (tool_find(&tool, in, names.v[i], &ignored) && tool.summary)
            print_option(tool.name, NULL, tool.summary);
        else
            printf("  %s\n", names.v[i]);
    }
}

void
help_version(const struct command *cmd)
{
    printf("%s (drtools) %s\n", cmd->name, DRTOOLS_VERSION);
}
