/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a record stream (docs/records.md), from a file or piece by piece from a socket. */
#ifndef DRTOOLS_REPORTS_RECORD_H
#define DRTOOLS_REPORTS_RECORD_H

#include <drtools/record.h>

struct record_string {
    const char *s; /* NUL-terminated copy; NULs inside are kept and hidden by that */
    size_t size;
};

struct record_frame {
    uint64_t pc;
    uint32_t module; /* with the FRAME_ flags */
};

struct record_stack {
    enum record_stack_kind kind;
    struct record_string label;
    struct record_frame *frames;
    size_t frame_count;
};

struct record_segment {
    uint64_t start, size, offset;
    uint32_t protection;
};

struct record_value {
    struct record_string name;
    uint64_t value;
};

/* One record. Which fields count depends on `type`; the others are zero. */
struct record {
    enum record_type type;
    uint32_t pid, tid;
    uint64_t time; /* microseconds */
    uint32_t flags;
    uint32_t number; /* of the module, error, scan or nudge; the child's pid; the exit code */
    uint32_t parent;
    uint8_t kind, access, place;
    uint64_t address, size; /* module: base, -                    */
    uint64_t start, end;    /* module                             */
    uint64_t count;         /* error count                        */
    uint64_t bytes, blocks, indirect_bytes, indirect_blocks;
    uint64_t clock;            /* process start                      */
    struct record_string path; /* executable, module or exec'd file  */
    struct record_string directory;
    struct record_string tool;
    struct record_string detail; /* also the text of notes, summaries  */
    struct record_string instruction;
    struct record_string build_id;
    struct record_string *strings; /* argv or notes                      */
    size_t string_count;
    struct record_segment *segments;
    size_t segment_count;
    struct record_stack *stacks;
    size_t stack_count;
    struct record_value *values;
    size_t value_count;
};

enum record_status {
    RECORD_READY,   /* a record is in *out                                        */
    RECORD_WAIT,    /* what was fed so far holds no further complete record       */
    RECORD_DAMAGED, /* no stream of ours, a newer version, or a length that cannot be */
};

struct record_reader;

struct record_reader *record_reader_new(void);
void record_reader_free(struct record_reader *r);
/* Copies the bytes. Free of limits of its own: what is fed is held until it is read. */
void record_feed(struct record_reader *r, const void *bytes, size_t size);
/* What *out points at lives until the next call. */
enum record_status record_next(struct record_reader *r, struct record *out);
/* Bytes of an unfinished record: a stream that ends with some was truncated. */
size_t record_pending(const struct record_reader *r);
/* Records skipped because their payload was too short. */
size_t record_malformed(const struct record_reader *r);
/* Why the stream is damaged, one sentence; NULL if it is not. */
const char *record_damage(const struct record_reader *r);

#endif
