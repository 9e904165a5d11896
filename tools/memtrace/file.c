/* The trace's file: chunks, each whole and checked, so that a program that is killed leaves all but its last.
 * A block's description is in the file before anything that names the block.
 * Threads: one lock around the file; predictions and compression are each thread's own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "memtrace.h"

static int file = -1;
static uint64_t size;
static uint8_t dictionary[1 << 18];
static size_t dictionary_n;
static struct { uint8_t packed[1 << 18]; struct deflate deflate; } common;
uint64_t max_size = UINT64_MAX, after_instrs, for_instrs = UINT64_MAX;

/* Tracing ends, the program goes on. Lock held. */
static void
stop(const char *why)
{
    if (file >= 0)
        dr_print("memtrace: %s; the trace ends here\n", why);
    if (file >= 0)
        dr_close(file);
    file = -1;
}

/* Lock held. */
static void
write_chunk(enum trace_chunk_kind kind, int thread, uint64_t first, const uint8_t *raw, size_t n, const uint8_t *packed, size_t n_packed)
{
    struct trace_chunk c = {.magic = TRACE_MAGIC, .kind = (uint8_t)kind, .version = TRACE_VERSION, .thread = (uint32_t)thread, .raw_size = (uint32_t)n,
                            .stored_size = (uint32_t)(n_packed ? n_packed : n), .first = first};
    const uint8_t *payload = n_packed ? packed : raw;

    if (file < 0)
        return;
    if (size + sizeof c + c.stored_size > max_size && kind != TRACE_END) {
        stop("the trace has the size that -max_trace_size allows");
        return;
    }
    c.payload_crc = crc32_of(payload, c.stored_size);
    c.header_crc = crc32_of(&c, sizeof c);
    if (!dr_write(file, &c, sizeof c) || !dr_write(file, payload, c.stored_size))
        stop("cannot write the trace (disk full?)");
    size += sizeof c + c.stored_size;
}

static void
write_dictionary(void)
{
    if (!dictionary_n)
        return;
    size_t packed = deflate(&common.deflate, dictionary, dictionary_n, common.packed, dictionary_n - 1);
    write_chunk(TRACE_BLOCKS, 0, 0, dictionary, dictionary_n, common.packed, packed);
    dictionary_n = 0;
}

void
dictionary_add(const uint8_t *entry, size_t n)
{
    if (dictionary_n + n > sizeof dictionary)
        write_dictionary();
    memcpy(dictionary + dictionary_n, entry, n);
    dictionary_n += n;
}

static const char *
base_name(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

bool
trace_open(const char *outdir)
{
    char path[4400], head[4400];
    size_t n;

    size = dictionary_n = 0;
    dr_format(path, sizeof path, "%s/memtrace.%s.%d.trace", outdir, base_name(dr_program()), dr_process_id());
    file = dr_create(path);
    if (file < 0) {
        dr_print("memtrace: cannot create %s (error %d)\n", path, -file);
        return false;
    }
    n = dr_format(head, sizeof head, "pid %d\nprogram %s\n", dr_process_id(), dr_program());
    write_chunk(TRACE_HEADER, 0, 0, (const uint8_t *)head, n, NULL, 0);
    if (!dr_quiet())
        dr_print("memtrace: tracing into %s\n", path);
    return true;
}

void
trace_close(void)
{
    dr_lock(&lock);
    write_dictionary();
    write_chunk(TRACE_END, 0, 0, (const uint8_t *)"", 0, NULL, 0);
    if (file >= 0)
        dr_close(file);
    file = -1;
    dr_unlock(&lock);
}

void
trace_module(const struct dr_module *m)
{
    char text[4400];
    size_t n = dr_format(text, sizeof text, "%lu 0x%lx 0x%lx 0x%lx ", m->id, m->start, m->end, m->bias);

    for (unsigned i = 0; i < m->build_id_size; i++)
        n += dr_format(text + n, sizeof text - n, "%02x", m->build_id[i]);
    n += dr_format(text + n, sizeof text - n, "%s %s", m->build_id_size ? "" : "-", m->path);
    dr_lock(&lock);
    write_chunk(TRACE_MODULE, 0, 0, (const uint8_t *)text, n < sizeof text ? n : sizeof text - 1, NULL, 0);
    dr_unlock(&lock);
}

/* ---- a thread's chunk ---- */

bool
encoder_new(struct tracer *t)
{
    struct encoder *e = dr_map(sizeof *e);

    if (!e)
        return false;
    e->next = dr_map(MAX_BLOCKS * sizeof *e->next);
    e->next_chunk = dr_map(MAX_BLOCKS * sizeof *e->next_chunk);
    e->slot = dr_map(MAX_SLOTS * sizeof *e->slot);
    e->slot_chunk = dr_map(MAX_SLOTS * sizeof *e->slot_chunk);
    t->encoder = e;
    return e->next && e->next_chunk && e->slot && e->slot_chunk;
}

void
encoder_free(struct tracer *t)
{
    struct encoder *e = t->encoder;

    if (!e)
        return;
    if (e->next)
        dr_unmap(e->next, MAX_BLOCKS * sizeof *e->next);
    if (e->next_chunk)
        dr_unmap(e->next_chunk, MAX_BLOCKS * sizeof *e->next_chunk);
    if (e->slot)
        dr_unmap(e->slot, MAX_SLOTS * sizeof *e->slot);
    if (e->slot_chunk)
        dr_unmap(e->slot_chunk, MAX_SLOTS * sizeof *e->slot_chunk);
    dr_unmap(e, sizeof *e);
    t->encoder = NULL;
}

static uint32_t load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

/* The stack pointer of blocks is one prediction for all: what it was last. Other slots go on by their last step. */
static uint8_t *
encode_slot(struct encoder *e, uint32_t slot, uint64_t v, uint64_t *stack, uint8_t *out)
{
    struct prediction *p = &e->slot[slot];

    if (slot_kinds[slot] == TRACE_SLOT_STACK) {
        out = put_varint(out, zigzag(v - *stack));
        *stack = v;
        return out;
    }
    if (e->slot_chunk[slot] != e->chunk) {
        *p = (struct prediction){0};
        e->slot_chunk[slot] = e->chunk;
    }
    out = put_varint(out, zigzag(v - p->value - p->step));
    p->step = p->value ? v - p->value : 0;
    p->value = v;
    return out;
}

static uint8_t *
encode_block(struct encoder *e, uint32_t number, uint32_t *before, uint8_t *out)
{
    if (*before != UINT32_MAX && e->next_chunk[*before] == e->chunk && e->next[*before] == number + 1)
        out = put_varint(out, TRACE_BLOCK_PREDICTED);
    else
        out = put_varint(out, (uint64_t)number + TRACE_FIRST_BLOCK);
    if (*before != UINT32_MAX) {
        e->next[*before] = number + 1;
        e->next_chunk[*before] = e->chunk;
    }
    *before = number;
    return out;
}

/* Is what the next records say inside the window of instructions? */
static bool
in_window(const struct encoder *e)
{
    return e->instructions >= after_instrs && e->instructions - after_instrs < for_instrs;
}

static size_t
encode(struct encoder *e, const uint8_t *p, const uint8_t *end)
{
    uint32_t before = UINT32_MAX;
    uint64_t stack = 0;
    uint8_t *out = e->encoded;
    bool wanted = in_window(e);

    e->chunk++;
    while (p < end) {
        uint32_t what = load32(p);
        p += 4;
        if (what == RAW_MARKER) {
            out = put_varint(put_varint(put_varint(out, TRACE_MARKER), load32(p)), load64(p + 4));
            p += 12;
        } else if (what == RAW_CUT) {
            if (wanted)
                out = put_varint(put_varint(out, TRACE_CUT), load32(p));
            p += 4;
        } else if (what == RAW_EXTRA) {
            uint32_t n = load32(p);
            p += 4;
            if (wanted)
                out = put_varint(put_varint(out, TRACE_EXTRA), n);
            for (uint32_t i = 0; i < n; i++, p += 8)
                if (wanted)
                    out = put_varint(out, load64(p));
        } else {
            const struct block *b = &blocks[what];
            wanted = in_window(e);
            e->instructions += b->n;
            if (wanted) {
                out = encode_block(e, what, &before, out);
                e->blocks++;
            }
            for (unsigned i = 0; i < b->n_slots; i++, p += 8)
                if (wanted)
                    out = encode_slot(e, b->first_slot + i, load64(p), &stack, out);
        }
    }
    return (size_t)(out - e->encoded);
}

void
trace_flush(dr_thread *t)
{
    struct tracer *k = dr_thread_at(t, slot_tracer);
    uint32_t *off = dr_thread_at(t, slot_off);
    const uint8_t *buffer = dr_thread_at(t, slot_buffer);
    struct encoder *e = k->encoder;

    if (file >= 0 && e && *off) {
        uint64_t first = e->blocks;
        size_t n = encode(e, buffer, buffer + *off);
        size_t packed = n ? deflate(&e->deflate, e->encoded, n, e->packed, n - 1) : 0;
        dr_lock(&lock);
        write_dictionary();
        if (n)
            write_chunk(TRACE_EVENTS, dr_thread_id(t), first, e->encoded, n, e->packed, packed);
        dr_unlock(&lock);
    }
    *off = 0;
}
