/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes at all as a suppression file. */
#include <stdlib.h>

#include "reports/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frames[] = {
        {.path = "/a/b", .module = "b", .offset = 16, .function = "f<x>::g", .linkage = "f"},
        {.function = "write", .system_call = true},
        {.pc = 1}};
    struct stack stack = {.frames = frames, .count = 3};
    struct finding f = {.detail = "write(buf)", .instruction = "mov", .stacks = &stack, .stack_count = 1};
    struct suppressions *s = suppressions_new();
    char *error = NULL;

    suppressions_parse(s, (const char *)data, size, "fuzz", &error);
    for (int kind = 0; kind < FINDING_KINDS; kind++) {
        f.kind = kind;
        suppressions_match(s, &f);
    }
    free(error);
    suppressions_free(s);
    return 0;
}
