/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of options. The command line, configuration files, `-help`,
 * the man pages, shell completion and the engine's configuration all come
 * from it: a new option is a new row, and rarely anything else. */
#ifndef DRTOOLS_FRONTEND_OPTIONS_H
#define DRTOOLS_FRONTEND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum option_id {
    OPT_TOOL,
    OPT_QUIET,
    OPT_LOGDIR,
    OPT_LOG,
    OPT_STATS,
    OPT_COLOR,
    OPT_RESULTS_TO_STDERR,
    OPT_SUMMARY,
    OPT_BRIEF,
    OPT_PREFIX_STYLE,
    OPT_SHOW_REACHABLE,
    OPT_SUPPRESS,
    OPT_DEFAULT_SUPPRESS,
    OPT_GEN_SUPPRESS_SYMS,
    OPT_GEN_SUPPRESS_OFFS,
    OPT_UNUSED_SUPPRESSIONS,
    OPT_LIB_BLOCKLIST,
    OPT_LIB_BLOCKLIST_FRAMES,
    OPT_LIB_ALLOWLIST,
    OPT_LIB_ALLOWLIST_FRAMES,
    OPT_SRC_ALLOWLIST,
    OPT_SRC_ALLOWLIST_FRAMES,
    OPT_EXIT_CODE_IF_ERRORS,
    OPT_EXIT0,
    OPT_BASELINE,
    OPT_JSON,
    OPT_SARIF,
    OPT_JUNIT,
    OPT_XML,
    OPT_HTML,
    OPT_VALGRIND_LOG,
    OPT_RECORD,
    OPT_REPLAY,
    OPT_SYMCACHE_DIR,
    OPT_BATCH,
    OPT_FOLLOW_CHILDREN,
    OPT_CONF,
    OPT_CACHE_MAX,
    OPT_TRACES,
    OPT_TRACE_THRESHOLD,
    OPT_NATIVE_FROM,
    OPT_REG,
    OPT_UNREG,
    OPT_NORUN,
    OPT_LIST,
    OPT_GLOBAL,
    OPT_NUDGE,
    OPT_VERSION,
    OPT_HELP,
    OPT_COUNT
};

enum shape {
    SHAPE_FLAG,   /* -name and -no_name; the value is "1" or "0"    */
    SHAPE_ACTION, /* -name, without a value or a negation           */
    SHAPE_NUMBER, /* decimal                                        */
    SHAPE_SIZE,   /* decimal with an optional K, M or G             */
    SHAPE_DIR,
    SHAPE_CHOICE, /* one of the words in `arg`, separated by '|'    */
    SHAPE_WORD,
    SHAPE_WORDS, /* may be repeated: the value has one a line      */
    SHAPE_STATUS, /* 0 … 255                                      */
    SHAPE_TOOL, /* starts a tool's own options                    */
};

/* Commands an option belongs to, as bits; drmemory and drprof take drrun's. */
enum { FOR_DRRUN = 1, FOR_DRCONFIG = 2, FOR_BOTH = FOR_DRRUN | FOR_DRCONFIG };

struct option {
    const char *name; /* without its dash */
    enum shape shape;
    const char *arg;      /* how the value is shown; NULL: takes none */
    const char *fallback; /* value when not given; NULL: none */
    const char *group;    /* heading in -help; rows of a group are adjacent */
    unsigned commands;
    const char *key;  /* in the engine's configuration; NULL: not the engine's */
    const char *help; /* for a flag that is on by default: what -no_NAME does */
};

extern const struct option options[OPT_COUNT];

/* What a word such as "-cache_max", "--cache-max=64M" or "-no_traces" says.
 * True if it is an option of one of `commands`. `value` is what follows '=',
 * or "1"/"0" for a flag, or NULL. */
struct option_word {
    enum option_id id;
    const char *value;
};

bool option_read(unsigned commands, const char *word, struct option_word *out);

/* The option's spelling as the user would type it, with dash and "no_". */
const char *option_spelling(const struct option *o);
bool option_on_by_default(const struct option *o);
/* May it stand in a configuration file? Those drconfig takes, except the ones about the files themselves. */
/* In -help, man page and completion of the commands `commands`. */
bool option_is_listed(const struct option *o, unsigned commands);
bool option_is_stored(const struct option *o);

/* The name in `word`, an option's: dashes stripped, '-' inside read as '_', "=VALUE" dropped. */
char *option_name(const char *word);
/* What follows '=' in `word`; NULL without. */
const char *option_inline_value(const char *word);

/* Checks `value` against `shape` (and `arg`, for choices); `what` names the option in the message. */
bool value_check(enum shape shape, const char *arg, const char *what, const char *value, struct error *err);
/* Decimal with K, M or G to a number. False: malformed or beyond 64 bits. */
bool size_parse(const char *value, unsigned long long *out);

#endif
