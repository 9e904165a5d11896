/* SPDX-License-Identifier: BSD-3-Clause */
/* What Valgrind's readers match: CTest, IDEs, people's scripts. */
#include "valgrind_words.h"

#include <string.h>

#include "memory.h"

const char *
valgrind_kind(const struct finding *f)
{
    switch (f->kind) {
    case FINDING_UNADDRESSABLE:
        return f->access == ACCESS_SYSCALL ? "SyscallParam"
               : f->access == ACCESS_JUMP  ? "InvalidJump"
               : f->access == ACCESS_WRITE ? "InvalidWrite"
                                           : "InvalidRead";
    case FINDING_UNINITIALIZED:
        return f->access == ACCESS_SYSCALL                               ? "SyscallParam"
               : f->access == ACCESS_ADDRESS || f->access == ACCESS_READ ? "UninitValue"
                                                                         : "UninitCondition";
    case FINDING_INVALID_HEAP_ARGUMENT:
        return f->place == PLACE_MISMATCHED ? "MismatchedFree"
               : f->place == PLACE_BAD_SIZE ? "FishyValue"
                                            : "InvalidFree";
    case FINDING_OVERLAP: return "Overlap";
    case FINDING_LEAK: return "Leak_DefinitelyLost";
    case FINDING_INDIRECT_LEAK: return "Leak_IndirectlyLost";
    case FINDING_POSSIBLE_LEAK: return "Leak_PossiblyLost";
    case FINDING_REACHABLE_LEAK: return "Leak_StillReachable";
    default: return "FishyValue";
    }
}

static char *
leak(const struct finding *f)
{
    static const char *const states[FINDING_KINDS] = {
        [FINDING_LEAK] = "definitely lost",
        [FINDING_INDIRECT_LEAK] = "indirectly lost",
        [FINDING_POSSIBLE_LEAK] = "possibly lost",
        [FINDING_REACHABLE_LEAK] = "still reachable",
    };
    unsigned long long direct = f->bytes, indirect = f->indirect_bytes, blocks = f->blocks;

    if (indirect)
        return memory_printf("%llu (%llu direct, %llu indirect) bytes in %llu blocks are %s", direct + indirect, direct,
                             indirect, blocks, states[f->kind]);
    return memory_printf("%llu bytes in %llu blocks are %s", direct, blocks + f->indirect_blocks, states[f->kind]);
}

char *
valgrind_what(const struct finding *f)
{
    unsigned long long size = f->size;

    if (f->access == ACCESS_SYSCALL && !finding_is_leak(f))
        return memory_printf("Syscall param %s %s byte(s)", f->detail,
                             f->kind == FINDING_UNINITIALIZED ? "contains uninitialised"
                                                              : "points to unaddressable");
    switch (f->kind) {
    case FINDING_UNADDRESSABLE:
        if (f->access == ACCESS_JUMP)
            return memory_printf("Jump to the invalid address 0x%llx stated on the next line",
                                 (unsigned long long)f->address);
        return memory_printf("Invalid %s of size %llu", f->access == ACCESS_WRITE ? "write" : "read", size);
    case FINDING_UNINITIALIZED:
        if (strcmp(valgrind_kind(f), "UninitValue") == 0)
            return memory_printf("Use of uninitialised value of size %llu", size);
        return memory_string("Conditional jump or move depends on uninitialised value(s)");
    case FINDING_INVALID_HEAP_ARGUMENT:
        if (f->place == PLACE_MISMATCHED)
            return memory_string("Mismatched free() / delete / delete []");
        if (f->place != PLACE_BAD_SIZE)
            return memory_string("Invalid free() / delete / delete[] / realloc()");
        return finding_title(f);
    case FINDING_LEAK:
    case FINDING_INDIRECT_LEAK:
    case FINDING_POSSIBLE_LEAK:
    case FINDING_REACHABLE_LEAK: return leak(f);
    default: return finding_title(f);
    }
}
