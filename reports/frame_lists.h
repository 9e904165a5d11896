/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose errors count: by the libraries and sources of their topmost frames. */
#ifndef DRTOOLS_REPORTS_FRAME_LISTS_H
#define DRTOOLS_REPORTS_FRAME_LISTS_H

#include <stdbool.h>

struct stack;

/* Comma-separated patterns; a pattern without a slash is matched with the base name. NULL: no list. */
struct frame_lists {
    const char *lib_blocklist, *lib_allowlist, *src_allowlist;
    unsigned lib_blocklist_frames, lib_allowlist_frames, src_allowlist_frames; /* how many frames are looked at */
};

/* All frames looked at are in blocked libraries, or none is in an allowed one. */
bool frame_lists_exclude(const struct frame_lists *l, const struct stack *s);

#endif
