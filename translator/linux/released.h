/* The engine was executed without a configuration: on whose behalf? */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_RELEASED_H
#define DRTOOLS_TRANSLATOR_RELEASED_H

/* Path of the program whose /proc/self/exe this is, or NULL. At start only. */
const char *released_program(void);

#endif
