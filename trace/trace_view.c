/* Analyses of a trace: counts by thread, the most used lines of data, reuse distances, the working set over time.
 * Reuse distances are exact: a Fenwick tree holds a mark at the last use of every line; the marks behind a line's own
 * are the lines used since. Times are renumbered when they reach the tree's end. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drtools/trace.h"
#include "line_map.h"

enum { LINE_BITS = 6, DISTANCES = 40, TOP_LINES = 10, WINDOW = 1000000, MAX_WINDOWS = 4096 };

struct counts { uint64_t instructions, blocks, reads, writes, modifies, bytes, system_calls, signals; };

struct reuse { uint32_t *tree; size_t room, now; struct line_map last; uint64_t distance[DISTANCES], cold; };

struct view {
    struct dr_trace *trace;
    struct counts *thread, all;
    struct line_map lines, window;
    struct reuse reuse;
    uint64_t working_set[MAX_WINDOWS];
    size_t n_windows;
    uint64_t in_window;
    uint64_t file_bytes, seen;
    bool progress, no_memory;
};

/* ---- reuse distances ---- */

static void
mark(struct reuse *r, size_t at, int by)
{
    for (at++; at <= r->room; at += at & -at)
        r->tree[at - 1] += (uint32_t)by;
}

static uint64_t
marks_up_to(const struct reuse *r, size_t at)
{
    uint64_t n = 0;

    for (at++; at; at -= at & -at)
        n += r->tree[at - 1];
    return n;
}

static int
by_value(const void *a, const void *b)
{
    const uint64_t *x = *(uint64_t *const *)a, *y = *(uint64_t *const *)b;

    return *x < *y ? -1 : *x > *y;
}

/* Times anew from 0, in the order of the lines' last uses; the tree holds twice as many. */
static bool
renumber(struct reuse *r)
{
    size_t n = 0, room = 2 * r->last.n + (1 << 16);
    uint64_t **order = malloc((r->last.n + 1) * sizeof *order);
    uint32_t *tree = calloc(room, sizeof *tree);

    if (!order || !tree) {
        free(order);
        free(tree);
        return false;
    }
    for (size_t i = 0; i < r->last.room; i++)
        if (r->last.key[i] && r->last.value[i])
            order[n++] = &r->last.value[i];
    qsort(order, n, sizeof *order, by_value);
    free(r->tree);
    r->tree = tree;
    r->room = room;
    for (size_t i = 0; i < n; i++) {
        *order[i] = i + 1;
        mark(r, i, 1);
    }
    r->now = n;
    free(order);
    return true;
}

static bool
reuse_add(struct reuse *r, uint64_t line)
{
    uint64_t *last;

    if (r->now == r->room && !renumber(r))
        return false;
    if (!(last = line_map_at(&r->last, line)))
        return false;
    if (*last) {
        uint64_t d = marks_up_to(r, r->now ? r->now - 1 : 0) - marks_up_to(r, *last - 1);
        r->distance[d ? 64 - __builtin_clzll(d) : 0]++;
        mark(r, *last - 1, -1);
    } else {
        r->cold++;
    }
    mark(r, r->now, 1);
    *last = ++r->now;
    return true;
}

/* ---- one pass ---- */

static void
end_window(struct view *v)
{
    if (v->n_windows < MAX_WINDOWS)
        v->working_set[v->n_windows++] = v->window.n;
    line_map_clear(&v->window);
    v->in_window = 0;
}

static void
data(struct view *v, struct counts *c, const struct dr_trace_ref *r)
{
    uint64_t *n;

    c->reads += r->kind == DR_TRACE_READ;
    c->writes += r->kind == DR_TRACE_WRITE;
    c->modifies += r->kind == DR_TRACE_MODIFY;
    c->bytes += r->size;
    for (uint64_t line = r->address >> LINE_BITS, last = (r->address + (r->size ? r->size - 1 : 0)) >> LINE_BITS; line <= last && !v->no_memory; line++) {
        if ((n = line_map_at(&v->lines, line)))
            ++*n;
        v->no_memory = !n || !line_map_at(&v->window, line) || !reuse_add(&v->reuse, line);
    }
}

static void
show_progress(struct view *v)
{
    if (v->progress && v->seen++ % (1 << 24) == 0 && v->seen > 1)
        fprintf(stderr, "\r%" PRIu64 " million references …", v->seen >> 20);
}

static void
pass(struct view *v, size_t thread)
{
    struct dr_trace_cursor *k = dr_trace_cursor(v->trace, thread, 0);
    struct counts *c = &v->thread[thread];
    struct dr_trace_ref r;

    v->no_memory |= !k;
    while (!v->no_memory && dr_trace_next(k, &r)) {
        show_progress(v);
        if (r.kind == DR_TRACE_FETCH) {
            c->instructions++;
            c->blocks += r.block_begins;
            if (++v->in_window == WINDOW)
                end_window(v);
        } else if (r.kind == DR_TRACE_MARKER) {
            c->system_calls += r.marker == DR_TRACE_SYSCALL;
            c->signals += r.marker == DR_TRACE_SIGNAL;
        } else {
            data(v, c, &r);
        }
    }
    dr_trace_cursor_close(k);
}

static void
add_counts(struct counts *to, const struct counts *c)
{
    to->instructions += c->instructions;
    to->blocks += c->blocks;
    to->reads += c->reads;
    to->writes += c->writes;
    to->modifies += c->modifies;
    to->bytes += c->bytes;
    to->system_calls += c->system_calls;
    to->signals += c->signals;
}

/* ---- what is shown ---- */

static uint64_t refs(const struct counts *c) { return c->reads + c->writes + c->modifies; }

struct used { uint64_t line, n; };
static int
most_used_first(const void *a, const void *b)
{
    const struct used *x = a, *y = b;

    return x->n != y->n ? (x->n > y->n ? -1 : 1) : x->line < y->line ? -1 : x->line > y->line;
}

static size_t
most_used(const struct view *v, struct used top[TOP_LINES])
{
    struct used *all = malloc((v->lines.n + 1) * sizeof *all);
    size_t n = 0;

    for (size_t i = 0; all && i < v->lines.room; i++)
        if (v->lines.key[i])
            all[n++] = (struct used){v->lines.key[i] - 1, v->lines.value[i]};
    qsort(all, n, sizeof *all, most_used_first);
    n = n < TOP_LINES ? n : TOP_LINES;
    if (all)
        memcpy(top, all, n * sizeof *top);
    free(all);
    return n;
}

static void
text_counts(FILE *out, const struct counts *c)
{
    fprintf(out, "  %14" PRIu64 " instructions in %" PRIu64 " blocks\n  %14" PRIu64 " reads\n  %14" PRIu64 " writes\n  %14" PRIu64 " reads and writes at once\n", c->instructions,
            c->blocks, c->reads, c->writes, c->modifies);
    fprintf(out, "  %14" PRIu64 " bytes referred to\n  %14" PRIu64 " system calls, %" PRIu64 " signals\n", c->bytes, c->system_calls, c->signals);
}

static void
text(const struct view *v, FILE *out)
{
    const struct dr_trace *t = v->trace;
    struct used top[TOP_LINES];

    fprintf(out, "Trace of %s: %zu thread(s)%s\n", dr_trace_program(t), dr_trace_threads(t), dr_trace_complete(t) ? "" : "; it ends before the program did");
    if (dr_trace_damaged(t))
        fprintf(out, "%zu damaged stretch(es) left out\n", dr_trace_damaged(t));
    text_counts(out, &v->all);
    if (refs(&v->all))
        fprintf(out, "  %14.3f bytes of file a data reference\n", (double)v->file_bytes / (double)refs(&v->all));
    for (size_t i = 0; i < dr_trace_threads(t) && dr_trace_threads(t) > 1; i++) {
        fprintf(out, "Thread %u\n", dr_trace_thread_id(t, i));
        text_counts(out, &v->thread[i]);
    }
    fprintf(out, "Lines of 64 bytes: %zu\n", v->lines.n);
    for (size_t i = 0, n = most_used(v, top); i < n; i++)
        fprintf(out, "  %14" PRIu64 " uses of 0x%" PRIx64 "\n", top[i].n, top[i].line << LINE_BITS);
    fprintf(out, "Reuse distance (other lines used in between)\n  %14" PRIu64 " never used before\n", v->reuse.cold);
    for (unsigned k = 0; k < DISTANCES; k++)
        if (v->reuse.distance[k])
            fprintf(out, "  %14" PRIu64 " %" PRIu64 "%s\n", v->reuse.distance[k], k ? (uint64_t)1 << (k - 1) : 0, k > 1 ? " and more" : "");
    fprintf(out, "Working set (lines) by million instructions\n ");
    for (size_t i = 0; i < v->n_windows; i++)
        fprintf(out, "%s %" PRIu64, i && i % 10 == 0 ? "\n " : "", v->working_set[i]);
    fprintf(out, "\n");
}

static void
json_counts(FILE *out, const struct counts *c)
{
    fprintf(out,
            "\"instructions\": %" PRIu64 ", \"blocks\": %" PRIu64 ", \"reads\": %" PRIu64 ", \"writes\": %" PRIu64 ", \"modifies\": %" PRIu64 ", \"bytes\": %" PRIu64
            ", \"system_calls\": %" PRIu64 ", \"signals\": %" PRIu64,
            c->instructions, c->blocks, c->reads, c->writes, c->modifies, c->bytes, c->system_calls, c->signals);
}

static void
json_string(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            fprintf(out, "\\u%04x", (unsigned char)*s);
        else
            fputc(*s, out);
    fputc('"', out);
}

static void
as_json(const struct view *v, FILE *out)
{
    const struct dr_trace *t = v->trace;
    struct used top[TOP_LINES];

    fprintf(out, "{\"schema\": 1, \"tool\": \"memtrace\", \"program\": ");
    json_string(out, dr_trace_program(t));
    fprintf(out, ", \"complete\": %s, \"damaged\": %zu, \"file_bytes\": %" PRIu64 ",\n \"totals\": {", dr_trace_complete(t) ? "true" : "false", dr_trace_damaged(t), v->file_bytes);
    json_counts(out, &v->all);
    fprintf(out, "},\n \"threads\": [");
    for (size_t i = 0; i < dr_trace_threads(t); i++) {
        fprintf(out, "%s{\"tid\": %u, ", i ? ",\n  " : "", dr_trace_thread_id(t, i));
        json_counts(out, &v->thread[i]);
        fprintf(out, "}");
    }
    fprintf(out, "],\n \"lines\": %zu, \"most_used_lines\": [", v->lines.n);
    for (size_t i = 0, n = most_used(v, top); i < n; i++)
        fprintf(out, "%s{\"address\": \"0x%" PRIx64 "\", \"uses\": %" PRIu64 "}", i ? ", " : "", top[i].line << LINE_BITS, top[i].n);
    fprintf(out, "],\n \"reuse_distance\": {\"first_uses\": %" PRIu64 ", \"from\": [", v->reuse.cold);
    unsigned n = DISTANCES;
    while (n && !v->reuse.distance[n - 1])
        n--;
    for (unsigned k = 0; k < n; k++)
        fprintf(out, "%s[%" PRIu64 ", %" PRIu64 "]", k ? ", " : "", k ? (uint64_t)1 << (k - 1) : 0, v->reuse.distance[k]);
    fprintf(out, "]},\n \"working_set\": [");
    for (size_t i = 0; i < v->n_windows; i++)
        fprintf(out, "%s%" PRIu64, i ? ", " : "", v->working_set[i]);
    fprintf(out, "]}\n");
}

bool
trace_view(const char *path, bool json, bool progress, FILE *out, char *error, size_t error_size)
{
    struct view v = {.progress = progress && isatty(STDERR_FILENO)};
    struct stat st;

    if (!(v.trace = dr_trace_open(path, error, error_size)))
        return false;
    v.file_bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    v.thread = calloc(dr_trace_threads(v.trace) + 1, sizeof *v.thread);
    v.no_memory = !v.thread;
    for (size_t i = 0; i < dr_trace_threads(v.trace) && !v.no_memory; i++) {
        pass(&v, i);
        add_counts(&v.all, &v.thread[i]);
    }
    if (v.in_window)
        end_window(&v);
    if (v.progress && v.seen >> 24)
        fprintf(stderr, "\r\033[K");
    if (v.no_memory)
        snprintf(error, error_size, "no memory for the analysis of %s", path);
    else if (json)
        as_json(&v, out);
    else
        text(&v, out);
    line_map_clear(&v.lines);
    line_map_clear(&v.window);
    line_map_clear(&v.reuse.last);
    free(v.reuse.tree);
    free(v.thread);
    dr_trace_close(v.trace);
    return !v.no_memory;
}

bool
trace_list(const char *path, FILE *out, char *error, size_t error_size)
{
    static const char *const forms[] = {[DR_TRACE_FETCH] = "I ", [DR_TRACE_READ] = " L", [DR_TRACE_WRITE] = " S", [DR_TRACE_MODIFY] = " M"};
    static const char *const markers[] = {"thread starts", "thread exits", "system call", "signal"};
    struct dr_trace *t = dr_trace_open(path, error, error_size);
    struct dr_trace_ref r;

    if (!t)
        return false;
    for (size_t i = 0; i < dr_trace_threads(t); i++) {
        struct dr_trace_cursor *k = dr_trace_cursor(t, i, 0);
        fprintf(out, "# thread %u\n", dr_trace_thread_id(t, i));
        while (k && dr_trace_next(k, &r))
            if (r.kind == DR_TRACE_MARKER)
                fprintf(out, "# %s %" PRIu64 "\n", markers[r.marker], r.address);
            else
                fprintf(out, "%s %08" PRIx64 ",%u\n", forms[r.kind], r.address, r.size);
        dr_trace_cursor_close(k);
    }
    dr_trace_close(t);
    return true;
}
