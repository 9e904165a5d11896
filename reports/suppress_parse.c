/* SPDX-License-Identifier: BSD-3-Clause */
/* The parser of suppression files, Dr. Memory's syntax and Valgrind's {} blocks mixed freely.
 * Invariant: a file is added whole or not at all, and the first mistake is named
 *            with its line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"
#include "suppress_priv.h"

enum { MAX_LINE = 1 << 16, MAX_FILE = 64 << 20, VALGRIND_FRAMES = 24 };

struct parser {
    const char *file;
    const char *at, *end;
    unsigned line;
    char *error;
    struct suppressions *into;
    struct rule *rule; /* being read */
    char *text;        /* the current line, trimmed */
};

static bool
mistake(struct parser *p, unsigned line, const char *what, const char *about)
{
    if (!p->error)
        p->error = memory_printf("%s:%u: %s%s%.200s%s", p->file, line, what, about ? " \"" : "",
                                 about ? about : "", about ? "\"" : "");
    return false;
}

/* The next line, without blanks around it; false at the end. */
static bool
next_line(struct parser *p)
{
    const char *newline, *end;

    free(p->text);
    p->text = NULL;
    if (p->at >= p->end || p->error)
        return false;
    newline = memchr(p->at, '\n', (size_t)(p->end - p->at));
    end = newline ? newline : p->end;
    p->line++;
    while (p->at < end && strchr(" \t\r", *p->at) && *p->at)
        p->at++;
    while (end > p->at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    if (end - p->at > MAX_LINE)
        return mistake(p, p->line, "the line is too long", NULL);
    if (memchr(p->at, 0, (size_t)(end - p->at)))
        return mistake(p, p->line, "the line holds a NUL: is this a text file?", NULL);
    p->text = memory_string_n(p->at, (size_t)(end - p->at));
    p->at = newline ? newline + 1 : p->end;
    return true;
}

/* The next line that is neither empty nor a comment. */
static bool
next_content(struct parser *p)
{
    while (next_line(p))
        if (*p->text && *p->text != '#')
            return true;
    return false;
}

static void
begin(struct parser *p, unsigned kinds)
{
    p->rule = memory_zalloc(1, sizeof *p->rule);
    p->rule->kinds = kinds;
    p->rule->shown.line = p->line;
    p->rule->file = memory_string(p->file);
}

static struct pattern *
add_pattern(struct rule *rule, enum pattern_kind kind)
{
    GROW(rule->patterns, rule->pattern_count, rule->pattern_room);
    rule->patterns[rule->pattern_count] = (struct pattern){kind, NULL, NULL};
    return &rule->patterns[rule->pattern_count++];
}

/* ---- Dr. Memory's syntax ---- */

#define BIT(kind) (1u << FINDING_##kind)

/* A plain leak covers what hangs off it and the doubtful forms of it. */
static const struct {
    const char *name;
    unsigned kinds;
} types[] = {
    {"UNADDRESSABLE ACCESS", BIT(UNADDRESSABLE)},
    {"UNINITIALIZED READ", BIT(UNINITIALIZED)},
    {"INVALID HEAP ARGUMENT", BIT(INVALID_HEAP_ARGUMENT)},
    {"WARNING", BIT(WARNING) | BIT(OVERLAP)},
    {"OVERLAP", BIT(OVERLAP)},
    {"LEAK", BIT(LEAK) | BIT(INDIRECT_LEAK) | BIT(POSSIBLE_LEAK) | BIT(REACHABLE_LEAK)},
    {"INDIRECT LEAK", BIT(INDIRECT_LEAK)},
    {"POSSIBLE LEAK", BIT(POSSIBLE_LEAK)},
    {"REACHABLE LEAK", BIT(REACHABLE_LEAK)},
    /* Windows only: accepted, so that a shared file can be used, and matching nothing. */
    {"GDI USAGE ERROR", 0},
    {"HANDLE LEAK", 0},
};

/* Index in types, or -1. What follows the type, as in a copied title, is ignored. */
static int
find_type(const char *text)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].name);

        if (strncmp(text, types[i].name, n) == 0 && (text[n] == 0 || text[n] == ' ' || text[n] == ':'))
            return (int)i;
    }
    return -1;
}

static bool
parse_offset_frame(struct parser *p)
{
    char *text = p->text + 1, *plus = strrchr(text, '+');
    size_t n = strlen(text);
    struct pattern *f;

    if (n == 0 || text[n - 1] != '>')
        return mistake(p, p->line, "a frame that starts with < must end with >:", p->text);
    text[n - 1] = 0;
    if (strcmp(text, "not in a module") == 0) {
        add_pattern(p->rule, PATTERN_NO_MODULE);
        return true;
    }
    if (!plus || plus == text || !plus[1])
        return mistake(p, p->line, "expected <module+offset>, not", p->text);
    f = add_pattern(p->rule, PATTERN_OFFSET);
    f->module = memory_string_n(text, (size_t)(plus - text));
    f->function = memory_string(plus + 1);
    return true;
}

static bool
parse_frame(struct parser *p)
{
    char *bang = strchr(p->text, '!');
    struct pattern *f;

    if (strcmp(p->text, "...") == 0) {
        add_pattern(p->rule, PATTERN_ELLIPSIS);
    } else if (strcmp(p->text, "*") == 0) {
        add_pattern(p->rule, PATTERN_ANY);
    } else if (strncmp(p->text, "system call ", 12) == 0) {
        add_pattern(p->rule, PATTERN_SYSTEM_CALL)->function = memory_string(p->text + 12);
    } else if (p->text[0] == '<') {
        return parse_offset_frame(p);
    } else if (!bang || bang == p->text || !bang[1]) {
        return mistake(p, p->line, "expected a frame such as module!function, <module+offset> or ..., not",
                       p->text);
    } else {
        bool all = strcmp(bang + 1, "...") == 0;

        f = add_pattern(p->rule, all ? PATTERN_MODULE_FRAMES : PATTERN_FUNCTION);
        f->module = memory_string_n(p->text, (size_t)(bang - p->text));
        f->function = all ? NULL : memory_string(bang + 1);
    }
    return true;
}

static bool
parse_line(struct parser *p)
{
    struct rule *rule = p->rule;

    if (strncmp(p->text, "name=", 5) == 0) {
        if (rule->name || rule->pattern_count)
            return mistake(p, p->line, "name= belongs right after the type, once", NULL);
        rule->name = memory_string(p->text + 5);
        return true;
    }
    if (strncmp(p->text, "instruction=", 12) == 0) {
        if (rule->kinds & ~(BIT(UNADDRESSABLE) | BIT(UNINITIALIZED)))
            return mistake(p, p->line, "instruction= is for UNADDRESSABLE ACCESS and UNINITIALIZED READ only",
                           NULL);
        if (rule->instruction || rule->pattern_count)
            return mistake(p, p->line, "instruction= belongs before the frames, once", NULL);
        rule->instruction = memory_string(p->text + 12);
        return true;
    }
    return parse_frame(p);
}

static bool
finish_rule(struct parser *p)
{
    struct rule *rule = p->rule;

    if (!rule)
        return true;
    if (rule->pattern_count == 0)
        return mistake(p, rule->shown.line, "the suppression has no frames", NULL);
    if (rule->patterns[rule->pattern_count - 1].kind == PATTERN_ELLIPSIS)
        return mistake(
            p, rule->shown.line,
            "the suppression ends in \"...\", which means nothing: stacks match by their first frames", NULL);
    if (!rule->name)
        rule->name = memory_printf("<line %u of %s>", rule->shown.line, p->file);
    rule->shown.name = rule->name;
    rule->shown.file = rule->file;
    GROW(p->into->rules, p->into->count, p->into->room);
    p->into->rules[p->into->count++] = rule;
    p->rule = NULL;
    return true;
}

/* ---- Valgrind's syntax ---- */

static unsigned
trailing_number(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(text, prefix, n) != 0 || !text[n] || strspn(text + n, "0123456789") != strlen(text + n))
        return 0;
    return (unsigned)atoi(text + n);
}

static bool
set_valgrind_kind(struct parser *p, const char *kind)
{
    struct rule *rule = p->rule;

    rule->size = trailing_number(kind, "Addr");
    if (rule->size)
        rule->kinds = BIT(UNADDRESSABLE),
        rule->accesses = 1u << ACCESS_READ | 1u << ACCESS_WRITE | 1u << ACCESS_NONE;
    else if (strcmp(kind, "Jump") == 0)
        rule->kinds = BIT(UNADDRESSABLE), rule->accesses = 1u << ACCESS_JUMP;
    else if (strcmp(kind, "Param") == 0)
        rule->kinds = BIT(UNINITIALIZED) | BIT(UNADDRESSABLE), rule->accesses = 1u << ACCESS_SYSCALL;
    else if (strcmp(kind, "Cond") == 0 || strcmp(kind, "Value0") == 0)
        rule->kinds = BIT(UNINITIALIZED);
    else if (trailing_number(kind, "Value"))
        rule->kinds = BIT(UNINITIALIZED);
    else if (strcmp(kind, "Free") == 0)
        rule->kinds = BIT(INVALID_HEAP_ARGUMENT);
    else if (strcmp(kind, "Leak") == 0)
        rule->kinds = BIT(LEAK) | BIT(INDIRECT_LEAK) | BIT(POSSIBLE_LEAK) | BIT(REACHABLE_LEAK);
    else if (strcmp(kind, "Overlap") == 0)
        rule->kinds = BIT(OVERLAP) | BIT(WARNING);
    else if (strcmp(kind, "FishyValue") == 0 || strcmp(kind, "ReallocZero") == 0)
        rule->kinds = BIT(WARNING) | BIT(INVALID_HEAP_ARGUMENT);
    else if (strcmp(kind, "CoreMem") != 0 && strcmp(kind, "User") != 0 && strcmp(kind, "Mempool") != 0)
        return mistake(p, p->line, "unknown kind of Memcheck error", kind);
    return true;
}

static bool
parse_leak_kinds(struct parser *p, char *list)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } names[] = {{"definite", BIT(LEAK)},
                 {"indirect", BIT(INDIRECT_LEAK)},
                 {"possible", BIT(POSSIBLE_LEAK)},
                 {"reachable", BIT(REACHABLE_LEAK)},
                 {"none", 0},
                 {"all", ~0u}};

    char *rest = NULL;

    p->rule->kinds = 0;
    for (char *word = strtok_r(list, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest)) {
        size_t i = 0;

        while (i < sizeof names / sizeof *names && strcmp(names[i].name, word) != 0)
            i++;
        if (i == sizeof names / sizeof *names)
            return mistake(p, p->line, "unknown kind of leak", word);
        p->rule->kinds |=
            names[i].kinds & (BIT(LEAK) | BIT(INDIRECT_LEAK) | BIT(POSSIBLE_LEAK) | BIT(REACHABLE_LEAK));
    }
    return true;
}

static bool
parse_valgrind_frame(struct parser *p)
{
    struct rule *rule = p->rule;
    const char *text = p->text;
    struct pattern *f;

    if (strcmp(text, "...") == 0) {
        add_pattern(rule, PATTERN_ELLIPSIS);
    } else if (strncmp(text, "fun:", 4) == 0 && text[4]) {
        add_pattern(rule, PATTERN_VALGRIND_FUN)->function = memory_string(text + 4);
    } else if (strncmp(text, "obj:", 4) == 0 && text[4]) {
        add_pattern(rule, PATTERN_VALGRIND_OBJ)->module = memory_string(text + 4);
    } else if (strncmp(text, "src:", 4) == 0 && text[4]) {
        const char *colon = strrchr(text + 4, ':');

        f = add_pattern(rule, PATTERN_VALGRIND_SRC);
        f->module = memory_string_n(text + 4, colon ? (size_t)(colon - text - 4) : strlen(text + 4));
        f->function = colon ? memory_string(colon + 1) : NULL;
    } else {
        return mistake(p, p->line, "expected fun:, obj:, src: or ..., not", text);
    }
    if (rule->pattern_count > VALGRIND_FRAMES)
        return mistake(p, p->line, "a block has at most 24 frames", NULL);
    return true;
}

/* "Memcheck:Leak"; a block for other tools only is read and dropped. */
static bool
parse_tool_line(struct parser *p, bool *ours)
{
    char *colon = strchr(p->text, ':'), *rest = NULL;

    if (!colon || colon == p->text || !colon[1])
        return mistake(p, p->line, "expected tool:kind, such as Memcheck:Leak, not", p->text);
    *colon = 0;
    *ours = false;
    for (char *tool = strtok_r(p->text, ", ", &rest); tool; tool = strtok_r(NULL, ", ", &rest))
        if (strcasecmp(tool, "memcheck") == 0 || strcasecmp(tool, "drmemory") == 0)
            *ours = true;
    return !*ours || set_valgrind_kind(p, colon + 1);
}

static void
drop_rule(struct parser *p)
{
    if (p->rule)
        rule_free(p->rule);
    p->rule = NULL;
}

static bool
parse_block_lines(struct parser *p, bool is_param)
{
    bool first = true;

    while (next_content(p)) {
        bool frame = strcmp(p->text, "...") == 0 || strncmp(p->text, "fun:", 4) == 0 ||
                     strncmp(p->text, "obj:", 4) == 0 || strncmp(p->text, "src:", 4) == 0;

        if (strcmp(p->text, "}") == 0)
            return true;
        if (first && is_param && !frame)
            p->rule->param = memory_string(p->text);
        else if (first && is_param)
            return mistake(p, p->line, "a Param block names the parameter before its frames", NULL);
        else if (first && strncmp(p->text, "match-leak-kinds:", 17) == 0) {
            if (!parse_leak_kinds(p, p->text + 17))
                return false;
        } else if (!parse_valgrind_frame(p))
            return false;
        first = false;
    }
    return mistake(p, p->rule->shown.line, "the block that starts here has no closing }", NULL);
}

static bool
skip_block(struct parser *p)
{
    unsigned start = p->rule->shown.line;

    while (next_content(p))
        if (strcmp(p->text, "}") == 0) {
            drop_rule(p);
            return true;
        }
    return mistake(p, start, "the block that starts here has no closing }", NULL);
}

/* Valgrind drops what it thinks meaningless at the end of a block, and so do we: its files have it. */
static void
drop_last_ellipses(struct rule *rule)
{
    while (rule->pattern_count > 1 && rule->patterns[rule->pattern_count - 1].kind == PATTERN_ELLIPSIS)
        rule->pattern_count--;
    if (rule->pattern_count == 1 && rule->patterns[0].kind == PATTERN_ELLIPSIS)
        rule->patterns[0].kind = PATTERN_ANY;
}

static bool
parse_block(struct parser *p)
{
    bool ours;

    begin(p, 0);
    if (!next_content(p))
        return mistake(p, p->rule->shown.line, "the block that starts here has no closing }", NULL);
    p->rule->name = memory_string(p->text);
    if (!next_content(p))
        return mistake(p, p->rule->shown.line, "the block that starts here has no closing }", NULL);
    if (!parse_tool_line(p, &ours))
        return false;
    if (!ours)
        return skip_block(p);
    if (!parse_block_lines(p, p->rule->accesses == 1u << ACCESS_SYSCALL))
        return false;
    drop_last_ellipses(p->rule);
    return finish_rule(p);
}

/* ---- files ---- */

static bool
parse_all(struct parser *p)
{
    while (next_content(p)) {
        int type = find_type(p->text);

        if (type >= 0 || strcmp(p->text, "{") == 0) {
            if (!finish_rule(p))
                return false;
            if (type >= 0)
                begin(p, types[type].kinds);
            else if (!parse_block(p))
                return false;
        } else if (!p->rule) {
            return mistake(p, p->line, "expected a type of error such as LEAK, or {, not", p->text);
        } else if (!parse_line(p)) {
            return false;
        }
    }
    return !p->error && finish_rule(p);
}

bool
suppressions_parse(struct suppressions *s, const char *text, size_t size, const char *file, char **error)
{
    struct parser p = {.file = file, .at = text, .end = text + size, .into = s};
    size_t before = s->count;
    bool good = parse_all(&p);

    free(p.text);
    drop_rule(&p);
    *error = p.error;
    while (!good && s->count > before)
        rule_free(s->rules[--s->count]);
    return good;
}

static char *
read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;

    *size = 0;
    if (!f)
        return NULL;
    do {
        GROW(text, *size + 65535, room);
        *size += fread(text + *size, 1, room - *size < 65536 ? room - *size : 65536, f);
    } while (!feof(f) && !ferror(f) && *size < MAX_FILE);
    if (ferror(f) || *size >= MAX_FILE) {
        errno = ferror(f) ? errno : EFBIG;
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

bool
suppressions_read(struct suppressions *s, const char *path, char **error)
{
    size_t size;
    char *text = read_file(path, &size);
    bool good;

    if (!text) {
        *error = memory_printf("%s: %s", path, strerror(errno));
        return false;
    }
    good = suppressions_parse(s, text, size, path, error);
    free(text);
    return good;
}
