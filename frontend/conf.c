/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding and reading configuration files. */
#include "conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

static const char suffix[] = ".conf";

static const char *
user_folder(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config && config[0] == '/') /* the specification has relative ones ignored */
        return keep_printf("%s/drtools", config);
    return home && home[0] == '/' ? keep_printf("%s/.config/drtools", home) : NULL;
}

static const char *
global_folder(void)
{
    const char *other = getenv("DRTOOLS_SYSCONFDIR");

    return keep_printf("%s/drtools", other ? other : DRTOOLS_SYSCONFDIR);
}

const char *
conf_folder(enum conf_scope scope)
{
    return scope == CONF_USER ? user_folder() : global_folder();
}

const char *
conf_path(enum conf_scope scope, const char *app)
{
    return keep_printf("%s/%s%s", conf_folder(scope), app, suffix);
}

/* One `VAR=value`, as it stands in the file. */
struct line {
    unsigned number;
    char *var, *value;
};

struct lines {
    struct line *v;
    size_t n, capacity;
};

static char *
trim(char *s)
{
    char *end;

    while (isspace((unsigned char)*s))
        s++;
    for (end = s + strlen(s); end > s && isspace((unsigned char)end[-1]); end--)
        ;
    *end = '\0';
    return s;
}

/* Undoes %XX in place. */
static bool
unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        char digits[3] = {0};

        *to = *s;
        if (*s != '%')
            continue;
        if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
            return false;
        memcpy(digits, s + 1, 2);
        *to = (char)strtoul(digits, NULL, 16);
        s += 2;
    }
    *to = '\0';
    return true;
}

static bool
parse_line(struct lines *lines, unsigned number, char *text, const char *path, struct error *err)
{
    struct line *line;
    char *equals;

    text = trim(text);
    if (!*text || *text == '#')
        return true;
    equals = strchr(text, '=');
    if (!equals || equals == text)
        return error_set(err, STATUS_USAGE, "%s:%u: not of the form VAR=value", path, number);
    *equals = '\0';
    lines->v = keep_grow(lines->v, lines->n, &lines->capacity, sizeof *lines->v);
    line = &lines->v[lines->n++];
    line->number = number;
    line->var = keep_string(trim(text));
    line->value = keep_string(trim(equals + 1));
    return unescape(line->value) ||
           error_set(err, STATUS_USAGE, "%s:%u: a '%%' in a value is written %%25", path, number);
}

static bool
parse_file(FILE *f, const char *path, struct lines *lines, struct error *err)
{
    size_t capacity = 0;
    char *text = NULL;
    bool good = true;
    ssize_t length;

    for (unsigned number = 1; good && (length = getline(&text, &capacity, f)) >= 0; number++)
        if (memchr(text, '\0', (size_t)length))
            good = error_set(err, STATUS_USAGE, "%s:%u: not a text file", path, number);
        else
            good = parse_line(lines, number, text, path, err);
    if (good && ferror(f))
        good = error_sys(err, STATUS_USAGE, "cannot read %s", path);
    free(text);
    return good;
}

/* A file that does not exist has no lines, and `*exists` is false. */
static bool
read_lines(const char *path, struct lines *lines, bool *exists, struct error *err)
{
    FILE *f = fopen(path, "re");
    bool good;

    memset(lines, 0, sizeof *lines);
    *exists = f;
    if (!f && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (!f)
        return error_sys(err, STATUS_USAGE, "cannot read %s", path);
    good = parse_file(f, path, lines, err);
    fclose(f);
    return good;
}

static bool
unknown_variable(const char *place, const char *var, struct error *err)
{
    struct words known = {0};
    const char *close;

    words_add(&known, "tool");
    words_add(&known, "toolarg");
    words_add(&known, "norun");
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_is_stored(&options[i]))
            words_add(&known, options[i].name);
    close = nearest(var, &known);
    return error_set(err, STATUS_USAGE, "%s: unknown variable %s%s%s%s", place, var,
                     close ? "; did you mean " : "", close ? close : "", close ? "?" : "");
}

static bool
apply_tool(struct settings *s, const struct install *in, const char *place, const char *name,
           struct error *err)
{
    struct tool tool = {.name = name};

    if (in && !tool_find(&tool, in, name, err)) {
        err->text = keep_printf("%s: %s", place, err->text);
        return false;
    }
    settings_add_tool(s, &tool, name);
    return true;
}

static bool
apply_line(struct settings *s, const struct install *in, const char *path, const struct line *line,
           struct error *err)
{
    const char *place = keep_printf("%s:%u", path, line->number);
    const char *what = keep_printf("%s: %s", place, line->var);
    struct option_word o;

    if (strcmp(line->var, "tool") == 0)
        return apply_tool(s, in, place, line->value, err);
    if (strcmp(line->var, "toolarg") == 0) {
        if (!s->tools_n)
            return error_set(err, STATUS_USAGE, "%s: a toolarg without a tool before it", place);
        words_add(&s->tools[s->tools_n - 1].args, line->value);
        return true;
    }
    if (strcmp(line->var, "norun") == 0) {
        s->norun = strcmp(line->value, "1") == 0;
        return value_check(SHAPE_FLAG, NULL, what, line->value, err);
    }
    if (!option_read(FOR_DRCONFIG, line->var, &o) || !option_is_stored(&options[o.id]) ||
        strcmp(options[o.id].name, line->var) != 0)
        return unknown_variable(place, line->var, err);
    return settings_set(s, o.id, what, line->value, err);
}

bool
conf_read(const char *path, const struct install *in, struct settings *s, bool *exists, struct error *err)
{
    struct lines lines;

    memset(s, 0, sizeof *s);
    if (!read_lines(path, &lines, exists, err))
        return false;
    for (size_t i = 0; i < lines.n; i++)
        if (!apply_line(s, in, path, &lines.v[i], err))
            return false;
    return true;
}

bool
conf_read_app(const char *app, const struct install *in, struct settings *s, struct error *err)
{
    struct settings global;
    bool exists;

    memset(s, 0, sizeof *s);
    if (conf_folder(CONF_USER) && !conf_read(conf_path(CONF_USER, app), in, s, &exists, err))
        return false;
    if (!conf_read(conf_path(CONF_GLOBAL, app), in, &global, &exists, err))
        return false;
    settings_fall_back(s, &global);
    return true;
}

static bool
app_of_file(const char *file, char **app)
{
    size_t length = strlen(file), tail = sizeof suffix - 1;

    if (file[0] == '.' || length <= tail || strcmp(file + length - tail, suffix) != 0)
        return false;
    *app = keep_slice(file, length - tail);
    return true;
}

bool
conf_list(enum conf_scope scope, struct words *apps, struct error *err)
{
    const char *path = conf_folder(scope);
    DIR *folder = path ? opendir(path) : NULL;
    char *app;

    memset(apps, 0, sizeof *apps);
    if (!folder)
        return !path || errno == ENOENT || errno == ENOTDIR ||
               error_sys(err, STATUS_USAGE, "cannot read %s", path);
    for (struct dirent *d; (d = readdir(folder));)
        if (app_of_file(d->d_name, &app))
            words_add(apps, app);
    closedir(folder);
    words_sort(apps);
    return true;
}

static bool
has_word(const struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->v[i], word) == 0)
            return true;
    return false;
}

/* Only `norun` matters here, so that a file about one program that names a
 * missing tool does not keep all others from running. */
static bool
read_name(const char *path, const char *app, struct conf_names *names, struct error *err)
{
    struct lines lines;
    bool exists, norun = false;

    if (!read_lines(path, &lines, &exists, err))
        return false;
    for (size_t i = 0; i < lines.n; i++)
        if (strcmp(lines.v[i].var, "norun") == 0)
            norun = strcmp(lines.v[i].value, "1") == 0;
    words_add(norun ? &names->norun : &names->reg, app);
    return true;
}

bool
conf_read_names(struct conf_names *names, struct error *err)
{
    static const enum conf_scope scopes[] = {CONF_USER, CONF_GLOBAL}; /* the user's word counts */
    struct words apps;

    memset(names, 0, sizeof *names);
    for (size_t s = 0; s < 2; s++) {
        if (!conf_list(scopes[s], &apps, err))
            return false;
        for (size_t i = 0; i < apps.n; i++)
            if (!has_word(&names->reg, apps.v[i]) && !has_word(&names->norun, apps.v[i]) &&
                !read_name(conf_path(scopes[s], apps.v[i]), apps.v[i], names, err))
                return false;
    }
    return true;
}
