/* SPDX-License-Identifier: BSD-3-Clause */
/* Matching findings with suppressions.
 * Invariant: a stack matches if some of its first frames match all patterns of a
 *            rule; time is patterns times frames, whatever the wildcards. */
#include "suppress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"
#include "suppress_priv.h"

struct suppressions *
suppressions_new(void)
{
    return memory_zalloc(1, sizeof(struct suppressions));
}

void
rule_free(struct rule *rule)
{
    for (size_t i = 0; i < rule->pattern_count; i++) {
        free(rule->patterns[i].module);
        free(rule->patterns[i].function);
    }
    free(rule->patterns);
    free(rule->name);
    free(rule->file);
    free(rule->instruction);
    free(rule->param);
    free(rule);
}

void
suppressions_free(struct suppressions *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        rule_free(s->rules[i]);
    free(s->rules);
    free(s);
}

size_t
suppressions_count(const struct suppressions *s)
{
    return s->count;
}

struct suppression *
suppressions_get(const struct suppressions *s, size_t index)
{
    return &s->rules[index]->shown;
}

/* The last * is the only one that ever needs another try. */
bool
wildcard_match(const char *pattern, const char *text)
{
    const char *star = NULL, *tried = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            tried = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++tried;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

/* "std::vector<int>::at" as "std::vector<>::at", which is how Dr. Memory writes it. */
static char *
without_template_arguments(const char *name)
{
    char *out = memory_string(name), *to = out;
    int depth = 0;

    for (const char *from = name; *from; from++) {
        bool operator_sign = depth == 0 && from - name >= 8 && strncmp(from - 8, "operator", 8) == 0;

        if (*from == '>' && depth > 0 && from[-1] != '-')
            depth--;
        if (depth == 0)
            *to++ = *from;
        if (*from == '<' && !operator_sign && !(from > name && from[-1] == '<'))
            depth++;
    }
    *to = 0;
    return out;
}

static bool
match_function(const char *pattern, const struct frame *f)
{
    bool matched = (f->function && wildcard_match(pattern, f->function)) ||
                   (f->signature && wildcard_match(pattern, f->signature)) ||
                   (f->linkage && wildcard_match(pattern, f->linkage));

    if (!matched && f->function && strstr(pattern, "<>")) {
        char *plain = without_template_arguments(f->function);

        matched = wildcard_match(pattern, plain);
        free(plain);
    }
    return matched || (!f->function && strcmp(pattern, "*") == 0);
}

static bool
match_module(const char *pattern, const struct frame *f)
{
    return f->module && wildcard_match(pattern, f->module);
}

static bool
match_offset(const struct pattern *p, const struct frame *f)
{
    char offset[32];

    snprintf(offset, sizeof offset, "0x%llx", (unsigned long long)f->offset);
    return match_module(p->module, f) && wildcard_match(p->function, offset);
}

static bool
match_source(const struct pattern *p, const struct frame *f)
{
    const char *slash = f->file ? strrchr(f->file, '/') : NULL;
    char line[16];

    if (!f->file || !(wildcard_match(p->module, f->file) || (slash && wildcard_match(p->module, slash + 1))))
        return false;
    snprintf(line, sizeof line, "%u", f->line);
    return !p->function || wildcard_match(p->function, line);
}

static bool
match_frame(const struct pattern *p, const struct frame *f)
{
    switch (p->kind) {
    case PATTERN_FUNCTION:
        return !f->system_call && match_module(p->module, f) && match_function(p->function, f);
    case PATTERN_OFFSET: return match_offset(p, f);
    case PATTERN_ANY: return true;
    case PATTERN_MODULE_FRAMES: return match_module(p->module, f);
    case PATTERN_SYSTEM_CALL: return f->system_call && wildcard_match(p->function, f->function);
    case PATTERN_NO_MODULE: return !f->path && !f->system_call;
    case PATTERN_VALGRIND_FUN: return match_function(p->function, f);
    case PATTERN_VALGRIND_OBJ: return wildcard_match(p->module, f->path ? f->path : "");
    case PATTERN_VALGRIND_SRC: return match_source(p, f);
    case PATTERN_ELLIPSIS: break;
    }
    return false;
}

/* at[i]: the patterns so far can have taken exactly the first i frames. */
static void
advance(const struct pattern *p, const struct stack *stack, bool *at)
{
    bool taking = false; /* of an ellipsis or module!... */

    if (p->kind == PATTERN_ELLIPSIS) {
        for (size_t i = 0; i <= stack->count; i++)
            taking = at[i] = at[i] || taking;
        return;
    }
    for (size_t i = 0; i <= stack->count; i++) {
        bool here = at[i];
        bool from = i > 0 && taking; /* frame i-1 was taken */

        at[i] = from;
        taking = i < stack->count && (here || (from && p->kind == PATTERN_MODULE_FRAMES)) &&
                 match_frame(p, &stack->frames[i]);
    }
}

static bool
match_stack(const struct rule *rule, const struct stack *stack)
{
    bool *at = memory_zalloc(stack->count + 1, sizeof *at), matched = false;

    at[0] = true;
    for (size_t i = 0; i < rule->pattern_count; i++)
        advance(&rule->patterns[i], stack, at);
    for (size_t i = 0; i <= stack->count; i++)
        matched = matched || at[i];
    free(at);
    return matched;
}

static bool
match_rule(const struct rule *rule, const struct finding *f)
{
    if (!(rule->kinds & 1u << f->kind) || f->stack_count == 0)
        return false;
    if (rule->accesses && !(rule->accesses & 1u << f->access))
        return false;
    if (rule->size && f->size && rule->size != f->size)
        return false;
    if (rule->instruction && !wildcard_match(rule->instruction, f->instruction))
        return false;
    if (rule->param && !wildcard_match(rule->param, f->detail))
        return false;
    return match_stack(rule, &f->stacks[0]);
}

struct suppression *
suppressions_match(const struct suppressions *s, const struct finding *f)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (match_rule(s->rules[i], f))
            return &s->rules[i]->shown;
    return NULL;
}

void
suppressions_list_unused(const struct suppressions *s, FILE *out)
{
    fputs("SUPPRESSIONS NOT USED:\n", out);
    for (size_t i = 0; i < suppressions_count(s); i++) {
        const struct suppression *rule = suppressions_get((struct suppressions *)s, i);

        if (!rule->used)
            fprintf(out, "\t%s:%u: %s\n", rule->file, rule->line, rule->name);
    }
}
