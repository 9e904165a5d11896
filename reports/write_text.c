/* SPDX-License-Identifier: BSD-3-Clause */
/* results.txt, in Dr. Memory's layout, which CTest and people's scripts parse.
 * Invariant: only a finding's title starts a line with "Error #". */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "source.h"
#include "write.h"

#define RULE "===========================================================================\n"

enum { WIDEST_NAME = 40 };

bool
write_shows(const struct finding *f, const struct write_options *o)
{
    if (f->suppressed || f->stale || f->potential || f->kind == FINDING_INDIRECT_LEAK)
        return false;
    return !(f->kind == FINDING_REACHABLE_LEAK && !o->show_reachable) &&
           !(f->kind == FINDING_POSSIBLE_LEAK && o->hide_possible);
}

void
text_header(const struct report *r, const struct process *p, const struct write_options *o, FILE *out)
{
    size_t rules = r->suppressions ? suppressions_count(r->suppressions) : 0;

    /* The date is a constant: the same build gives the same report. */
    fprintf(out, "Dr. Memory version %s build 0 built on Jan 1 2030\n", o->version);
    fprintf(out, "Dr. Memory results for pid %u: \"", p->pid);
    escape_text(out, p->name);
    fputs("\"\nApplication cmdline: \"", out);
    for (size_t i = 0; i < p->argc; i++) {
        fputs(i ? " " : "", out);
        escape_text(out, p->argv[i]);
    }
    fputs("\"\n", out);
    for (size_t i = 0; o->suppression_files && o->suppression_files[i]; i++) {
        size_t here = 0;

        for (size_t k = 0; k < rules; k++)
            here += strcmp(suppressions_get(r->suppressions, k)->file, o->suppression_files[i]) == 0;
        fprintf(out, "Recorded %zu suppression(s) from %s %s\n", here, i ? "file" : "default",
                o->suppression_files[i]);
    }
    fputs("\n", out);
}

/* ---- stacks ---- */

static char *
frame_name(const struct frame *f)
{
    if (f->system_call)
        return memory_printf("system call %s", f->function);
    if (!f->path)
        return memory_printf("<not in a module> (0x%016llx)", (unsigned long long)f->pc);
    if (!f->function)
        return memory_printf("<%s+0x%llx>", f->module, (unsigned long long)f->offset);
    return f->file ? memory_string(f->function) : memory_printf("%s!%s", f->module, f->function);
}

static void
put_source(FILE *out, const struct frame *f)
{
    char *line = source_line(f->file, f->line);

    if (line) {
        fprintf(out, "    %u | ", f->line);
        escape_text(out, line);
        fputs("\n", out);
    }
    free(line);
}

static void
put_stack(FILE *out, const struct stack *s, const char *prefix, bool with_source)
{
    size_t width = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct frame *f = &s->frames[i];
        size_t n = f->file && f->function ? strlen(f->function) : 0;

        width = n > width && n <= WIDEST_NAME ? n : width;
    }
    for (size_t i = 0; i < s->count; i++) {
        const struct frame *f = &s->frames[i];
        char *name = frame_name(f);

        fprintf(out, "%s#%2zu ", prefix, i);
        escape_text(out, name);
        if (f->file && f->function) {
            fprintf(out, "%*s  [", (int)(strlen(name) < width ? width - strlen(name) : 0), "");
            escape_text(out, f->file);
            fprintf(out, ":%u]", f->line);
        }
        fputs("\n", out);
        if (with_source && f->file && f->function) {
            put_source(out, f);
            with_source = false;
        }
        free(name);
    }
}

static const char *
stack_label(const struct stack *s)
{
    static const char *const usual[] = {
        [STACK_MAIN] = "at",          [STACK_ALLOCATED] = "allocated here",
        [STACK_FREED] = "freed here", [STACK_ORIGIN] = "value was made here",
        [STACK_OTHER] = "see also",
    };

    return s->label[0] ? s->label : usual[s->kind];
}

static void
put_notes(FILE *out, const struct finding *f, const struct write_options *o)
{
    unsigned long long ms = f->time / 1000;

    if (!o->brief)
        fprintf(out, "Note: @%llu:%02llu:%02llu.%03llu in thread %u\n", ms / 3600000, ms / 60000 % 60,
                ms / 1000 % 60, ms % 1000, f->tid);
    for (size_t i = 0; i < f->note_count; i++) {
        fputs("Note: ", out);
        escape_text(out, f->notes[i]);
        fputs("\n", out);
    }
    for (size_t i = 1; i < f->stack_count; i++) {
        fputs("Note: ", out);
        escape_text(out, stack_label(&f->stacks[i]));
        fputs(":\n", out);
        put_stack(out, &f->stacks[i], "Note: ", false);
    }
    if (f->instruction[0] && !o->brief) {
        fputs("Note: instruction: ", out);
        escape_text(out, f->instruction);
        fputs("\n", out);
    }
}

void
text_finding(const struct finding *f, const struct write_options *o, FILE *out)
{
    char *title = finding_title(f);

    fprintf(out, "Error #%u: ", f->number);
    escape_text(out, title);
    fputs("\n", out);
    if (f->stack_count)
        put_stack(out, &f->stacks[0], "", true);
    put_notes(out, f, o);
    fputs("\n", out);
    free(title);
}

/* ---- summary ---- */

struct tally {
    unsigned long long unique, total, bytes;
};

static void
add(struct tally *t, const struct finding *f)
{
    t->unique++;
    t->total += finding_is_leak(f) ? f->blocks : f->count;
    t->bytes += f->bytes + f->indirect_bytes;
}

static bool
concerns(const struct finding *f, const struct process *only)
{
    return (!only || f->process == only) && !f->stale;
}

static void
put_duplicates(const struct report *r, const struct process *p, FILE *out)
{
    fputs("DUPLICATE ERROR COUNTS:\n", out);
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if (concerns(f, p) && !f->suppressed && f->count > 1)
            fprintf(out, "\tError #%4u: %6llu\n", f->number, (unsigned long long)f->count);
    }
}

static void
put_suppressions_used(const struct report *r, const struct process *p, FILE *out)
{
    fputs("SUPPRESSIONS USED:\n", out);
    for (size_t k = 0; r->suppressions && k < suppressions_count(r->suppressions); k++) {
        const struct suppression *s = suppressions_get(r->suppressions, k);
        struct tally t = {0};

        for (size_t i = 0; i < r->finding_count; i++)
            if (concerns(r->findings[i], p) && r->findings[i]->suppressed == s)
                add(&t, r->findings[i]);
        if (t.unique && t.bytes)
            fprintf(out, "\t%6llux (leaked %7llu bytes): %s\n", t.total, t.bytes, s->name);
        else if (t.unique)
            fprintf(out, "\t%6llux: %s\n", t.total, s->name);
    }
}

static void
put_tally(FILE *out, const struct tally *t, const char *what)
{
    fprintf(out, "  %5llu unique, %5llu total %s\n", t->unique, t->total, what);
}

static void
put_leak_tally(FILE *out, const struct tally *t, const char *what)
{
    fprintf(out, "  %5llu unique, %5llu total, %6llu byte(s) of %s\n", t->unique, t->total, t->bytes, what);
}

static bool
is_reported(const struct finding *f, const struct write_options *o)
{
    return write_shows(f, o) && !f->known;
}

static void
put_ignored(FILE *out, const struct tally ignored[FINDING_KINDS], const struct tally *suppressed,
            const struct tally *known, const struct tally *potential, const struct write_options *o)
{
    fputs("ERRORS IGNORED:\n", out);
    if (suppressed->unique)
        put_tally(out, suppressed, "suppressed error(s)");
    if (known->unique)
        put_tally(out, known, "error(s) of the baseline");
    if (potential->unique)
        put_tally(out, potential, "potential error(s)");
    if (ignored[FINDING_POSSIBLE_LEAK].unique)
        put_leak_tally(out, &ignored[FINDING_POSSIBLE_LEAK], "possible leak(s)");
    if (ignored[FINDING_REACHABLE_LEAK].unique && !o->show_reachable)
        put_leak_tally(
            out, &ignored[FINDING_REACHABLE_LEAK],
            "still-reachable allocation(s)\n         (re-run with \"-show_reachable\" for details)");
}

void
text_summary(const struct report *r, const struct process *p, const struct write_options *o, unsigned nudge,
             FILE *out)
{
    struct tally found[FINDING_KINDS] = {0}, ignored[FINDING_KINDS] = {0};
    struct tally suppressed = {0}, known = {0}, potential = {0};
    unsigned long long all = 0;

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if (!concerns(f, p))
            continue;
        add(f->suppressed       ? &suppressed
            : f->potential      ? &potential
            : is_reported(f, o) ? &found[f->kind]
            : f->known          ? &known
                                : &ignored[f->kind],
            f);
        all += is_reported(f, o);
    }
    found[FINDING_WARNING].unique += found[FINDING_OVERLAP].unique;
    found[FINDING_WARNING].total += found[FINDING_OVERLAP].total;
    fputs(RULE, out);
    if (nudge)
        fprintf(out, "SUMMARY AFTER NUDGE #%u:\n", nudge);
    else
        fputs("FINAL SUMMARY:\n", out);
    put_duplicates(r, p, out);
    put_suppressions_used(r, p, out);
    fputs(all ? "ERRORS FOUND:\n" : "NO ERRORS FOUND:\n", out);
    put_tally(out, &found[FINDING_UNADDRESSABLE], "unaddressable access(es)");
    put_tally(out, &found[FINDING_UNINITIALIZED], "uninitialized access(es)");
    put_tally(out, &found[FINDING_INVALID_HEAP_ARGUMENT], "invalid heap argument(s)");
    put_tally(out, &found[FINDING_WARNING], "warning(s)");
    put_leak_tally(out, &found[FINDING_LEAK], "leak(s)");
    put_leak_tally(out, &found[FINDING_POSSIBLE_LEAK], "possible leak(s)");
    if (o->show_reachable)
        put_leak_tally(out, &found[FINDING_REACHABLE_LEAK], "still-reachable allocation(s)");
    put_ignored(out, ignored, &suppressed, &known, &potential, o);
    if (p->killed && !nudge)
        fputs("THE REPORT IS INCOMPLETE: the process was killed.\n", out);
    else if (r->incomplete && !nudge)
        fprintf(out, "THE REPORT IS INCOMPLETE: %s.\n", r->missing ? r->missing : "records are missing");
    if (o->details)
        fprintf(out, "Details: %s\n", o->details);
}

void
write_text(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    for (size_t k = 0; k < r->process_count; k++) {
        const struct process *p = r->processes[k];

        if (only && p != only)
            continue;
        text_header(r, p, o, out);
        for (size_t i = 0; i < p->finding_count; i++)
            if (is_reported(p->findings[i], o))
                text_finding(p->findings[i], o, out);
        text_summary(r, p, o, 0, out);
    }
}
