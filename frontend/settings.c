/* SPDX-License-Identifier: BSD-3-Clause */
/* Recording settings and layering them. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
settings_set(struct settings *s, enum option_id id, const char *what, const char *value, struct error *err)
{
    if (!value_check(options[id].shape, options[id].arg, what, value, err))
        return false;
    s->value[id] = options[id].shape == SHAPE_WORDS && s->value[id] ? keep_printf("%s\n%s", s->value[id], value) : keep_string(value);
    return true;
}

struct tool_use *
settings_add_tool(struct settings *s, const struct tool *tool, const char *as)
{
    struct tool_use *use;

    s->tools = keep_grow(s->tools, s->tools_n, &s->tools_capacity, sizeof *s->tools);
    use = &s->tools[s->tools_n++];
    memset(use, 0, sizeof *use);
    use->tool = *tool;
    use->as = keep_string(as);
    return use;
}

void
settings_fall_back(struct settings *s, const struct settings *lower)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (!s->value[i])
            s->value[i] = lower->value[i];
    if (!s->tools_n) {
        s->tools = lower->tools;
        s->tools_n = lower->tools_n;
        s->tools_capacity = lower->tools_n; /* full: an addition makes a copy */
    }
}

const char *
settings_get(const struct settings *s, enum option_id id)
{
    return s->value[id] ? s->value[id] : options[id].fallback;
}

bool
settings_on(const struct settings *s, enum option_id id)
{
    const char *value = settings_get(s, id);

    return value && strcmp(value, "1") == 0;
}

bool
settings_want_color(const struct settings *s)
{
    const char *when = settings_get(s, OPT_COLOR);
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0) && isatty(STDERR_FILENO);
}
