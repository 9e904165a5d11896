/* SPDX-License-Identifier: BSD-3-Clause */
/* One copy of each string, living as long as its pool: equal strings are the same pointer. */
#ifndef DRTOOLS_REPORTS_STRINGS_H
#define DRTOOLS_REPORTS_STRINGS_H

#include <stddef.h>

struct strings;

struct strings *strings_new(void);
void strings_free(struct strings *pool);
const char *strings_keep(struct strings *pool, const char *s); /* NULL stays NULL */
const char *strings_keep_n(struct strings *pool, const char *s, size_t size);

#endif
