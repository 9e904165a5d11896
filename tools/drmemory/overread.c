/* See overread.h.
 * Threads: the interpreter is known before there is a second one. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "overread.h"

enum { VECTOR = 16, REACH = 64, PAGE = 4096 };

static uint64_t interpreter_lo, interpreter_hi;

void
overread_module_load(const struct dr_module *m)
{
    if (m->is_interpreter) {
        interpreter_lo = m->start;
        interpreter_hi = m->end;
    }
}

/* They read 64 bytes from a string's start or end on, if that crosses no page. */
bool
overread_of_interpreter(uint64_t pc, uint64_t a, uint64_t n)
{
    uint64_t from = a - (a % PAGE < REACH ? a % PAGE : REACH), end = a + n;

    return n >= VECTOR && pc >= interpreter_lo && pc < interpreter_hi && shadow_find_unaddressable(a, n) != end &&
           shadow_find_other(from, end - from, SHADOW_UNADDRESSABLE) < end;
}
