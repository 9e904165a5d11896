/* SPDX-License-Identifier: BSD-3-Clause */
/* Text in the manner of Valgrind's Memcheck: every line begins with ==PID==. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "valgrind_words.h"
#include "write.h"

static void
line(FILE *out, const struct process *p, const char *text)
{
    fprintf(out, "==%u== ", p->pid);
    escape_text(out, text);
    putc('\n', out);
}

static void
put_stack(FILE *out, const struct process *p, const struct stack *s)
{
    const char *where = "at";

    for (size_t i = 0; i < s->count; i++) {
        const struct frame *f = &s->frames[i];
        char *place, *text;

        if (f->system_call)
            continue;
        if (f->file)
            place = memory_printf("(%s:%u)", strrchr(f->file, '/') ? strrchr(f->file, '/') + 1 : f->file, f->line);
        else
            place = f->path ? memory_printf("(in %s)", f->path) : memory_string("(not in a module)");
        text = memory_printf("   %s 0x%llX: %s %s", where, (unsigned long long)f->pc,
                             f->signature  ? f->signature
                             : f->function ? f->function
                                           : "???",
                             place);
        line(out, p, text);
        free(text);
        free(place);
        where = "by";
    }
}

static void
put_finding(FILE *out, const struct finding *f, unsigned record, unsigned records)
{
    static const char *const usual[] = {[STACK_MAIN] = "At",
                                        [STACK_ALLOCATED] = "Block was alloc'd at",
                                        [STACK_FREED] = "Block was free'd at",
                                        [STACK_ORIGIN] = "Uninitialised value was created",
                                        [STACK_OTHER] = "See also"};
    char *what = valgrind_what(f), *text;

    text = finding_is_leak(f) ? memory_printf("%s in loss record %u of %u", what, record, records) : memory_string(what);
    line(out, f->process, text);
    for (size_t i = 0; i < f->stack_count; i++) {
        if (i) {
            free(text);
            text = memory_printf(" %s", f->stacks[i].label[0] ? f->stacks[i].label : usual[f->stacks[i].kind]);
            line(out, f->process, text);
        }
        put_stack(out, f->process, &f->stacks[i]);
        for (size_t k = 0; !i && k < f->note_count; k++) {
            free(text);
            text = memory_printf(" %s", f->notes[k]);
            line(out, f->process, text);
        }
    }
    line(out, f->process, "");
    free(text);
    free(what);
}

static bool
shown(const struct finding *f, const struct write_options *o)
{
    return write_shows(f, o) && !f->known;
}

static void
put_process(const struct process *p, const struct write_options *o, FILE *out)
{
    unsigned long long errors = 0, suppressed = 0;
    unsigned contexts = 0, rules = 0, records = 0, record = 0;
    char *text;

    text = memory_printf("drmemory %s, a memory error detector, in Memcheck's words", o->version);
    line(out, p, text);
    free(text);
    line(out, p, "");
    for (size_t i = 0; i < p->finding_count; i++) {
        const struct finding *f = p->findings[i];

        records += shown(f, o) && finding_is_leak(f);
        suppressed += f->suppressed ? f->count : 0;
        rules += f->suppressed != NULL;
        if (shown(f, o) && f->kind != FINDING_REACHABLE_LEAK)
            errors += f->count, contexts++;
    }
    for (size_t i = 0; i < p->finding_count; i++)
        if (shown(p->findings[i], o))
            put_finding(out, p->findings[i], record += finding_is_leak(p->findings[i]), records);
    if (p->killed)
        line(out, p, "The process was killed: the report is incomplete");
    text = memory_printf("ERROR SUMMARY: %llu errors from %u contexts (suppressed: %llu from %u)", errors, contexts,
                         suppressed, rules);
    line(out, p, text);
    free(text);
}

void
write_valgrind_text(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    for (size_t i = 0; i < r->process_count; i++)
        if (!only || r->processes[i] == only)
            put_process(r->processes[i], o, out);
}
