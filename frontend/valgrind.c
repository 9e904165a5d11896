/* SPDX-License-Identifier: BSD-3-Clause */
/* Each of Valgrind's options is a row: what it becomes, or that it may be left out.
 * docs/from-valgrind.md is written from this table. */
#include "valgrind.h"

#include <string.h>

#include "keep.h"
#include "options.h"
#include "tool.h"

enum becomes {
    NOTHING, /* it changes nothing that drmemory reports                   */
    VALUE,   /* the option `to`, with the value                             */
    YES_NO,  /* the flag `to`, or with -no_                                 */
    IF,      /* the word `to` if the value is one of `when`, or begins with it */
    REFUSED, /* what `to` says                                              */
};

/* clang-format off */
static const struct row {
    const char *name;
    enum becomes becomes;
    const char *to, *when;
} rows[] = {
    { "log-file", VALUE, "valgrind_log", NULL },
    { "xml-file", VALUE, "xml", NULL },
    { "suppressions", VALUE, "suppress", NULL },
    { "num-callers", VALUE, "callstack_max_frames", NULL },
    { "redzone-size", VALUE, "redzone_size", NULL },
    { "freelist-vol", VALUE, "delay_frees_bytes", NULL },
    { "error-exitcode", VALUE, "exit_code_if_errors", NULL },
    { "leak-check", IF, "-no_check_leaks", "no" },
    { "leak-check", IF, "-no_check_leaks", "summary" },
    { "show-reachable", YES_NO, "show_reachable", NULL },
    { "show-leak-kinds", IF, "-show_reachable", "all" },
    { "show-leak-kinds", IF, "-show_reachable", "*reachable" },
    { "show-possibly-lost", YES_NO, "possible_leaks", NULL },
    { "undef-value-errors", YES_NO, "check_uninitialized", NULL },
    { "track-origins", YES_NO, "origins", NULL },
    { "show-mismatched-frees", YES_NO, "check_mismatches", NULL },
    { "trace-children", YES_NO, "follow_children", NULL },
    { "default-suppressions", YES_NO, "default_suppress", NULL },
    { "color", IF, "-color=always", "yes" },
    { "tool", REFUSED, "only memcheck is there; drprof does what callgrind does, and `drrun -t cachesim` what cachegrind does", "memcheck" },
    { "xml", NOTHING, NULL, NULL },
    { "gen-suppressions", NOTHING, NULL, NULL },   /* suppress.txt always has them */
    { "leak-resolution", NOTHING, NULL, NULL }, { "leak-check-heuristics", NOTHING, NULL, NULL },
    { "errors-for-leak-kinds", NOTHING, NULL, NULL }, { "xtree-leak", NOTHING, NULL, NULL }, { "xtree-memory", NOTHING, NULL, NULL },
    { "expensive-definedness-checks", NOTHING, NULL, NULL }, { "partial-loads-ok", NOTHING, NULL, NULL },
    { "keep-stacktraces", NOTHING, NULL, NULL }, { "freelist-big-blocks", NOTHING, NULL, NULL },
    { "workaround-gcc296-bugs", NOTHING, NULL, NULL }, { "ignore-range-below-sp", NOTHING, NULL, NULL },
    { "malloc-fill", NOTHING, NULL, NULL }, { "free-fill", NOTHING, NULL, NULL }, { "alignment", NOTHING, NULL, NULL },
    { "child-silent-after-fork", NOTHING, NULL, NULL }, { "vgdb", NOTHING, NULL, NULL }, { "vgdb-error", NOTHING, NULL, NULL },
    { "track-fds", NOTHING, NULL, NULL }, { "time-stamp", NOTHING, NULL, NULL }, { "verbose", NOTHING, NULL, NULL },
    { "demangle", NOTHING, NULL, NULL }, { "error-limit", NOTHING, NULL, NULL }, { "show-below-main", NOTHING, NULL, NULL },
    { "fullpath-after", NOTHING, NULL, NULL }, { "extra-debuginfo-path", NOTHING, NULL, NULL },
    { "allow-mismatched-debuginfo", NOTHING, NULL, NULL }, { "input-fd", NOTHING, NULL, NULL }, { "dsymutil", NOTHING, NULL, NULL },
    { "max-stackframe", NOTHING, NULL, NULL }, { "main-stacksize", NOTHING, NULL, NULL }, { "max-threads", NOTHING, NULL, NULL },
    { "realloc-zero-bytes-frees", NOTHING, NULL, NULL }, { "smc-check", NOTHING, NULL, NULL }, { "read-inline-info", NOTHING, NULL, NULL },
    { "read-var-info", NOTHING, NULL, NULL }, { "run-libc-freeres", NOTHING, NULL, NULL }, { "run-cxx-freeres", NOTHING, NULL, NULL },
    { "sim-hints", NOTHING, NULL, NULL }, { "scheduling-quantum", NOTHING, NULL, NULL }, { "fair-sched", NOTHING, NULL, NULL },
    { "kernel-variant", NOTHING, NULL, NULL }, { "merge-recursive-frames", NOTHING, NULL, NULL }, { "num-transtab-sectors", NOTHING, NULL, NULL },
    { "avg-transtab-entry-size", NOTHING, NULL, NULL }, { "aspace-minaddr", NOTHING, NULL, NULL }, { "valgrind-stacksize", NOTHING, NULL, NULL },
    { "show-emwarns", NOTHING, NULL, NULL }, { "require-text-symbol", NOTHING, NULL, NULL }, { "soname-synonyms", NOTHING, NULL, NULL },
    { "sigill-diagnostics", NOTHING, NULL, NULL }, { "unw-stack-scan-thresh", NOTHING, NULL, NULL }, { "command-line-only", NOTHING, NULL, NULL },
    { "exit-on-first-error", REFUSED, "drmemory has no such option; use -exit_code_if_errors", "no" },
    { "trace-children-skip", REFUSED, "`drconfig -norun APP` has programs of a name run natively", "" },
    { "log-fd", REFUSED, "name a file by --log-file", "2" },
    { "log-socket", REFUSED, "name a file by --log-file", "" },
    { "xml-fd", REFUSED, "name a file by --xml-file", "" },
};
/* clang-format on */

static const struct row *
find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
            return &rows[i];
    return NULL;
}

/* One of ours, or one that the tool lists; what neither has is nothing that could be turned on or off. */
static bool
is_known(const struct tool *tool, const char *option)
{
    struct option_word ours;
    bool on;

    return option_read(FOR_DRRUN, option, &ours) || tool_option_find(tool, option, &on);
}

static void
add(struct words *out, const struct tool *tool, const char *option, const char *value)
{
    if (!is_known(tool, option))
        return;
    words_add(out, option);
    if (value)
        words_add(out, value);
}

/* "*WORD": the value has the word in it. */
static bool
value_is(const char *value, const char *when)
{
    return when[0] == '*' ? strstr(value, when + 1) != NULL : strcmp(value, when) == 0;
}

static bool
translate(const struct row *row, const char *value, const struct tool *tool, struct words *out, struct error *err)
{
    bool yes = strcmp(value, "no") != 0;

    switch (row->becomes) {
    case NOTHING: break;
    case VALUE: add(out, tool, keep_printf("-%s", row->to), value); break;
    case YES_NO: add(out, tool, keep_printf("-%s%s", yes ? "" : "no_", row->to), NULL); break;
    case IF:
        if (value_is(value, row->when))
            add(out, tool, row->to, NULL);
        break;
    case REFUSED:
        if (strcmp(value, row->when) != 0)
            return error_set(err, STATUS_USAGE, "--%s=%s: %s", row->name, value, row->to);
        break;
    }
    return true;
}

static bool
read_word(const char *word, const struct tool *tool, struct words *out, bool *quiet, bool *to_file, struct error *err)
{
    const char *name = word + 2, *value = option_inline_value(word);
    size_t length = strcspn(name, "=");
    const struct row *row;

    if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0)
        return *quiet = true;
    if (strcmp(word, "-v") == 0 || strcmp(word, "-d") == 0)
        return true;
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "--version") == 0) {
        words_add(out, strcmp(word, "--version") == 0 ? "-version" : "-help");
        return true;
    }
    row = strncmp(word, "--", 2) == 0 ? find_row(name, length) : NULL;
    if (!row)
        return error_set(err, STATUS_USAGE, "there is no option %s; docs/from-valgrind.md lists what is understood", word);
    if (strcmp(row->name, "error-exitcode") == 0 && value && strcmp(value, "0") == 0)
        return true;
    *to_file |= strcmp(row->name, "log-file") == 0 || strcmp(row->name, "xml-file") == 0;
    for (; row < rows + sizeof rows / sizeof *rows && strncmp(row->name, name, length) == 0 && !row->name[length]; row++)
        if (!translate(row, value ? value : "yes", tool, out, err))
            return false;
    return true;
}

bool
valgrind_words(const struct install *in, char ***words, struct error *err)
{
    bool quiet = false, to_file = false;
    struct words *out = keep_bytes(sizeof *out);
    char **word = *words;
    struct tool tool;

    if (!tool_find(&tool, in, "drmemory", err))
        return false;
    words_add(out, "-prefix_style");
    words_add(out, "3");
    words_add(out, "-no_follow_children");
    for (; *word && (*word)[0] == '-' && strcmp(*word, "--") != 0; word++)
        if (!read_word(*word, &tool, out, &quiet, &to_file, err))
            return false;
    if (to_file)
        words_add(out, "-quiet");
    else if (quiet)
        words_add(out, "-no_summary");
    words_add(out, "--");
    for (word += *word && strcmp(*word, "--") == 0; *word; word++)
        words_add(out, *word);
    *words = out->v;
    return true;
}
