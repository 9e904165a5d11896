/* SPDX-License-Identifier: BSD-3-Clause */
/* Valgrind's XML output, protocol 4: what Qt Creator, CLion and Jenkins read.
 * Invariant: elements come in the protocol's order; errors before the FINISHED
 *            status, leaks after it. */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "valgrind_words.h"
#include "write.h"

static void
element(FILE *out, int depth, const char *name, const char *text)
{
    fprintf(out, "%*s<%s>", depth, "", name);
    escape_xml(out, text);
    fprintf(out, "</%s>\n", name);
}

static void
number(FILE *out, int depth, const char *name, unsigned long long value)
{
    fprintf(out, "%*s<%s>%llu</%s>\n", depth, "", name, value, name);
}

static void
put_frame(FILE *out, const struct frame *f)
{
    const char *slash = f->file ? strrchr(f->file, '/') : NULL;

    fprintf(out, "      <frame>\n        <ip>0x%llX</ip>\n", (unsigned long long)f->pc);
    if (f->path)
        element(out, 8, "obj", f->path);
    if (f->signature)
        element(out, 8, "fn", f->signature);
    if (f->file && slash) {
        char *dir = memory_string_n(f->file, (size_t)(slash - f->file));

        element(out, 8, "dir", dir);
        free(dir);
    }
    if (f->file)
        element(out, 8, "file", slash ? slash + 1 : f->file);
    if (f->file && f->line)
        number(out, 8, "line", f->line);
    fputs("      </frame>\n", out);
}

static void
put_stack(FILE *out, const struct stack *s)
{
    fputs("    <stack>\n", out);
    for (size_t i = 0; s && i < s->count; i++)
        if (!s->frames[i].system_call)
            put_frame(out, &s->frames[i]);
    fputs("    </stack>\n", out);
}

static void
put_leak_what(FILE *out, const struct finding *f)
{
    char *text = valgrind_what(f);

    fputs("    <xwhat>\n", out);
    element(out, 6, "text", text);
    number(out, 6, "leakedbytes", f->bytes + f->indirect_bytes);
    number(out, 6, "leakedblocks", f->blocks + f->indirect_blocks);
    free(text);
    fputs("    </xwhat>\n", out);
}

static void
put_aux(FILE *out, const struct finding *f)
{
    static const char *const usual[] = {[STACK_MAIN] = "At",
                                        [STACK_ALLOCATED] = "Block was alloc'd at",
                                        [STACK_FREED] = "Block was free'd at",
                                        [STACK_ORIGIN] = "Uninitialised value was created here",
                                        [STACK_OTHER] = "See also"};

    for (size_t i = 0; i < f->note_count; i++)
        element(out, 4, "auxwhat", f->notes[i]);
    for (size_t i = 1; i < f->stack_count; i++) {
        element(out, 4, "auxwhat", f->stacks[i].label[0] ? f->stacks[i].label : usual[f->stacks[i].kind]);
        put_stack(out, &f->stacks[i]);
    }
}

/* The block's own kind line and frames, as suppression_for writes them, taken apart again. */
static void
put_suppression(FILE *out, const struct finding *f)
{
    char *raw = suppression_for(f, SUPPRESS_VALGRIND), *rest = NULL, *copy = memory_string(raw);
    unsigned line_number = 0;

    fputs("    <suppression>\n      <sname>insert_a_suppression_name_here</sname>\n", out);
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " ");
        if (++line_number <= 2 || strcmp(line, "}") == 0)
            continue;
        if (line_number == 3) {
            element(out, 6, "skind", line);
        } else if (strncmp(line, "fun:", 4) == 0 || strncmp(line, "obj:", 4) == 0) {
            fputs("      <sframe> ", out);
            fprintf(out, "<%.3s>", line);
            escape_xml(out, line + 4);
            fprintf(out, "</%.3s> </sframe>\n", line);
        } else {
            element(out, 6, "skaux", line);
        }
    }
    fputs("      <rawtext>\n<![CDATA[\n", out);
    for (const char *c = raw; *c; c++) { /* "]]>" cannot stand inside CDATA */
        if (strncmp(c, "]]>", 3) == 0)
            fputs("]]]]><![CDATA[", out), c++;
        else
            putc(*c, out);
    }
    fputs("]]>\n      </rawtext>\n    </suppression>\n", out);
    free(copy);
    free(raw);
}

static void
put_error(FILE *out, const struct finding *f)
{
    fprintf(out, "  <error>\n    <unique>0x%x</unique>\n    <tid>%u</tid>\n", f->id, f->tid);
    element(out, 4, "kind", valgrind_kind(f));
    if (finding_is_leak(f)) {
        put_leak_what(out, f);
    } else {
        char *text = valgrind_what(f);

        element(out, 4, "what", text);
        free(text);
    }
    put_stack(out, f->stack_count ? &f->stacks[0] : NULL);
    put_aux(out, f);
    if (f->stack_count && f->stacks[0].count)
        put_suppression(out, f);
    fputs("  </error>\n\n", out);
}

static void
put_status(FILE *out, const char *state, uint64_t time_us)
{
    unsigned long long ms = time_us / 1000;

    fprintf(
        out,
        "  <status>\n    <state>%s</state>\n    <time>%02llu:%02llu:%02llu:%02llu.%03llu</time>\n  </status>\n\n",
        state, ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

static void
put_arguments(FILE *out, const struct process *p)
{
    fputs("  <args>\n    <vargv>\n      <exe>drmemory</exe>\n    </vargv>\n    <argv>\n", out);
    element(out, 6, "exe", p->argc ? p->argv[0] : p->exe);
    for (size_t i = 1; i < p->argc; i++)
        element(out, 6, "arg", p->argv[i]);
    fputs("    </argv>\n  </args>\n\n", out);
}

static bool
wanted(const struct finding *f)
{
    return !f->suppressed && !f->stale && !f->potential;
}

static void
put_counts(const struct report *r, const struct process *p, FILE *out)
{
    fputs("  <errorcounts>\n", out);
    for (size_t i = 0; i < p->finding_count; i++)
        if (wanted(p->findings[i]) && !finding_is_leak(p->findings[i]))
            fprintf(out, "    <pair>\n      <count>%llu</count>\n      <unique>0x%x</unique>\n    </pair>\n",
                    (unsigned long long)p->findings[i]->count, p->findings[i]->id);
    fputs("  </errorcounts>\n\n  <suppcounts>\n", out);
    for (size_t k = 0; r->suppressions && k < suppressions_count(r->suppressions); k++) {
        const struct suppression *s = suppressions_get(r->suppressions, k);
        unsigned long long used = 0;

        for (size_t i = 0; i < p->finding_count; i++)
            used += p->findings[i]->suppressed == s ? p->findings[i]->count : 0;
        if (!used)
            continue;
        fprintf(out, "    <pair>\n      <count>%llu</count>\n", used);
        element(out, 6, "name", s->name);
        fputs("    </pair>\n", out);
    }
    fputs("  </suppcounts>\n\n", out);
}

void
write_valgrind_xml(const struct report *r, const struct process *only, const struct write_options *o,
                   FILE *out)
{
    const struct process *p = only ? only : r->process_count ? r->processes[0] : NULL;

    fputs("<?xml version=\"1.0\"?>\n\n<valgrindoutput>\n\n  <protocolversion>4</protocolversion>\n"
          "  <protocoltool>memcheck</protocoltool>\n\n  <preamble>\n",
          out);
    fprintf(out, "    <line>drmemory %s, a memory error detector</line>\n  </preamble>\n\n", o->version);
    if (!p) {
        fputs("</valgrindoutput>\n", out);
        return;
    }
    number(out, 2, "pid", p->pid);
    number(out, 2, "ppid", p->parent);
    fputs("  <tool>memcheck</tool>\n\n", out);
    put_arguments(out, p);
    put_status(out, "RUNNING", 0);
    for (size_t i = 0; i < p->finding_count; i++)
        if (wanted(p->findings[i]) && !finding_is_leak(p->findings[i]))
            put_error(out, p->findings[i]);
    if (p->ended || p->complete || p->execed)
        put_status(out, "FINISHED", p->end_time);
    for (size_t i = 0; i < p->finding_count; i++)
        if (wanted(p->findings[i]) && finding_is_leak(p->findings[i]))
            put_error(out, p->findings[i]);
    put_counts(r, p, out);
    fputs("</valgrindoutput>\n", out);
}
