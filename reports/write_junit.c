/* SPDX-License-Identifier: BSD-3-Clause */
/* JUnit: one suite a process, one failed case an error; a clean process is one case that passed. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "write.h"

static void
attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    escape_xml(out, value);
    fputs("\"", out);
}

static void
put_details(FILE *out, const struct finding *f, const struct write_options *o)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        return;
    text_finding(f, o, memory);
    if (fclose(memory) == 0)
        escape_xml(out, text);
    free(text);
}

static void
put_case(FILE *out, const struct finding *f, const struct write_options *o)
{
    const struct stack *s = f->stack_count ? &f->stacks[0] : NULL;
    char *title = finding_title(f);

    fputs("    <testcase", out);
    attribute(out, "name", title);
    attribute(out, "classname",
              s && s->count && s->frames[0].function ? s->frames[0].function : f->process->name);
    fputs(" time=\"0\">\n      <failure", out);
    attribute(out, "message", title);
    attribute(out, "type", finding_kind_name(f->kind));
    fputs(">", out);
    put_details(out, f, o);
    fputs("</failure>\n    </testcase>\n", out);
    free(title);
}

static void
put_suite(const struct report *r, const struct process *p, const struct write_options *o, FILE *out)
{
    unsigned failures = 0;
    char host[256] = "", when[64] = "";
    time_t clock = (time_t)p->clock;
    struct tm tm;

    for (size_t i = 0; i < p->finding_count; i++)
        failures += write_shows(p->findings[i], o) && !p->findings[i]->known;
    gethostname(host, sizeof host - 1);
    if (gmtime_r(&clock, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    fputs("  <testsuite", out);
    attribute(out, "name", p->name);
    fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"%d\" skipped=\"0\" time=\"%.3f\"",
            failures ? failures + r->incomplete : 1, failures, r->incomplete, (double)p->end_time / 1e6);
    attribute(out, "timestamp", when);
    attribute(out, "hostname", host);
    fputs(">\n", out);
    for (size_t i = 0; i < p->finding_count; i++)
        if (write_shows(p->findings[i], o) && !p->findings[i]->known)
            put_case(out, p->findings[i], o);
    if (r->incomplete || failures == 0) {
        fputs("    <testcase name=\"no errors\"", out);
        attribute(out, "classname", p->name);
        fputs(" time=\"0\">", out);
        if (r->incomplete) {
            fputs("<error", out);
            attribute(out, "message", r->missing ? r->missing : "records are missing");
            fputs(" type=\"incomplete\"/>", out);
        }
        fputs("</testcase>\n", out);
    }
    fputs("  </testsuite>\n", out);
}

void
write_junit(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
    for (size_t i = 0; i < r->process_count; i++)
        if (!only || r->processes[i] == only)
            put_suite(r, r->processes[i], o, out);
    fputs("</testsuites>\n", out);
}
