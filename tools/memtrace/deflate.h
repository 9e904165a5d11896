/* A small compressor into zlib's format (RFC 1950, 1951). */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_MEMTRACE_DEFLATE_H
#define DRTOOLS_MEMTRACE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

enum { DEFLATE_HASH = 1 << 14 };
struct deflate { uint32_t head[DEFLATE_HASH]; };        /* position + 1 of the last occurrence of four bytes */

/* Before the others, once. */
void deflate_prepare(void);
/* Bytes written to `out`; 0: they would be more than `room`. A caller who tells packed from plain by the size gives one less room. */
size_t deflate(struct deflate *d, const uint8_t *in, size_t n, uint8_t *out, size_t room);
uint32_t crc32_of(const void *p, size_t n);

#endif
