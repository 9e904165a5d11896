/* SPDX-License-Identifier: BSD-3-Clause */
/* Matching a stack's topmost frames with lists of patterns. */
#include "frame_lists.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"

static bool
in_list(const char *list, const char *path)
{
    const char *base = path && strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

    for (; path && *list; list += strcspn(list, ","), list += *list == ',') {
        char *pattern = memory_string_n(list, strcspn(list, ","));
        bool match = wildcard_match(pattern, strchr(pattern, '/') ? path : base);

        free(pattern);
        if (match)
            return true;
    }
    return false;
}

/* How many of the first `most` frames of code are looked at, and how many of them are in the list. */
static unsigned
count(const struct stack *s, unsigned most, const char *list, bool sources, unsigned *looked_at)
{
    unsigned found = 0;

    *looked_at = 0;
    for (size_t i = 0; i < s->count && *looked_at < most; i++) {
        if (s->frames[i].system_call)
            continue;
        ++*looked_at;
        found += in_list(list, sources ? s->frames[i].file : s->frames[i].path);
    }
    return found;
}

bool
frame_lists_exclude(const struct frame_lists *l, const struct stack *s)
{
    unsigned n;

    if (l->lib_blocklist && count(s, l->lib_blocklist_frames, l->lib_blocklist, false, &n) == n && n)
        return true;
    if (l->lib_allowlist && count(s, l->lib_allowlist_frames, l->lib_allowlist, false, &n) == 0)
        return true;
    return l->src_allowlist && count(s, l->src_allowlist_frames, l->src_allowlist, true, &n) == 0;
}
