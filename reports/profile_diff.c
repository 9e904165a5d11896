/* SPDX-License-Identifier: BSD-3-Clause */
/* Two profiles compared, function by function. They are read from callgrind files: those of drprof, or of callgrind. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "memory.h"
#include "profile.h"

/* What one file says of a function. */
struct cost { const char *name; uint64_t self, inclusive; };

struct side {
    struct cost *cost;
    size_t n, room;
    uint64_t total;
    const char **name[3];                /* of objects, files, functions by their numbers */
    size_t names[3];
};

enum { MAX_NUMBER = 1 << 22 };

/* "(3) name" or "(3)" or "name". */
static const char *
read_name(struct side *s, struct strings *pool, unsigned kind, const char *text)
{
    char *end;
    unsigned long number;

    if (*text != '(' || (number = strtoul(text + 1, &end, 10), *end != ')') || number > MAX_NUMBER)
        return strings_keep(pool, text);
    if (number >= s->names[kind]) {
        size_t more = number * 2 + 64;
        s->name[kind] = realloc(s->name[kind], more * sizeof *s->name[kind]);
        if (!s->name[kind])
            abort();
        memset(s->name[kind] + s->names[kind], 0, (more - s->names[kind]) * sizeof *s->name[kind]);
        s->names[kind] = more;
    }
    if (end[1] == ' ' && end[2])
        s->name[kind][number] = strings_keep(pool, end + 2);
    return s->name[kind][number] ? s->name[kind][number] : strings_keep(pool, "???");
}

static struct cost *
cost_of(struct side *s, const char *name)
{
    for (size_t i = s->n; i--;)
        if (s->cost[i].name == name)
            return &s->cost[i];
    GROW(s->cost, s->n, s->room);
    s->cost[s->n] = (struct cost){.name = name};
    return &s->cost[s->n++];
}

/* The first cost of "position… cost…", with so many positions. */
static uint64_t
first_cost(const char *line, unsigned positions)
{
    for (; positions; positions--) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    return strtoull(line, NULL, 10);
}

static bool
read_side(struct side *s, struct strings *pool, const char *path, const char **why)
{
    FILE *f = fopen(path, "re");
    size_t room = 0, now = 0;
    char *line = NULL;
    bool call = false, good = false, known = false;
    unsigned positions = 1;

    if (!f) {
        *why = strings_keep(pool, strerror(errno));
        return false;
    }
    while (getline(&line, &room, f) >= 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "positions:", 10) == 0)
            positions = strstr(line, "instr") && strstr(line, "line") ? 2 : 1;
        else if (strncmp(line, "events:", 7) == 0)
            good = true;
        else if (strncmp(line, "fn=", 3) == 0) {
            now = (size_t)(cost_of(s, read_name(s, pool, 2, line + 3)) - s->cost);
            known = true;
        } else if (strncmp(line, "cfn=", 4) == 0)
            read_name(s, pool, 2, line + 4);
        else if (strncmp(line, "calls=", 6) == 0)
            call = true;
        else if (known && ((*line >= '0' && *line <= '9') || *line == '+' || *line == '-' || *line == '*')) {
            uint64_t cost = first_cost(line, positions);
            s->cost[now].inclusive += cost;
            if (!call)
                s->cost[now].self += cost, s->total += cost;
            call = false;
        }
    }
    free(line);
    fclose(f);
    if (!good)
        *why = "it is no callgrind file";
    return good;
}

/* ---- comparing ---- */

struct change { const char *name; uint64_t before, after, inclusive_before, inclusive_after; };

static uint64_t size_of(const struct change *c) { return c->after > c->before ? c->after - c->before : c->before - c->after; }

static int
by_size(const void *a, const void *b)
{
    uint64_t x = size_of(a), y = size_of(b);

    return x < y ? 1 : x > y ? -1 : strcmp(((const struct change *)a)->name, ((const struct change *)b)->name);
}

static struct change *
compare(const struct side *before, struct side *after, size_t *n)
{
    struct change *list = memory_zalloc(before->n + after->n + 1, sizeof *list);

    *n = 0;
    for (size_t i = 0; i < before->n; i++) {
        struct cost *c = cost_of(after, before->cost[i].name);      /* zero if it is not there */
        list[(*n)++] = (struct change){c->name, before->cost[i].self, c->self, before->cost[i].inclusive, c->inclusive};
        c->name = NULL;
    }
    for (size_t i = 0; i < after->n; i++)
        if (after->cost[i].name)
            list[(*n)++] = (struct change){after->cost[i].name, 0, after->cost[i].self, 0, after->cost[i].inclusive};
    qsort(list, *n, sizeof *list, by_size);
    return list;
}

static void
print_difference(FILE *out, uint64_t before, uint64_t after)
{
    if (before)
        fprintf(out, "%+lld (%+.2f%%)", (long long)(after - before), 100.0 * ((double)after - (double)before) / (double)before);
    else
        fprintf(out, "%+lld (new)", (long long)(after - before));
}

static void
write_text(FILE *out, const struct side *a, const struct side *b, const struct change *c, size_t n)
{
    fprintf(out, "drprof: %llu before, %llu after: ", (unsigned long long)a->total, (unsigned long long)b->total);
    print_difference(out, a->total, b->total);
    fprintf(out, "\n%17s %17s %17s  function\n", "self before", "self after", "change");
    for (size_t i = 0; i < n && i < 40 && size_of(&c[i]); i++) {
        fprintf(out, "%17llu %17llu %+17lld  ", (unsigned long long)c[i].before, (unsigned long long)c[i].after, (long long)(c[i].after - c[i].before));
        escape_text(out, c[i].name);
        fputs(!c[i].before ? "  (new)\n" : !c[i].after ? "  (gone)\n" : "\n", out);
    }
    if (!n || !size_of(&c[0]))
        fputs("no function's cost has changed\n", out);
}

static void
write_html(FILE *out, const struct side *a, const struct side *b, const struct change *c, size_t n)
{
    fputs("<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>drprof: difference</title><style>body{font:14px sans-serif;margin:1em}"
          "table{border-collapse:collapse}td,th{padding:2px 10px;text-align:right}td:last-child,th:last-child{text-align:left}"
          ".more{background:#fdd}.less{background:#dfd}</style><h1>Difference of two profiles</h1><p>", out);
    fprintf(out, "%llu before, %llu after: ", (unsigned long long)a->total, (unsigned long long)b->total);
    print_difference(out, a->total, b->total);
    fputs("</p><table><tr><th>self before<th>self after<th>change<th>inclusive before<th>inclusive after<th>function</tr>\n", out);
    for (size_t i = 0; i < n && size_of(&c[i]); i++) {
        fprintf(out, "<tr class=\"%s\"><td>%llu<td>%llu<td>%+lld<td>%llu<td>%llu<td>", c[i].after > c[i].before ? "more" : "less", (unsigned long long)c[i].before,
                (unsigned long long)c[i].after, (long long)(c[i].after - c[i].before), (unsigned long long)c[i].inclusive_before, (unsigned long long)c[i].inclusive_after);
        escape_xml(out, c[i].name);
        fputs("</tr>\n", out);
    }
    fputs("</table></html>\n", out);
}

bool
profile_diff(const char *before, const char *after, FILE *text, FILE *html, const char **why)
{
    struct strings *pool = strings_new();
    struct side side[2] = {{0}};
    static char reason[600];
    bool good = true;
    size_t n = 0;

    for (unsigned i = 0; i < 2 && good; i++)
        if (!read_side(&side[i], pool, i ? after : before, why)) {
            snprintf(reason, sizeof reason, "cannot read %.400s: %.150s", i ? after : before, *why);
            *why = reason;
            good = false;
        }
    if (good) {
        struct change *c = compare(&side[0], &side[1], &n);
        if (text)
            write_text(text, &side[0], &side[1], c, n);
        if (html)
            write_html(html, &side[0], &side[1], c, n);
        free(c);
    }
    for (unsigned i = 0; i < 2; i++) {
        free(side[i].cost);
        for (unsigned k = 0; k < 3; k++)
            free(side[i].name[k]);
    }
    strings_free(pool);
    return good;
}
