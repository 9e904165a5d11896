/* What a trace says, for people and as JSON. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRACE_VIEW_H
#define DRTOOLS_TRACE_VIEW_H

#include <stdbool.h>
#include <stdio.h>

/* A summary of the trace at `path`. `progress`: a line on the console while it takes long. False: *error. */
bool trace_view(const char *path, bool json, bool progress, FILE *out, char *error, size_t error_size);
/* Every reference, a line each, as lackey writes them: I, L, S or M, address, size. Markers begin with #. */
bool trace_list(const char *path, FILE *out, char *error, size_t error_size);

#endif
