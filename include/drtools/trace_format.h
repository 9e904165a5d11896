/* The trace format, as writer and reader share it; docs/memtrace-format.md describes it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRACE_FORMAT_H
#define DRTOOLS_TRACE_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC 0x43545244u         /* "DRTC" */
enum { TRACE_VERSION = 1, TRACE_MAX_RAW = 1 << 24 };

enum trace_chunk_kind { TRACE_HEADER = 1, TRACE_MODULE, TRACE_BLOCKS, TRACE_EVENTS, TRACE_END };

/* In front of each chunk's payload; little-endian. */
struct trace_chunk {
    uint32_t magic;
    uint8_t kind, version;
    uint16_t reserved;
    uint32_t thread;                     /* of events: the thread's id                                  */
    uint32_t raw_size;                   /* of the payload, inflated                                    */
    uint32_t stored_size;                /* as it follows: zlib's format; equal to raw_size: as it is   */
    uint32_t payload_crc, header_crc;    /* CRC-32; of the header: of what comes before, with 0 here    */
    uint32_t reserved2;
    uint64_t first;                      /* of events: the thread's blocks before this chunk            */
};
_Static_assert(sizeof(struct trace_chunk) == 40, "the format has no padding");

/* Events: a varint each, with what follows it. */
enum {
    TRACE_BLOCK_PREDICTED,               /* the block that came after the previous one last time        */
    TRACE_MARKER,                        /* kind, value                                                 */
    TRACE_CUT,                           /* instructions of the last block that were executed           */
    TRACE_EXTRA,                         /* n, n values: of the next operand of the block that varies   */
    TRACE_FIRST_BLOCK = 16,              /* block number + 16                                           */
};

enum { TRACE_MARKER_THREAD_START, TRACE_MARKER_THREAD_EXIT, TRACE_MARKER_SYSCALL, TRACE_MARKER_SIGNAL };

/* How an operand's address is known. */
enum trace_operand_kind {
    TRACE_OPERAND_CONSTANT,              /* the number                                                  */
    TRACE_OPERAND_SLOT,                  /* value of a slot of the block's, plus a constant             */
    TRACE_OPERAND_STRING,                /* extra: elements (bit 63: downwards), then the first address */
    TRACE_OPERAND_LIST,                  /* extra: an address each                                      */
};
enum { TRACE_READ = 1, TRACE_WRITE = 2 };
enum { TRACE_SLOT_PLAIN, TRACE_SLOT_STACK };

#endif
