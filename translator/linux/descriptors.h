/* Descriptors of the engine's own: few, high, and invisible to the program. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_DESCRIPTORS_H
#define DRTOOLS_TRANSLATOR_DESCRIPTORS_H

#include <stdbool.h>

/* Moves `fd` up out of the way and remembers it. Returns its new number. */
int descriptor_hide(int fd);
void descriptor_forget(int fd);
bool descriptor_is_ours(int fd);
/* The lowest of ours in [lo, hi], or -1. */
int descriptor_first_in(unsigned lo, unsigned hi);

#endif
