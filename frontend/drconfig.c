/* SPDX-License-Identifier: BSD-3-Clause */
/* drconfig: registering programs, by name, in configuration files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "drrun.h"

static bool
check_name(const char *app, struct error *err)
{
    if (!*app || strchr(app, '/') || strlen(app) > 200)
        return error_set(err, STATUS_USAGE, "'%s' is not the name of a program (a name has no folder)", app);
    return true;
}

static bool
reg(enum conf_scope scope, const char *app, const struct settings *s, struct error *err)
{
    return check_name(app, err) && conf_write(conf_folder(scope), conf_path(scope, app), s, err);
}

/* The other settings of the program are dropped: they are for when it is followed. */
static bool
norun(enum conf_scope scope, const char *app, const struct settings *s, struct error *err)
{
    struct settings only = {.norun = true};

    for (int i = 0; i < OPT_COUNT; i++)
        if (s->value[i] && option_is_stored(&options[i]))
            return error_set(err, STATUS_USAGE, "-norun takes no other options");
    if (s->tools_n)
        return error_set(err, STATUS_USAGE, "-norun takes no tools");
    return check_name(app, err) && conf_write(conf_folder(scope), conf_path(scope, app), &only, err);
}

static bool
unreg(enum conf_scope scope, const char *app, struct error *err)
{
    if (!check_name(app, err))
        return false;
    if (unlink(conf_path(scope, app)) == 0)
        return true;
    if (errno == ENOENT)
        return error_set(err, STATUS_USAGE, "%s is not registered%s", app,
                         scope == CONF_GLOBAL ? " for all users" : "");
    return error_sys(err, STATUS_USAGE, "cannot remove %s", conf_path(scope, app));
}

/* A word as the shell must be given it. */
static void
print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";

    putchar(' ');
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

static void
print_settings(const struct settings *s)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &options[i];

        if (!s->value[i])
            continue;
        if (o->shape == SHAPE_FLAG) {
            printf(" -%s%s", strcmp(s->value[i], "1") == 0 ? "" : "no_", o->name);
        } else {
            printf(" -%s", o->name);
            print_word(s->value[i]);
        }
    }
    for (size_t i = 0; i < s->tools_n; i++) {
        printf(" -t");
        print_word(s->tools[i].as);
        for (size_t a = 0; a < s->tools[i].args.n; a++)
            print_word(s->tools[i].args.v[a]);
    }
}

static bool
list(enum conf_scope scope, struct error *err)
{
    struct words apps;

    if (!conf_list(scope, &apps, err))
        return false;
    for (size_t i = 0; i < apps.n; i++) {
        struct settings s;
        bool exists;

        if (!conf_read(conf_path(scope, apps.v[i]), NULL, &s, &exists, err))
            return false;
        printf("drconfig%s %s", scope == CONF_GLOBAL ? " -global" : "", s.norun ? "-norun" : "-reg");
        print_word(apps.v[i]);
        print_settings(&s);
        putchar('\n');
    }
    return true;
}

bool
drconfig(const struct command_line *line, struct error *err)
{
    static const enum option_id actions[] = {OPT_REG, OPT_UNREG, OPT_NORUN, OPT_LIST};
    const struct settings *s = &line->settings;
    enum conf_scope scope = settings_on(s, OPT_GLOBAL) ? CONF_GLOBAL : CONF_USER;
    unsigned asked = 0;

    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        asked += s->value[actions[i]] != NULL;
    if (asked != 1)
        return error_set(err, STATUS_USAGE, "give one of -reg APP, -norun APP, -unreg APP and -list");
    if (line->app[0])
        return error_set(err, STATUS_USAGE, "do not know what to do with '%s'", line->app[0]);

    if (s->value[OPT_LIST])
        return (scope == CONF_GLOBAL || list(CONF_USER, err)) && list(CONF_GLOBAL, err);
    if (!conf_folder(scope))
        return error_set(err, STATUS_USAGE,
                         "there is no folder for your configuration: set HOME or XDG_CONFIG_HOME");
    if (s->value[OPT_REG])
        return reg(scope, s->value[OPT_REG], s, err);
    if (s->value[OPT_NORUN])
        return norun(scope, s->value[OPT_NORUN], s, err);
    return unreg(scope, s->value[OPT_UNREG], err);
}
