/* SPDX-License-Identifier: BSD-3-Clause */
/* Where this copy of drtools is. Everything is found relative to the running
 * binary, so that the tree works wherever it is copied. */
#ifndef DRTOOLS_FRONTEND_INSTALL_H
#define DRTOOLS_FRONTEND_INSTALL_H

#include "error.h"

struct install {
    const char *lib;    /* absolute path of lib/drtools */
    const char *engine; /* lib/drtools/drengine         */
    const char *tools;  /* lib/drtools/tools            */
};

bool install_find(struct install *in, struct error *err);

/* The decoder library the engine loads: a copy in `lib`, or the system's. */
bool install_find_zydis(const struct install *in, const char **path, struct error *err);

#endif
