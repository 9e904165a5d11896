/* SPDX-License-Identifier: BSD-3-Clause */
/* Building the engine's configuration string. */
#include "engine_config.h"

#include <string.h>

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

/* The value of one row of the table, if it says something else than the default. */
static void
add_option(struct text *t, const struct option *o, const char *value)
{
    unsigned long long bytes;

    if (!o->key || !value || (o->fallback && strcmp(value, o->fallback) == 0))
        return;
    if (o->shape == SHAPE_SIZE && size_parse(value, &bytes))
        value = keep_printf("%llu", bytes);
    add(t, o->key, value);
}

/* Where no tool reports anything, nothing but what was asked for may appear. */
static const char *
value_for_engine(const struct settings *s, enum option_id id)
{
    return id == OPT_QUIET && !s->tools_n ? "1" : settings_get(s, id);
}

static void
add_reporter(struct text *t, const struct reporter *r)
{
    add(t, "root", "1");
    if (r->fd < 0) {
        add(t, "reporter_lost", "1");
        return;
    }
    add(t, "reporter_fd", keep_printf("%d", r->fd));
    if (r->pid)
        add(t, "reporter_pid", keep_printf("%d", r->pid));
    if (r->console)
        add(t, "console", "1");
}

bool
engine_config_build(const struct install *in, const struct settings *s, const struct conf_names *names,
                    const struct reporter *r, const char **config, struct error *err)
{
    struct text t = {0};
    const char *zydis;

    if (!install_find_zydis(in, &zydis, err))
        return false;
    add(&t, "drtools", "1");
    add(&t, "lib", in->lib);
    add(&t, "zydis", zydis);
    for (int i = 0; i < OPT_COUNT; i++)
        add_option(&t, &options[i], value_for_engine(s, (enum option_id)i));
    if (settings_want_color(s))
        add(&t, "color", "1");
    add_all(&t, "norun", &names->norun);
    add_all(&t, "reg", &names->reg);
    for (size_t i = 0; i < s->tools_n; i++) {
        add(&t, "tool", s->tools[i].tool.path);
        add_all(&t, "toolarg", &s->tools[i].args);
    }
    if (r)
        add_reporter(&t, r);
    add(&t, "depth", "0");
    *config = t.s;
    return true;
}
