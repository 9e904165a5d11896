/* SPDX-License-Identifier: BSD-3-Clause */
/* Building the engine's configuration string. */
#include "engine_config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
add(struct text *t, const char *key, const char *value)
{
    text_addf(t, "%s=", key);
    for (; *value; value++)
        if (*value == '%')
            text_add(t, "%25");
        else if (*value == '\n')
            text_add(t, "%0A");
        else
            text_add_char(t, *value);
    text_add_char(t, '\n');
}

static void
add_all(struct text *t, const char *key, const struct words *values)
{
    for (size_t i = 0; i < values->n; i++)
        add(t, key, values->v[i]);
}

static bool
add_folder(struct text *t, const char *key, const char *path, struct error *err)
{
    char full[PATH_MAX];

    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return error_sys(err, STATUS_USAGE, "cannot create the folder %s", path);
    if (!realpath(path, full) || access(keep_printf("%s/.", full), W_OK | X_OK) < 0)
        return error_sys(err, STATUS_USAGE, "cannot write into the folder %s", path);
    add(t, key, full);
    return true;
}

/* The value of one row of the table, if it says something else than the default. */
static bool
add_option(struct text *t, const struct option *o, const char *value, struct error *err)
{
    unsigned long long bytes;

    if (!o->key || !value || (o->fallback && strcmp(value, o->fallback) == 0))
        return true;
    if (o->shape == SHAPE_DIR)
        return add_folder(t, o->key, value, err);
    if (o->shape == SHAPE_SIZE && size_parse(value, &bytes))
        value = keep_printf("%llu", bytes);
    add(t, o->key, value);
    return true;
}

static bool
color_wanted(const struct settings *s)
{
    const char *when = settings_get(s, OPT_COLOR);
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0) && isatty(STDERR_FILENO);
}

bool
engine_config_build(const struct install *in, const struct settings *s, const struct conf_names *names, const char **config,
             struct error *err)
{
    struct text t = { 0 };
    const char *zydis;

    if (!install_find_zydis(in, &zydis, err))
        return false;
    add(&t, "drtools", "1");
    add(&t, "lib", in->lib);
    add(&t, "zydis", zydis);
    for (int i = 0; i < OPT_COUNT; i++)
        if (!add_option(&t, &options[i], settings_get(s, (enum option_id)i), err))
            return false;
    if (color_wanted(s))
        add(&t, "color", "1");
    add_all(&t, "norun", &names->norun);
    add_all(&t, "reg", &names->reg);
    for (size_t i = 0; i < s->tools_n; i++) {
        add(&t, "tool", s->tools[i].tool.path);
        add_all(&t, "toolarg", &s->tools[i].args);
    }
    add(&t, "depth", "0");
    *config = t.s;
    return true;
}
