/* SPDX-License-Identifier: BSD-3-Clause */
/* One self-contained page: errors by kind, filtered by what is typed, stacks with source excerpts.
 * It works without its script; the script only hides what does not match the filter. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "source.h"
#include "write.h"

enum {
    CONTEXT = 3,       /* source lines before and after            */
    LINK_LIMIT = 2000, /* findings above which links are not looked for */
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Memory report</title>\n<style>\n"
    ":root { color-scheme: light dark; --line: #8884; --soft: #8882; --mark: #d73a4a22; --kind: #b31d28; }\n"
    "@media (prefers-color-scheme: dark) { :root { --kind: #ff8f8f; --mark: #ff606030; } }\n"
    "body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem; }\n"
    "h1 { font-size: 1.4rem; margin: .5rem 0; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }\n"
    "code, pre, .frame { font: 13px/1.45 ui-monospace, monospace; }\n"
    "table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; }\n"
    "#filter { width: 100%; box-sizing: border-box; padding: .5rem; margin: .8rem 0; font: inherit; }\n"
    "details.error { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }\n"
    "details.error > summary { cursor: pointer; overflow-wrap: anywhere; }\n"
    ".kind { color: var(--kind); font-weight: 600; } .count { float: right; opacity: .75; }\n"
    ".what { font-weight: 600; margin: .7rem 0 .1rem; } .where { opacity: .75; }\n"
    ".frame { overflow-wrap: anywhere; padding-left: 2.2rem; text-indent: -2.2rem; }\n"
    "pre { background: var(--soft); border-radius: 4px; margin: .2rem 0 .4rem 2.2rem; overflow-x: auto; padding: .3rem 0; }\n"
    "pre span { display: block; padding: 0 .6rem; } pre .hit { background: var(--mark); }\n"
    ".note { margin: .1rem 0; opacity: .85; } .hidden { display: none; } .bad { color: var(--kind); }\n"
    "</style>\n</head>\n<body>\n";

static const char script[] =
    "<script>\n"
    "const box = document.getElementById('filter');\n"
    "box.addEventListener('input', () => {\n"
    "  const words = box.value.toLowerCase().split(/\\s+/).filter(w => w);\n"
    "  for (const e of document.querySelectorAll('details.error')) {\n"
    "    const text = e.textContent.toLowerCase();\n"
    "    e.classList.toggle('hidden', !words.every(w => text.includes(w)));\n"
    "  }\n"
    "  for (const s of document.querySelectorAll('section'))\n"
    "    s.classList.toggle('hidden', !s.querySelector('details.error:not(.hidden)'));\n"
    "});\n"
    "function reveal() {\n"
    "  const e = location.hash.length > 1 && document.getElementById(location.hash.slice(1));\n"
    "  if (e && e.tagName === 'DETAILS') e.open = true;\n"
    "}\n"
    "addEventListener('hashchange', reveal);\n"
    "reveal();\n"
    "</script>\n";

static void
put_excerpt(FILE *out, const struct frame *f)
{
    unsigned first = f->line > CONTEXT ? f->line - CONTEXT : 1;
    char *line = source_line(f->file, f->line);

    if (!line)
        return;
    free(line);
    fputs("<pre>", out);
    for (unsigned n = first; n <= f->line + CONTEXT && (line = source_line(f->file, n)); n++) {
        fprintf(out, "<span%s>%5u  ", n == f->line ? " class=\"hit\"" : "", n);
        escape_xml(out, line);
        fputs("</span>", out);
        free(line);
    }
    fputs("</pre>\n", out);
}

static void
put_frame(FILE *out, const struct frame *f, size_t index)
{
    fprintf(out, "<div class=\"frame\">#%-2zu ", index);
    if (f->system_call)
        fputs("system call ", out);
    if (f->signature || f->function)
        escape_xml(out, f->signature ? f->signature : f->function);
    else if (!f->path)
        fprintf(out, "0x%llx", (unsigned long long)f->pc);
    if (f->file) {
        fputs(" <span class=\"where\">", out);
        escape_xml(out, f->file);
        fprintf(out, ":%u%s</span>", f->line, f->inlined ? " (inlined)" : "");
    } else if (f->path) {
        fputs(" <span class=\"where\">", out);
        escape_xml(out, f->module);
        fprintf(out, "+0x%llx</span>", (unsigned long long)f->offset);
    } else if (!f->system_call) {
        fputs(" <span class=\"where\">not in a module</span>", out);
    }
    fputs("</div>\n", out);
}

/* Excerpts for the first two frames that have a source: the place itself and who called it. */
static void
put_stack(FILE *out, const struct stack *s)
{
    int excerpts = 0;

    for (size_t i = 0; i < s->count; i++) {
        put_frame(out, &s->frames[i], i);
        if (s->frames[i].file && excerpts++ < 2)
            put_excerpt(out, &s->frames[i]);
    }
}

static const char *
label(const struct stack *s)
{
    static const char *const usual[] = {[STACK_MAIN] = "at",
                                        [STACK_ALLOCATED] = "allocated here",
                                        [STACK_FREED] = "freed here",
                                        [STACK_ORIGIN] = "the value was made here",
                                        [STACK_OTHER] = "see also"};

    return s->label[0] ? s->label : usual[s->kind];
}

/* Other errors about the same block: made by the same allocation. */
static void
put_links(FILE *out, const struct report *r, const struct finding *f, const struct write_options *o)
{
    const struct stack *mine = NULL;
    unsigned links = 0;

    for (size_t i = 1; i < f->stack_count; i++)
        if (f->stacks[i].kind == STACK_ALLOCATED && f->stacks[i].count)
            mine = &f->stacks[i];
    for (size_t i = 0; mine && r->finding_count <= LINK_LIMIT && i < r->finding_count && links < 20; i++) {
        const struct finding *other = r->findings[i];

        for (size_t k = 0; other != f && write_shows(other, o) && k < other->stack_count; k++) {
            const struct stack *s = &other->stacks[k];

            if ((s->kind != STACK_ALLOCATED && !(finding_is_leak(other) && k == 0)) || !s->count ||
                s->frames[0].pc != mine->frames[0].pc || s->count != mine->count ||
                other->process != f->process)
                continue;
            fprintf(out, "%s<a href=\"#e%u\">Error #%u</a>",
                    links++ ? ", " : "<div class=\"note\">Same allocation: ", other->id, other->number);
            break;
        }
    }
    if (links)
        fputs("</div>\n", out);
}

static void
put_finding(FILE *out, const struct report *r, const struct finding *f, const struct write_options *o,
            bool open)
{
    char *title = finding_title(f), *suppression = suppression_for(f, SUPPRESS_BY_SYMBOL);
    size_t kind = strlen(finding_kind_name(f->kind));

    fprintf(out, "<details class=\"error\" id=\"e%u\"%s><summary>", f->id, open ? " open" : "");
    if (f->count > 1)
        fprintf(out, "<span class=\"count\">%llu times</span>", (unsigned long long)f->count);
    fprintf(out, "Error #%u: <span class=\"kind\">%s</span>", f->number, finding_kind_name(f->kind));
    escape_xml(out, strncmp(title, finding_kind_name(f->kind), kind) == 0 ? title + kind : title);
    if (f->known)
        fputs(" (in the baseline)", out);
    fputs("</summary>\n", out);
    if (f->stack_count)
        put_stack(out, &f->stacks[0]);
    for (size_t i = 0; i < f->note_count; i++) {
        fputs("<div class=\"note\">", out);
        escape_xml(out, f->notes[i]);
        fputs("</div>\n", out);
    }
    for (size_t i = 1; i < f->stack_count; i++) {
        fputs("<div class=\"what\">", out);
        escape_xml(out, label(&f->stacks[i]));
        fputs("</div>\n", out);
        put_stack(out, &f->stacks[i]);
    }
    put_links(out, r, f, o);
    if (f->instruction[0]) {
        fputs("<div class=\"note\">instruction: <code>", out);
        escape_xml(out, f->instruction);
        fputs("</code></div>\n", out);
    }
    fprintf(
        out,
        "<div class=\"note\">process %u, thread %u</div>\n<details><summary>suppression</summary><pre><span>",
        f->process->pid, f->tid);
    escape_xml(out, suppression);
    fputs("</span></pre></details>\n</details>\n", out);
    free(suppression);
    free(title);
}

static void
put_processes(FILE *out, const struct report *r, const struct process *only)
{
    fputs("<table><tr><th>process</th><th>command</th><th>ended</th></tr>\n", out);
    for (size_t i = 0; i < r->process_count; i++) {
        const struct process *p = r->processes[i];

        if (only && p != only)
            continue;
        fprintf(out, "<tr><td>%u</td><td><code>", p->pid);
        for (size_t k = 0; k < p->argc; k++) {
            fputs(k ? " " : "", out);
            escape_xml(out, p->argv[k]);
        }
        if (p->argc == 0)
            escape_xml(out, p->exe);
        fputs("</code></td><td>", out);
        if (p->ended)
            fprintf(out, "%s %u", p->exit_kind == EXIT_SIGNAL ? "by signal" : "with status", p->exit_code);
        else
            fputs(p->execed ? "replaced itself" : "unknown", out);
        fputs("</td></tr>\n", out);
    }
    fputs("</table>\n", out);
}

void
write_html(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    bool first = true;

    fputs(head, out);
    fputs("<h1>Memory report</h1>\n", out);
    put_processes(out, r, only);
    if (r->incomplete) {
        fputs("<p class=\"bad\">The report is incomplete: ", out);
        escape_xml(out, r->missing ? r->missing : "records are missing");
        fputs(".</p>\n", out);
    }
    fputs("<input id=\"filter\" type=\"search\" placeholder=\"Filter: words of functions, files, kinds\" "
          "aria-label=\"Filter\">\n",
          out);
    for (int kind = 0; kind < FINDING_KINDS; kind++) {
        unsigned count = 0;

        for (size_t i = 0; i < r->finding_count; i++)
            count += r->findings[i]->kind == (enum finding_kind)kind && write_shows(r->findings[i], o) &&
                     (!only || r->findings[i]->process == only);
        if (!count)
            continue;
        fprintf(out, "<section>\n<h2>%s (%u)</h2>\n", finding_kind_name(kind), count);
        for (size_t i = 0; i < r->finding_count; i++) {
            const struct finding *f = r->findings[i];

            if (f->kind != (enum finding_kind)kind || !write_shows(f, o) || (only && f->process != only))
                continue;
            put_finding(out, r, f, o, first);
            first = false;
        }
        fputs("</section>\n", out);
    }
    if (first)
        fputs("<p>No errors found.</p>\n", out);
    fputs(script, out);
    fputs("</body>\n</html>\n", out);
}
