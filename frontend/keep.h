/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is kept until the process becomes the engine or exits, a few
 * milliseconds later: nothing here is ever freed, so nothing has an owner.
 * Running out of it ends the process with a message. */
#ifndef DRTOOLS_FRONTEND_KEEP_H
#define DRTOOLS_FRONTEND_KEEP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

void *keep_bytes(size_t size); /* zeroed, aligned for anything */
char *keep_string(const char *s);
char *keep_slice(const char *s, size_t length);
char *keep_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *keep_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Room for one more element of `size` bytes in an array of `n`: the array, or a larger copy of it. */
void *keep_grow(void *array, size_t n, size_t *capacity, size_t size);

/* A list of words; `v` is NULL-terminated once anything was added. */
struct words {
    char **v;
    size_t n, capacity;
};

void words_add(struct words *w, const char *word);
void words_sort(struct words *w);

/* Text that grows; `s` is a string once anything was added. */
struct text {
    char *s;
    size_t n, capacity;
};

void text_add(struct text *t, const char *s);
void text_add_char(struct text *t, char c);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
