/* Compares scan_memory() with Zydis: each memory operand of an instruction, explicit or not, must have the same
 * address, size and direction, on generated instructions and on the code of real programs. Operands whose size the
 * tables do not know are the engine's to look up, and not compared.
 * Addresses are compared by value, under registers drawn at random. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"
#include "insn_source.h"
#include "x86/scan.h"

#include <Zydis/Zydis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PC = 0x40001234, KINDS_MAX = 60 };

static ZydisDecoder decoder;
static uint64_t registers[16], instructions, operands, unknown;
static const char *kinds[KINDS_MAX];
static ZydisMnemonic kind_of[KINDS_MAX];
static unsigned n_kinds;

static void
mismatch(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *ops, const uint8_t *bytes, const char *what)
{
    char text[160];
    ZydisFormatter f;

    for (unsigned i = 0; i < n_kinds; i++)
        if (kind_of[i] == z->mnemonic && kinds[i] == what)
            return;
    if (n_kinds == KINDS_MAX)
        return;
    kind_of[n_kinds] = z->mnemonic;
    kinds[n_kinds++] = what;
    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterFormatInstruction(&f, z, ops, z->operand_count_visible, text, sizeof text, PC, NULL);
    printf("%s:", what);
    for (unsigned i = 0; i < z->length; i++)
        printf(" %02x", bytes[i]);
    printf("    %s\n", text);
}

/* An access: what both sides are reduced to. */
struct access { uint64_t address; unsigned size; bool read, written, known; };

static uint64_t
ours(const struct dr_memory *m)
{
    uint64_t a = (uint64_t)m->disp;

    if (m->base != REG_NONE)
        a += registers[m->base];
    if (m->index != REG_NONE && !m->vsib)
        a += (m->index_low8 ? (uint8_t)registers[m->index] : registers[m->index]) * m->scale;
    return m->address32 ? (uint32_t)a : a;
}

static uint64_t
value(ZydisRegister r)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);

    if (r == ZYDIS_REGISTER_AL)
        return (uint8_t)registers[RAX];
    return full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15 ? registers[full - ZYDIS_REGISTER_RAX] : 0;
}

/* Zydis gives implicit stack operands as [rsp], whichever way it moves. */
static struct access
theirs(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *op)
{
    struct access a = {.size = op->size / 8, .read = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ,
                       .written = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE, .known = true};
    bool no_base = z->raw.modrm.mod == 0 && z->raw.modrm.rm == 4 && z->raw.sib.base == 5 && op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM;
    bool implicit = op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;

    /* Mod 0 and SIB base 5 mean no base, but a displacement, whatever REX.B says; with 67, Zydis 4.0 sees r13d. */
    a.address = no_base ? (uint64_t)z->raw.disp.value : (uint64_t)op->mem.disp.value + value(op->mem.base);
    if (op->mem.index)
        a.address += value(op->mem.index) * (op->mem.scale ? op->mem.scale : 1);
    if (op->mem.base == ZYDIS_REGISTER_RIP || op->mem.base == ZYDIS_REGISTER_EIP)
        a.address += PC + z->length;
    if (implicit && op->mem.base == ZYDIS_REGISTER_RSP && a.written && z->mnemonic != ZYDIS_MNEMONIC_MOVDIR64B)
        a.address -= a.size;
    if (z->mnemonic == ZYDIS_MNEMONIC_POP && !implicit && op->mem.base == ZYDIS_REGISTER_RSP)
        a.address += op->size / 8;
    if (z->address_width == 32 && !(implicit && (op->mem.base == ZYDIS_REGISTER_RSP || op->mem.base == ZYDIS_REGISTER_RBP)))
        a.address = (uint32_t)a.address;
    return a;
}

/* What Zydis says otherwise than the processor's manuals, or leaves to the reader. */
static bool
left_out(const ZydisDecodedInstruction *z)
{
    switch (z->mnemonic) {
    case ZYDIS_MNEMONIC_ENTER:                        /* copies frame pointers, by its immediate          */
    case ZYDIS_MNEMONIC_IRET: case ZYDIS_MNEMONIC_IRETD: case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_BT: case ZYDIS_MNEMONIC_BTC: case ZYDIS_MNEMONIC_BTR: case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_CLFLUSH: case ZYDIS_MNEMONIC_CLFLUSHOPT: case ZYDIS_MNEMONIC_CLWB: case ZYDIS_MNEMONIC_CLZERO:
    case ZYDIS_MNEMONIC_ENQCMD: case ZYDIS_MNEMONIC_ENQCMDS:
    case ZYDIS_MNEMONIC_INVLPG: case ZYDIS_MNEMONIC_CLDEMOTE: case ZYDIS_MNEMONIC_PREFETCHWT1:
        return true;
    default:
        return z->meta.category == ZYDIS_CATEGORY_PREFETCH || z->meta.category == ZYDIS_CATEGORY_NOP || z->meta.category == ZYDIS_CATEGORY_WIDENOP ||
               z->meta.category == ZYDIS_CATEGORY_SYSTEM || z->meta.isa_set == ZYDIS_ISA_SET_MPX || z->meta.category == ZYDIS_CATEGORY_SYSRET ||
               z->meta.category == ZYDIS_CATEGORY_SYSCALL || z->meta.category == ZYDIS_CATEGORY_XSAVE || z->meta.category == ZYDIS_CATEGORY_CET ||
               z->meta.category == ZYDIS_CATEGORY_PADLOCK;
    }
}

static bool
same_access(const struct access *a, const struct access *b)
{
    return a->address == b->address && (!a->known || !b->known || (a->size == b->size && a->read == b->read && a->written == b->written));
}

static unsigned
check(const uint8_t *bytes)
{
    static ZydisDecodedInstruction z;
    static ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    struct dr_memory m[DR_MAX_MEMORY + 1];
    struct access a[DR_MAX_MEMORY + 1], t[ZYDIS_MAX_OPERAND_COUNT];
    struct insn in;
    unsigned n, n_theirs = 0, missing = 0;

    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, INSN_MAX_LEN, &z, ops)))
        return 1;
    if (!scan_insn(bytes, INSN_SLACK, &in) || in.len != z.length || in.cls == INSN_INVALID)
        return z.length;
    for (unsigned r = 0; r < 16; r++)
        registers[r] = (uint64_t)insn_random_below(1u << 31) << 33 ^ (uint64_t)insn_random_below(1u << 31) << 8;
    n = scan_memory(bytes, &in, PC, m);
    instructions++;
    operands += n;
    if (n > DR_MAX_MEMORY) {
        mismatch(&z, ops, bytes, "too many operands");
        return z.length;
    }
    for (unsigned i = 0; i < n; i++) {
        a[i] = (struct access){ours(&m[i]), m[i].size, m[i].read, m[i].written, m[i].size != 0};
        unknown += !m[i].size;
        if (!m[i].size && in.enc == ENC_EVEX)
            return z.length;                          /* its displacement is not known either */
    }
    if (left_out(&z))
        return z.length;
    for (unsigned i = 0; i < z.operand_count; i++)
        if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY && ops[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            t[n_theirs++] = theirs(&z, &ops[i]);
    if (n_theirs != n)
        mismatch(&z, ops, bytes, "number of operands");
    for (unsigned i = 0; i < n; i++) {
        bool found = false;
        for (unsigned k = 0; k < n_theirs; k++)
            found |= same_access(&a[i], &t[k]);
        missing += !found;
    }
    if (missing)
        mismatch(&z, ops, bytes, "address, size or direction");
    return z.length;
}

static void
check_code(const uint8_t *code, size_t len)
{
    for (size_t i = 0; i + INSN_SLACK <= len;)
        i += check(code + i);
}

int
main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000000;
    uint8_t bytes[INSN_SLACK];

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    insn_random_seed(1);
    insn_each_own_segment(check_code);
    while (n--) {
        insn_generate_structured(bytes);
        check(bytes);
    }
    printf("%llu instructions, %llu memory operands, %llu of them left to Zydis, %u kinds of mismatch\n", (unsigned long long)instructions,
           (unsigned long long)operands, (unsigned long long)unknown, n_kinds);
    return n_kinds != 0;
}
