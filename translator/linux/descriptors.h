/* Descriptors of the engine's own: few, high, and invisible to the program. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_DESCRIPTORS_H
#define DRTOOLS_TRANSLATOR_DESCRIPTORS_H

#include <stdbool.h>

/* Moves descriptor *fd up out of the way, close-on-exec, and remembers where its number is kept. */
void descriptor_hide(int *fd);
/* *fd is about to be closed. */
void descriptor_forget(int *fd);
/* The program wants number `fd`, which is ours: move again. False: not possible. */
bool descriptor_move(int fd);
bool descriptor_is_ours(int fd);
extern volatile unsigned descriptor_lowest;     /* none of ours is below */
/* The lowest of ours in [lo, hi], or -1. */
int descriptor_first_in(unsigned lo, unsigned hi);


/* The program is about to close or replace its stderr: what tools are going to write there goes to a copy. Not in a
 * child made by fork, where a copy would keep a pipe open whose reader waits for its end. */
void console_keep(void);
void console_let_go(void);          /* in a fork child */

#endif
