/* SPDX-License-Identifier: BSD-3-Clause */
/* The program to run: found as execvp would, and looked at before it is handed to the engine. */
#ifndef DRTOOLS_FRONTEND_PROGRAM_H
#define DRTOOLS_FRONTEND_PROGRAM_H

#include "error.h"

struct program {
    const char *path;   /* what execve is given for it */
    const char *native; /* why it cannot be translated and is run natively; NULL: it can be translated */
};

bool program_find(struct program *program, const char *name, struct error *err);

/* Is it something the kernel would run? Sets `native`. */
bool program_check(struct program *program, struct error *err);

#endif
