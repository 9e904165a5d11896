/* SPDX-License-Identifier: BSD-3-Clause */
/* The files beside results.txt: ready suppressions, and what to install for better stacks. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "write.h"

void
write_suppressions(const struct report *r, const struct process *only, const struct write_options *o,
                   FILE *out)
{
    unsigned styles = o->suppression_styles ? o->suppression_styles : SUPPRESS_BY_SYMBOL;

    fputs(
        "# Suppressions for the errors of this run. Keep what you mean to keep, with a name that says why.\n",
        out);
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];
        char *text;

        if ((only && f->process != only) || !write_shows(f, o))
            continue;
        text = suppression_for(f, styles);
        fprintf(out, "\n# Error #%u of process %u\n%s", f->number, f->process->pid, text);
        free(text);
    }
}

void
write_potential(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if ((!only || f->process == only) && f->potential && !f->suppressed && !f->stale)
            text_finding(f, o, out);
    }
}

static bool
in_stack(const struct stack *s, const char *path)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->frames[i].path == path)
            return true;
    return false;
}

/* Whether a stack that is shown passes through the module: others are nobody's concern. */
static bool
is_shown(const struct report *r, const struct process *only, const struct write_options *o, const char *path)
{
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        for (size_t k = 0; k < f->stack_count && (!only || f->process == only) && write_shows(f, o); k++)
            if (in_stack(&f->stacks[k], path))
                return true;
    }
    return false;
}

static bool
is_packaged(const char *path)
{
    return (strncmp(path, "/usr/", 5) == 0 && strncmp(path, "/usr/local/", 11) != 0) ||
           strncmp(path, "/lib", 4) == 0 || strncmp(path, "/bin/", 5) == 0 || strncmp(path, "/sbin/", 6) == 0;
}

static const char *
remedy(enum symbol_quality quality, const char *path)
{
    if (quality == SYMBOLS_GONE)
        return "the file cannot be read any more: its frames have offsets only";
    if (quality == SYMBOLS_REPLACED)
        return "the file is another build by now: its frames have offsets only; run the program again";
    if (is_packaged(path))
        return "no debug information: install the package's -dbgsym (find-dbgsym-packages names it)";
    return "no debug information: compile with -g, and do not strip";
}

void
write_missing_symbols(const struct report *r, const struct process *only, const struct write_options *o,
                      FILE *out)
{
    for (size_t i = 0; i < r->module_count; i++) {
        const struct module_file *m = &r->modules[i];
        enum symbol_quality quality;

        if (strcmp(m->path, "[vdso]") == 0 || !is_shown(r, only, o, m->path))
            continue;
        quality = symbols_quality(m->symbols);
        if (quality == SYMBOLS_LINES)
            continue;
        escape_text(out, m->path);
        fprintf(out, ": %s\n", remedy(quality, m->path));
    }
}
