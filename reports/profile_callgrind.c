/* SPDX-License-Identifier: BSD-3-Clause */
/* The callgrind format, as KCachegrind and callgrind_annotate read it. Names are written once, as (number) name. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct writer {
    struct profile *p;
    FILE *out;
    bool *object_named, *function_named;
    const char **file;                   /* numbered by their place */
    size_t n_files, room_files;
    const char *now;                     /* file that cost lines belong to */
};

static void
clean_name(FILE *out, const char *s)
{
    for (; *s; s++)
        fputc((unsigned char)*s < ' ' ? '?' : *s, out);
}

static void
write_file(struct writer *w, const char *spec, const char *file)
{
    size_t i = 0;

    if (!file)
        file = "???";
    while (i < w->n_files && w->file[i] != file)
        i++;
    fprintf(w->out, "%s=(%zu)", spec, i + 1);
    if (i == w->n_files) {
        GROW(w->file, w->n_files, w->room_files);
        w->file[w->n_files++] = file;
        fputc(' ', w->out);
        clean_name(w->out, file);
    }
    fputc('\n', w->out);
}

static void
write_object(struct writer *w, const char *spec, uint32_t module)
{
    size_t i = module == PROFILE_NONE ? w->p->n_modules : module;

    fprintf(w->out, "%s=(%zu)", spec, i + 1);
    if (!w->object_named[i]) {
        fputc(' ', w->out);
        clean_name(w->out, module == PROFILE_NONE ? "???" : w->p->modules[module].path);
    }
    w->object_named[i] = true;
    fputc('\n', w->out);
}

static void
write_function(struct writer *w, const char *spec, uint32_t function)
{
    fprintf(w->out, "%s=(%u)", spec, function + 1);
    if (!w->function_named[function]) {
        fputc(' ', w->out);
        clean_name(w->out, w->p->functions[function].name);
    }
    w->function_named[function] = true;
    fputc('\n', w->out);
}

/* Cost lines that follow belong to this file: the function's own, or one of code inlined into it. */
static void
in_file(struct writer *w, const struct profile_function *f, const char *file)
{
    if (file == w->now)
        return;
    write_file(w, file == f->file ? "fe" : "fi", file);
    w->now = file;
}

static void
write_edge(struct writer *w, const struct profile_function *f, const struct profile_edge *e)
{
    const struct profile_frame *site = e->site == PROFILE_NONE ? NULL : &w->p->locations[e->site].frame[0];
    const struct profile_function *to = &w->p->functions[e->to];

    in_file(w, f, site ? site->file : f->file);
    write_object(w, "cob", to->module);
    write_file(w, "cfi", to->file);
    write_function(w, "cfn", e->to);
    fprintf(w->out, "calls=%llu %u\n", (unsigned long long)e->calls, to->line);
    fprintf(w->out, "%u %llu\n", site ? site->line : f->line, (unsigned long long)e->inclusive);
}

static void
write_one(struct writer *w, uint32_t function, const struct profile_line *lines, size_t n_lines, const struct profile_edge *edges, size_t n_edges)
{
    const struct profile_function *f = &w->p->functions[function];

    if (!n_lines && !n_edges)
        return;
    fputc('\n', w->out);
    write_object(w, "ob", f->module);
    write_file(w, "fl", f->file);
    write_function(w, "fn", function);
    w->now = f->file;
    for (size_t i = 0; i < n_lines; i++) {
        in_file(w, f, lines[i].file);
        fprintf(w->out, "%u %llu\n", lines[i].line, (unsigned long long)lines[i].self);
    }
    for (size_t i = 0; i < n_edges; i++)
        write_edge(w, f, &edges[i]);
}

void
profile_write_callgrind(struct profile *p, FILE *out)
{
    struct writer w = {.p = p, .out = out};
    size_t n_lines, n_edges, line = 0, edge = 0;
    struct profile_line *lines = profile_lines(p, &n_lines);
    struct profile_edge *edges = profile_edges(p, &n_edges);

    w.object_named = memory_zalloc(p->n_modules + 1, sizeof *w.object_named);
    w.function_named = memory_zalloc(p->n_functions + 1, sizeof *w.function_named);
    fprintf(out, "# callgrind format\nversion: 1\ncreator: drprof\npid: %u\ncmd: ", p->pid);
    clean_name(out, p->command);
    fprintf(out, "\npart: %u\n\npositions: line\nevents: %s\nsummary: %llu\n", p->part ? p->part : 1, strcmp(p->unit, "samples") == 0 ? "Samples" : "Ir",
            (unsigned long long)p->total);
    for (uint32_t f = 0; f < p->n_functions; f++) {
        size_t l = line, e = edge;
        while (line < n_lines && lines[line].function == f)
            line++;
        while (edge < n_edges && edges[edge].from == f)
            edge++;
        write_one(&w, f, lines + l, line - l, edges + e, edge - e);
    }
    fprintf(out, "\ntotals: %llu\n", (unsigned long long)p->total);
    free(w.object_named);
    free(w.function_named);
    free(w.file);
    free(lines);
    free(edges);
}
