/* SPDX-License-Identifier: BSD-3-Clause */
/* SARIF 2.1.0, as GitHub's code scanning takes it: it looks at the first location only, so that one is the
 * innermost frame inside the source tree. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "json_text.h"
#include "memory.h"
#include "write.h"

enum { MOST_RESULTS = 25000 /* GitHub's limit */ };

static const struct rule {
    const char *id, *name, *text, *help, *level;
} rules[FINDING_KINDS] = {
    [FINDING_UNADDRESSABLE] =
        {"unaddressable-access", "UnaddressableAccess", "Memory was accessed that the program does not own.",
         "The access is beyond a heap block, in freed memory, or below the stack. The report shows where "
         "the nearest block was allocated or freed.",
         "error"},
    [FINDING_UNINITIALIZED] = {"uninitialized-read", "UninitializedRead",
                               "A value that was never set decided what the program did.",
                               "Set the variable or the memory on every path before it is used.", "error"},
    [FINDING_INVALID_HEAP_ARGUMENT] =
        {"invalid-heap-argument", "InvalidHeapArgument",
         "A heap function was given something it cannot accept.",
         "The pointer is no heap block, was freed already, or came from another family of "
         "allocation functions.",
         "error"},
    [FINDING_OVERLAP] = {"overlap", "OverlappingCopy", "Source and destination of a copy overlap.",
                         "Use memmove, or copy through another buffer.", "error"},
    [FINDING_WARNING] = {"warning", "DoubtfulCall", "The program did something doubtful.", "See the message.",
                         "warning"},
    [FINDING_LEAK] = {"leak", "DefiniteLeak", "Memory was allocated and can no longer be reached.",
                      "Free it, or keep a pointer to it. The stack shows where it was allocated.", "error"},
    [FINDING_INDIRECT_LEAK] = {"indirect-leak", "IndirectLeak",
                               "Memory is reachable from leaked memory only.",
                               "It goes away with the leak that holds it.", "note"},
    [FINDING_POSSIBLE_LEAK] = {"possible-leak", "PossibleLeak",
                               "Memory can be reached only through pointers into its middle.",
                               "Keep a pointer to its start if it is still wanted.", "warning"},
    [FINDING_REACHABLE_LEAK] = {"reachable-leak", "ReachableLeak",
                                "Memory was never freed and is still reachable.",
                                "Free it at exit if that matters.", "note"},
};

static json_t *
message(const char *text)
{
    json_t *o = json_object();

    json_object_set_new(o, "text", json_text(text[0] ? text : "(no text)"));
    return o;
}

static json_t *
rules_json(void)
{
    json_t *list = json_array();

    for (int i = 0; i < FINDING_KINDS; i++) {
        json_t *o = json_object(), *level = json_object();

        json_object_set_new(o, "id", json_string(rules[i].id));
        json_object_set_new(o, "name", json_string(rules[i].name));
        json_object_set_new(o, "shortDescription", message(rules[i].text));
        json_object_set_new(o, "fullDescription", message(rules[i].text));
        json_object_set_new(o, "help", message(rules[i].help));
        json_object_set_new(level, "level", json_string(rules[i].level));
        json_object_set_new(o, "defaultConfiguration", level);
        json_array_append_new(list, o);
    }
    return list;
}

/* The path below the source root, or NULL. */
static const char *
in_tree(const char *file, const char *root)
{
    size_t n = root ? strlen(root) : 0;

    while (n > 1 && root[n - 1] == '/')
        n--;
    if (!file || file[0] != '/')
        return file && strncmp(file, "../", 3) != 0 ? file : NULL;
    return n && strncmp(file, root, n) == 0 && file[n] == '/' ? file + n + 1 : NULL;
}

static json_t *
artifact(const char *path, const char *root)
{
    const char *below = in_tree(path, root);
    char *escaped = escape_uri(below ? below : path);
    char *uri = below ? memory_string(escaped) : memory_printf("file://%s", escaped);
    json_t *o = json_object();

    json_object_set_new(o, "uri", json_text(uri));
    if (below)
        json_object_set_new(o, "uriBaseId", json_string("%SRCROOT%"));
    free(uri);
    free(escaped);
    return o;
}

/* NULL: nothing a reader could open. */
static json_t *
location(const struct frame *f, const char *root)
{
    json_t *o, *physical, *region;
    char *text;

    if (!f->file && !f->path)
        return NULL;
    o = json_object();
    physical = json_object();
    json_object_set_new(physical, "artifactLocation", artifact(f->file ? f->file : f->path, root));
    if (f->file && f->line) {
        region = json_object();
        json_object_set_new(region, "startLine", json_integer(f->line));
        if (f->column)
            json_object_set_new(region, "startColumn", json_integer(f->column));
        json_object_set_new(physical, "region", region);
    }
    json_object_set_new(o, "physicalLocation", physical);
    text = f->function
               ? memory_string(f->function)
               : memory_printf("%s+0x%llx", f->module ? f->module : "", (unsigned long long)f->offset);
    json_object_set_new(o, "message", message(text));
    free(text);
    return o;
}

static const struct frame *
best_frame(const struct finding *f, const char *root)
{
    const struct stack *s = f->stack_count ? &f->stacks[0] : NULL;

    for (size_t i = 0; s && i < s->count; i++)
        if (s->frames[i].file && s->frames[i].line && in_tree(s->frames[i].file, root))
            return &s->frames[i];
    for (size_t i = 0; s && i < s->count; i++)
        if (s->frames[i].file)
            return &s->frames[i];
    for (size_t i = 0; s && i < s->count; i++)
        if (s->frames[i].path)
            return &s->frames[i];
    return NULL;
}

/* One thread flow a stack, outermost frame first, as time runs. */
static json_t *
code_flows(const struct finding *f, const char *root)
{
    json_t *flows = json_array();

    for (size_t k = 0; k < f->stack_count; k++) {
        const struct stack *s = &f->stacks[k];
        json_t *steps = json_array(), *thread = json_object(), *threads = json_array(), *flow = json_object();

        for (size_t i = s->count; i-- > 0;) {
            json_t *where = location(&s->frames[i], root), *step;

            if (!where)
                continue;
            step = json_object();
            json_object_set_new(step, "location", where);
            json_array_append_new(steps, step);
        }
        if (json_array_size(steps) == 0) {
            json_decref(steps), json_decref(thread), json_decref(threads), json_decref(flow);
            continue;
        }
        json_object_set_new(thread, "locations", steps);
        json_array_append_new(threads, thread);
        json_object_set_new(flow, "threadFlows", threads);
        if (k)
            json_object_set_new(flow, "message", message(s->label[0] ? s->label : "see also"));
        json_array_append_new(flows, flow);
    }
    return flows;
}

/* Where the block was allocated, freed, … */
static json_t *
related(const struct finding *f, const char *root)
{
    json_t *list = json_array();

    for (size_t k = 1; k < f->stack_count; k++) {
        const struct stack *s = &f->stacks[k];

        for (size_t i = 0; i < s->count; i++) {
            json_t *where;

            if (!in_tree(s->frames[i].file, root))
                continue;
            where = location(&s->frames[i], root);
            json_object_set_new(where, "id", json_integer((json_int_t)k));
            json_object_set_new(where, "message", message(s->label[0] ? s->label : "see also"));
            json_array_append_new(list, where);
            break;
        }
    }
    return list;
}

static json_t *
result(const struct report *r, const struct finding *f, const char *root)
{
    json_t *o = json_object(), *locations = json_array(), *prints = json_object();
    const struct frame *best = best_frame(f, root);
    char *title = finding_title(f);
    json_t *flows = code_flows(f, root);

    json_object_set_new(o, "ruleId", json_string(rules[f->kind].id));
    json_object_set_new(o, "ruleIndex", json_integer(f->kind));
    json_object_set_new(o, "level", json_string(rules[f->kind].level));
    json_object_set_new(o, "message", message(title));
    if (best)
        json_array_append_new(locations, location(best, root));
    json_object_set_new(o, "locations", locations);
    json_object_set_new(o, "relatedLocations", related(f, root));
    if (json_array_size(flows))
        json_object_set(o, "codeFlows", flows);
    json_decref(flows);
    json_object_set_new(prints, "drtoolsStack/v1", json_string(f->fingerprint));
    json_object_set_new(o, "partialFingerprints", prints);
    json_object_set_new(o, "occurrenceCount", json_integer(f->count ? (json_int_t)f->count : 1));
    if (r->baseline)
        json_object_set_new(o, "baselineState", json_string(f->known ? "unchanged" : "new"));
    free(title);
    return o;
}

static json_t *
invocation(const struct report *r)
{
    json_t *o = json_object(), *list = json_array();

    json_object_set_new(o, "executionSuccessful", json_boolean(!r->incomplete));
    json_array_append_new(list, o);
    return list;
}

void
write_sarif(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    json_t *root = json_object(), *runs = json_array(), *run = json_object(), *tool = json_object();
    json_t *driver = json_object(), *results = json_array();
    char *cwd = o->source_root ? memory_string(o->source_root) : getcwd(NULL, 0);

    json_object_set_new(driver, "name", json_string("drmemory"));
    json_object_set_new(driver, "semanticVersion", json_text(o->version));
    json_object_set_new(driver, "rules", rules_json());
    json_object_set_new(tool, "driver", driver);
    for (size_t i = 0; i < r->finding_count && json_array_size(results) < MOST_RESULTS; i++)
        if (write_shows(r->findings[i], o) && (!only || r->findings[i]->process == only))
            json_array_append_new(results, result(r, r->findings[i], cwd));
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "invocations", invocation(r));
    json_object_set_new(run, "columnKind", json_string("utf16CodeUnits"));
    json_object_set_new(run, "results", results);
    json_array_append_new(runs, run);
    json_object_set_new(root, "$schema", json_string("https://json.schemastore.org/sarif-2.1.0.json"));
    json_object_set_new(root, "version", json_string("2.1.0"));
    json_object_set_new(root, "runs", runs);
    json_dumpf(root, out, JSON_INDENT(1));
    fputs("\n", out);
    json_decref(root);
    free(cwd);
}
