/* SPDX-License-Identifier: BSD-3-Clause */
/* Demangling by libiberty, whose own recursion limit is left on. */
#include "demangle.h"

#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "memory.h"

enum { LONGEST = 1 << 16 };

char *
demangle(const char *name, bool with_parameters)
{
    int options = DMGL_AUTO | DMGL_ANSI | (with_parameters ? DMGL_PARAMS : 0);
    char *plain = NULL;

    if (strnlen(name, LONGEST) < LONGEST)
        plain = cplus_demangle(name, options);
    return plain ? plain : memory_string(name);
}
