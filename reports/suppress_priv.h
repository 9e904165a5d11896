/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_REPORTS_SUPPRESS_PRIV_H
#define DRTOOLS_REPORTS_SUPPRESS_PRIV_H

#include "suppress.h"

enum pattern_kind {
    PATTERN_FUNCTION,      /* module!function                   */
    PATTERN_OFFSET,        /* <module+offset>                   */
    PATTERN_ANY,           /* *                                 */
    PATTERN_ELLIPSIS,      /* any number of frames              */
    PATTERN_MODULE_FRAMES, /* module!...: one frame or more     */
    PATTERN_SYSTEM_CALL,
    PATTERN_NO_MODULE,
    PATTERN_VALGRIND_FUN,
    PATTERN_VALGRIND_OBJ,
    PATTERN_VALGRIND_SRC,
};

struct pattern {
    enum pattern_kind kind;
    char *module;   /* or object or source file */
    char *function; /* or offset or line        */
};

struct rule {
    struct suppression shown; /* must be first */
    unsigned kinds;           /* bits 1 << enum finding_kind */
    unsigned accesses;        /* bits 1 << enum record_access; 0: all */
    char *name, *file, *instruction, *param;
    uint64_t size; /* of Addr4 and the like; 0: any */
    struct pattern *patterns;
    size_t pattern_count, pattern_room;
};

struct suppressions {
    struct rule **rules;
    size_t count, room;
};

void rule_free(struct rule *rule);

#endif
