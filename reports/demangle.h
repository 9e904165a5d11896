/* SPDX-License-Identifier: BSD-3-Clause */
/* C++ (Itanium) and Rust (legacy and v0) names as people write them. */
#ifndef DRTOOLS_REPORTS_DEMANGLE_H
#define DRTOOLS_REPORTS_DEMANGLE_H

#include <stdbool.h>

/* A new string, to be freed; a name that is not mangled is copied. */
char *demangle(const char *name, bool with_parameters);

#endif
