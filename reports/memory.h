/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is there or the process is not. The reporter is a process of its
 * own: out of memory it says so and ends, and the program under test goes on.
 * Sizes that come from files are bounded by the caller first. */
#ifndef DRTOOLS_REPORTS_MEMORY_H
#define DRTOOLS_REPORTS_MEMORY_H

#include <stddef.h>

void *memory_zalloc(size_t count, size_t size);
void *memory_copy(const void *data, size_t size);
char *memory_string(const char *s); /* NULL stays NULL */
char *memory_string_n(const char *s, size_t size);
char *memory_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more element of `size` bytes in `array`, which has `count` and grows by doubling. */
void *memory_grow(void *array, size_t count, size_t *room, size_t size);

/* `GROW(list, count, room)` in front of `list[count++] = …`. */
#define GROW(array, count, room) ((array) = memory_grow((array), (count), &(room), sizeof *(array)))

#endif
