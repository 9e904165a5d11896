/* SPDX-License-Identifier: BSD-3-Clause */
/* What was asked for, on the command line or in a configuration file. */
#ifndef DRTOOLS_FRONTEND_SETTINGS_H
#define DRTOOLS_FRONTEND_SETTINGS_H

#include "options.h"
#include "tool.h"

struct tool_use {
    struct tool tool;
    const char *as; /* the tool as the user named it */
    struct words args;
};

struct settings {
    const char *value[OPT_COUNT]; /* NULL: not given; flags are "1" or "0" */
    struct tool_use *tools;       /* in order of priority */
    size_t tools_n, tools_capacity;
    bool norun; /* a configuration file's: do not follow into this program */
};

/* Checked, then recorded; `what` names the option or the place in messages. */
bool settings_set(struct settings *s, enum option_id id, const char *what, const char *value,
                  struct error *err);
struct tool_use *settings_add_tool(struct settings *s, const struct tool *tool, const char *as);

/* Fills what `s` leaves open from `lower`. Tools are taken over together or not at all. */
void settings_fall_back(struct settings *s, const struct settings *lower);

/* The value, or the table's default; NULL if there is neither. */
const char *settings_get(const struct settings *s, enum option_id id);
bool settings_on(const struct settings *s, enum option_id id);
/* As -color says; by itself only on a terminal that has some, and if NO_COLOR is not set. */
bool settings_want_color(const struct settings *s);

#endif
