/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of options, how a word is matched to a row of it, and how
 * values are checked. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"

#define TOOLS    "Tools"
#define OUTPUT   "Output"
#define REPORTS  "Reports"
#define LAUNCH   "Programs it starts"
#define CACHE    "Code cache"
#define UNLISTED ""         /* accepted, and shown nowhere */
#define REGISTER "Registering programs"
#define RUNNING  "Programs that run already"
#define HELP     "Help"

/* clang-format off */
const struct option options[OPT_COUNT] = {
    [OPT_TOOL] = { "t", SHAPE_TOOL, "TOOL", NULL, TOOLS, FOR_BOTH, NULL,
        "run TOOL, a name or the path of a shared object; the options that follow, up to the next -t "
        "or --, are the tool's own. May be repeated. Alone: list the tools there are" },

    [OPT_QUIET] = { "quiet", SHAPE_FLAG, NULL, "0", OUTPUT, FOR_BOTH, "quiet",
        "add nothing to the program's output: notes go to the log only" },
    [OPT_LOGDIR] = { "logdir", SHAPE_DIR, "DIR", NULL, OUTPUT, FOR_BOTH, "logdir",
        "write logs into DIR, created if missing; without it there are none" },
    [OPT_LOG] = { "log", SHAPE_WORD, "SUBJECT[,...]", NULL, OUTPUT, FOR_BOTH, "log",
        "log these subjects of the engine's in detail" },
    [OPT_STATS] = { "stats", SHAPE_FLAG, NULL, "0", OUTPUT, FOR_BOTH, "stats",
        "print statistics at exit: fragments, cost of translation, cache bytes" },
    [OPT_COLOR] = { "color", SHAPE_CHOICE, "auto|always|never", "auto", OUTPUT, FOR_BOTH, NULL,
        "colour notes on the console; auto: if standard error is a terminal and NO_COLOR is not set" },

    [OPT_RESULTS_TO_STDERR] = { "results_to_stderr", SHAPE_FLAG, NULL, "1", REPORTS, FOR_BOTH, NULL,
        "show no errors on the console, just the summary" },
    [OPT_SUMMARY] = { "summary", SHAPE_FLAG, NULL, "1", REPORTS, FOR_BOTH, NULL, "show no summary on the console" },
    [OPT_BRIEF] = { "brief", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, NULL, "leave notes and addresses out of the text" },
    [OPT_PREFIX_STYLE] = { "prefix_style", SHAPE_CHOICE, "0|1|2|3", "0", REPORTS, FOR_BOTH, NULL,
        "what lines on the console begin with: 0 the tool's mark, 1 the process' number, 2 nothing, "
        "3 the process' number as Valgrind has it" },
    [OPT_SHOW_REACHABLE] = { "show_reachable", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, NULL,
        "report, and count, memory that is still reachable at the end" },
    [OPT_SUPPRESS] = { "suppress", SHAPE_WORDS, "FILE", NULL, REPORTS, FOR_BOTH, NULL,
        "hide the errors that FILE describes, in Dr. Memory's or Valgrind's syntax. May be repeated" },
    [OPT_DEFAULT_SUPPRESS] = { "default_suppress", SHAPE_FLAG, NULL, "1", REPORTS, FOR_BOTH, NULL,
        "do not read the suppressions that come with drtools" },
    [OPT_GEN_SUPPRESS_SYMS] = { "gen_suppress_syms", SHAPE_FLAG, NULL, "1", REPORTS, FOR_BOTH, NULL,
        "write no suppressions by symbol into suppress.txt" },
    [OPT_GEN_SUPPRESS_OFFS] = { "gen_suppress_offs", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, NULL,
        "write suppressions by offset into suppress.txt" },
    [OPT_UNUSED_SUPPRESSIONS] = { "unused_suppressions", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, NULL,
        "list at the end which suppressions hid nothing" },
    [OPT_LIB_BLOCKLIST] = { "lib_blocklist", SHAPE_WORD, "PATTERN[,...]", NULL, REPORTS, FOR_BOTH, NULL,
        "put errors whose topmost frames are all in these libraries into potential_errors.txt, and do not count them" },
    [OPT_LIB_BLOCKLIST_FRAMES] = { "lib_blocklist_frames", SHAPE_NUMBER, "N", "4", REPORTS, FOR_BOTH, NULL, "how many frames -lib_blocklist looks at" },
    [OPT_LIB_ALLOWLIST] = { "lib_allowlist", SHAPE_WORD, "PATTERN[,...]", NULL, REPORTS, FOR_BOTH, NULL,
        "… errors none of whose topmost frames is in one of these libraries" },
    [OPT_LIB_ALLOWLIST_FRAMES] = { "lib_allowlist_frames", SHAPE_NUMBER, "N", "4", REPORTS, FOR_BOTH, NULL, "how many frames -lib_allowlist looks at" },
    [OPT_SRC_ALLOWLIST] = { "src_allowlist", SHAPE_WORD, "PATTERN[,...]", NULL, REPORTS, FOR_BOTH, NULL,
        "… errors none of whose topmost frames is in one of these source files" },
    [OPT_SRC_ALLOWLIST_FRAMES] = { "src_allowlist_frames", SHAPE_NUMBER, "N", "4", REPORTS, FOR_BOTH, NULL, "how many frames -src_allowlist looks at" },
    [OPT_EXIT_CODE_IF_ERRORS] = { "exit_code_if_errors", SHAPE_STATUS, "N", NULL, REPORTS, FOR_BOTH, "gate",
        "exit with status N if the program or one that it started, and that has ended, has errors, or if the report is not complete" },
    [OPT_EXIT0] = { "exit0", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, "exit0", "exit with status 0, whatever the program's is" },
    [OPT_BASELINE] = { "baseline", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL,
        "count only errors that are not in FILE, an earlier JSON report" },
    [OPT_JSON] = { "json", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL,
        "write the report as JSON to FILE; in this and the next five %p stands for the process' number, and makes a file each" },
    [OPT_SARIF] = { "sarif", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL, "… as SARIF 2.1.0" },
    [OPT_JUNIT] = { "junit", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL, "… as JUnit XML" },
    [OPT_XML] = { "xml", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL, "… as Valgrind's XML, protocol 4" },
    [OPT_HTML] = { "html", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL, "… as a page to look at" },
    [OPT_VALGRIND_LOG] = { "valgrind_log", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL, "… as text in Memcheck's words" },
    [OPT_RECORD] = { "record", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_BOTH, NULL,
        "keep what the program's processes tell in FILE, for -replay" },
    [OPT_REPLAY] = { "replay", SHAPE_WORD, "FILE", NULL, REPORTS, FOR_DRRUN, NULL,
        "run nothing: report what is in FILE again, as the other options say" },
    [OPT_SYMCACHE_DIR] = { "symcache_dir", SHAPE_WORD, "DIR", NULL, REPORTS, FOR_BOTH, NULL,
        "accepted for CTest; symbols are found fast enough without a cache" },
    [OPT_BATCH] = { "batch", SHAPE_FLAG, NULL, "0", REPORTS, FOR_BOTH, NULL, "accepted for CTest; nothing is ever asked" },

    [OPT_FOLLOW_CHILDREN] = { "follow_children", SHAPE_FLAG, NULL, "1", LAUNCH, FOR_BOTH, "follow",
        "of the programs APP executes, run only those registered with drconfig under the translator" },
    [OPT_CONF] = { "conf", SHAPE_FLAG, NULL, "1", LAUNCH, FOR_DRRUN, NULL,
        "ignore the configuration files that drconfig writes" },

    [OPT_CACHE_MAX] = { "cache_max", SHAPE_SIZE, "SIZE", NULL, CACHE, FOR_BOTH, "cache_max",
        "limit the code cache to SIZE bytes, or with a suffix K, M or G" },
    [OPT_TRACES] = { "traces", SHAPE_FLAG, NULL, "1", UNLISTED, FOR_BOTH, "traces", "for traces, which are not built" },
    [OPT_TRACE_THRESHOLD] = { "trace_threshold", SHAPE_NUMBER, "N", NULL, UNLISTED, FOR_BOTH, "trace_threshold", "for traces, which are not built" },
    [OPT_NATIVE_FROM] = { "native_from", SHAPE_NUMBER, "N", NULL, CACHE, FOR_BOTH, "native_from",
        "for finding faults of the translator by bisection: from block number N on, run one "
        "instruction at a time" },

    [OPT_REG] = { "reg", SHAPE_WORD, "APP", NULL, REGISTER, FOR_DRCONFIG, NULL,
        "register programs named APP: the options and tools that follow become their defaults, and they "
        "are followed even with -no_follow_children" },
    [OPT_UNREG] = { "unreg", SHAPE_WORD, "APP", NULL, REGISTER, FOR_DRCONFIG, NULL,
        "remove what -reg or -norun recorded about APP" },
    [OPT_NORUN] = { "norun", SHAPE_WORD, "APP", NULL, REGISTER, FOR_DRCONFIG, NULL,
        "do not follow into programs named APP: they run natively" },
    [OPT_LIST] = { "list", SHAPE_ACTION, NULL, NULL, REGISTER, FOR_DRCONFIG, NULL,
        "list what is registered, as the commands that would register it again" },
    [OPT_GLOBAL] = { "global", SHAPE_FLAG, NULL, "0", REGISTER, FOR_DRCONFIG, NULL,
        "work on the registrations for all users, instead of one's own" },

    [OPT_NUDGE] = { "nudge", SHAPE_NUMBER, "PID", NULL, RUNNING, FOR_BOTH, NULL,
        "run nothing: have the tools in process PID, which runs under drtools, report now; it goes on" },

    [OPT_VERSION] = { "version", SHAPE_ACTION, NULL, NULL, HELP, FOR_BOTH, NULL, "print the version" },
    [OPT_HELP] = { "help", SHAPE_ACTION, NULL, NULL, HELP, FOR_BOTH, NULL,
        "print this list; after -t TOOL: the tool's options" },
};

/* clang-format on */

bool
option_on_by_default(const struct option *o)
{
    return o->shape == SHAPE_FLAG && strcmp(o->fallback, "1") == 0;
}

const char *
option_spelling(const struct option *o)
{
    return keep_printf("-%s%s", option_on_by_default(o) ? "no_" : "", o->name);
}

bool
option_is_listed(const struct option *o, unsigned commands)
{
    return (o->commands & commands) && *o->group;
}

bool
option_is_stored(const struct option *o)
{
    return (o->commands & FOR_DRCONFIG) && o->shape != SHAPE_TOOL && o->shape != SHAPE_ACTION &&
           strcmp(o->group, REGISTER) != 0 && strcmp(o->group, RUNNING) != 0;
}

char *
option_name(const char *word)
{
    char *name;

    word += word[0] == '-';
    word += word[0] == '-';
    name = keep_slice(word, strcspn(word, "="));
    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
    return name;
}

const char *
option_inline_value(const char *word)
{
    const char *equals = strchr(word, '=');

    return equals ? equals + 1 : NULL;
}

static bool
find(unsigned commands, const char *name, enum option_id *out)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if ((options[i].commands & commands) && strcmp(options[i].name, name) == 0) {
            *out = (enum option_id)i;
            return true;
        }
    return false;
}

bool
option_read(unsigned commands, const char *word, struct option_word *out)
{
    const char *name = option_name(word);

    out->value = option_inline_value(word);
    if (find(commands, name, &out->id)) {
        if (options[out->id].shape == SHAPE_FLAG && !out->value)
            out->value = "1";
        return true;
    }
    if (strncmp(name, "no_", 3) == 0 && !out->value && find(commands, name + 3, &out->id)) {
        out->value = "0";
        return options[out->id].shape == SHAPE_FLAG;
    }
    return false;
}

/* Digits only: strtoull alone would take a sign and leading blanks. */
static bool
number_parse(const char *value, unsigned long long *out, char **end)
{
    if (!isdigit((unsigned char)value[0]))
        return false;
    errno = 0;
    *out = strtoull(value, end, 10);
    return errno == 0;
}

bool
size_parse(const char *value, unsigned long long *out)
{
    static const char suffixes[] = "KMG";
    const char *suffix;
    unsigned shift;
    char *end;

    if (!number_parse(value, out, &end))
        return false;
    if (!*end)
        return true;
    suffix = strchr(suffixes, toupper((unsigned char)*end));
    if (!suffix || end[1])
        return false;
    shift = 10 * (unsigned)(suffix - suffixes + 1);
    if (*out > ~0ULL >> shift)
        return false;
    *out <<= shift;
    return true;
}

static bool
is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *c = choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (length == strcspn(c, "|") && strncmp(c, value, length) == 0)
            return true;
    return false;
}

bool
value_check(enum shape shape, const char *arg, const char *what, const char *value, struct error *err)
{
    unsigned long long number;
    char *end;

    switch (shape) {
    case SHAPE_FLAG:
        return is_choice("0|1", value) ||
               error_set(err, STATUS_USAGE, "%s must be 0 or 1, not '%s'", what, value);
    case SHAPE_NUMBER:
        return (number_parse(value, &number, &end) && !*end) ||
               error_set(err, STATUS_USAGE, "%s takes a number, not '%s'", what, value);
    case SHAPE_STATUS:
        return (number_parse(value, &number, &end) && !*end && number < 256) ||
               error_set(err, STATUS_USAGE, "%s takes an exit status, 0 to 255, not '%s'", what, value);
    case SHAPE_SIZE:
        return size_parse(value, &number) ||
               error_set(err, STATUS_USAGE, "%s takes a size such as 65536, 512K or 64M, not '%s'", what,
                         value);
    case SHAPE_CHOICE:
        return is_choice(arg, value) ||
               error_set(err, STATUS_USAGE, "%s is one of %s, not '%s'", what, arg, value);
    case SHAPE_ACTION: return error_set(err, STATUS_USAGE, "%s takes no value", what);
    default: return *value || error_set(err, STATUS_USAGE, "%s takes %s, not an empty word", what, arg);
    }
}
