/* SPDX-License-Identifier: BSD-3-Clause */
/* A profile as text: the table on one screen, and source lines with counts. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "source.h"

static double share(uint64_t part, uint64_t whole) { return whole ? 100.0 * (double)part / (double)whole : 0; }

/* 12,345,678 */
static const char *
grouped(uint64_t v, char out[32])
{
    char plain[24];
    int n = snprintf(plain, sizeof plain, "%llu", (unsigned long long)v), to = 0;

    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = plain[i];
    }
    out[to] = 0;
    return out;
}

static void
print_name(const struct profile *p, const struct profile_function *f, FILE *out)
{
    escape_text(out, f->name);
    if (f->file) {
        fputs("  ", out);
        escape_text(out, profile_base_name(f->file));
        fprintf(out, ":%u", f->line);
    }
    if (f->module != PROFILE_NONE) {
        fputs("  [", out);
        escape_text(out, profile_base_name(p->modules[f->module].path));
        fputs("]", out);
    }
    fputs("\n", out);
}

static void
print_head(const struct profile *p, FILE *out)
{
    char total[32];

    fprintf(out, "drprof: ");
    escape_text(out, p->command);
    fprintf(out, " (process %u", p->pid);
    if (p->part)
        fprintf(out, ", part %u", p->part);
    fprintf(out, "): %s %s", grouped(p->total, total), p->unit);
    if (p->n_threads > 1)
        fprintf(out, " in %zu threads", p->n_threads);
    fputs("\n", out);
    if (!p->ended && !p->part)
        fputs("drprof: the process did not end by itself: this is what there was until then\n", out);
    if (p->truncated)
        fputs("drprof: the profile is incomplete: no memory was left for it (-memory)\n", out);
}

void
profile_write_table(struct profile *p, FILE *out, unsigned top)
{
    uint32_t *order = profile_ranking(p, false);
    char a[32], b[32], c[32];

    print_head(p, out);
    fprintf(out, "%6s %17s %6s %17s %13s  function\n", "self", p->unit, "incl", p->unit, "calls");
    for (size_t i = 0; i < p->n_functions && i < top; i++) {
        const struct profile_function *f = &p->functions[order[i]];
        if (!f->self)
            break;
        fprintf(out, "%5.1f%% %17s %5.1f%% %17s %13s  ", share(f->self, p->total), grouped(f->self, a), share(f->inclusive, p->total),
                grouped(f->inclusive, b), grouped(f->calls, c));
        print_name(p, f, out);
    }
    for (size_t i = 0; p->n_threads > 1 && i < p->n_threads; i++)
        fprintf(out, "%5.1f%% %17s  in thread %u\n", share(p->threads[i].total, p->total), grouped(p->threads[i].total, a), p->threads[i].tid);
    free(order);
}

/* ---- source ---- */

enum { CONTEXT = 2, FAR_LINE = 8 };

static int
by_place(const void *a, const void *b)
{
    const struct profile_line *x = a, *y = b;
    int files = !x->file || !y->file ? (y->file == NULL) - (x->file == NULL) : strcmp(x->file, y->file);

    return files ? files : x->line < y->line ? -1 : x->line > y->line;
}

static void
print_source(const struct profile *p, FILE *out, const char *file, unsigned number, uint64_t count)
{
    char *text = source_line(file, number), n[32];

    if (count)
        fprintf(out, "%17s %5.1f%% %6u  ", grouped(count, n), share(count, p->total), number);
    else
        fprintf(out, "%17s %6s %6u  ", ".", "", number);
    escape_text(out, text ? text : "");
    fputs("\n", out);
    free(text);
}

static void
print_file(const struct profile *p, FILE *out, const struct profile_line *l, size_t n)
{
    unsigned done = 0;

    fputs("\n", out);
    escape_text(out, l->file);
    fputs("\n", out);
    for (size_t i = 0; i < n; i++) {
        unsigned from = l[i].line > CONTEXT ? l[i].line - CONTEXT : 1;
        if (done && from > done + FAR_LINE) {
            for (unsigned k = done + 1; k <= done + CONTEXT; k++)
                print_source(p, out, l[i].file, k, 0);
            fputs("                       ...\n", out);
        } else if (done) {
            from = done + 1;
        }
        for (unsigned k = from; k < l[i].line; k++)
            print_source(p, out, l[i].file, k, 0);
        print_source(p, out, l[i].file, l[i].line, l[i].self);
        done = l[i].line;
    }
}

struct file { size_t first, n; uint64_t self; };

static int
by_cost(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    return x->self < y->self ? 1 : x->self > y->self ? -1 : x->first < y->first ? -1 : 1;
}

/* The `top` files with the costliest lines of which the source is there. */
void
profile_write_annotated(struct profile *p, FILE *out, unsigned top)
{
    size_t n, n_files = 0, to = 0;
    struct profile_line *lines = profile_lines(p, &n);
    struct file *files = calloc(n + 1, sizeof *files);

    if (n)
        qsort(lines, n, sizeof *lines, by_place);
    for (size_t i = 0; i < n; i++)
        if (to && by_place(&lines[to - 1], &lines[i]) == 0)
            lines[to - 1].self += lines[i].self;
        else
            lines[to++] = lines[i];
    for (size_t i = 0; files && i < to; i++) {
        if (!lines[i].file || !lines[i].line)
            continue;
        if (!n_files || strcmp(lines[files[n_files - 1].first].file, lines[i].file) != 0)
            files[n_files++] = (struct file){.first = i};
        files[n_files - 1].n++;
        files[n_files - 1].self += lines[i].self;
    }
    if (n_files)
        qsort(files, n_files, sizeof *files, by_cost);
    for (size_t i = 0; i < n_files && top; i++) {
        char *there = source_line(lines[files[i].first].file, lines[files[i].first].line);
        if (there) {
            print_file(p, out, lines + files[i].first, files[i].n);
            top--;
        }
        free(there);
    }
    source_forget();
    free(files);
    free(lines);
}
