/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing the completion for bash: completion.bash, the template, comes in on
 * standard input, and lines of it that start with #@ are replaced. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "options.h"

static void
print_options(unsigned commands)
{
    printf("        options='");
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_is_listed(&options[i], commands))
            printf("%s ", option_spelling(&options[i]));
    puts("'");
}

static void
print_choices(const char *choices)
{
    for (; *choices; choices++)
        putchar(*choices == '|' ? ' ' : *choices);
}

/* An arm of `case` for each option that takes a value. */
static void
print_values(void)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &options[i];

        if (!o->arg || o->shape == SHAPE_TOOL)
            continue;
        printf("    -%s) ", o->name);
        if (o->shape == SHAPE_CHOICE) {
            printf("_drtools_reply -W '");
            print_choices(o->arg);
            puts("' ;;");
        } else {
            puts(o->shape == SHAPE_DIR        ? "_drtools_reply -d ;;"
                 : strcmp(o->arg, "APP") == 0 ? "_drtools_reply -c ;;"
                                              : ";;");
        }
    }
}

void
bash_completion_print(void)
{
    char *line = NULL;
    size_t capacity = 0;

    while (getline(&line, &capacity, stdin) >= 0)
        if (strcmp(line, "#@values\n") == 0)
            print_values();
        else if (strcmp(line, "#@options drconfig\n") == 0)
            print_options(FOR_DRCONFIG);
        else if (strcmp(line, "#@options drrun\n") == 0)
            print_options(FOR_DRRUN);
        else
            fputs(line, stdout);
    free(line);
}
