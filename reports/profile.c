/* SPDX-License-Identifier: BSD-3-Clause */
/* What every format needs of a profile: rankings, edges of the call graph, costs by line. */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

const char *const profile_format_names[PROFILE_FORMATS] = {"callgrind", "pprof", "collapsed", "speedscope", "json", "html", "text"};

void
profile_write(struct profile *p, enum profile_format format, FILE *out)
{
    static void (*const writers[PROFILE_FORMATS])(struct profile *, FILE *) = {
        profile_write_callgrind, profile_write_pprof, profile_write_collapsed, profile_write_speedscope, profile_write_json, profile_write_html,
    };

    if (format == PROFILE_TEXT)
        profile_write_table(p, out, 1000);
    else
        writers[format](p, out);
}

const char *
profile_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void
profile_free(struct profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_locations; i++)
        free(p->locations[i].frame);
    for (size_t i = 0; i < p->n_nodes; i++)
        free(p->nodes[i].cost);
    free(p->modules);
    free(p->functions);
    free(p->locations);
    free(p->nodes);
    free(p->blocks);
    free(p->threads);
    strings_free(p->strings);
    free(p);
}

/* ---- ranking ---- */

static int
compare_functions(const void *a, const void *b, bool inclusive, const struct profile *p)
{
    const struct profile_function *x = &p->functions[*(const uint32_t *)a], *y = &p->functions[*(const uint32_t *)b];
    uint64_t cx = inclusive ? x->inclusive : x->self, cy = inclusive ? y->inclusive : y->self;

    if (cx != cy)
        return cx < cy ? 1 : -1;
    if (x->inclusive != y->inclusive)
        return x->inclusive < y->inclusive ? 1 : -1;
    int names = strcmp(x->name, y->name);
    return names ? names : x->address < y->address ? -1 : x->address > y->address;
}
static int by_self(const void *a, const void *b, void *p) { return compare_functions(a, b, false, p); }
static int by_inclusive(const void *a, const void *b, void *p) { return compare_functions(a, b, true, p); }

uint32_t *
profile_ranking(const struct profile *p, bool inclusive)
{
    uint32_t *order = memory_zalloc(p->n_functions + 1, sizeof *order);

    for (uint32_t i = 0; i < p->n_functions; i++)
        order[i] = i;
    qsort_r(order, p->n_functions, sizeof *order, inclusive ? by_inclusive : by_self, (void *)p);
    return order;
}

/* ---- lines ---- */

static int
compare_lines(const void *a, const void *b)
{
    const struct profile_line *x = a, *y = b;

    if (x->function != y->function)
        return x->function < y->function ? -1 : 1;
    if (x->file != y->file)
        return !x->file ? -1 : !y->file ? 1 : strcmp(x->file, y->file);
    return x->line < y->line ? -1 : x->line > y->line;
}

struct profile_line *
profile_lines(struct profile *p, size_t *n)
{
    struct profile_line *lines = NULL;
    size_t room = 0, to = 0;

    *n = 0;
    for (size_t i = 0; i < p->n_nodes; i++)
        for (size_t k = 0; k < p->nodes[i].n_costs; k++) {
            const struct profile_cost *c = &p->nodes[i].cost[k];
            const struct profile_frame *f = &p->locations[c->location].frame[0];
            GROW(lines, *n, room);
            lines[(*n)++] = (struct profile_line){p->nodes[i].function, f->file, f->line, c->count};
        }
    if (*n)
        qsort(lines, *n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < *n; i++)
        if (to && compare_lines(&lines[to - 1], &lines[i]) == 0)
            lines[to - 1].self += lines[i].self;
        else
            lines[to++] = lines[i];
    *n = to;
    return lines;
}

/* ---- edges ---- */

static int
compare_edges(const void *a, const void *b)
{
    const struct profile_edge *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Nodes of active functions are marked on the way down: a node comes behind its parent, so a walk along the tree is needed. */
struct profile_edge *
profile_edges(struct profile *p, size_t *n)
{
    struct profile_edge *edges = memory_zalloc(p->n_nodes + 1, sizeof *edges);
    size_t to = 0;

    *n = 0;
    for (uint32_t i = 0; p->n_nodes && i != PROFILE_NONE;) {
        struct profile_node *node = &p->nodes[i];
        if (node->function != PROFILE_NONE) {
            bool active = p->functions[node->function].on_path++;
            uint32_t from = p->nodes[node->parent].function;
            if (from != PROFILE_NONE)
                edges[(*n)++] = (struct profile_edge){from, node->function, node->site, node->calls, active ? 0 : node->inclusive};
        }
        if (node->child != PROFILE_NONE) {
            i = node->child;
            continue;
        }
        for (;; i = p->nodes[i].parent) {
            if (p->nodes[i].function != PROFILE_NONE)
                p->functions[p->nodes[i].function].on_path--;
            if (i == 0 || p->nodes[i].sibling != PROFILE_NONE)
                break;
        }
        i = i == 0 ? PROFILE_NONE : p->nodes[i].sibling;
    }
    qsort(edges, *n, sizeof *edges, compare_edges);
    for (size_t i = 0; i < *n; i++)
        if (to && compare_edges(&edges[to - 1], &edges[i]) == 0) {
            edges[to - 1].calls += edges[i].calls;
            edges[to - 1].inclusive += edges[i].inclusive;
        } else {
            edges[to++] = edges[i];
        }
    *n = to;
    return edges;
}

/* ---- stacks ---- */

/* Names of a node's stack, outermost first, with what is inlined at its calls; *n of them. */
static const struct profile_frame *
stack_of(const struct profile *p, uint32_t node, const struct profile_location *leaf, size_t *n)
{
    static struct profile_frame *frame;
    static size_t room;
    size_t count = 0;

    for (size_t i = 0; leaf && i < leaf->n; i++) {
        GROW(frame, count, room);
        frame[count++] = leaf->frame[i];
    }
    for (uint32_t i = node; i && i != PROFILE_NONE; i = p->nodes[i].parent) {
        const struct profile_node *at = &p->nodes[i];
        uint32_t above = at->parent;
        if (at->site == PROFILE_NONE || !above) {
            if (above && above != PROFILE_NONE) {
                GROW(frame, count, room);
                frame[count++] = (struct profile_frame){.function = p->functions[p->nodes[above].function].name};
            }
            continue;
        }
        const struct profile_location *l = &p->locations[at->site];
        for (size_t k = 0; k < l->n; k++) {
            GROW(frame, count, room);
            frame[count++] = l->frame[k];
        }
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct profile_frame x = frame[i];
        frame[i] = frame[count - 1 - i];
        frame[count - 1 - i] = x;
    }
    *n = count;
    return frame;
}

void
profile_each_stack(struct profile *p, void (*each)(void *context, const struct profile_frame *frame, size_t n, uint64_t count), void *context)
{
    for (uint32_t i = 0; i < p->n_nodes; i++)
        for (size_t k = 0; k < p->nodes[i].n_costs; k++) {
            size_t n;
            const struct profile_frame *f = stack_of(p, i, &p->locations[p->nodes[i].cost[k].location], &n);
            each(context, f, n, p->nodes[i].cost[k].count);
        }
}
