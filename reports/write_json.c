/* SPDX-License-Identifier: BSD-3-Clause */
/* The JSON report; docs/json.md describes it and docs/report.schema.json checks it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "json_text.h"
#include "write.h"

static json_t *
process_json(const struct process *p)
{
    json_t *o = json_object(), *argv = json_array();

    for (size_t i = 0; i < p->argc; i++)
        json_array_append_new(argv, json_text(p->argv[i]));
    json_object_set_new(o, "pid", json_integer(p->pid));
    json_object_set_new(o, "parent", json_integer(p->parent));
    json_object_set_new(o, "exe", json_text(p->exe));
    json_object_set_new(o, "command", argv);
    json_object_set_new(o, "exit",
                        p->ended && p->exit_kind == EXIT_STATUS ? json_integer(p->exit_code) : json_null());
    if (p->ended && p->exit_kind == EXIT_SIGNAL)
        json_object_set_new(o, "signal", json_integer(p->exit_code));
    json_object_set_new(o, "complete", json_boolean(p->complete || p->execed));
    return o;
}

static json_int_t
module_id(const struct report *r, const char *path)
{
    for (size_t i = 0; i < r->module_count; i++)
        if (r->modules[i].path == path)
            return (json_int_t)i + 1;
    return 0;
}

static json_t *
frame_json(const struct report *r, const struct frame *f)
{
    json_t *o = json_object();

    if (f->system_call)
        json_object_set_new(o, "system_call", json_true());
    if (f->path) {
        json_object_set_new(o, "module", json_text(f->module));
        json_object_set_new(o, "module_id", json_integer(module_id(r, f->path)));
        json_object_set_new(o, "offset", json_integer((json_int_t)f->offset));
    }
    json_object_set_new(o, "pc", json_integer((json_int_t)f->pc));
    if (f->function)
        json_object_set_new(o, "function", json_text(f->function));
    if (f->signature && f->signature != f->function)
        json_object_set_new(o, "signature", json_text(f->signature));
    if (f->file)
        json_object_set_new(o, "file", json_text(f->file));
    if (f->line)
        json_object_set_new(o, "line", json_integer(f->line));
    if (f->column)
        json_object_set_new(o, "column", json_integer(f->column));
    json_object_set_new(o, "inlined", json_boolean(f->inlined));
    return o;
}

static json_t *
frames_json(const struct report *r, const struct stack *s)
{
    json_t *list = json_array();

    for (size_t i = 0; s && i < s->count; i++)
        json_array_append_new(list, frame_json(r, &s->frames[i]));
    return list;
}

static json_t *
aux_json(const struct report *r, const struct finding *f)
{
    static const char *const usual[] = {[STACK_MAIN] = "at",
                                        [STACK_ALLOCATED] = "allocated here",
                                        [STACK_FREED] = "freed here",
                                        [STACK_ORIGIN] = "origin",
                                        [STACK_OTHER] = "see also"};
    json_t *list = json_array();

    for (size_t i = 1; i < f->stack_count; i++) {
        json_t *o = json_object();
        const struct stack *s = &f->stacks[i];

        json_object_set_new(o, "what", json_text(s->label[0] ? s->label : usual[s->kind]));
        json_object_set_new(o, "frames", frames_json(r, s));
        json_array_append_new(list, o);
    }
    return list;
}

static void
set_access(json_t *o, const struct finding *f)
{
    static const char *const names[] = {
        [ACCESS_READ] = "read",      [ACCESS_WRITE] = "write",  [ACCESS_JUMP] = "jump",
        [ACCESS_CONDITION] = "read", [ACCESS_ADDRESS] = "read", [ACCESS_SYSCALL] = NULL};
    const char *name = f->access < sizeof names / sizeof *names ? names[f->access] : NULL;

    if (name)
        json_object_set_new(o, "access", json_string(name));
    json_object_set_new(o, "address", json_integer((json_int_t)f->address));
    json_object_set_new(o, "size", json_integer((json_int_t)f->size));
}

static void
set_leak(json_t *o, const struct finding *f)
{
    json_object_set_new(o, "address", json_integer((json_int_t)f->address));
    json_object_set_new(o, "bytes", json_integer((json_int_t)f->bytes));
    json_object_set_new(o, "blocks", json_integer((json_int_t)f->blocks));
    json_object_set_new(o, "indirect_bytes", json_integer((json_int_t)f->indirect_bytes));
    json_object_set_new(o, "indirect_blocks", json_integer((json_int_t)f->indirect_blocks));
    json_object_set_new(o, "scan", json_integer(f->recorded));
    json_object_set_new(o, "new", json_boolean(f->is_new));
}

static json_t *
finding_json(const struct report *r, const struct finding *f)
{
    json_t *o = json_object(), *notes = json_array();
    char *message = finding_message(f);

    json_object_set_new(o, "id", json_integer(f->id));
    if (f->number)
        json_object_set_new(o, "number", json_integer(f->number));
    json_object_set_new(o, "kind", json_string(finding_kind_name(f->kind)));
    json_object_set_new(o, "message", json_text(message));
    json_object_set_new(o, "pid", json_integer(f->process->pid));
    json_object_set_new(o, "tid", json_integer(f->tid));
    json_object_set_new(o, "time", json_real((double)f->time / 1e6));
    if (finding_is_leak(f))
        set_leak(o, f);
    else
        set_access(o, f);
    json_object_set_new(o, "count", json_integer((json_int_t)f->count));
    if (f->instruction[0])
        json_object_set_new(o, "instruction", json_text(f->instruction));
    if (f->potential)
        json_object_set_new(o, "potential", json_true());
    if (r->baseline)
        json_object_set_new(o, "in_baseline", json_boolean(f->known));
    for (size_t i = 0; i < f->note_count; i++)
        json_array_append_new(notes, json_text(f->notes[i]));
    json_object_set_new(o, "notes", notes);
    json_object_set_new(o, "frames", frames_json(r, f->stack_count ? &f->stacks[0] : NULL));
    json_object_set_new(o, "aux", aux_json(r, f));
    json_object_set_new(o, "fingerprint", json_string(f->fingerprint));
    free(message);
    return o;
}

static json_t *
modules_json(const struct report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->module_count; i++) {
        json_t *o = json_object();

        json_object_set_new(o, "id", json_integer((json_int_t)i + 1));
        json_object_set_new(o, "path", json_text(r->modules[i].path));
        json_object_set_new(o, "build_id", json_string(r->modules[i].build_id));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *
suppressed_json(const struct report *r, const struct process *only)
{
    json_t *list = json_array();

    for (size_t k = 0; r->suppressions && k < suppressions_count(r->suppressions); k++) {
        const struct suppression *s = suppressions_get(r->suppressions, k);
        uint64_t count = 0;
        json_t *o;

        for (size_t i = 0; i < r->finding_count; i++)
            if (r->findings[i]->suppressed == s && (!only || r->findings[i]->process == only))
                count += r->findings[i]->count;
        if (count == 0)
            continue;
        o = json_object();
        json_object_set_new(o, "name", json_text(s->name));
        json_object_set_new(o, "file", json_text(s->file));
        json_object_set_new(o, "line", json_integer(s->line));
        json_object_set_new(o, "count", json_integer((json_int_t)count));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *
notes_json(const struct process *p, json_t *list)
{
    static const char *const levels[] = {"info", "warning", "fatal"};

    for (size_t i = 0; i < p->note_count; i++) {
        json_t *o = json_object();

        json_object_set_new(o, "pid", json_integer(p->pid));
        json_object_set_new(o, "level", json_string(levels[p->notes[i].level]));
        json_object_set_new(o, "text", json_text(p->notes[i].text));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *
summary_json(const struct report *r, const struct process *only)
{
    json_int_t unique = 0, total = 0, suppressed = 0, leaked = 0;
    json_t *o = json_object();

    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if (only && f->process != only)
            continue;
        if (f->suppressed) {
            suppressed++;
        } else if (finding_counts(f) && f->kind != FINDING_REACHABLE_LEAK) {
            unique++;
            total += (json_int_t)f->count;
            leaked += f->kind == FINDING_LEAK ? (json_int_t)(f->bytes + f->indirect_bytes) : 0;
        }
    }
    json_object_set_new(o, "unique", json_integer(unique));
    json_object_set_new(o, "total", json_integer(total));
    json_object_set_new(o, "suppressed", json_integer(suppressed));
    json_object_set_new(o, "leaked_bytes", json_integer(leaked));
    json_object_set_new(o, "complete", json_boolean(!r->incomplete));
    if (r->missing)
        json_object_set_new(o, "missing", json_text(r->missing));
    return o;
}

void
write_json(const struct report *r, const struct process *only, const struct write_options *o, FILE *out)
{
    json_t *root = json_object(), *processes = json_array(), *errors = json_array(), *notes = json_array();
    const struct process *first = only ? only : r->process_count ? r->processes[0] : NULL;
    json_t *command = json_array();

    for (size_t i = 0; first && i < first->argc; i++)
        json_array_append_new(command, json_text(first->argv[i]));
    for (size_t i = 0; i < r->process_count; i++)
        if (!only || r->processes[i] == only) {
            json_array_append_new(processes, process_json(r->processes[i]));
            notes_json(r->processes[i], notes);
        }
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = r->findings[i];

        if ((!only || f->process == only) && !f->suppressed && !f->stale)
            json_array_append_new(errors, finding_json(r, f));
    }
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(root, "tool", json_text(first && first->tool[0] ? first->tool : "drmemory"));
    json_object_set_new(root, "version", json_text(o->version));
    json_object_set_new(root, "command", command);
    json_object_set_new(root, "processes", processes);
    json_object_set_new(root, "modules", modules_json(r));
    json_object_set_new(root, "errors", errors);
    json_object_set_new(root, "suppressed", suppressed_json(r, only));
    json_object_set_new(root, "notes", notes);
    json_object_set_new(root, "summary", summary_json(r, only));
    json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputs("\n", out);
    json_decref(root);
}
