/* SPDX-License-Identifier: BSD-3-Clause */
/* Suppressions: which findings the user does not want to hear of. docs/suppressions.md describes the files. */
#ifndef DRTOOLS_REPORTS_SUPPRESS_H
#define DRTOOLS_REPORTS_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct finding;
struct suppressions;

struct suppression {
    const char *name, *file;
    unsigned line;
    uint64_t used; /* instances it has hidden */
};

struct suppressions *suppressions_new(void);
void suppressions_free(struct suppressions *s);
/* Adds a file's, of Dr. Memory's or Valgrind's syntax or both. False: *error is "FILE:LINE: what is wrong", to be
 * freed, and nothing was added. */
bool suppressions_read(struct suppressions *s, const char *path, char **error);
bool suppressions_parse(struct suppressions *s, const char *text, size_t size, const char *file,
                        char **error);
size_t suppressions_count(const struct suppressions *s);
/* In the order of the files. */
struct suppression *suppressions_get(const struct suppressions *s, size_t index);
/* Those that have hidden nothing. */
void suppressions_list_unused(const struct suppressions *s, FILE *out);
/* The first that matches, or NULL. Counts nothing. */
struct suppression *suppressions_match(const struct suppressions *s, const struct finding *f);

enum suppression_style {
    SUPPRESS_BY_SYMBOL = 1, /* mod!func          */
    SUPPRESS_BY_OFFSET = 2, /* <mod+0x1a>        */
    SUPPRESS_VALGRIND = 4,  /* a {} block        */
};

/* Text that suppresses the finding; to be freed. `styles` may combine several. */
char *suppression_for(const struct finding *f, unsigned styles);

/* `*` and `?` match as in file names, everything else itself. */
bool wildcard_match(const char *pattern, const char *text);

#endif
