/* SPDX-License-Identifier: BSD-3-Clause */
/* The suppression that would hide a finding, in each syntax. */
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "model.h"
#include "suppress.h"

enum { FRAMES = 16 };

static const char *
type_of(const struct finding *f)
{
    return finding_kind_name(f->kind);
}

static void
put_frame(FILE *out, const struct frame *f, bool by_offset)
{
    if (f->system_call)
        fprintf(out, "system call %s\n", f->function);
    else if (!f->path)
        fputs("<not in a module>\n", out);
    else if (f->function && !by_offset)
        fprintf(out, "%s!%s\n", f->module, f->function);
    else
        fprintf(out, "<%s+0x%llx>\n", f->module, (unsigned long long)f->offset);
}

static void
put_drmemory(FILE *out, const struct finding *f, bool by_offset)
{
    const struct stack *s = &f->stacks[0];

    fprintf(out, "%s\nname=Error #%u%s (update to meaningful name)\n", type_of(f), f->number,
            by_offset ? " by offset" : "");
    if (f->instruction[0] && (f->kind == FINDING_UNADDRESSABLE || f->kind == FINDING_UNINITIALIZED))
        fprintf(out, "instruction=%s\n", f->instruction);
    for (size_t i = 0; i < s->count && i < FRAMES; i++) {
        if (by_offset && s->frames[i].inlined)
            continue; /* the frame it was inlined into has the same offset */
        put_frame(out, &s->frames[i], by_offset);
    }
    if (s->count == 0)
        fputs("*\n", out);
}

static void
put_valgrind_kind(FILE *out, const struct finding *f)
{
    static const char *const leaks[FINDING_KINDS] = {
        [FINDING_LEAK] = "definite",
        [FINDING_INDIRECT_LEAK] = "indirect",
        [FINDING_POSSIBLE_LEAK] = "possible",
        [FINDING_REACHABLE_LEAK] = "reachable",
    };

    fputs("   Memcheck:", out);
    if (leaks[f->kind])
        fprintf(out, "Leak\n   match-leak-kinds: %s\n", leaks[f->kind]);
    else if (f->access == ACCESS_SYSCALL)
        fprintf(out, "Param\n   %s\n", f->detail[0] ? f->detail : "*");
    else if (f->kind == FINDING_UNADDRESSABLE && f->access == ACCESS_JUMP)
        fputs("Jump\n", out);
    else if (f->kind == FINDING_UNADDRESSABLE)
        fprintf(out, "Addr%llu\n", (unsigned long long)(f->size ? f->size : 1));
    else if (f->kind == FINDING_UNINITIALIZED && f->access == ACCESS_ADDRESS)
        fprintf(out, "Value%llu\n", (unsigned long long)(f->size ? f->size : 8));
    else
        fprintf(out, "%s\n",
                f->kind == FINDING_UNINITIALIZED ? "Cond"
                : f->kind == FINDING_OVERLAP     ? "Overlap"
                : f->kind == FINDING_WARNING     ? "FishyValue"
                                                 : "Free");
}

static void
put_valgrind(FILE *out, const struct finding *f)
{
    const struct stack *s = &f->stacks[0];

    fprintf(out, "{\n   Error #%u (update to meaningful name)\n", f->number);
    put_valgrind_kind(out, f);
    for (size_t i = 0; i < s->count && i < FRAMES; i++) {
        const struct frame *frame = &s->frames[i];

        if (frame->linkage)
            fprintf(out, "   fun:%s\n", frame->linkage);
        else
            fprintf(out, "   obj:%s\n", frame->path ? frame->path : "*");
    }
    fputs("}\n", out);
}

char *
suppression_for(const struct finding *f, unsigned styles)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return memory_string("");
    if (f->stack_count && (styles & SUPPRESS_BY_SYMBOL))
        put_drmemory(out, f, false);
    if (f->stack_count && (styles & SUPPRESS_BY_OFFSET))
        put_drmemory(out, f, true);
    if (f->stack_count && (styles & SUPPRESS_VALGRIND))
        put_valgrind(out, f);
    if (fclose(out) != 0 || !text)
        return text ? text : memory_string("");
    return text;
}
