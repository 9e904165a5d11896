/* SPDX-License-Identifier: BSD-3-Clause */
/* The record reader: an incremental parser that trusts no byte.
 * Invariant: every read goes through `take`, which fails for good once the
 *            payload is exhausted; counts allocate only what the payload can hold.
 * Threads:   a reader belongs to one thread. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct record_reader {
    uint8_t *bytes;
    size_t used, room;
    size_t at;       /* next unread byte             */
    uint64_t offset; /* of bytes[at] in the stream   */
    bool opened;     /* the stream header was seen   */
    size_t malformed;
    char damage[120];
    void **kept; /* allocations of the last record */
    size_t kept_count, kept_room;
};

struct payload {
    struct record_reader *reader;
    const uint8_t *at;
    size_t left;
    bool bad;
};

struct record_reader *
record_reader_new(void)
{
    struct record_reader *r = memory_zalloc(1, sizeof *r);

    r->room = 4096;
    r->bytes = memory_zalloc(1, r->room);
    return r;
}

static void
release(struct record_reader *r)
{
    while (r->kept_count)
        free(r->kept[--r->kept_count]);
}

void
record_reader_free(struct record_reader *r)
{
    if (!r)
        return;
    release(r);
    free(r->kept);
    free(r->bytes);
    free(r);
}

void
record_feed(struct record_reader *r, const void *bytes, size_t size)
{
    if (r->at) {
        memmove(r->bytes, r->bytes + r->at, r->used - r->at);
        r->used -= r->at;
        r->at = 0;
    }
    if (size > r->room - r->used) {
        size_t room = r->room;

        while (room - r->used < size)
            room *= 2;
        uint8_t *grown = memory_zalloc(1, room);
        memcpy(grown, r->bytes, r->used);
        free(r->bytes);
        r->bytes = grown;
        r->room = room;
    }
    if (size)
        memcpy(r->bytes + r->used, bytes, size);
    r->used += size;
}

size_t
record_pending(const struct record_reader *r)
{
    return r->used - r->at;
}

size_t
record_malformed(const struct record_reader *r)
{
    return r->malformed;
}

const char *
record_damage(const struct record_reader *r)
{
    return r->damage[0] ? r->damage : NULL;
}

static void *
keep(struct record_reader *r, void *p)
{
    GROW(r->kept, r->kept_count, r->kept_room);
    return r->kept[r->kept_count++] = p;
}

static uint64_t
take(struct payload *p, size_t size)
{
    uint64_t value = 0;

    if (p->bad || p->left < size) {
        p->bad = true;
        return 0;
    }
    memcpy(&value, p->at, size);
    p->at += size;
    p->left -= size;
    return value;
}

static struct record_string
take_string(struct payload *p)
{
    struct record_string out = {"", 0};
    size_t size = take(p, 2);

    if (p->bad || p->left < size) {
        p->bad = true;
        return out;
    }
    out.s = keep(p->reader, memory_string_n((const char *)p->at, size));
    out.size = size;
    p->at += size;
    p->left -= size;
    return out;
}

/* Memory for a list whose elements take at least `least` bytes each on the stream. */
static void *
take_list(struct payload *p, size_t *count, size_t size, size_t least)
{
    size_t n = take(p, 2);

    if (p->bad || n > p->left / least) {
        p->bad = true;
        n = 0;
    }
    *count = n;
    return n ? keep(p->reader, memory_zalloc(n, size)) : NULL;
}

static void
take_strings(struct payload *p, struct record *out)
{
    out->strings = take_list(p, &out->string_count, sizeof *out->strings, 2);
    for (size_t i = 0; i < out->string_count; i++)
        out->strings[i] = take_string(p);
}

static void
take_stack(struct payload *p, struct record_stack *stack)
{
    uint8_t kind = take(p, 1);

    stack->kind = kind > STACK_OTHER ? STACK_OTHER : kind;
    stack->label = take_string(p);
    stack->frames = take_list(p, &stack->frame_count, sizeof *stack->frames, 12);
    for (size_t i = 0; i < stack->frame_count; i++) {
        stack->frames[i].pc = take(p, 8);
        stack->frames[i].module = take(p, 4);
    }
    if (stack->frame_count > RECORD_MAX_FRAMES)
        stack->frame_count = RECORD_MAX_FRAMES;
}

static void
take_stacks(struct payload *p, struct record *out)
{
    out->stacks = take_list(p, &out->stack_count, sizeof *out->stacks, 5);
    for (size_t i = 0; i < out->stack_count; i++)
        take_stack(p, &out->stacks[i]);
    if (out->stack_count > RECORD_MAX_STACKS)
        out->stack_count = RECORD_MAX_STACKS;
}

static void
take_process_start(struct payload *p, struct record *out)
{
    out->flags = take(p, 4);
    out->parent = take(p, 4);
    out->clock = take(p, 8);
    out->tool = take_string(p);
    out->path = take_string(p);
    out->directory = take_string(p);
    take_strings(p, out);
}

static void
take_number(struct payload *p, struct record *out)
{
    out->number = take(p, 4);
}

static void
take_process_exec(struct payload *p, struct record *out)
{
    out->path = take_string(p);
}

static void
take_process_exit(struct payload *p, struct record *out)
{
    out->kind = take(p, 1);
    out->number = take(p, 4);
}

static void
take_module_load(struct payload *p, struct record *out)
{
    out->number = take(p, 4);
    out->flags = take(p, 4);
    out->address = take(p, 8);
    out->start = take(p, 8);
    out->end = take(p, 8);
    out->path = take_string(p);
    out->build_id = take_string(p);
    if (out->build_id.size > RECORD_BUILD_ID_MAX)
        out->build_id.size = RECORD_BUILD_ID_MAX;
    out->segments = take_list(p, &out->segment_count, sizeof *out->segments, 28);
    for (size_t i = 0; i < out->segment_count; i++) {
        out->segments[i].start = take(p, 8);
        out->segments[i].size = take(p, 8);
        out->segments[i].offset = take(p, 8);
        out->segments[i].protection = take(p, 4);
    }
}

static void
take_error(struct payload *p, struct record *out)
{
    out->number = take(p, 4);
    out->kind = take(p, 1);
    out->access = take(p, 1);
    out->place = take(p, 1);
    out->flags = take(p, 1);
    out->address = take(p, 8);
    out->size = take(p, 8);
    out->detail = take_string(p);
    out->instruction = take_string(p);
    take_strings(p, out);
    take_stacks(p, out);
    if (out->kind < ERROR_UNADDRESSABLE || out->kind > ERROR_WARNING)
        out->kind = ERROR_WARNING;
}

static void
take_error_count(struct payload *p, struct record *out)
{
    out->number = take(p, 4);
    out->count = take(p, 8);
}

static void
take_leak(struct payload *p, struct record *out)
{
    out->number = take(p, 4);
    out->kind = take(p, 1);
    out->flags = take(p, 1);
    out->address = take(p, 8);
    out->bytes = take(p, 8);
    out->blocks = take(p, 8);
    out->indirect_bytes = take(p, 8);
    out->indirect_blocks = take(p, 8);
    take_stacks(p, out);
    if (out->kind < LEAK_DEFINITE || out->kind > LEAK_REACHABLE)
        p->bad = true;
}

static void
take_note(struct payload *p, struct record *out)
{
    out->kind = take(p, 1);
    out->detail = take_string(p);
}

static void
take_summary(struct payload *p, struct record *out)
{
    out->tool = take_string(p);
    out->values = take_list(p, &out->value_count, sizeof *out->values, 10);
    for (size_t i = 0; i < out->value_count; i++) {
        out->values[i].name = take_string(p);
        out->values[i].value = take(p, 8);
    }
    out->detail = take_string(p);
}

static void
take_end(struct payload *p, struct record *out)
{
    out->flags = take(p, 4);
}

static void
take_nothing(struct payload *p, struct record *out)
{
    (void)p;
    (void)out;
}

/* How each type's payload is read. NULL: unknown, skipped. */
static void (*const take_payload[])(struct payload *, struct record *) = {
    [RECORD_PROCESS_START] = take_process_start,
    [RECORD_PROCESS_FORK] = take_number,
    [RECORD_PROCESS_EXEC] = take_process_exec,
    [RECORD_PROCESS_EXIT] = take_process_exit,
    [RECORD_MODULE_LOAD] = take_module_load,
    [RECORD_MODULE_UNLOAD] = take_number,
    [RECORD_ERROR] = take_error,
    [RECORD_ERROR_COUNT] = take_error_count,
    [RECORD_LEAK] = take_leak,
    [RECORD_NOTE] = take_note,
    [RECORD_SUMMARY] = take_summary,
    [RECORD_NUDGE] = take_number,
    [RECORD_END] = take_end,
    [RECORD_EXEC_FAILED] = take_nothing,
    [RECORD_LEAK_SCAN] = take_number,
    [RECORD_PROCESS_LEFT] = take_nothing,
};

static bool
damaged(struct record_reader *r, const char *why)
{
    snprintf(r->damage, sizeof r->damage, "at byte %llu: %s", (unsigned long long)r->offset, why);
    return false;
}

static void
skip(struct record_reader *r, size_t size)
{
    r->at += size;
    r->offset += size;
}

/* Consumes a stream header. False with damage set if it is none of ours; false without if more is needed. */
static bool
open_stream(struct record_reader *r)
{
    const uint8_t *b = r->bytes + r->at;
    uint32_t version;

    size_t have = record_pending(r);

    if (have && memcmp(b, RECORD_MAGIC, have < 8 ? have : 8) != 0)
        return damaged(r, "this is not a record stream");
    if (have < RECORD_STREAM_HEADER)
        return false;
    memcpy(&version, b + 8, 4);
    if (version == 0 || version > RECORD_VERSION)
        return damaged(r, "the stream is of a version this program does not know");
    skip(r, RECORD_STREAM_HEADER);
    return r->opened = true;
}

/* One record from its complete bytes. False: unknown or malformed. */
static bool
decode(struct record_reader *r, const uint8_t *b, size_t size, struct record *out)
{
    struct payload p = {r, b + 4, size - 4, false};
    unsigned type = take(&p, 2);

    memset(out, 0, sizeof *out);
    out->path = out->directory = out->tool = out->detail = out->instruction = out->build_id =
        (struct record_string){"", 0};
    take(&p, 2);
    out->pid = take(&p, 4);
    out->tid = take(&p, 4);
    out->time = take(&p, 8);
    if (type >= sizeof take_payload / sizeof *take_payload || !take_payload[type])
        return false;
    out->type = type;
    take_payload[type](&p, out);
    if (p.bad)
        r->malformed++;
    return !p.bad;
}

enum record_status
record_next(struct record_reader *r, struct record *out)
{
    while (!r->damage[0]) {
        const uint8_t *b;
        uint32_t size;
        bool known;

        release(r);
        if (!r->opened && !open_stream(r))
            break;
        if (record_pending(r) < 4)
            return RECORD_WAIT;
        b = r->bytes + r->at;
        memcpy(&size, b, 4);
        if (memcmp(b, RECORD_MAGIC, 4) == 0) { /* as a size, more than RECORD_MAX: the next stream */
            r->opened = false;
            continue;
        }
        if (size < RECORD_HEADER || size > RECORD_MAX) {
            damaged(r, "a record has an impossible length");
            break;
        }
        if (record_pending(r) < size)
            return RECORD_WAIT;
        known = decode(r, b, size, out);
        skip(r, size);
        if (known)
            return RECORD_READY;
    }
    return r->damage[0] ? RECORD_DAMAGED : RECORD_WAIT;
}
