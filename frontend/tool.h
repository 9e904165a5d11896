/* SPDX-License-Identifier: BSD-3-Clause */
/* The tools there are, and the options each describes in `TOOL.opt` beside it. */
#ifndef DRTOOLS_FRONTEND_TOOL_H
#define DRTOOLS_FRONTEND_TOOL_H

#include "install.h"
#include "keep.h"
#include "options.h"

struct tool_option {
    const char *name;
    enum shape shape;
    const char *arg; /* NULL for a flag */
    const char *help;
};

struct tool {
    const char *name;
    const char *path;    /* absolute, of the shared object */
    const char *summary; /* one line; NULL: none           */
    bool described;      /* TOOL.opt exists                */
    bool reports;        /* it sends records: TOOL.opt has a line `!reports` */
    bool profiles;       /* it writes raw profiles: a line `!profiles` */
    struct tool_option *options;
    size_t n, capacity;
};

/* `name` is an installed tool's or, if it has a slash, a file's path. */
bool tool_find(struct tool *tool, const struct install *in, const char *name, struct error *err);

/* The option that `word` spells; `*on` is false for -no_NAME of a flag. NULL: none of this tool's. */
const struct tool_option *tool_option_find(const struct tool *tool, const char *word, bool *on);

/* Names of the installed tools, sorted. */
struct words tools_installed(const struct install *in);

#endif
