/* The program's memory as its string functions see it: search, compare, copy and fill, without a look at the shadow.
 * All return false where the memory cannot be accessed; what was written by then stays written, but a copy between
 * ranges that overlap has not begun. Characters are `w` bytes: 1, or 4 for wchar_t. Counts and results are in characters. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_BYTES_H
#define DRTOOLS_DRMEMORY_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES_ANY UINT64_MAX        /* a count: as many as there are */

/* The first character equal to c or, where stop, to 0, among n; n: none. */
bool bytes_find(uint64_t a, unsigned w, uint64_t n, uint32_t c, bool stop, uint64_t *at);
/* The last of n that is equal to c; n: none. */
bool bytes_find_last(uint64_t a, unsigned w, uint64_t n, uint32_t c, uint64_t *at);
/* The first of n in which a and b differ or, where stop, both are 0; n: none. The two characters there. */
struct bytes_difference { uint64_t at; uint32_t a, b; };
bool bytes_compare(uint64_t a, uint64_t b, unsigned w, uint64_t n, bool stop, struct bytes_difference *out);
/* The first place of b[0 … m) in a[0 … n); n: none. */
bool bytes_search(uint64_t a, uint64_t n, uint64_t b, uint64_t m, uint64_t *at);
/* How many of the bytes at a, until 0, are in (or, not in) the string of n bytes at `set`. */
bool bytes_span(uint64_t a, uint64_t set, uint64_t n, bool in, uint64_t *out);
/* As memmove and memset; n in bytes, of which `pattern` repeats every w. */
bool bytes_copy(uint64_t dst, uint64_t src, uint64_t n);
bool bytes_fill(uint64_t dst, unsigned w, uint32_t c, uint64_t n);
/* One byte; 0 where it cannot be read. */
uint8_t bytes_at(uint64_t a);

#endif
