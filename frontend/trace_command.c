/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_command.h"

#include <stdio.h>
#include <string.h>

#include "trace/trace_view.h"

struct request { const char *view, *list; bool json; };

/* The tool's own words, which are checked already: -NAME [VALUE]. */
static struct request
request_of(const struct settings *s)
{
    struct request q = {0};

    for (size_t i = 0; i < s->tools_n; i++) {
        const struct tool_use *use = &s->tools[i];
        for (size_t k = 0; strcmp(use->tool.name, "memtrace") == 0 && k < use->args.n; k++) {
            const char *name = option_name(use->args.v[k]), *value = k + 1 < use->args.n ? use->args.v[k + 1] : NULL;
            if (strcmp(name, "view") == 0)
                q.view = value;
            else if (strcmp(name, "list") == 0)
                q.list = value;
            else if (strcmp(name, "json") == 0)
                q.json = true;
        }
    }
    return q;
}

bool
trace_command_wanted(const struct settings *s)
{
    struct request q = request_of(s);

    return q.view || q.list;
}

bool
trace_command(const struct settings *s, const struct command_line *line, struct error *err)
{
    struct request q = request_of(s);
    char why[512];

    if (line->app[0])
        return error_set(err, STATUS_USAGE, "-view and -list take no program");
    if (!(q.view ? trace_view(q.view, q.json, !settings_on(s, OPT_QUIET), stdout, why, sizeof why) : trace_list(q.list, stdout, why, sizeof why)))
        return error_set(err, STATUS_USAGE, "%s", why);
    if (fflush(stdout) != 0 || ferror(stdout))
        return error_set(err, STATUS_USAGE, "cannot write the output");
    return true;
}
