/* SPDX-License-Identifier: BSD-3-Clause */
/* Findings by the names that Valgrind's formats have for them. */
#ifndef DRTOOLS_REPORTS_VALGRIND_WORDS_H
#define DRTOOLS_REPORTS_VALGRIND_WORDS_H

#include "model.h"

/* "InvalidRead" and so on. */
const char *valgrind_kind(const struct finding *f);
/* The first line; to be freed. */
char *valgrind_what(const struct finding *f);

#endif
