/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the report from records.
 * Invariant: findings are symbolized and judged when they arrive, against the
 *            modules loaded at that moment; a fork copies the parent's modules.
 * Threads:   one. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { MAX_PROCESSES = 1 << 20, MAX_FINDINGS = 1 << 20, MAX_NOTES = 10000, MAX_NUMBER = 1 << 22 };

struct report *
report_new(struct suppressions *suppressions, struct baseline *baseline, const char *const *debug_roots)
{
    struct report *r = memory_zalloc(1, sizeof *r);

    r->strings = strings_new();
    r->symbols = symbols_new(debug_roots, 0);
    r->suppressions = suppressions;
    r->baseline = baseline;
    r->call_depth = 64;
    return r;
}

static void
free_finding(struct finding *f)
{
    for (size_t i = 0; i < f->stack_count; i++)
        free(f->stacks[i].frames);
    free(f->stacks);
    free(f->notes);
    free(f);
}

static void
free_process(struct process *p)
{
    free(p->argv);
    free(p->modules);
    free(p->findings);
    free(p->errors);
    free(p->notes);
    free(p->values);
    free(p);
}

void
report_free(struct report *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->finding_count; i++)
        free_finding(r->findings[i]);
    for (size_t i = 0; i < r->process_count; i++)
        free_process(r->processes[i]);
    free(r->findings);
    free(r->processes);
    free(r->modules);
    symbols_free(r->symbols);
    strings_free(r->strings);
    free(r);
}

static const char *
keep(struct report *r, struct record_string s)
{
    return strings_keep_n(r->strings, s.s, s.size);
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* ---- processes ---- */

static struct process *
add_process(struct report *r, uint32_t pid)
{
    struct process *p = memory_zalloc(1, sizeof *p);

    p->pid = pid;
    p->exe = p->name = p->directory = p->tool = "";
    p->next_number = p->next_potential = 1;
    p->index = (uint32_t)r->process_count;
    GROW(r->processes, r->process_count, r->process_room);
    return r->processes[r->process_count++] = p;
}

/* The newest of the pid: pids are reused. */
static struct process *
find_process(const struct report *r, uint32_t pid)
{
    for (size_t i = r->process_count; i-- > 0;)
        if (r->processes[i]->pid == pid)
            return r->processes[i];
    return NULL;
}

static void
copy_modules(struct process *to, const struct process *from)
{
    if (to->module_count || !from->module_count)
        return;
    to->modules = memory_copy(from->modules, from->module_count * sizeof *from->modules);
    to->module_count = to->module_room = from->module_count;
}

static void
start_process(struct report *r, const struct record *rec, struct process **found)
{
    struct process *p = *found, *parent = find_process(r, rec->parent);

    if (!p || p->ended || p->left || (p->exe[0] && !(rec->flags & START_EXECED) && !(rec->flags & START_FORKED)))
        p = *found = add_process(r, rec->pid);
    if (p->errors) /* a new program's tool numbers from 1 again */
        memset(p->errors, 0, p->error_room * sizeof *p->errors);
    p->parent = rec->parent;
    p->flags = rec->flags;
    p->clock = rec->clock;
    p->execed = false;
    p->tool = keep(r, rec->tool);
    p->exe = keep(r, rec->path);
    p->name = base_name(p->exe);
    p->directory = keep(r, rec->directory);
    free(p->argv);
    p->argv = memory_zalloc(rec->string_count, sizeof *p->argv);
    p->argc = rec->string_count;
    for (size_t i = 0; i < p->argc; i++)
        p->argv[i] = keep(r, rec->strings[i]);
    if ((rec->flags & START_FORKED) && parent && parent != p)
        copy_modules(p, parent);
}

/* The child starts as its parent is now; its own start record, if any, follows. */
static void
fork_process(struct report *r, const struct record *rec, struct process *parent)
{
    struct process *child = find_process(r, rec->number);

    if (!child || child->ended || child->left)
        child = add_process(r, rec->number);
    if (!child->exe[0]) {
        child->parent = parent->pid;
        child->exe = parent->exe;
        child->name = parent->name;
        child->tool = parent->tool;
        child->flags = START_FORKED | START_FOLLOWED;
        child->directory = parent->directory;
    }
    copy_modules(child, parent);
}

static void
unload_all(struct process *p)
{
    for (size_t i = 0; i < p->module_count; i++) {
        p->modules[i].left_by_exec = p->modules[i].loaded;
        p->modules[i].loaded = false;
    }
}

static void
load_again(struct process *p)
{
    for (size_t i = 0; i < p->module_count; i++)
        if (p->modules[i].left_by_exec)
            p->modules[i].loaded = true;
}

static void
exit_process(struct process *p, const struct record *rec)
{
    p->ended = true;
    p->exit_kind = rec->kind == EXIT_SIGNAL ? EXIT_SIGNAL : EXIT_STATUS;
    p->exit_code = rec->number;
    p->end_time = rec->time;
}

/* ---- modules ---- */

static unsigned
add_module_file(struct report *r, const char *path, struct record_string id)
{
    char hex[2 * RECORD_BUILD_ID_MAX + 1];
    const char *build_id;

    for (size_t i = 0; i < id.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", (uint8_t)id.s[i]);
    hex[2 * id.size] = 0;
    build_id = strings_keep(r->strings, hex);
    for (size_t i = 0; i < r->module_count; i++)
        if (r->modules[i].path == path && r->modules[i].build_id == build_id)
            return (unsigned)i + 1;
    GROW(r->modules, r->module_count, r->module_room);
    r->modules[r->module_count++] =
        (struct module_file){path, build_id, symbols_module(r->symbols, path, id.s, id.size)};
    return (unsigned)r->module_count;
}

static void
load_module(struct report *r, struct process *p, const struct record *rec)
{
    struct module m = {
        .number = rec->number, .loaded = true, .base = rec->address, .start = rec->start, .end = rec->end};

    m.path = rec->flags & MODULE_VDSO ? strings_keep(r->strings, "[vdso]") : keep(r, rec->path);
    m.name = base_name(m.path);
    m.id = add_module_file(r, m.path, rec->build_id);
    m.symbols = r->modules[m.id - 1].symbols;
    GROW(p->modules, p->module_count, p->module_room);
    p->modules[p->module_count++] = m;
}

static const struct module *
find_module(const struct process *p, uint32_t number, uint64_t pc)
{
    for (size_t i = p->module_count; i-- > 0;) {
        const struct module *m = &p->modules[i];

        if (number ? m->number == number : m->loaded && pc >= m->start && pc < m->end)
            return m;
    }
    return NULL;
}

static void
unload_module(struct process *p, uint32_t number)
{
    for (size_t i = p->module_count; i-- > 0;)
        if (p->modules[i].number == number && p->modules[i].loaded) {
            p->modules[i].loaded = false;
            return;
        }
}

/* ---- stacks ---- */

struct building {
    struct report *report;
    struct frame *frames;
    size_t count, room;
};

static struct frame *
add_frame(struct building *b, struct frame f)
{
    GROW(b->frames, b->count, b->room);
    b->frames[b->count] = f;
    return &b->frames[b->count++];
}

static void
add_module_frames(struct building *b, const struct module *m, uint64_t pc, bool exact)
{
    const struct symbol_frame *found;
    size_t n = symbols_lookup(m->symbols, pc - m->base - !exact, &found);
    struct symbol_frame called;
    struct frame f = {.pc = pc, .path = m->path, .module = m->name, .offset = pc - m->start};

    for (size_t i = 0; i < n; i++) {
        f.function = strings_keep(b->report->strings, found[i].function);
        f.signature = strings_keep(b->report->strings, found[i].signature);
        f.linkage = strings_keep(b->report->strings, found[i].linkage);
        f.file = strings_keep(b->report->strings, found[i].file);
        f.line = found[i].line;
        f.column = found[i].column;
        f.inlined = found[i].inlined;
        add_frame(b, f);
    }
    if (n == 0)
        add_frame(b, f);
    if (exact && n <= 1 && symbols_called(m->symbols, pc - m->base, &called)) { /* as its caller knows it */
        struct frame *at = &b->frames[b->count - 1];

        at->function = strings_keep(b->report->strings, called.function);
        at->signature = strings_keep(b->report->strings, called.signature);
        at->linkage = strings_keep(b->report->strings, called.linkage);
        at->at_entry = true;
    }
}

static void
add_record_frame(struct building *b, const struct process *p, const struct record_frame *raw,
                 const char *detail)
{
    const struct module *m;

    if (raw->module & FRAME_SYSCALL) {
        char *name = detail[0] ? memory_string_n(detail, strcspn(detail, " ("))
                               : memory_printf("%llu", (unsigned long long)raw->pc);

        add_frame(b, (struct frame){.pc = raw->pc,
                                    .system_call = true,
                                    .function = strings_keep(b->report->strings, name)});
        free(name);
        return;
    }
    m = find_module(p, raw->module & FRAME_MODULE, raw->pc);
    if (m)
        add_module_frames(b, m, raw->pc, raw->module & FRAME_EXACT);
    else
        add_frame(b, (struct frame){.pc = raw->pc});
}

static void
build_stacks(struct report *r, struct finding *f, const struct record *rec)
{
    f->stacks = memory_zalloc(rec->stack_count, sizeof *f->stacks);
    f->stack_count = rec->stack_count;
    for (size_t i = 0; i < rec->stack_count; i++) {
        const struct record_stack *raw = &rec->stacks[i];
        struct building b = {.report = r};

        for (size_t k = 0; k < raw->frame_count && b.count < r->call_depth; k++)
            add_record_frame(&b, f->process, &raw->frames[k], f->detail);
        f->stacks[i] = (struct stack){raw->kind, keep(r, raw->label), b.frames, b.count};
    }
}

/* ---- findings ---- */

/* Kind, functions and modules of the first stack: what stays when lines move and addresses change. */
static const char *
fingerprint(struct report *r, const struct finding *f)
{
    uint64_t h[2] = {0xcbf29ce484222325u, 0x84222325cbf29ce4u};
    const struct stack *s = f->stack_count ? &f->stacks[0] : NULL;
    const char *result;
    char *hex;

#define MIX(text)                                                                                        \
    for (const char *c = (text); c && *c; c++)                                                           \
        h[0] = (h[0] ^ (uint8_t)*c) * 0x100000001b3u, h[1] = (h[1] + (uint8_t)*c) * 0x9e3779b97f4a7c15u; \
    h[0] = (h[0] ^ 0xff) * 0x100000001b3u, h[1] = (h[1] ^ h[1] >> 29) + 1

    MIX(finding_kind_name(f->kind));
    for (size_t i = 0; s && i < s->count; i++) {
        MIX(s->frames[i].module);
        MIX(s->frames[i].function);
    }
#undef MIX
    hex = memory_printf("%016llx%016llx", (unsigned long long)h[0], (unsigned long long)h[1]);
    result = strings_keep(r->strings, hex);
    free(hex);
    return result;
}

static void
add_finding(struct report *r, struct finding *f, const struct record *rec, struct report_change *change)
{
    struct process *p = f->process;

    f->tid = rec->tid;
    f->time = rec->time;
    f->count = 1;
    f->detail = keep(r, rec->detail);
    f->instruction = keep(r, rec->instruction);
    f->id = (unsigned)r->finding_count + 1;
    build_stacks(r, f, rec);
    if (f->stack_count && f->stacks[0].count && f->stacks[0].frames[0].at_entry)
        f->instruction = ""; /* a replaced function's: it never ran */
    f->fingerprint = fingerprint(r, f);
    f->suppressed = suppressions_match(r->suppressions, f);
    if (f->suppressed)
        f->suppressed->used++;
    f->known = r->baseline && baseline_has(r->baseline, f->fingerprint);
    if (f->stack_count && frame_lists_exclude(&r->lists, &f->stacks[0]))
        f->potential = true;
    if (f->potential && !f->suppressed)
        f->number = p->next_potential++;
    else if (!f->suppressed && (f->kind != FINDING_REACHABLE_LEAK || r->number_reachable))
        f->number = p->next_number++;
    GROW(p->findings, p->finding_count, p->finding_room);
    p->findings[p->finding_count++] = f;
    GROW(r->findings, r->finding_count, r->finding_room);
    r->findings[r->finding_count++] = f;
    change->finding = f;
}

static struct finding *
new_finding(struct report *r, struct process *p)
{
    struct finding *f;

    if (r->finding_count >= MAX_FINDINGS) {
        r->incomplete = true;
        r->missing = "too many different errors";
        return NULL;
    }
    f = memory_zalloc(1, sizeof *f);
    f->process = p;
    return f;
}

/* Counts come often, so that an error is found by its number and not by a search. */
static void
remember_number(struct process *p, struct finding *f)
{
    size_t room = p->error_room ? p->error_room : 64;
    struct finding **grown;

    if (f->recorded >= MAX_NUMBER)
        return;
    while (room <= f->recorded)
        room *= 2;
    if (room > p->error_room) {
        grown = memory_zalloc(room, sizeof *grown);
        if (p->error_room)
            memcpy(grown, p->errors, p->error_room * sizeof *grown);
        free(p->errors);
        p->errors = grown;
        p->error_room = room;
    }
    p->errors[f->recorded] = f;
}

static void
add_error(struct report *r, struct process *p, const struct record *rec, struct report_change *change)
{
    struct finding *f = new_finding(r, p);

    if (!f)
        return;
    f->kind = FINDING_UNADDRESSABLE + (rec->kind - ERROR_UNADDRESSABLE);
    f->access = rec->access <= ACCESS_SYSCALL ? rec->access : ACCESS_NONE;
    f->place = rec->place <= PLACE_BAD_SIZE ? rec->place : PLACE_UNKNOWN;
    f->potential = rec->flags & ERROR_POTENTIAL;
    f->recorded = rec->number;
    f->address = rec->address;
    f->size = rec->size;
    f->notes = memory_zalloc(rec->string_count, sizeof *f->notes);
    f->note_count = rec->string_count;
    for (size_t i = 0; i < f->note_count; i++)
        f->notes[i] = keep(r, rec->strings[i]);
    remember_number(p, f);
    add_finding(r, f, rec, change);
}

/* A new scan makes the findings of the one before it history. */
static void
begin_scan(struct process *p, uint32_t scan)
{
    p->scan = scan;
    for (size_t i = 0; i < p->finding_count; i++)
        if (finding_is_leak(p->findings[i]) && p->findings[i]->recorded != scan)
            p->findings[i]->stale = true;
}

static void
add_leak(struct report *r, struct process *p, const struct record *rec, struct report_change *change)
{
    static const enum finding_kind kinds[] = {
        [LEAK_DEFINITE] = FINDING_LEAK,
        [LEAK_INDIRECT] = FINDING_INDIRECT_LEAK,
        [LEAK_POSSIBLE] = FINDING_POSSIBLE_LEAK,
        [LEAK_REACHABLE] = FINDING_REACHABLE_LEAK,
    };
    struct finding *f = new_finding(r, p);

    if (!f)
        return;
    if (rec->number > p->scan)
        begin_scan(p, rec->number);
    f->kind = kinds[rec->kind];
    f->recorded = rec->number;
    f->stale = rec->number < p->scan;
    f->is_new = rec->flags & LEAK_NEW;
    f->potential = rec->flags & ERROR_POTENTIAL;
    f->address = rec->address;
    f->bytes = f->size = rec->bytes;
    f->blocks = rec->blocks;
    f->indirect_bytes = rec->indirect_bytes;
    f->indirect_blocks = rec->indirect_blocks;
    add_finding(r, f, rec, change);
}

static void
set_count(struct process *p, const struct record *rec)
{
    struct finding *f = rec->number < p->error_room ? p->errors[rec->number] : NULL;

    if (!f || rec->count <= f->count)
        return;
    if (f->suppressed)
        f->suppressed->used += rec->count - f->count;
    f->count = rec->count;
}

static void
add_note(struct report *r, struct process *p, const struct record *rec)
{
    if (p->note_count >= MAX_NOTES)
        return;
    GROW(p->notes, p->note_count, p->note_room);
    p->notes[p->note_count++] =
        (struct note){rec->kind <= NOTE_FATAL ? rec->kind : NOTE_WARNING, rec->time, keep(r, rec->detail)};
}

static void
add_summary(struct report *r, struct process *p, const struct record *rec)
{
    for (size_t i = 0; i < rec->value_count && p->value_count < 1000; i++) {
        GROW(p->values, p->value_count, p->value_room);
        p->values[p->value_count].name = keep(r, rec->values[i].name);
        p->values[p->value_count++].value = rec->values[i].value;
    }
    p->summary = keep(r, rec->detail);
}

static void
end_process(struct report *r, struct process *p, uint32_t flags)
{
    p->complete = true;
    if (flags & END_INCOMPLETE) {
        r->incomplete = true;
        r->missing = "the program's process had to drop records";
    }
}

void
report_apply(struct report *r, const struct record *rec, struct report_change *change)
{
    struct process *p = find_process(r, rec->pid);

    *change = (struct report_change){0};
    if (r->process_count >= MAX_PROCESSES)
        return;
    if (!p && rec->type != RECORD_PROCESS_START)
        p = add_process(r, rec->pid);
    switch (rec->type) {
    case RECORD_PROCESS_START: start_process(r, rec, &p); break;
    case RECORD_PROCESS_FORK: fork_process(r, rec, p); break;
    case RECORD_PROCESS_EXEC:
        unload_all(p);
        p->execed = true;
        break;
    case RECORD_EXEC_FAILED:
        load_again(p);
        p->execed = false;
        break;
    case RECORD_PROCESS_EXIT: exit_process(p, rec); break;
    case RECORD_MODULE_LOAD: load_module(r, p, rec); break;
    case RECORD_MODULE_UNLOAD: unload_module(p, rec->number); break;
    case RECORD_ERROR: add_error(r, p, rec, change); break;
    case RECORD_ERROR_COUNT: set_count(p, rec); break;
    case RECORD_LEAK: add_leak(r, p, rec, change); break;
    case RECORD_LEAK_SCAN: begin_scan(p, rec->number); break;
    case RECORD_PROCESS_LEFT:
        p->left = true;
        p->killed = !p->complete && !p->execed;
        break;
    case RECORD_NOTE: add_note(r, p, rec); break;
    case RECORD_SUMMARY: add_summary(r, p, rec); break;
    case RECORD_NUDGE: p->nudge = rec->number; break;
    case RECORD_PROFILE: break;          /* the front end's */
    case RECORD_END: end_process(r, p, rec->flags); break;
    }
    change->process = p;
}

void
report_finish(struct report *r, const char *why)
{
    for (size_t i = 0; i < r->process_count && !why; i++)
        if (!r->processes[i]->complete && !r->processes[i]->execed && !r->processes[i]->killed)
            why = "a process ended without saying so";
    if (!why && r->process_count == 0)
        why = "no process ever reported";
    if (!why)
        return;
    r->incomplete = true;
    if (!r->missing)
        r->missing = strings_keep(r->strings, why);
}

bool
finding_is_leak(const struct finding *f)
{
    return f->kind >= FINDING_LEAK;
}

bool
finding_counts(const struct finding *f)
{
    return !f->suppressed && !f->potential && !f->stale;
}
