/* Futex mutex of the engine. Never held while in the code cache or during a
 * blocking system call of the program. Not recursive.
 * Lock order: threads_lock, modules, cache, regions, heap. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_LOCK_H
#define DRTOOLS_TRANSLATOR_LOCK_H

#include <stdbool.h>

struct mutex { volatile int state; };   /* 0 free, 1 held, 2 held with waiters */

/* Without waiting. False: it is taken. */
bool mutex_try(struct mutex *m);
void mutex_lock(struct mutex *m);
void mutex_unlock(struct mutex *m);
void mutex_init(struct mutex *m);       /* also: forget the holder, in a fork child */

#endif
