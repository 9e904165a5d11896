/* SPDX-License-Identifier: BSD-3-Clause */
/* Baselines: the fingerprints of an earlier JSON report of ours. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"

struct baseline {
    char **prints; /* sorted */
    size_t count, room;
};

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
take_prints(struct baseline *b, json_t *root, const char *path, char **error)
{
    json_t *errors = json_object_get(root, "errors");

    if (!json_is_array(errors)) {
        *error = memory_printf("%s: not a report of drtools: it has no list \"errors\"", path);
        return false;
    }
    for (size_t i = 0; i < json_array_size(errors); i++) {
        json_t *item = json_array_get(errors, i);
        const char *print = json_string_value(json_object_get(item, "fingerprint"));

        if (!print) {
            *error = memory_printf("%s: error %zu of the report has no fingerprint", path, i + 1);
            return false;
        }
        GROW(b->prints, b->count, b->room);
        b->prints[b->count++] = memory_string(print);
    }
    if (b->count)
        qsort(b->prints, b->count, sizeof *b->prints, by_text);
    return true;
}

struct baseline *
baseline_read(const char *path, char **error)
{
    struct baseline *b = memory_zalloc(1, sizeof *b);
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    bool good = false;

    if (!root && where.line > 0)
        *error = memory_printf("%s:%d: %s", path, where.line, where.text);
    else if (!root)
        *error = memory_printf("%s: %s", path, where.text);
    else
        good = take_prints(b, root, path, error);
    json_decref(root);
    if (good)
        return b;
    baseline_free(b);
    return NULL;
}

void
baseline_free(struct baseline *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        free(b->prints[i]);
    free(b->prints);
    free(b);
}

bool
baseline_has(const struct baseline *b, const char *fingerprint)
{
    return b->count && bsearch(&fingerprint, b->prints, b->count, sizeof *b->prints, by_text);
}
