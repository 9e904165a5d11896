/* Reading traces of memtrace (libdrtrace.a; link with -lz).
 * A trace is opened, which finds its good chunks and its blocks; then a cursor goes through one thread, reference by
 * reference. What is damaged is left out and counted, never a crash.
 * Threads: a trace does not change once it is open; each thread of yours wants a cursor of its own.
 * See docs/memtrace.md and docs/memtrace-format.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRACE_H
#define DRTOOLS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dr_trace;
struct dr_trace_cursor;

/* NULL: cannot be opened or is no trace; the reason is in `error`. */
struct dr_trace *dr_trace_open(const char *path, char *error, size_t error_size);
void dr_trace_close(struct dr_trace *t);

const char *dr_trace_program(const struct dr_trace *t);
bool dr_trace_complete(const struct dr_trace *t);          /* its program ended while it was traced     */
size_t dr_trace_damaged(const struct dr_trace *t);         /* stretches of the file that are no chunks  */
size_t dr_trace_threads(const struct dr_trace *t);
uint32_t dr_trace_thread_id(const struct dr_trace *t, size_t i);

enum dr_trace_kind { DR_TRACE_FETCH, DR_TRACE_READ, DR_TRACE_WRITE, DR_TRACE_MODIFY /* read and written */, DR_TRACE_MARKER };
enum dr_trace_marker { DR_TRACE_THREAD_START, DR_TRACE_THREAD_EXIT, DR_TRACE_SYSCALL, DR_TRACE_SIGNAL };

struct dr_trace_ref {
    enum dr_trace_kind kind;
    uint64_t pc;                         /* of the instruction                                        */
    uint64_t address;                    /* fetch: pc; marker: its value                              */
    uint32_t size;                       /* bytes                                                     */
    enum dr_trace_marker marker;
    bool block_begins;                   /* fetch: of a block's first instruction                     */
    const uint8_t *bytes;                /* fetch: of the instruction                                 */
};

/* Thread i of dr_trace_threads, from its block number `first` on (from the chunk that has it: not after it). NULL: no memory. */
struct dr_trace_cursor *dr_trace_cursor(const struct dr_trace *t, size_t i, uint64_t first);
void dr_trace_cursor_close(struct dr_trace_cursor *c);
/* The next one, in program order: each instruction's fetch, then its references. False: the end. */
bool dr_trace_next(struct dr_trace_cursor *c, struct dr_trace_ref *out);

struct dr_trace_module { uint64_t id, start, end, bias; const char *build_id, *path; };
size_t dr_trace_modules(const struct dr_trace *t, const struct dr_trace_module **out);

#endif
