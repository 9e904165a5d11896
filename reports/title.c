/* SPDX-License-Identifier: BSD-3-Clause */
/* What a finding is called. */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"

static const char *const kind_names[FINDING_KINDS] = {
    [FINDING_UNADDRESSABLE] = "UNADDRESSABLE ACCESS",
    [FINDING_UNINITIALIZED] = "UNINITIALIZED READ",
    [FINDING_INVALID_HEAP_ARGUMENT] = "INVALID HEAP ARGUMENT",
    [FINDING_OVERLAP] = "OVERLAP",
    [FINDING_WARNING] = "WARNING",
    [FINDING_LEAK] = "LEAK",
    [FINDING_INDIRECT_LEAK] = "INDIRECT LEAK",
    [FINDING_POSSIBLE_LEAK] = "POSSIBLE LEAK",
    [FINDING_REACHABLE_LEAK] = "REACHABLE LEAK",
};

static const char *const verbs[] = {
    [ACCESS_NONE] = "accessing",  [ACCESS_READ] = "reading",      [ACCESS_WRITE] = "writing",
    [ACCESS_JUMP] = "executing",  [ACCESS_CONDITION] = "reading", [ACCESS_ADDRESS] = "reading",
    [ACCESS_SYSCALL] = "passing",
};

static const char *const places[] = {
    [PLACE_UNKNOWN] = "",
    [PLACE_BEYOND_HEAP] = " beyond heap bounds",
    [PLACE_FREED] = " of freed memory",
    [PLACE_BEYOND_STACK] = " beyond top of stack",
    [PLACE_BAD_SIZE] = "",
};

const char *
finding_kind_name(enum finding_kind kind)
{
    return kind_names[kind];
}

static char *
range(const struct finding *f)
{
    return memory_printf("0x%016llx-0x%016llx %llu byte(s)", (unsigned long long)f->address,
                         (unsigned long long)(f->address + f->size), (unsigned long long)f->size);
}

static char *
access_text(const struct finding *f)
{
    char *where = range(f), *text;

    if (f->access == ACCESS_SYSCALL && f->detail[0] && !f->address)
        text = memory_printf("system call %s", f->detail); /* the argument itself */
    else if (f->access == ACCESS_SYSCALL && f->detail[0])
        text = memory_printf("system call %s: %s", f->detail, where);
    else if (f->kind == FINDING_UNINITIALIZED && f->address == 0 && f->detail[0])
        text = memory_printf("reading %s", f->detail); /* "register rax" */
    else
        text = memory_printf("%s %s", verbs[f->access], where);
    free(where);
    return text;
}

/* What is wrong with the argument of a heap call. */
static char *
argument_text(const struct finding *f)
{
    const char *newline = strchr(f->detail, '\n');

    if (f->place == PLACE_MISMATCHED && newline)
        return memory_printf("allocated with %.*s, freed with %s", (int)(newline - f->detail), f->detail,
                             newline + 1);
    return memory_printf("%s 0x%016llx", f->detail[0] ? f->detail : "free", (unsigned long long)f->address);
}

static char *
leak_text(const struct finding *f)
{
    return memory_printf("%llu direct bytes 0x%016llx-0x%016llx + %llu indirect bytes",
                         (unsigned long long)f->bytes, (unsigned long long)f->address,
                         (unsigned long long)(f->address + (f->blocks > 1 ? f->bytes / f->blocks : f->bytes)),
                         (unsigned long long)f->indirect_bytes);
}

static char *
body(const struct finding *f)
{
    switch (f->kind) {
    case FINDING_UNADDRESSABLE:
    case FINDING_UNINITIALIZED: return access_text(f);
    case FINDING_INVALID_HEAP_ARGUMENT: return argument_text(f);
    case FINDING_OVERLAP:
    case FINDING_WARNING: return memory_string(f->detail);
    default: return leak_text(f);
    }
}

char *
finding_title(const struct finding *f)
{
    char *text = body(f), *title;
    const char *place = f->place < sizeof places / sizeof *places && places[f->place] ? places[f->place] : "";

    if (finding_is_leak(f))
        title = memory_printf("%s %s", kind_names[f->kind], text);
    else if (f->kind == FINDING_OVERLAP) /* Dr. Memory's kinds have none */
        title = memory_printf("WARNING: overlapping memory: %s", text);
    else
        title = memory_printf("%s%s: %s", kind_names[f->kind], f->kind == FINDING_UNADDRESSABLE ? place : "",
                              text);
    free(text);
    return title;
}

/* A sentence's worth for machines, which have the kind in a field of its own. */
char *
finding_message(const struct finding *f)
{
    char *text = body(f), *message;

    switch (f->kind) {
    case FINDING_UNADDRESSABLE:
        message = memory_printf(
            "%s%s", text,
            places[f->place < sizeof places / sizeof *places ? f->place : 0] ? places[f->place] : "");
        break;
    case FINDING_INVALID_HEAP_ARGUMENT:
        message = memory_printf("%s%s",
                                f->place == PLACE_DOUBLE_FREE  ? "double free: "
                                : f->place == PLACE_MISMATCHED ? "mismatched: "
                                : f->place == PLACE_BAD_SIZE   ? "bad size: "
                                : f->place == PLACE_NOT_HEAP   ? "not a heap block: "
                                                               : "",
                                text);
        break;
    case FINDING_OVERLAP: message = memory_printf("overlap: %s", text); break;
    default: message = memory_string(text);
    }
    free(text);
    return message;
}
