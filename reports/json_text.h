/* SPDX-License-Identifier: BSD-3-Clause */
/* A JSON string of text that may hold any bytes. */
#ifndef DRTOOLS_REPORTS_JSON_TEXT_H
#define DRTOOLS_REPORTS_JSON_TEXT_H

#include <jansson.h>
#include <stdlib.h>

#include "escape.h"

static inline json_t *
json_text(const char *s)
{
    char *valid = escape_utf8(s);
    json_t *text = json_string(valid);

    free(valid);
    return text;
}

#endif
