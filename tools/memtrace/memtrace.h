/* What the tool's files share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_MEMTRACE_H
#define DRTOOLS_MEMTRACE_H

#include "deflate.h"
#include "drtools/tool.h"
#include "drtools/trace_format.h"

int strcmp(const char *a, const char *b);                  /* the engine's */
void *memcpy(void *to, const void *from, size_t n);

enum {
    MAX_BLOCKS = 1 << 20, MAX_SLOTS = 1 << 21,
    BUFFER = 64 << 10,                   /* full, once it holds so much                                 */
    MARGIN = 24 << 10,                   /* what one block may add to it                                */
    ENCODED = 2 * (BUFFER + MARGIN),
};

/* Raw records, as emitted code writes them: a block's number, then 8 bytes a slot. Or one of these, which C writes: */
enum {
    RAW_MARKER = 0xfffffff0u,            /* kind (4 bytes), value (8)                                   */
    RAW_CUT,                             /* instructions executed (4)                                   */
    RAW_EXTRA,                           /* n (4), n values (8 each)                                    */
};

struct block { uint64_t tag; uint32_t n, checksum, first_slot; uint8_t n_slots; uint32_t entry_size; uint8_t *entry; /* in the dictionary */ };
extern struct block *blocks;
extern uint32_t n_blocks, n_slots;
extern uint8_t *slot_kinds;              /* TRACE_SLOT_PLAIN, _STACK                                    */

struct prediction { uint64_t value, step; };

/* A thread's encoder; predictions count from the chunk's beginning. */
struct encoder {
    uint32_t *next;                      /* by block: the one that came after it, + 1                   */
    uint32_t *next_chunk, *slot_chunk;   /* chunk in which the entry was written                        */
    struct prediction *slot;             /* by slot                                                     */
    uint32_t chunk;
    uint64_t blocks, instructions;       /* written; seen                                               */
    uint8_t encoded[ENCODED], packed[ENCODED];
    struct deflate deflate;
};

/* Buffer and encoder in every thread's memory. */
struct tracer { uint32_t off, cut_from; struct encoder *encoder; bool failed; };

extern uint32_t slot_tracer, slot_off, slot_end, slot_buffer;
extern struct dr_mutex lock;             /* the file, the dictionary                                    */
extern uint64_t after_instrs, for_instrs, max_size;

/* Forgets nothing: records wait in the dictionary's chunk until an event chunk, or the end, is written. Lock held. */
void dictionary_add(const uint8_t *entry, size_t n);
bool trace_open(const char *outdir);
void trace_close(void);
void trace_module(const struct dr_module *m);
bool encoder_new(struct tracer *t);
void encoder_free(struct tracer *t);
/* The thread's buffer into the file, and empty. */
void trace_flush(dr_thread *t);

static inline uint8_t *
put_varint(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}
static inline uint64_t zigzag(uint64_t v) { return v << 1 ^ (uint64_t)((int64_t)v >> 63); }

#endif
