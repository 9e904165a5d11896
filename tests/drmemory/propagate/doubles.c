/* See doubles.h. No library calls: these run with the tested program's vector registers. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* process_vm_readv */
#include "doubles.h"

#include <Zydis/Zydis.h>
#include <sys/uio.h>
#include <unistd.h>

uint8_t arena_bits[ARENA_SIZE], arena_closed[ARENA_SIZE];
struct reports reports;
bool rest_is_open;

bool arena_has(uint64_t a, uint64_t n) { return a >= ARENA && a <= ARENA + ARENA_SIZE && n <= ARENA + ARENA_SIZE - a; }
void reports_clear(void) { reports = (struct reports){0}; }

/* The compiler and the propagation call these; libc's use vector registers. */
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *
memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)dst)[i] = ((const uint8_t *)src)[i];
    return dst;
}

__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *
memset(void *dst, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)dst)[i] = (uint8_t)c;
    return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            return ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    return 0;
}

bool
dr_safe_read(void *dst, uint64_t a, size_t n)
{
    if (!arena_has(a, n) && rest_is_open) {
        struct iovec to = {dst, n}, from = {(void *)a, n};
        return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)n;
    }
    if (!arena_has(a, n))
        return false;
    memcpy(dst, (const void *)a, n);
    return true;
}

void
dr_check_failed(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    __builtin_trap();
}

bool
dr_decode(const uint8_t *bytes, size_t n, void *instruction, void *operands)
{
    static ZydisDecoder decoder;

    if (!decoder.stack_width)
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return !ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, n, instruction, operands));
}

enum shadow_state
shadow_get(uint64_t a)
{
    if (!arena_has(a, 1) && rest_is_open)
        return SHADOW_DEFINED;
    if (!arena_has(a, 1) || arena_closed[a - ARENA])
        return SHADOW_UNADDRESSABLE;
    return arena_bits[a - ARENA] == 0xff ? SHADOW_UNDEFINED : arena_bits[a - ARENA] ? SHADOW_MIXED : SHADOW_DEFINED;
}

uint64_t
shadow_find_unaddressable(uint64_t a, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (shadow_get(a + i) == SHADOW_UNADDRESSABLE)
            return a + i;
    return a + n;
}

uint64_t
shadow_find_other(uint64_t a, uint64_t n, enum shadow_state s)
{
    for (uint64_t i = 0; i < n; i++)
        if (shadow_get(a + i) != s)
            return a + i;
    return a + n;
}

uint64_t
shadow_find_not_defined(uint64_t a, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (shadow_get(a + i) != SHADOW_DEFINED)
            return a + i;
    return a + n;
}

void
shadow_load(uint64_t a, unsigned n, uint8_t *bits)
{
    for (unsigned i = 0; i < n; i++)
        bits[i] = !arena_has(a + i, 1) || shadow_get(a + i) == SHADOW_UNADDRESSABLE ? 0 : arena_bits[a + i - ARENA];
}

void
shadow_store(uint64_t a, unsigned n, const uint8_t *bits)
{
    for (unsigned i = 0; i < n; i++)
        if (arena_has(a + i, 1) && shadow_get(a + i) != SHADOW_UNADDRESSABLE)
            arena_bits[a + i - ARENA] = bits[i];
}

void
shadow_copy(uint64_t dst, uint64_t src, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = dst <= src ? i : n - 1 - i;
        uint8_t u;

        shadow_load(src + at, 1, &u);
        shadow_store(dst + at, 1, &u);
    }
}

void
shadow_set(uint64_t a, uint64_t n, enum shadow_state s)
{
    uint8_t u = s == SHADOW_UNDEFINED ? 0xff : 0;

    for (uint64_t i = 0; i < n; i++)
        shadow_store(a + i, 1, &u);
}

void
report_unaddressable(const struct dr_mcontext *mc, enum access_kind kind, uint64_t a, unsigned size)
{
    (void)mc;
    if (!reports.unaddressable++) {
        reports.address = a;
        reports.size = size;
        reports.write = kind == ACCESS_IS_WRITE;
    }
}

void
report_uninitialized(const struct dr_mcontext *mc, enum uninit_kind kind, const char *detail, uint64_t a, unsigned size)
{
    (void)mc, (void)detail, (void)a, (void)size;
    if (!reports.uninitialized++)
        reports.kind = kind;
}
