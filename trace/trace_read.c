/* Reading traces. Every number in a file is checked before it is used: a chunk whose checksum is right may still be
 * somebody's forgery.
 * See include/drtools/trace.h and docs/memtrace-format.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "drtools/trace_format.h"

enum { MAX_INSNS = 4096, MAX_OPERANDS = 8, MAX_SLOTS = 255, MAX_BLOCKS = 1 << 24, MAX_EXTRA = 4096 };

struct operand { uint8_t flags, kind; uint16_t slot; uint32_t size; int64_t value; };
struct insn { uint8_t length, n_operands; uint32_t bytes, first_operand; };
struct block { uint64_t pc; uint32_t n, first_insn, first_slot; uint8_t n_slots; bool known; };
struct thread { uint32_t id; size_t *chunk, n_chunks, room; };

struct dr_trace {
    const uint8_t *file;
    size_t size, damaged;
    bool complete;
    char *program;
    struct block *block;
    size_t n_blocks;
    struct insn *insn;
    size_t n_insns, insn_room;
    struct operand *operand;
    size_t n_operands, operand_room;
    uint8_t *bytes, *slot_kind;
    size_t n_bytes, byte_room, n_slots, slot_room;
    struct thread *thread;
    size_t n_threads;
    struct dr_trace_module *module;
    size_t n_modules;
};

/* ---- bytes ---- */

struct input { const uint8_t *p, *end; bool bad; };

static uint64_t
varint(struct input *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->p == in->end)
            break;
        uint8_t b = *in->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    in->bad = true;
    return 0;
}
static uint8_t
byte(struct input *in)
{
    if (in->p < in->end)
        return *in->p++;
    in->bad = true;
    return 0;
}
static uint64_t unzigzag(uint64_t v) { return v >> 1 ^ -(v & 1); }

/* Room for `more` beyond `n`. False: no memory. */
static bool
grow(void *array, size_t *room, size_t n, size_t more, size_t size)
{
    void **a = array, *p;
    size_t want = *room ? *room : 256;

    if (n + more <= *room)
        return true;
    while (want < n + more)
        want *= 2;
    if (!(p = realloc(*a, want * size)))
        return false;
    *a = p;
    *room = want;
    return true;
}

/* ---- chunks ---- */

static bool
chunk_at(const struct dr_trace *t, size_t at, struct trace_chunk *c)
{
    struct trace_chunk unsigned_one;

    if (t->size - at < sizeof *c)
        return false;
    memcpy(c, t->file + at, sizeof *c);
    unsigned_one = *c;
    unsigned_one.header_crc = 0;
    return c->magic == TRACE_MAGIC && c->version == TRACE_VERSION && c->raw_size <= TRACE_MAX_RAW && c->stored_size <= t->size - at - sizeof *c &&
           crc32(0, (const Bytef *)&unsigned_one, sizeof unsigned_one) == c->header_crc &&
           crc32(0, t->file + at + sizeof *c, c->stored_size) == c->payload_crc;
}

/* The payload inflated, with a zero byte behind it; NULL: it is damaged, or there is no memory. */
static uint8_t *
payload(const struct dr_trace *t, size_t at, const struct trace_chunk *c)
{
    const uint8_t *stored = t->file + at + sizeof *c;
    uint8_t *raw = malloc((size_t)c->raw_size + 1);
    uLongf n = c->raw_size;

    if (!raw)
        return NULL;
    if (c->stored_size == c->raw_size)
        memcpy(raw, stored, n);
    else if (uncompress(raw, &n, stored, c->stored_size) != Z_OK || n != c->raw_size) {
        free(raw);
        return NULL;
    }
    raw[n] = '\0';
    return raw;
}

/* ---- the dictionary ---- */

static bool
read_operand(struct dr_trace *t, struct input *in, unsigned n_slots)
{
    struct operand *o;
    unsigned flags = byte(in);

    if (!grow(&t->operand, &t->operand_room, t->n_operands, 1, sizeof *o))
        return false;
    o = &t->operand[t->n_operands++];
    *o = (struct operand){.flags = flags & 3, .kind = (uint8_t)(flags >> 2), .size = (uint32_t)varint(in)};
    if (o->kind > TRACE_OPERAND_LIST || o->size > 1 << 16)
        return false;
    if (o->kind == TRACE_OPERAND_SLOT)
        o->slot = (uint16_t)varint(in);
    if (o->kind <= TRACE_OPERAND_SLOT)
        o->value = (int64_t)unzigzag(varint(in));
    return !in->bad && (o->kind != TRACE_OPERAND_SLOT || o->slot < n_slots);
}

static bool
read_insn(struct dr_trace *t, struct input *in, unsigned n_slots)
{
    struct insn *i;
    unsigned length = byte(in);

    if (length < 1 || length > 15 || (size_t)(in->end - in->p) < length || !grow(&t->insn, &t->insn_room, t->n_insns, 1, sizeof *i) ||
        !grow(&t->bytes, &t->byte_room, t->n_bytes, length, 1))
        return false;
    i = &t->insn[t->n_insns++];
    *i = (struct insn){.length = (uint8_t)length, .bytes = (uint32_t)t->n_bytes, .first_operand = (uint32_t)t->n_operands};
    memcpy(t->bytes + t->n_bytes, in->p, length);
    t->n_bytes += length;
    in->p += length;
    i->n_operands = byte(in);
    if (i->n_operands > MAX_OPERANDS)
        return false;
    for (unsigned k = 0; k < i->n_operands; k++)
        if (!read_operand(t, in, n_slots))
            return false;
    return !in->bad;
}

static bool
read_block(struct dr_trace *t, struct input *in, size_t *room)
{
    uint64_t number = varint(in), pc = varint(in), n = varint(in), n_slots = varint(in);
    struct block b = {.pc = pc, .n = (uint32_t)n, .first_insn = (uint32_t)t->n_insns, .first_slot = (uint32_t)t->n_slots, .n_slots = (uint8_t)n_slots, .known = true};

    if (in->bad || number >= MAX_BLOCKS || !n || n > MAX_INSNS || n_slots > MAX_SLOTS || (size_t)(in->end - in->p) < n_slots)
        return false;
    if (number >= t->n_blocks) {
        size_t before = t->n_blocks;
        if (!grow(&t->block, room, before, number + 1 - before, sizeof *t->block))
            return false;
        memset(t->block + before, 0, (number + 1 - before) * sizeof *t->block);
        t->n_blocks = number + 1;
    }
    if (!grow(&t->slot_kind, &t->slot_room, t->n_slots, n_slots, 1))
        return false;
    if (n_slots)
        memcpy(t->slot_kind + t->n_slots, in->p, n_slots);
    in->p += n_slots;
    t->n_slots += n_slots;
    for (uint64_t i = 0; i < n; i++)
        if (!read_insn(t, in, (unsigned)n_slots))
            return false;
    t->block[number] = b;
    return true;
}

static bool
read_blocks(struct dr_trace *t, const uint8_t *raw, size_t n, size_t *room)
{
    struct input in = {raw, raw + n, false};

    while (in.p < in.end)
        if (!read_block(t, &in, room))
            return false;
    return true;
}

static bool
read_module(struct dr_trace *t, const char *text, size_t *room)
{
    struct dr_trace_module m = {0};
    char build_id[129] = "";
    int at = 0;

    if (sscanf(text, "%lu %lx %lx %lx %128s %n", &m.id, &m.start, &m.end, &m.bias, build_id, &at) < 5 || !at || !grow(&t->module, room, t->n_modules, 1, sizeof m))
        return false;
    m.build_id = strdup(build_id);
    m.path = strdup(text + at);
    t->module[t->n_modules++] = m;
    return true;
}

static bool
note_events(struct dr_trace *t, uint32_t id, size_t at, size_t *room)
{
    struct thread *k = NULL;

    for (size_t i = t->n_threads; i-- && !k;)
        if (t->thread[i].id == id)
            k = &t->thread[i];
    if (!k) {
        if (!grow(&t->thread, room, t->n_threads, 1, sizeof *k))
            return false;
        k = &t->thread[t->n_threads++];
        *k = (struct thread){.id = id};
    }
    if (!grow(&k->chunk, &k->room, k->n_chunks, 1, sizeof *k->chunk))
        return false;
    k->chunk[k->n_chunks++] = at;
    return true;
}

static bool
read_chunk(struct dr_trace *t, size_t at, const struct trace_chunk *c, size_t rooms[3])
{
    uint8_t *raw;
    bool good = true;

    if (c->kind == TRACE_EVENTS)
        return note_events(t, c->thread, at, &rooms[0]);
    if (!(raw = payload(t, at, c)))
        return false;
    switch (c->kind) {
    case TRACE_HEADER: {
        const char *program = strstr((char *)raw, "program ");
        if (program && !t->program)
            t->program = strndup(program + 8, strcspn(program + 8, "\n"));
        break;
    }
    case TRACE_MODULE: good = read_module(t, (char *)raw, &rooms[1]); break;
    case TRACE_BLOCKS: good = read_blocks(t, raw, c->raw_size, &rooms[2]); break;
    case TRACE_END: t->complete = true; break;
    default: break;                      /* of a later version: nothing that older readers need */
    }
    free(raw);
    return good;
}

static void
read_chunks(struct dr_trace *t)
{
    size_t rooms[3] = {0};
    bool in_damage = false;
    struct trace_chunk c;

    for (size_t at = 0; at < t->size;) {
        if (chunk_at(t, at, &c)) {
            if (!read_chunk(t, at, &c, rooms))
                t->damaged++;
            at += sizeof c + c.stored_size;
            in_damage = false;
            continue;
        }
        t->damaged += !in_damage;
        in_damage = true;
        const uint8_t *next = memmem(t->file + at + 1, t->size - at - 1, "DRTC", 4);
        at = next ? (size_t)(next - t->file) : t->size;
    }
}

struct dr_trace *
dr_trace_open(const char *path, char *error, size_t error_size)
{
    struct dr_trace *t = calloc(1, sizeof *t);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p = MAP_FAILED;

    if (!t || fd < 0 || fstat(fd, &st) < 0 || (st.st_size && (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        free(t);
        return NULL;
    }
    close(fd);
    t->file = st.st_size ? p : NULL;
    t->size = (size_t)st.st_size;
    read_chunks(t);
    if (!t->program) {
        snprintf(error, error_size, "%s is no trace of memtrace, or its beginning is damaged", path);
        dr_trace_close(t);
        return NULL;
    }
    return t;
}

void
dr_trace_close(struct dr_trace *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n_threads; i++)
        free(t->thread[i].chunk);
    for (size_t i = 0; i < t->n_modules; i++) {
        free((char *)t->module[i].build_id);
        free((char *)t->module[i].path);
    }
    if (t->file)
        munmap((void *)t->file, t->size);
    free(t->thread);
    free(t->module);
    free(t->block);
    free(t->insn);
    free(t->operand);
    free(t->bytes);
    free(t->slot_kind);
    free(t->program);
    free(t);
}

const char *dr_trace_program(const struct dr_trace *t) { return t->program; }
bool dr_trace_complete(const struct dr_trace *t) { return t->complete; }
size_t dr_trace_damaged(const struct dr_trace *t) { return t->damaged; }
size_t dr_trace_threads(const struct dr_trace *t) { return t->n_threads; }
uint32_t dr_trace_thread_id(const struct dr_trace *t, size_t i) { return t->thread[i].id; }
size_t dr_trace_modules(const struct dr_trace *t, const struct dr_trace_module **out) { *out = t->module; return t->n_modules; }

/* ---- cursors ---- */

struct prediction { uint64_t value, step; uint32_t chunk; };
struct successor { uint32_t block, chunk; };

/* A reference, or `count` of them; with the `others` items behind it, turn by turn. */
struct item { struct dr_trace_ref r; uint64_t count, step; unsigned others; };

/* References of the block at hand wait in `ref`: extras and cuts come behind a block's number, and belong to it. */
struct dr_trace_cursor {
    const struct dr_trace *t;
    const struct thread *thread;
    size_t next_chunk;
    uint8_t *raw;
    struct input in;
    uint32_t chunk;                      /* counts chunks: what predictions are of                     */
    struct prediction *slot;
    struct successor *next;
    uint32_t before;
    uint64_t stack, value[MAX_SLOTS];
    struct item *ref;
    size_t n_refs, at, room;
    unsigned turn;                       /* of a string instruction's operands                         */
};

struct dr_trace_cursor *
dr_trace_cursor(const struct dr_trace *t, size_t i, uint64_t first)
{
    struct dr_trace_cursor *c = calloc(1, sizeof *c);
    struct trace_chunk k;

    if (!c || i >= t->n_threads)
        return free(c), NULL;
    c->t = t;
    c->thread = &t->thread[i];
    c->slot = calloc(t->n_slots + 1, sizeof *c->slot);
    c->next = calloc(t->n_blocks + 1, sizeof *c->next);
    if (!c->slot || !c->next)
        return dr_trace_cursor_close(c), NULL;
    while (c->next_chunk + 1 < c->thread->n_chunks) {
        memcpy(&k, t->file + c->thread->chunk[c->next_chunk + 1], sizeof k);
        if (k.first > first)
            break;
        c->next_chunk++;
    }
    return c;
}

void
dr_trace_cursor_close(struct dr_trace_cursor *c)
{
    if (!c)
        return;
    free(c->raw);
    free(c->slot);
    free(c->next);
    free(c->ref);
    free(c);
}

static bool
open_chunk(struct dr_trace_cursor *c)
{
    struct trace_chunk k;
    size_t at;

    do {
        if (c->next_chunk == c->thread->n_chunks)
            return false;
        free(c->raw);
        at = c->thread->chunk[c->next_chunk++];
        memcpy(&k, c->t->file + at, sizeof k);
        c->raw = payload(c->t, at, &k);
    } while (!c->raw);
    c->in = (struct input){c->raw, c->raw + k.raw_size, false};
    c->chunk++;
    c->before = UINT32_MAX;
    c->stack = 0;
    return true;
}

static bool
add_refs(struct dr_trace_cursor *c, struct dr_trace_ref r, uint64_t count, uint64_t step, unsigned others)
{
    if (!grow(&c->ref, &c->room, c->n_refs, 1, sizeof *c->ref))
        return false;
    c->ref[c->n_refs++] = (struct item){r, count, step, others};
    return true;
}
static bool add_ref(struct dr_trace_cursor *c, struct dr_trace_ref r) { return add_refs(c, r, 1, 0, 0); }

static enum dr_trace_kind
kind_of(const struct operand *o)
{
    return o->flags == (TRACE_READ | TRACE_WRITE) ? DR_TRACE_MODIFY : o->flags == TRACE_WRITE ? DR_TRACE_WRITE : DR_TRACE_READ;
}

static void
read_slots(struct dr_trace_cursor *c, const struct block *b)
{
    for (unsigned i = 0; i < b->n_slots; i++) {
        uint64_t d = unzigzag(varint(&c->in));
        struct prediction *p = &c->slot[b->first_slot + i];
        if (c->t->slot_kind[b->first_slot + i] == TRACE_SLOT_STACK) {
            c->value[i] = c->stack += d;
            continue;
        }
        if (p->chunk != c->chunk)
            *p = (struct prediction){.chunk = c->chunk};
        uint64_t v = p->value + p->step + d;
        p->step = p->value ? v - p->value : 0;
        p->value = c->value[i] = v;
    }
}

/* The events behind a block that belong to it: how much of it was executed, and what varies. */
struct tail { uint64_t done, *extra; size_t n, at, room; };

static bool
read_tail(struct dr_trace_cursor *c, struct tail *x)
{
    while (c->in.p < c->in.end && (*c->in.p == TRACE_CUT || *c->in.p == TRACE_EXTRA)) {
        if (byte(&c->in) == TRACE_CUT) {
            x->done = varint(&c->in);
            continue;
        }
        uint64_t n = varint(&c->in);
        if (n > MAX_EXTRA || !grow(&x->extra, &x->room, x->n, n + 1, sizeof *x->extra))
            return false;
        x->extra[x->n++] = n;
        for (uint64_t i = 0; i < n; i++)
            x->extra[x->n++] = varint(&c->in);
    }
    return !c->in.bad;
}

/* The operand's next extra: values and their number. */
static size_t
next_extra(struct tail *x, const uint64_t **values)
{
    if (x->at >= x->n)
        return 0;
    size_t n = x->extra[x->at];
    *values = x->extra + x->at + 1;
    x->at += n + 1;
    return n;
}

/* A string instruction's operands take turns, element by element. */
static bool
add_strings(struct dr_trace_cursor *c, const struct insn *in, uint64_t pc, struct tail *x)
{
    const uint64_t *v[MAX_OPERANDS];
    uint64_t count = UINT64_MAX;

    for (unsigned k = 0; k < in->n_operands; k++) {
        if (next_extra(x, &v[k]) != 2)
            return true;
        uint64_t n = v[k][0] & INT64_MAX;
        count = n < count ? n : count;
    }
    for (unsigned k = 0; count && k < in->n_operands; k++) {
        const struct operand *o = &c->t->operand[in->first_operand + k];
        uint64_t step = v[k][0] >> 63 ? -(uint64_t)o->size : o->size;
        if (!add_refs(c, (struct dr_trace_ref){.kind = kind_of(o), .pc = pc, .address = v[k][1], .size = o->size}, count, step, in->n_operands - 1 - k))
            return false;
    }
    return true;
}

static bool
add_operand(struct dr_trace_cursor *c, const struct operand *o, uint64_t pc, struct tail *x)
{
    struct dr_trace_ref r = {.kind = kind_of(o), .pc = pc, .size = o->size, .address = (uint64_t)o->value};
    const uint64_t *v;

    if (o->kind == TRACE_OPERAND_LIST) {
        size_t n = next_extra(x, &v);
        for (size_t i = 0; i < n; i++) {
            r.address = v[i];
            if (!add_ref(c, r))
                return false;
        }
        return true;
    }
    if (o->kind == TRACE_OPERAND_SLOT)
        r.address += c->value[o->slot];
    return add_ref(c, r);
}

static bool
read_execution(struct dr_trace_cursor *c, uint32_t number)
{
    const struct block *b = &c->t->block[number];
    struct tail x = {.done = UINT64_MAX};
    uint64_t pc = b->pc;
    bool good;

    read_slots(c, b);
    good = read_tail(c, &x);
    for (uint32_t i = 0; good && i < b->n && i < x.done; i++) {
        const struct insn *in = &c->t->insn[b->first_insn + i];
        good = add_ref(c, (struct dr_trace_ref){.kind = DR_TRACE_FETCH, .pc = pc, .address = pc, .size = in->length, .block_begins = i == 0, .bytes = c->t->bytes + in->bytes});
        if (in->n_operands && c->t->operand[in->first_operand].kind == TRACE_OPERAND_STRING)
            good = good && add_strings(c, in, pc, &x);
        else
            for (unsigned k = 0; good && k < in->n_operands; k++)
                good = add_operand(c, &c->t->operand[in->first_operand + k], pc, &x);
        pc += in->length;
    }
    free(x.extra);
    return good;
}

/* The next event, into `ref`. False: what is left of the chunk makes no sense. */
static bool
read_event(struct dr_trace_cursor *c)
{
    uint64_t what = varint(&c->in), number;

    if (what == TRACE_MARKER) {
        uint64_t kind = varint(&c->in), value = varint(&c->in);
        return !c->in.bad && kind <= DR_TRACE_SIGNAL && add_ref(c, (struct dr_trace_ref){.kind = DR_TRACE_MARKER, .marker = (enum dr_trace_marker)kind, .address = value});
    }
    if (what == TRACE_CUT || what == TRACE_EXTRA)
        return false;                    /* behind no block */
    if (what == TRACE_BLOCK_PREDICTED) {
        if (c->before == UINT32_MAX || c->next[c->before].chunk != c->chunk)
            return false;
        number = c->next[c->before].block;
    } else {
        number = what - TRACE_FIRST_BLOCK;
    }
    if (c->in.bad || what > MAX_BLOCKS + TRACE_FIRST_BLOCK || number >= c->t->n_blocks || !c->t->block[number].known)
        return false;
    if (c->before != UINT32_MAX)
        c->next[c->before] = (struct successor){(uint32_t)number, c->chunk};
    c->before = (uint32_t)number;
    return read_execution(c, (uint32_t)number);
}

bool
dr_trace_next(struct dr_trace_cursor *c, struct dr_trace_ref *out)
{
    while (c->at == c->n_refs) {
        c->at = c->n_refs = 0;
        if (c->in.p == c->in.end && !open_chunk(c))
            return false;
        if (c->in.p < c->in.end && !read_event(c))
            c->in.p = c->in.end;
    }
    struct item *i = &c->ref[c->at + c->turn];
    *out = i->r;
    i->r.address += i->step;
    i->count--;
    c->turn++;
    if (i->others)
        return true;
    if (!i->count)
        c->at += c->turn;
    c->turn = 0;
    return true;
}
