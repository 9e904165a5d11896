/* Compares the instruction scanner with Zydis: on random bytes, on every opcode
 * of every map under random prefixes and operands, and on the code of real
 * programs (its own modules by default, and every ELF file named).
 * What Zydis decodes must come out the same, field by field; its opinion of
 * flags, registers and memory bounds ours on the safe side. What it rejects,
 * the scanner may call plain (the processor decides), but it must not see a
 * control transfer there, nor anything else that the translator would emulate.
 * Prints the first mismatch of each kind and fails if there was any. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "insn_source.h"
#include "x86/scan.h"

#include <Zydis/Zydis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KINDS_MAX = 20, /* kinds of mismatch that are printed               */
    IMPRECISE_MAX = 400,
};

/* One instruction as both see it. */
struct both {
    const uint8_t *bytes;
    struct insn ours;
    struct effects fx;
    ZydisDecodedInstruction z;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    bool decoded; /* Zydis accepted the bytes                         */
};

static ZydisDecoder decoder;
static uint64_t cases, accepted;
static bool show_imprecise;

/* ---- reporting ---- */

struct kind {
    const char *what;
    ZydisMnemonic mnemonic;
    uint64_t count;
};

static struct kind mismatches[KINDS_MAX];
static unsigned mismatch_kinds;
static struct kind imprecise[IMPRECISE_MAX];
static unsigned imprecise_kinds;

static void
print_case(const struct both *b, const char *what)
{
    const struct insn *s = &b->ours;
    unsigned len = b->decoded ? b->z.length : INSN_MAX_LEN;
    char text[128] = "(rejected)";
    ZydisFormatter formatter;

    if (b->decoded) {
        ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
        ZydisFormatterFormatInstruction(&formatter, &b->z, b->ops, b->z.operand_count_visible, text,
                                        sizeof text, 0, NULL);
    }
    printf("%s:", what);
    for (unsigned i = 0; i < len; i++)
        printf(" %02x", b->bytes[i]);
    printf(
        "    %s\n    ours: len %u class %u enc %u map %u opcode %02x@%u prefixes %x rex %x seg %u shape %x "
        "modrm %02x@%u disp %u@%u imm %u@%u = %llx flags -%x +%x gpr -%x +%x mem -%u +%u size %u\n",
        text, s->len, s->cls, s->enc, s->map, s->opcode, s->opcode_off, s->prefixes, s->rex, s->seg, s->shape,
        s->modrm, s->modrm_off, s->disp_len, s->disp_off, s->imm_len, s->imm_off, (unsigned long long)s->imm,
        s->flags_read, s->flags_written, b->fx.reads, b->fx.writes, b->fx.mem_read, b->fx.mem_written,
        b->fx.mem_size);
}

/* Counts `what` for this mnemonic; true if it is the first of its kind. */
static bool
count_kind(struct kind *kinds, unsigned *n, unsigned max, const struct both *b, const char *what)
{
    ZydisMnemonic mnemonic = b->decoded ? b->z.mnemonic : ZYDIS_MNEMONIC_INVALID;

    for (unsigned i = 0; i < *n; i++) {
        if (kinds[i].mnemonic == mnemonic && !strcmp(kinds[i].what, what)) {
            kinds[i].count++;
            return false;
        }
    }
    if (*n == max) {
        kinds[max - 1].count++;
        return false;
    }
    kinds[(*n)++] = (struct kind){what, mnemonic, 1};
    return true;
}

static void
mismatch(const struct both *b, const char *what)
{
    if (count_kind(mismatches, &mismatch_kinds, KINDS_MAX, b, what))
        print_case(b, what);
}

static void
note_imprecise(const struct both *b, const char *what)
{
    if (show_imprecise && count_kind(imprecise, &imprecise_kinds, IMPRECISE_MAX, b, what))
        print_case(b, what);
}

/* ---- what Zydis says, in our terms ---- */

static bool
is_far(const struct both *b)
{
    return b->z.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

static bool
is_direct(const struct both *b)
{
    return b->ops[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

static enum insn_class
class_of(const struct both *b)
{
    switch (b->z.mnemonic) {
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ: return INSN_LOOP;
    case ZYDIS_MNEMONIC_JMP: return is_far(b) ? INSN_FAR : is_direct(b) ? INSN_JMP : INSN_JMP_IND;
    case ZYDIS_MNEMONIC_CALL: return is_far(b) ? INSN_FAR : is_direct(b) ? INSN_CALL : INSN_CALL_IND;
    case ZYDIS_MNEMONIC_RET: return is_far(b) ? INSN_FAR : INSN_RET;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ: return INSN_FAR;
    case ZYDIS_MNEMONIC_SYSCALL: return INSN_SYSCALL;
    case ZYDIS_MNEMONIC_SYSENTER: return INSN_SYSENTER;
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_INT3: return INSN_INT;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ: return INSN_POPF;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFQ: return INSN_PUSHF;
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64:
    case ZYDIS_MNEMONIC_XSAVEOPT:
    case ZYDIS_MNEMONIC_XSAVEOPT64:
    case ZYDIS_MNEMONIC_XSAVES:
    case ZYDIS_MNEMONIC_XSAVES64: return INSN_FPSAVE;
    case ZYDIS_MNEMONIC_LSS:
    case ZYDIS_MNEMONIC_LFS:
    case ZYDIS_MNEMONIC_LGS: return INSN_SEGLOAD;
    case ZYDIS_MNEMONIC_POP: return b->z.opcode_map == ZYDIS_OPCODE_MAP_0F ? INSN_SEGLOAD : INSN_PLAIN;
    case ZYDIS_MNEMONIC_MOV:
        return b->z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && b->z.opcode == 0x8e ? INSN_SEGLOAD : INSN_PLAIN;
    case ZYDIS_MNEMONIC_RDGSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE: return INSN_GSBASE;
    case ZYDIS_MNEMONIC_XBEGIN: return INSN_XBEGIN;
    case ZYDIS_MNEMONIC_WRPKRU: return INSN_WRPKRU;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_UIRET: return INSN_INVALID;
    case ZYDIS_MNEMONIC_XEND: return INSN_PLAIN;
    default: return b->z.meta.category == ZYDIS_CATEGORY_COND_BR ? INSN_JCC : INSN_PLAIN;
    }
}

static enum insn_enc
enc_of(const struct both *b)
{
    switch (b->z.encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX: return ENC_VEX;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX: return ENC_EVEX;
    case ZYDIS_INSTRUCTION_ENCODING_XOP: return ENC_XOP;
    case ZYDIS_INSTRUCTION_ENCODING_3DNOW: return ENC_3DNOW;
    default: return ENC_LEGACY;
    }
}

/* Zydis numbers the one-byte map 0, 0f 1, 0f 38 2, 0f 3a 3, and XOP's separately. */
static unsigned
map_of(const struct both *b)
{
    switch (b->z.opcode_map) {
    case ZYDIS_OPCODE_MAP_0F0F: return 1;
    case ZYDIS_OPCODE_MAP_MAP5: return 5;
    case ZYDIS_OPCODE_MAP_MAP6: return 6;
    case ZYDIS_OPCODE_MAP_XOP8: return 8;
    case ZYDIS_OPCODE_MAP_XOP9: return 9;
    case ZYDIS_OPCODE_MAP_XOPA: return 10;
    default: return b->z.opcode_map;
    }
}

/* The instructions of Knights Corner, whose VEX branches and MVEX no other
 * processor has. */
static bool
is_foreign(const struct both *b)
{
    return b->z.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX || b->z.meta.isa_set == ZYDIS_ISA_SET_KNCJKBR ||
           b->z.meta.isa_ext == ZYDIS_ISA_EXT_KNC;
}

static bool
is_mov_crdr(const struct both *b)
{
    return b->z.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && b->z.opcode_map == ZYDIS_OPCODE_MAP_0F &&
           b->z.opcode >= 0x20 && b->z.opcode <= 0x23;
}

static bool
is_string(const struct both *b)
{
    unsigned op = b->z.opcode;

    return b->z.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
           b->z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
           ((op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf) || (op >= 0x6c && op <= 0x6f));
}

static bool
is_moffs(const struct both *b)
{
    return b->z.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
           b->z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && b->z.opcode >= 0xa0 && b->z.opcode <= 0xa3;
}

static bool
has_implicit_stack(const struct both *b)
{
    if (b->z.opcode_map == ZYDIS_OPCODE_MAP_0F38) /* movdir64b may have its destination address in rsp */
        return false;
    for (unsigned i = 0; i < b->z.operand_count; i++) {
        const ZydisDecodedOperand *op = &b->ops[i];

        if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
            (op->mem.base == ZYDIS_REGISTER_RSP || op->mem.base == ZYDIS_REGISTER_ESP))
            return true;
    }
    return b->z.mnemonic == ZYDIS_MNEMONIC_LEAVE;
}

static unsigned
shape_of(const struct both *b)
{
    unsigned shape = 0;

    if (b->z.attributes & ZYDIS_ATTRIB_HAS_MODRM) {
        shape |= SHAPE_MODRM;
        if (b->z.raw.modrm.mod != 3 && !is_mov_crdr(b)) {
            shape |= SHAPE_MEM;
            if (b->z.raw.modrm.mod == 0 && b->z.raw.modrm.rm == 5)
                shape |= SHAPE_RIPREL;
        }
    }
    if (is_moffs(b))
        shape |= SHAPE_MOFFS;
    if (is_string(b)) {
        shape |= SHAPE_STRING;
        for (unsigned i = 0; i < b->z.raw.prefix_count; i++) {
            if (b->z.raw.prefixes[i].value == 0xf2 || b->z.raw.prefixes[i].value == 0xf3)
                shape |= SHAPE_REP;
        }
    }
    if (has_implicit_stack(b))
        shape |= SHAPE_STACK;
    return shape;
}

static unsigned
prefixes_of(const struct both *b, enum insn_seg *seg)
{
    unsigned bits = 0;

    *seg = SEG_NONE;
    for (unsigned i = 0; i < b->z.raw.prefix_count; i++) {
        switch (b->z.raw.prefixes[i].value) {
        case 0x66: bits |= PFX_66; break;
        case 0x67: bits |= PFX_67; break;
        case 0xf0: bits |= PFX_LOCK; break;
        case 0xf2: bits |= PFX_F2; break;
        case 0xf3: bits |= PFX_F3; break;
        case 0x64: *seg = SEG_FS; break;
        case 0x65: *seg = SEG_GS; break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
            if (*seg == SEG_NONE)
                *seg = SEG_OTHER;
            break;
        }
    }
    if (b->z.attributes & ZYDIS_ATTRIB_HAS_REX)
        bits |= PFX_REX;
    return bits;
}

static uint8_t
rex_of(const struct both *b)
{
    const ZydisDecodedInstructionRaw *r = &b->z.raw;

    /* Zydis keeps the bits of VEX, EVEX and XOP as they are encoded: R, X and B inverted. */
    switch (b->z.encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
        return 0x40 | r->vex.W << 3 | !r->vex.R << 2 | !r->vex.X << 1 | !r->vex.B;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        return 0x40 | r->evex.W << 3 | !r->evex.R << 2 | !r->evex.X << 1 | !r->evex.B;
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        return 0x40 | r->xop.W << 3 | !r->xop.R << 2 | !r->xop.X << 1 | !r->xop.B;
    default: return b->z.attributes & ZYDIS_ATTRIB_HAS_REX ? b->bytes[r->rex.offset] : 0;
    }
}

/* ---- the comparison ---- */

static void
check_fields(const struct both *b)
{
    const struct insn *s = &b->ours;
    const ZydisDecodedInstructionRaw *r = &b->z.raw;
    enum insn_seg seg;

    if (s->enc != enc_of(b))
        mismatch(b, "encoding");
    if (s->map != map_of(b))
        mismatch(b, "map");
    if (b->bytes[s->opcode_off] != s->opcode || (s->enc != ENC_3DNOW && s->opcode != b->z.opcode))
        mismatch(b, "opcode");
    if (prefixes_of(b, &seg) != s->prefixes)
        mismatch(b, "prefixes");
    if (seg != s->seg)
        mismatch(b, "segment");
    if (s->rex != rex_of(b))
        mismatch(b, "rex");
    if (s->shape != shape_of(b))
        mismatch(b, "shape");
    if (s->shape & SHAPE_MODRM && (s->modrm_off != r->modrm.offset || b->bytes[s->modrm_off] != s->modrm ||
                                   s->modrm_off != s->opcode_off + 1))
        mismatch(b, "ModRM");
    if (s->disp_off != r->disp.offset || s->disp_len * 8 != r->disp.size)
        mismatch(b, "displacement");
}

static int64_t
sign_extend(uint64_t v, unsigned bits)
{
    return bits == 0 ? 0 : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static void
check_imm(const struct both *b)
{
    const struct insn *s = &b->ours;
    const ZydisDecodedInstructionRaw *r = &b->z.raw;
    bool is_count = b->z.mnemonic == ZYDIS_MNEMONIC_RET || b->z.mnemonic == ZYDIS_MNEMONIC_ENTER;
    uint64_t v = r->imm[0].value.u;

    /* Zydis sees is4 registers, the 3DNow suffix and some selector bytes as no immediate. */
    if (r->imm[0].size == 0 && s->imm_len == 1 && (s->enc != ENC_LEGACY)) {
        if (s->imm_off != b->z.length - 1 || s->imm != (int8_t)b->bytes[s->imm_off])
            mismatch(b, "immediate byte");
        return;
    }
    if (s->imm_off != r->imm[0].offset || s->imm_len * 8 != r->imm[0].size + r->imm[1].size)
        mismatch(b, "immediate");
    else if (s->imm != (is_count ? (int64_t)(uint16_t)v : sign_extend(v, r->imm[0].size)))
        mismatch(b, "immediate value");
}

/* vptest, vtestps and vtestpd write all flags; Zydis 4.0 does not say so. */
static bool
is_vtest(const struct both *b)
{
    return b->z.mnemonic == ZYDIS_MNEMONIC_VPTEST || b->z.mnemonic == ZYDIS_MNEMONIC_VTESTPS ||
           b->z.mnemonic == ZYDIS_MNEMONIC_VTESTPD;
}

static void
check_flags(const struct both *b)
{
    const ZydisAccessedFlags none = {0}, *f = b->z.cpu_flags ? b->z.cpu_flags : &none;
    const unsigned known = FLAGS_ARITH | FLAG_DF;
    unsigned touched = (f->modified | f->set_0 | f->set_1 | f->undefined) & known;
    unsigned tested = f->tested & known;

    if (b->ours.shape & SHAPE_REP)
        tested &= ~FLAG_ZF; /* repe cmps tests what it has just written */
    if (is_vtest(b))
        touched |= FLAGS_ARITH;

    if (b->ours.flags_written & ~touched)
        mismatch(b, "flags written");
    if (tested & ~b->ours.flags_read)
        mismatch(b, "flags read");
    if (touched & ~b->ours.flags_written)
        note_imprecise(b, "flags written");
    if (b->ours.flags_read & ~tested)
        note_imprecise(b, "flags read");
}

/* The bit of the general-purpose register that holds `reg`, or 0. */
static unsigned
gpr_bit(ZydisRegister reg)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    return full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15 ? 1u << (full - ZYDIS_REGISTER_RAX) : 0;
}

struct sets {
    unsigned reads, writes, kills; /* kills: written wholly and unconditionally */
    bool mem_read, mem_written;
};

/* Mod 0 and SIB base 5 mean no base, whatever REX.B says; with 67, Zydis 4.0 sees r13d. */
static bool
has_no_base(const struct both *b)
{
    return b->z.raw.modrm.mod == 0 && b->z.raw.modrm.rm == 4 && b->z.raw.sib.base == 5;
}

/* Memory is named but not touched: to Zydis that is a read. */
static bool
is_hint(const struct both *b)
{
    return b->z.mnemonic == ZYDIS_MNEMONIC_NOP || b->z.mnemonic == ZYDIS_MNEMONIC_INVLPG ||
           b->z.mnemonic == ZYDIS_MNEMONIC_CLDEMOTE || b->z.mnemonic == ZYDIS_MNEMONIC_PREFETCHWT1 ||
           b->z.meta.category == ZYDIS_CATEGORY_PREFETCH;
}

static void
add_operand(struct sets *s, const struct both *b, const ZydisDecodedOperand *op)
{
    bool reads = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
    bool writes = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

    if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        unsigned bit = gpr_bit(op->reg.value);

        if (reads && !is_hint(b))
            s->reads |= bit;
        if (writes)
            s->writes |= bit;
        if (op->actions & ZYDIS_OPERAND_ACTION_WRITE && op->size >= 32)
            s->kills |= bit;
    } else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (!(op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM && has_no_base(b)))
            s->reads |= gpr_bit(op->mem.base);
        s->reads |= gpr_bit(op->mem.index);
        if (op->mem.type == ZYDIS_MEMOP_TYPE_AGEN || is_hint(b))
            return;
        s->mem_read |= reads;
        s->mem_written |= writes;
    }
}

/* xor r,r, sub r,r and sbb r,r: their result does not depend on r. */
static bool
is_zeroing(const struct both *b)
{
    return (b->z.mnemonic == ZYDIS_MNEMONIC_XOR || b->z.mnemonic == ZYDIS_MNEMONIC_SUB ||
            b->z.mnemonic == ZYDIS_MNEMONIC_SBB) &&
           b->ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER && b->ops[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           b->ops[0].reg.value == b->ops[1].reg.value && b->ops[0].size >= 32;
}

static void
check_effects(const struct both *b)
{
    struct sets s = {0};

    for (unsigned i = 0; i < b->z.operand_count; i++)
        add_operand(&s, b, &b->ops[i]);
    if (is_zeroing(b))
        s.reads = 0;

    if (s.reads & ~b->fx.reads)
        mismatch(b, "registers read");
    if (s.writes & ~b->fx.writes)
        mismatch(b, "registers written");
    if (b->fx.writes & ~b->fx.reads & ~s.kills)
        mismatch(b, "registers surely written");
    if (s.mem_read && !b->fx.mem_read)
        mismatch(b, "memory read");
    if (s.mem_written && !b->fx.mem_written)
        mismatch(b, "memory written");

    if (b->fx.reads & ~(s.reads | (s.writes & ~s.kills)))
        note_imprecise(b, "registers read");
    if (b->fx.writes & ~s.writes)
        note_imprecise(b, "registers written");
    if (b->fx.mem_read && !s.mem_read)
        note_imprecise(b, "memory read");
    if (b->fx.mem_written && !s.mem_written)
        note_imprecise(b, "memory written");
}

static void
check_mem_size(const struct both *b)
{
    for (unsigned i = 0; i < b->z.operand_count; i++) {
        const ZydisDecodedOperand *op = &b->ops[i];

        if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || op->encoding != ZYDIS_OPERAND_ENCODING_MODRM_RM ||
            op->mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        if (b->fx.mem_size != 0 && b->fx.mem_size * 8 != op->size)
            mismatch(b, "memory size");
        if (b->fx.mem_size == 0)
            note_imprecise(b, "memory size");
    }
}

static bool
scans_the_same(const struct insn *a, const struct insn *b)
{
    if (a->cls == INSN_INVALID)
        return b->cls == INSN_INVALID && a->len == b->len;
    return !memcmp(a, b, sizeof *a);
}

/* A page may end anywhere: cut short, the instruction does not scan; cut just
 * behind its end, it scans the same. */
static void
check_cut(const struct both *b)
{
    uint8_t copy[INSN_MAX_LEN];
    unsigned len = b->ours.len;
    struct insn again;

    memcpy(copy, b->bytes, len);
    if (!scan_insn(copy, len, &again) || !scans_the_same(&b->ours, &again))
        mismatch(b, "cut behind its end");
    if (scan_insn(copy, insn_random_below(len), &again))
        mismatch(b, "cut short");
    if (!scan_insn(b->bytes, INSN_MAX_LEN, &again) || !scans_the_same(&b->ours, &again))
        mismatch(b, "cut after 15 bytes");
}

/* Nothing but plain and invalid may be seen where Zydis sees no instruction. Two
 * classes are native code with something done about it; whether a prefix makes
 * them undefined is left to the processor. */
static void
check_rejected(const struct both *b)
{
    if (b->ours.cls != INSN_PLAIN && b->ours.cls != INSN_INVALID && b->ours.cls != INSN_FPSAVE &&
        b->ours.cls != INSN_WRPKRU)
        mismatch(b, "class invented");
    if (b->ours.len < 1 || b->ours.len > INSN_MAX_LEN)
        mismatch(b, "length of undefined");
}

/* Compares the instruction at `bytes`, where INSN_SLACK bytes are readable; returns
 * how many bytes to advance. */
static unsigned
check(const uint8_t *bytes)
{
    static struct both b;

    b.bytes = bytes;
    b.decoded = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, INSN_MAX_LEN, &b.z, b.ops));
    cases++;
    if (!scan_insn(bytes, INSN_SLACK, &b.ours)) {
        mismatch(&b, "no result");
        return 1;
    }
    scan_effects(bytes, &b.ours, &b.fx);
    if (cases % 16 == 0)
        check_cut(&b);
    if (!b.decoded) {
        check_rejected(&b);
        return 1;
    }
    accepted++;
    if (is_foreign(&b))
        return b.z.length;
    if (b.ours.len != b.z.length)
        mismatch(&b, "length");
    else if (b.ours.cls != class_of(&b))
        mismatch(&b, "class");
    else if (b.ours.cls != INSN_INVALID) {
        check_fields(&b);
        check_imm(&b);
        check_flags(&b);
        check_effects(&b);
        check_mem_size(&b);
    }
    return b.z.length;
}

static void
check_code(const uint8_t *code, size_t len)
{
    size_t at = 0;

    while (at + INSN_SLACK <= len)
        at += check(code + at);
}

static void
check_generated(void (*generate)(uint8_t *bytes), uint64_t n)
{
    uint8_t bytes[INSN_SLACK];

    while (n-- > 0) {
        generate(bytes);
        check(bytes);
    }
}

static int
usage(void)
{
    fprintf(stderr, "usage: scan_vs_zydis [-m MILLIONS] [-s SEED | -r] [-p] [ELF-FILE]...\n"
                    "  -m  millions of generated cases (10)     -s  seed (1)\n"
                    "  -r  seed from the clock, printed         -p  print where the scanner is imprecise\n");
    return 2;
}

int
main(int argc, char **argv)
{
    uint64_t millions = 10, seed = 1;
    int opt;

    while ((opt = getopt(argc, argv, "m:s:rp")) != -1) {
        switch (opt) {
        case 'm': millions = strtoull(optarg, NULL, 0); break;
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'r': seed = (uint64_t)time(NULL); break;
        case 'p': show_imprecise = true; break;
        default: return usage();
        }
    }
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    insn_random_seed(seed);

    if (optind == argc)
        insn_each_own_segment(check_code);
    for (; optind < argc; optind++) {
        if (!insn_each_file_segment(argv[optind], check_code))
            return 2;
    }
    check_generated(insn_generate_random, millions * 1000000 / 4);
    check_generated(insn_generate_structured, millions * 1000000 / 4 * 3);

    printf("seed %llu: %llu cases, %llu of them instructions, %u kinds of mismatch\n",
           (unsigned long long)seed, (unsigned long long)cases, (unsigned long long)accepted, mismatch_kinds);
    return mismatch_kinds != 0;
}
