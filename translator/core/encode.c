/* Any instruction that Zydis can encode. libZydis is loaded on first use.
 * It is ordinary code: it uses xmm registers, which hold the program's values, and
 * its stack protector reads FS, which is the program's; call_foreign (entry.S) keeps
 * both apart. It has no VEX code, so the upper vector halves stay as they are.
 * Threads: callers hold cache_lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "linux/memory.h"

enum { ZYDIS_MAJOR = 4 };

static struct { bool tried; void *encode; } zydis;

/* What FS:0x28 is for foreign code: a canary that nobody guesses at. */
static uint64_t foreign_tls[8];

extern uint64_t call_foreign(void *f, const void *a1, void *a2, void *a3, void *fs_base);

static bool
load(void)
{
    const char *why = NULL;

    if (zydis.tried)
        return zydis.encode;
    zydis.tried = true;
    struct loaded *l = options.zydis ? loader_open(options.zydis, &why) : NULL;
    void *version = l ? loader_symbol(l, "ZydisGetVersion") : NULL;
    foreign_tls[5] = (uint64_t)&zydis ^ 0x5a3c96e1d2b4780full;
    if (version && call_foreign(version, NULL, NULL, NULL, foreign_tls) >> 48 == ZYDIS_MAJOR)
        zydis.encode = loader_symbol(l, "ZydisEncoderEncodeInstruction");
    if (!zydis.encode)
        print_err("drtools: cannot use %s: %s\n", options.zydis ? options.zydis : "libZydis.so", why ? why : "it is not version 4 of Zydis");
    return zydis.encode;
}

unsigned
dr_encode(const void *request, uint8_t out[INSN_MAX_LEN])
{
    uint64_t n = INSN_MAX_LEN;

    if (!load() || (call_foreign(zydis.encode, request, out, &n, foreign_tls) & 0x80000000u) || n > INSN_MAX_LEN)
        return 0;
    return (unsigned)n;
}

bool
dr_insert_encoded(dr_block *b, const void *request)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    unsigned n = dr_encode(request, bytes);
    struct insn in;

    if (!n)
        return false;
    DR_CHECK(scan_insn(bytes, n, &in) && in.len == n && in.cls == INSN_PLAIN && !(in.shape & SHAPE_RIPREL),
             "dr_insert_encoded is given neither a transfer of control nor an operand relative to rip");
    emit_bytes(dr_emit(b), bytes, n);
    return true;
}
