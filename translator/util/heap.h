/* The engine's heap. Any thread; its lock is a leaf, so that block callbacks may allocate. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_HEAP_H
#define DRTOOLS_TRANSLATOR_HEAP_H

#include "util/base.h"

void *heap_alloc(size_t n);                 /* zeroed, at a multiple of 16; NULL: no memory     */
size_t heap_free(void *p);                  /* how many bytes were asked for; p may be NULL     */
void heap_lock_for_fork(void);
void heap_unlock_after_fork(bool child);

#endif
