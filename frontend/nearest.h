/* SPDX-License-Identifier: BSD-3-Clause */
/* "Did you mean": the known word closest to a mistyped one. */
#ifndef DRTOOLS_FRONTEND_NEAREST_H
#define DRTOOLS_FRONTEND_NEAREST_H

#include "keep.h"

/* NULL if no candidate resembles `word`. */
const char *nearest(const char *word, const struct words *candidates);

#endif
