/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding tools and reading their option lists. A line of TOOL.opt is
 *     name<TAB>argument, or - for a flag<TAB>help
 * the first line that starts with '#' says what the tool is for, and a line
 * `!reports` that it has a reporter told what it finds. */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nearest.h"

static const char prefix[] = "lib", suffix[] = ".so";

enum { PREFIX = sizeof prefix - 1, SUFFIX = sizeof suffix - 1 };

/* "libNAME.so" to "NAME"; NULL if `file` is not of that form. */
static char *
name_from_file(const char *file)
{
    size_t length = strlen(file);

    if (length <= PREFIX + SUFFIX || strncmp(file, prefix, PREFIX) != 0 ||
        strcmp(file + length - SUFFIX, suffix) != 0)
        return NULL;
    return keep_slice(file + PREFIX, length - PREFIX - SUFFIX);
}

struct words
tools_installed(const struct install *in)
{
    struct words names = {0};
    DIR *folder = opendir(in->tools);

    if (!folder)
        return names;
    for (struct dirent *d; (d = readdir(folder));) {
        const char *name = name_from_file(d->d_name);

        if (name)
            words_add(&names, name);
    }
    closedir(folder);
    words_sort(&names);
    return names;
}

static void
describe_option(struct tool *tool, const char *name, const char *arg, const char *help)
{
    struct tool_option *o;

    tool->options = keep_grow(tool->options, tool->n, &tool->capacity, sizeof *tool->options);
    o = &tool->options[tool->n++];
    o->name = option_name(name);
    o->arg = strcmp(arg, "-") == 0 ? NULL : keep_string(arg);
    o->help = keep_string(help);
    o->shape = !o->arg                    ? SHAPE_FLAG
               : strchr(arg, '|')         ? SHAPE_CHOICE
               : strcmp(arg, "N") == 0    ? SHAPE_NUMBER
               : strcmp(arg, "SIZE") == 0 ? SHAPE_SIZE
                                          : SHAPE_WORD;
}

static bool
read_line(struct tool *tool, char *line)
{
    char *arg, *help;

    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '#') {
        if (!tool->summary)
            tool->summary = keep_string(line + 1 + strspn(line + 1, " "));
        return true;
    }
    if (!line[0])
        return true;
    if (strcmp(line, "!reports") == 0)
        return tool->reports = true;
    if (strcmp(line, "!profiles") == 0)
        return tool->profiles = true;
    arg = strchr(line, '\t');
    help = arg ? strchr(arg + 1, '\t') : NULL;
    if (!help || arg == line || help == arg + 1)
        return false;
    *arg = *help = '\0';
    describe_option(tool, line, arg + 1, help + 1);
    return true;
}

static bool
read_options(struct tool *tool, const char *path, struct error *err)
{
    FILE *f = fopen(path, "re");
    size_t capacity = 0;
    char *line = NULL;
    bool good = true;

    if (!f)
        return errno == ENOENT || error_sys(err, STATUS_USAGE, "cannot read %s", path);
    tool->described = true;
    for (unsigned number = 1; good && getline(&line, &capacity, f) >= 0; number++)
        good =
            read_line(tool, line) ||
            error_set(err, STATUS_USAGE, "%s:%u: not of the form NAME<TAB>ARGUMENT<TAB>HELP", path, number);
    if (good && ferror(f))
        good = error_sys(err, STATUS_USAGE, "cannot read %s", path);
    free(line);
    fclose(f);
    return good;
}

static bool
unknown_tool(const struct install *in, const char *name, struct error *err)
{
    struct words names = tools_installed(in);
    const char *close = nearest(name, &names);

    if (close)
        return error_set(err, STATUS_USAGE, "there is no tool %s; did you mean %s?", name, close);
    return error_set(err, STATUS_USAGE, "the tool %s is not installed (looked in %s)", name, in->tools);
}

static bool
find_installed(struct tool *tool, const struct install *in, const char *name, struct error *err)
{
    tool->name = keep_string(name);
    tool->path = keep_printf("%s/%s%s%s", in->tools, prefix, name, suffix);
    return access(tool->path, R_OK) == 0 || unknown_tool(in, name, err);
}

static bool
find_file(struct tool *tool, const char *path, struct error *err)
{
    char full[PATH_MAX];
    const char *file;

    if (!realpath(path, full) || access(full, R_OK) < 0)
        return error_sys(err, STATUS_USAGE, "cannot open the tool %s", path);
    tool->path = keep_string(full);
    file = strrchr(tool->path, '/') + 1;
    tool->name = name_from_file(file) ? name_from_file(file) : keep_string(file);
    return true;
}

bool
tool_find(struct tool *tool, const struct install *in, const char *name, struct error *err)
{
    size_t folder;

    memset(tool, 0, sizeof *tool);
    if (!(strchr(name, '/') ? find_file(tool, name, err) : find_installed(tool, in, name, err)))
        return false;
    folder = (size_t)(strrchr(tool->path, '/') - tool->path);
    return read_options(tool, keep_printf("%.*s/%s.opt", (int)folder, tool->path, tool->name), err);
}

const struct tool_option *
tool_option_find(const struct tool *tool, const char *word, bool *on)
{
    const char *name = option_name(word);

    for (size_t i = 0; i < tool->n; i++) {
        const struct tool_option *o = &tool->options[i];

        *on = strcmp(o->name, name) == 0;
        if (*on || (o->shape == SHAPE_FLAG && strncmp(name, "no_", 3) == 0 && strcmp(o->name, name + 3) == 0))
            return o;
    }
    return NULL;
}
