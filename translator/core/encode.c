/* libZydis: any instruction that it can encode, the operands of those that our tables do not know, text. Loaded on first use.
 * It is ordinary code: it uses xmm registers, which hold the program's values, and
 * its stack protector reads FS, which is the program's; call_foreign (entry.S) keeps
 * both apart. It has no VEX code, so the upper vector halves stay as they are.
 * Threads: callers hold cache_lock, but of dr_decode once something was decoded, and of dr_disassemble: decoder and
 * formatter keep no state. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define ZYAN_NO_LIBC
#include <Zydis/Decoder.h>
#include <Zydis/Disassembler.h>

#include "core/cache.h"
#include "core/engine.h"
#include "core/tools.h"
#include "linux/memory.h"

enum { ZYDIS_MAJOR = 4 };
#define FAILED 0x80000000u               /* of a ZyanStatus */

static struct { bool tried; void *encode, *decode, *disassemble; ZydisDecoder decoder; } zydis;

/* What FS:0x28 is for foreign code: a canary that nobody guesses at. entry.S has it too. */
uint64_t foreign_tls[8];

extern uint64_t call_foreign(void *f, const void *a1, const void *a2, uint64_t a3, void *a4, void *a5);

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
    if (version && call_foreign(version, NULL, NULL, 0, NULL, NULL) >> 48 == ZYDIS_MAJOR) {
        void *init = loader_symbol(l, "ZydisDecoderInit");
        zydis.encode = loader_symbol(l, "ZydisEncoderEncodeInstruction");
        zydis.disassemble = loader_symbol(l, "ZydisDisassembleATT");
        if (init && !(call_foreign(init, &zydis.decoder, (void *)ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, NULL, NULL) & FAILED))
            zydis.decode = loader_symbol(l, "ZydisDecoderDecodeFull");
    }
    if (!zydis.encode)
        print_err("drtools: cannot use %s: %s\n", options.zydis ? options.zydis : "libZydis.so", why ? why : "it is not version 4 of Zydis");
    return zydis.encode;
}

unsigned
dr_encode(const void *request, uint8_t out[INSN_MAX_LEN])
{
    uint64_t n = INSN_MAX_LEN;

    if (!load() || (call_foreign(zydis.encode, request, out, (uint64_t)&n, NULL, NULL) & FAILED) || n > INSN_MAX_LEN)
        return 0;
    return (unsigned)n;
}

bool
dr_decode(const uint8_t *bytes, size_t n, void *instruction, void *operands)
{
    return load() && zydis.decode && !(call_foreign(zydis.decode, &zydis.decoder, bytes, n, instruction, operands) & FAILED);
}

bool
dr_disassemble(uint64_t pc, char *text, size_t size)
{
    ZydisDisassembledInstruction z;
    uint8_t bytes[INSN_MAX_LEN];
    size_t n = sizeof bytes;

    mutex_lock(&cache_lock);
    bool able = load() && zydis.disassemble;
    mutex_unlock(&cache_lock);
    while (n && !safe_read(bytes, pc, n))
        n--;
    if (!able || !n || !size ||
        (call_foreign(zydis.disassemble, (void *)ZYDIS_MACHINE_MODE_LONG_64, (void *)pc, (uint64_t)bytes, (void *)n, &z) & FAILED))
        return false;
    format(text, size, "%s", z.text);
    return true;
}

bool
zydis_memory(const uint8_t *bytes, unsigned length, struct dr_memory *m)
{
    ZydisDecodedInstruction z;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

    if (!load() || !zydis.decode || (call_foreign(zydis.decode, &zydis.decoder, bytes, length, &z, op) & FAILED))
        return false;
    for (unsigned i = 0; i < z.operand_count; i++) {
        if (op[i].type != ZYDIS_OPERAND_TYPE_MEMORY || op[i].encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM || op[i].mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        m->size = op[i].size / 8;
        m->read = op[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ;
        m->written = op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
        m->conditional |= (z.avx.mask.reg && z.avx.mask.reg != ZYDIS_REGISTER_K0);
        if (m->base != REG_NONE || m->index != REG_NONE)
            m->disp = op[i].mem.disp.value;      /* EVEX: scaled */
        return true;
    }
    return false;
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
