/* The record stream: what the engine and its tools tell the reporter, and what
 * `-record FILE` keeps. docs/records.md describes it; this file is the format's
 * constants and its encoder, usable without a libc.
 * Invariant: a record is complete or absent; the encoder never writes past its
 *            buffer, and a record that did not fit is dropped whole.
 * Threads:   a `struct record_writer` belongs to one thread. Whoever puts the
 *            finished bytes on the stream does so in one piece. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_RECORD_H
#define DRTOOLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream opens with these eight bytes, then the version as a u32 and four
 * zero bytes. The CR LF pair shows a stream that went through a text transfer. */
#define RECORD_MAGIC "DRREC\r\n\x1a"

enum {
    RECORD_VERSION = 1,
    RECORD_STREAM_HEADER = 16, /* bytes before the first record            */
    RECORD_HEADER = 24,        /* bytes of a record before its payload     */
    RECORD_MAX = 1 << 20,      /* bytes of a whole record, at most         */
    RECORD_MAX_FRAMES = 4096,  /* frames of one stack, at most             */
    RECORD_MAX_STACKS = 16,    /* stacks of one error, at most             */
    RECORD_BUILD_ID_MAX = 64,
};

/* Numbers are never reused; a reader skips the types it does not know. */
enum record_type {
    RECORD_PROCESS_START = 1,
    RECORD_PROCESS_FORK = 2,
    RECORD_PROCESS_EXEC = 3,
    RECORD_PROCESS_EXIT = 4,
    RECORD_MODULE_LOAD = 5,
    RECORD_MODULE_UNLOAD = 6,
    RECORD_ERROR = 7,
    RECORD_ERROR_COUNT = 8,
    RECORD_LEAK = 9,
    RECORD_NOTE = 10,
    RECORD_SUMMARY = 11,
    RECORD_NUDGE = 12,
    RECORD_END = 13,
    RECORD_EXEC_FAILED = 14,
    RECORD_LEAK_SCAN = 15,
    RECORD_PROCESS_LEFT = 16, /* the reporter's own */
    RECORD_PROFILE = 20,
};

enum record_error_kind {
    ERROR_UNADDRESSABLE = 1,
    ERROR_UNINITIALIZED = 2,
    ERROR_INVALID_HEAP_ARGUMENT = 3,
    ERROR_OVERLAP = 4,
    ERROR_WARNING = 5,
};

enum record_access {
    ACCESS_NONE = 0,
    ACCESS_READ = 1,
    ACCESS_WRITE = 2,
    ACCESS_JUMP = 3,
    ACCESS_CONDITION = 4, /* uninitialized: decided a branch                  */
    ACCESS_ADDRESS = 5,   /* uninitialized: used as an address                */
    ACCESS_SYSCALL = 6,   /* passed to a system call, which `detail` names    */
};

/* Where an unaddressable access went, or what is wrong with a heap argument. */
enum record_place {
    PLACE_UNKNOWN = 0,
    PLACE_BEYOND_HEAP = 1,  /* in a redzone, or beyond the heap's bounds      */
    PLACE_FREED = 2,        /* in freed memory                                */
    PLACE_BEYOND_STACK = 3, /* beyond the top of the stack                    */
    PLACE_NOT_HEAP = 4,     /* argument: not the start of any heap block      */
    PLACE_DOUBLE_FREE = 5,  /* argument: freed already                        */
    PLACE_MISMATCHED = 6,   /* argument: `detail` = "malloc\ndelete"          */
    PLACE_BAD_SIZE = 7,     /* argument: a size that is wrong or negative     */
};

enum record_leak_kind { LEAK_DEFINITE = 1, LEAK_INDIRECT = 2, LEAK_POSSIBLE = 3, LEAK_REACHABLE = 4 };

enum record_stack_kind {
    STACK_MAIN = 0,
    STACK_ALLOCATED = 1,
    STACK_FREED = 2,
    STACK_ORIGIN = 3, /* where an undefined value was made */
    STACK_OTHER = 4,  /* the label says                    */
};

enum record_note_level { NOTE_INFO = 0, NOTE_WARNING = 1, NOTE_FATAL = 2 };

enum record_exit_kind { EXIT_STATUS = 0, EXIT_SIGNAL = 1 };

enum {
    /* Frame flags, in the top bits of a frame's module number. */
    FRAME_EXACT = 1u << 31,   /* `pc` is the instruction itself, not a return address */
    FRAME_SYSCALL = 1u << 30, /* `pc` is a system call's number                       */
    FRAME_MODULE = (1u << 30) - 1,

    /* PROCESS_START flags. */
    START_FORKED = 1,   /* made by fork: has its parent's modules       */
    START_EXECED = 2,   /* the same process after execve                */
    START_FOLLOWED = 4, /* not the process the user started             */

    /* ERROR and LEAK flags. */
    ERROR_POTENTIAL = 1, /* reported apart and never counted by a gate    */
    LEAK_NEW = 2,        /* not seen by an earlier scan of this process   */

    /* MODULE_LOAD flags. */
    MODULE_MAIN = 1,
    MODULE_VDSO = 2,

    /* END flags. */
    END_INCOMPLETE = 1, /* the writer had to drop records */
};

/* What comes back over the socket: packets that begin with this, to the process the user started. */
enum reply_kind {
    REPLY_TEXT = 1, /* the rest of the packet is for the console               */
    REPLY_BUSY = 2, /* the end has been read; the report is being written      */
    REPLY_DONE = 3, /* it is written                                           */
};

enum {
    REPLY_INCOMPLETE = 1, /* DONE: the report may lack errors                  */
    REPLY_LAST = 2,       /* DONE: the reporter ends now                       */
    REPLY_MAX = 4096,     /* bytes of a packet, at most                        */
};

struct record_reply {
    uint32_t kind, flags;
    uint64_t errors; /* DONE: those that count for the exit status             */
};

struct record_writer {
    uint8_t *bytes;
    size_t size;   /* room                                   */
    size_t used;   /* bytes of finished records              */
    size_t at;     /* next byte of the record being written  */
    bool overflow; /* the record being written does not fit  */
};

static inline void
record_put(struct record_writer *w, const void *data, size_t size)
{
    const uint8_t *from = data;

    if (w->overflow || size > w->size - w->at) {
        w->overflow = true;
        return;
    }
    for (size_t i = 0; i < size; i++)
        w->bytes[w->at + i] = from[i];
    w->at += size;
}

static inline void
record_put_number(struct record_writer *w, uint64_t value, size_t size)
{
    record_put(w, &value, size); /* x86-64 is little-endian, as the stream is */
}

static inline void
record_put_u8(struct record_writer *w, uint8_t v)
{
    record_put_number(w, v, 1);
}

static inline void
record_put_u16(struct record_writer *w, uint16_t v)
{
    record_put_number(w, v, 2);
}

static inline void
record_put_u32(struct record_writer *w, uint32_t v)
{
    record_put_number(w, v, 4);
}

static inline void
record_put_u64(struct record_writer *w, uint64_t v)
{
    record_put_number(w, v, 8);
}

/* At most 65535 bytes of a NUL-terminated string; NULL is the empty string. */
static inline void
record_put_string(struct record_writer *w, const char *s)
{
    size_t n = 0;

    while (s && s[n] && n < 0xffff)
        n++;
    record_put_u16(w, (uint16_t)n);
    record_put(w, s, n);
}

static inline void
record_put_stream_header(struct record_writer *w)
{
    record_put(w, RECORD_MAGIC, 8);
    record_put_u32(w, RECORD_VERSION);
    record_put_u32(w, 0);
    if (!w->overflow)
        w->used = w->at;
}

/* `time` is in microseconds since the process' first record. */
static inline void
record_begin(struct record_writer *w, enum record_type type, uint32_t pid, uint32_t tid, uint64_t time)
{
    w->at = w->used;
    w->overflow = false;
    record_put_u32(w, 0); /* the size, known at record_end */
    record_put_u16(w, (uint16_t)type);
    record_put_u16(w, 0);
    record_put_u32(w, pid);
    record_put_u32(w, tid);
    record_put_u64(w, time);
}

static inline void
record_put_frame(struct record_writer *w, uint64_t pc, uint32_t module_and_flags)
{
    record_put_u64(w, pc);
    record_put_u32(w, module_and_flags);
}

/* False: the record did not fit and is gone; what was finished before is intact. */
static inline bool
record_end(struct record_writer *w)
{
    uint64_t size = w->at - w->used;

    if (w->overflow || size > RECORD_MAX) {
        w->at = w->used;
        w->overflow = false;
        return false;
    }
    for (unsigned i = 0; i < 4; i++)
        w->bytes[w->used + i] = (uint8_t)(size >> (8 * i));
    w->used = w->at;
    return true;
}

#endif
