/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks for flame graphs (collapsed, speedscope) and everything for scripts (JSON). */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "json_text.h"
#include "memory.h"

/* ---- collapsed ---- */

struct collapsed { FILE *out; char *last; uint64_t count; };

static void
collapsed_flush(struct collapsed *c)
{
    if (c->last)
        fprintf(c->out, "%s %llu\n", c->last, (unsigned long long)c->count);
    free(c->last);
    c->last = NULL;
    c->count = 0;
}

static void
collapsed_one(void *context, const struct profile_frame *frame, size_t n, uint64_t count)
{
    struct collapsed *c = context;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (i)
            fputc(';', f);
        for (const char *s = frame[i].function; *s; s++)
            fputc(*s == ';' ? ':' : (unsigned char)*s < ' ' ? '?' : *s, f);
    }
    fclose(f);
    if (c->last && strcmp(c->last, text) == 0) {
        c->count += count;
        free(text);
        return;
    }
    collapsed_flush(c);
    c->last = text;
    c->count = count;
}

static int compare_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Equal stacks of one function at several lines become one line: sorted, then joined. */
void
profile_write_collapsed(struct profile *p, FILE *out)
{
    char *text = NULL, **line = NULL, *save = NULL;
    size_t size = 0, n = 0, room = 0;
    FILE *all = open_memstream(&text, &size);
    struct collapsed c = {.out = all};
    uint64_t sum = 0;

    if (!all)
        abort();
    profile_each_stack(p, collapsed_one, &c);
    collapsed_flush(&c);
    fclose(all);
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        GROW(line, n, room);
        line[n++] = l;
    }
    if (n)
        qsort(line, n, sizeof *line, compare_text);
    for (size_t i = 0; i < n; i++) {
        size_t stack = (size_t)(strrchr(line[i], ' ') - line[i]);
        sum += strtoull(line[i] + stack + 1, NULL, 10);
        bool same = i + 1 < n && strncmp(line[i], line[i + 1], stack + 1) == 0 && !strchr(line[i + 1] + stack + 1, ' ');
        if (!same) {
            fprintf(out, "%.*s %llu\n", (int)stack, line[i], (unsigned long long)sum);
            sum = 0;
        }
    }
    free(line);
    free(text);
}

/* ---- speedscope ---- */

struct scope {
    json_t *frames, *samples, *weights;
    struct profile_frame *known;
    size_t n, room;
    uint32_t *hash;
    size_t slots;
};

static uint64_t
frame_hash(const struct profile_frame *f)
{
    return (((uintptr_t)f->function * 31 ^ (uintptr_t)f->file) * 0x9e3779b97f4a7c15ull) >> 20;
}

static size_t
scope_frame(struct scope *s, const struct profile_frame *f)
{
    if (2 * (s->n + 1) >= s->slots) {
        s->slots = s->slots ? s->slots * 2 : 1024;
        free(s->hash);
        s->hash = memory_zalloc(s->slots, sizeof *s->hash);
        for (uint32_t i = 0; i < s->n; i++) {
            size_t h = frame_hash(&s->known[i]) & (s->slots - 1);
            while (s->hash[h])
                h = (h + 1) & (s->slots - 1);
            s->hash[h] = i + 1;
        }
    }
    size_t h = frame_hash(f) & (s->slots - 1);
    for (; s->hash[h]; h = (h + 1) & (s->slots - 1))
        if (s->known[s->hash[h] - 1].function == f->function && s->known[s->hash[h] - 1].file == f->file)
            return s->hash[h] - 1;
    json_t *o = json_object();
    json_object_set_new(o, "name", json_text(f->function));
    if (f->file)
        json_object_set_new(o, "file", json_text(f->file));
    json_array_append_new(s->frames, o);
    GROW(s->known, s->n, s->room);
    s->known[s->n] = *f;
    s->hash[h] = (uint32_t)s->n + 1;
    return s->n++;
}

static void
scope_one(void *context, const struct profile_frame *frame, size_t n, uint64_t count)
{
    struct scope *s = context;
    json_t *stack = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(stack, json_integer((json_int_t)scope_frame(s, &frame[i])));
    json_array_append_new(s->samples, stack);
    json_array_append_new(s->weights, json_integer((json_int_t)count));
}

void
profile_write_speedscope(struct profile *p, FILE *out)
{
    struct scope s = {.frames = json_array(), .samples = json_array(), .weights = json_array()};

    profile_each_stack(p, scope_one, &s);
    json_t *one = json_pack("{s:s, s:o, s:s, s:i, s:I, s:o, s:o}", "type", "sampled", "name", json_text(p->command), "unit", "none", "startValue", 0, "endValue",
                            (json_int_t)p->total, "samples", s.samples, "weights", s.weights);
    json_t *all = json_pack("{s:s, s:{s:o}, s:[o], s:s}", "$schema", "https://www.speedscope.app/file-format-schema.json", "shared", "frames", s.frames,
                            "profiles", one, "exporter", "drprof");
    json_dumpf(all, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(all);
    free(s.known);
    free(s.hash);
}

/* ---- JSON ---- */

static json_t *
json_functions(const struct profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n_functions; i++) {
        const struct profile_function *f = &p->functions[i];
        json_t *o = json_pack("{s:o, s:o, s:i, s:i, s:I, s:I, s:I, s:I}", "name", json_text(f->name), "file", f->file ? json_text(f->file) : json_null(),
                              "line", (int)f->line, "module", f->module == PROFILE_NONE ? -1 : (int)f->module, "address", (json_int_t)f->address, "self",
                              (json_int_t)f->self, "inclusive", (json_int_t)f->inclusive, "calls", (json_int_t)f->calls);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *
json_lines(struct profile *p)
{
    json_t *list = json_array();
    size_t n;
    struct profile_line *lines = profile_lines(p, &n);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:I, s:o, s:i, s:I}", "function", (json_int_t)lines[i].function, "file",
                                              lines[i].file ? json_text(lines[i].file) : json_null(), "line", (int)lines[i].line, "self", (json_int_t)lines[i].self));
    free(lines);
    return list;
}

static json_t *
json_nodes(const struct profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n_nodes; i++) {
        const struct profile_node *n = &p->nodes[i];
        const struct profile_frame *site = n->site == PROFILE_NONE ? NULL : &p->locations[n->site].frame[0];
        json_array_append_new(list, json_pack("[I, I, I, I, I, i]", n->parent == PROFILE_NONE ? (json_int_t)-1 : (json_int_t)n->parent,
                                              n->function == PROFILE_NONE ? (json_int_t)-1 : (json_int_t)n->function, (json_int_t)n->calls, (json_int_t)n->self,
                                              (json_int_t)n->inclusive, site ? (int)site->line : 0));
    }
    return list;
}

void
profile_write_json(struct profile *p, FILE *out)
{
    json_t *modules = json_array(), *blocks = json_array(), *threads = json_array();

    for (size_t i = 0; i < p->n_modules; i++)
        json_array_append_new(modules, json_text(p->modules[i].path));
    for (size_t i = 0; i < p->n_blocks; i++)
        json_array_append_new(blocks, json_pack("[i, I, i, I]", p->blocks[i].module == PROFILE_NONE ? -1 : (int)p->blocks[i].module,
                                                (json_int_t)p->blocks[i].address, (int)p->blocks[i].n, (json_int_t)p->blocks[i].count));
    for (size_t i = 0; i < p->n_threads; i++)
        json_array_append_new(threads, json_pack("{s:i, s:I}", "tid", (int)p->threads[i].tid, "total", (json_int_t)p->threads[i].total));
    json_t *all = json_pack("{s:i, s:s, s:o, s:i, s:i, s:i, s:s, s:I, s:b, s:b, s:o, s:o}", "schema", 1, "tool", "drprof", "command", json_text(p->command), "pid",
                            (int)p->pid, "parent", (int)p->parent, "part", (int)p->part, "unit", p->unit, "total", (json_int_t)p->total, "ended", (int)p->ended,
                            "truncated", (int)p->truncated, "modules", modules, "threads", threads);
    json_object_set_new(all, "functions", json_functions(p));
    json_object_set_new(all, "lines", json_lines(p));
    json_object_set_new(all, "nodes", json_nodes(p));
    json_object_set_new(all, "blocks", blocks);
    json_dumpf(all, out, JSON_INDENT(0) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(all);
}
