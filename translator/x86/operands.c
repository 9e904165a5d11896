/* Memory operands: what an instruction reads and writes, where, and how much of it,
 * from its ModRM and SIB bytes and the rows of effects_tables.h.
 * An operand of size 0 is one for the caller to look up in Zydis.
 * Threads: pure functions.
 * See Intel SDM volume 2, 2.1.5 (ModRM, SIB), 2.3.12 (VSIB), and the instructions' own pages. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

#include "scan.h"
#include "scan_priv.h"

static bool is_16bit(const struct insn *in) { return in->prefixes & PFX_66 && !(in->rex & REX_W); }
static unsigned operand_size(const struct insn *in) { return in->rex & REX_W ? 8 : in->prefixes & PFX_66 ? 2 : 4; }
/* Bytes of a push or pop. */
static unsigned stack_size(const struct insn *in) { return is_16bit(in) ? 2 : 8; }

static struct dr_memory
at(enum reg base, int64_t disp, unsigned size)
{
    return (struct dr_memory){.base = (uint8_t)base, .index = REG_NONE, .scale = 1, .bit_register = REG_NONE, .disp = disp, .size = (uint16_t)size};
}

static struct dr_memory
pushed(unsigned bytes)
{
    struct dr_memory m = at(RSP, -(int64_t)bytes, bytes);

    m.stack = m.written = true;
    return m;
}

static struct dr_memory
popped(unsigned bytes)
{
    struct dr_memory m = at(RSP, 0, bytes);

    m.stack = m.read = true;
    return m;
}

/* At a register, without the stack's rules: segments and the address size count. */
static struct dr_memory
pointed(const struct insn *in, enum reg base, unsigned size)
{
    struct dr_memory m = at(base, 0, size);

    m.segment = in->seg == SEG_FS ? DR_SEGMENT_FS : in->seg == SEG_GS ? DR_SEGMENT_GS : DR_SEGMENT_NONE;
    m.address32 = in->prefixes & PFX_67;
    return m;
}

static int64_t
displacement(const uint8_t *bytes, const struct insn *in)
{
    const uint8_t *p = bytes + in->disp_off;
    uint64_t v = 0;

    for (unsigned i = 0; i < in->disp_len; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return in->disp_len == 1 ? (int8_t)v : in->disp_len == 4 ? (int32_t)v : (int64_t)v;
}

/* The address of the ModRM operand; what is done to it is the caller's. */
static struct dr_memory
modrm(const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    struct dr_memory m = pointed(in, REG_NONE, 0);
    unsigned rm = in->modrm & 7, b = in->rex & REX_B ? 8 : 0, x = in->rex & REX_X ? 8 : 0;

    m.disp = displacement(bytes, in);
    if (in->shape & SHAPE_RIPREL) {
        m.disp += (int64_t)(pc + in->len);
        if (m.address32)
            m.disp = (uint32_t)m.disp;
    } else if (rm != 4) {
        m.base = (uint8_t)(rm | b);
    } else {
        uint8_t sib = bytes[in->modrm_off + 1];
        if ((sib & 7) != 5 || in->modrm >= 0x40)
            m.base = (uint8_t)((sib & 7) | b);
        if (((sib >> 3 & 7) | x) != 4)
            m.index = (uint8_t)((sib >> 3 & 7) | x);
        m.scale = (uint8_t)(1 << (sib >> 6));
    }
    if (m.address32 && m.base == REG_NONE && m.index == REG_NONE)
        m.disp = (uint32_t)m.disp;
    return m;
}

/* ---- implicit operands ---- */

static unsigned
string_operands(const struct insn *in, struct dr_memory *out)
{
    unsigned n = 0, size = in->opcode & 1 ? operand_size(in) : 1;
    bool rep = in->shape & SHAPE_REP, from_si, to_di, reads_di;

    if (in->opcode <= 0x6f && size == 8)
        size = 4;                                                         /* ins and outs have no 64-bit form */
    from_si = (in->opcode & 0xfe) == 0xa4 || (in->opcode & 0xfe) == 0xa6 || (in->opcode & 0xfe) == 0xac || (in->opcode & 0xfe) == 0x6e;
    to_di = (in->opcode & 0xfe) == 0xa4 || (in->opcode & 0xfe) == 0xaa || (in->opcode & 0xfe) == 0x6c;
    reads_di = (in->opcode & 0xfe) == 0xa6 || (in->opcode & 0xfe) == 0xae;
    if (from_si) {
        out[n] = pointed(in, RSI, size);
        out[n].read = true;
        out[n++].repeated = rep;
    }
    if (to_di || reads_di) {
        out[n] = pointed(in, RDI, size);
        out[n].segment = DR_SEGMENT_NONE;                                 /* always ES */
        out[n].read = reads_di;
        out[n].written = to_di;
        out[n++].repeated = rep;
    }
    return n;
}

/* push rbp; then for level n > 1, n - 1 frame pointers copied from below rbp, and for n > 0 the new one. */
static unsigned
enter_operands(const uint8_t *bytes, const struct insn *in, struct dr_memory *out)
{
    unsigned level = bytes[in->imm_off + 2] & 31, unit = stack_size(in), n = 0, bytes_pushed = (level + 1) * unit;

    if (level > 1) {
        out[n] = at(RBP, -(int64_t)((level - 1) * unit), (level - 1) * unit);
        out[n].stack = out[n].read = true;
        n++;
    }
    out[n] = at(RSP, -(int64_t)bytes_pushed, bytes_pushed);
    out[n].stack = out[n].written = true;
    return n + 1;
}

static unsigned
leave_operands(const struct insn *in, struct dr_memory *out)
{
    out[0] = at(RBP, 0, stack_size(in));
    out[0].stack = out[0].read = true;
    return 1;
}

static unsigned
moffs_operands(const uint8_t *bytes, const struct insn *in, struct dr_memory *out)
{
    out[0] = pointed(in, REG_NONE, in->opcode & 1 ? operand_size(in) : 1);
    out[0].disp = in->disp_len == 4 ? (int64_t)(uint32_t)displacement(bytes, in) : displacement(bytes, in);
    out[0].read = in->opcode < 0xa2;
    out[0].written = in->opcode >= 0xa2;
    return 1;
}

/* far returns: ip and cs; iret: those, flags, sp and ss. */
static unsigned far_unit(const struct insn *in) { return operand_size(in); }

/* Instructions of one byte whose stack operand is not beside a ModRM operand. */
static unsigned
stack_operands(const uint8_t *bytes, const struct insn *in, struct dr_memory *out)
{
    switch (in->opcode) {
    case 0x50 ... 0x57: case 0x68: case 0x6a: case 0x9c:
        out[0] = pushed(stack_size(in));
        return 1;
    case 0x58 ... 0x5f: case 0x9d:
        out[0] = popped(stack_size(in));
        return 1;
    case 0xe8:
        out[0] = pushed(8);
        return 1;
    case 0xc2: case 0xc3:
        out[0] = popped(8);
        return 1;
    case 0xca: case 0xcb:
        out[0] = popped(2 * far_unit(in));
        return 1;
    case 0xcf:
        out[0] = popped(5 * far_unit(in));
        return 1;
    case 0xc8: return enter_operands(bytes, in, out);
    case 0xc9: return leave_operands(in, out);
    }
    return 0;
}

static unsigned
xlat_operands(const struct insn *in, struct dr_memory *out)
{
    out[0] = pointed(in, RBX, 1);
    out[0].index = RAX;
    out[0].index_low8 = out[0].read = true;
    return 1;
}

/* ---- the ModRM operand's exceptions ---- */

/* VEX and EVEX 0f 38 90-93, EVEX a0-a3: elements of 4 or 8 bytes by W, indices of 4 or 8 by the opcode. */
static bool
is_vector_indexed(const struct insn *in)
{
    return (in->enc == ENC_VEX || in->enc == ENC_EVEX) && in->map == 2 &&
           ((in->opcode >= 0x90 && in->opcode <= 0x93) || (in->enc == ENC_EVEX && in->opcode >= 0xa0 && in->opcode <= 0xa3));
}

static void
vector_index(const uint8_t *bytes, const struct insn *in, struct dr_memory *m)
{
    const uint8_t *last = bytes + in->opcode_off - (in->enc == ENC_EVEX ? 2 : 1);      /* pp, vvvv, and L of VEX */
    unsigned vector = in->enc == ENC_VEX ? (*last & 4 ? 32 : 16) : 16u << (last[1] >> 5 & 3), wide;
    unsigned sib = bytes[in->modrm_off + 1];

    m->vsib = m->conditional = true;
    m->size = in->rex & REX_W ? 8 : 4;
    m->index_size = in->opcode & 1 ? 8 : 4;
    wide = m->size > m->index_size ? m->size : m->index_size;
    m->elements = (uint8_t)(vector / wide);
    m->index = (uint8_t)((sib >> 3 & 7) | (in->rex & REX_X ? 8 : 0));
    m->read = in->opcode < 0xa0;
    m->written = in->opcode >= 0xa0;
    m->mask = (uint8_t)(16 + (~*last >> 3 & 15));
    if (in->enc == ENC_EVEX) {
        m->index |= last[1] & 8 ? 0 : 16;                                  /* V', inverted */
        m->mask = last[1] & 7;
        if (in->disp_len == 1)
            m->disp *= m->size;
    }
}

/* Names memory, but does not access it. */
static bool
is_hint(const struct insn *in)
{
    if (in->enc != ENC_LEGACY)
        return in->enc != ENC_3DNOW && in->map == 2 && (in->opcode == 0xc6 || in->opcode == 0xc7);     /* gather prefetches */
    if (in->map == 0)
        return in->opcode == 0x8d;
    return in->map == 1 && (in->opcode == 0x0d || (in->opcode >= 0x18 && in->opcode <= 0x1f) || (in->opcode == 0x01 && reg_field(in) == 7));
}

/* vmaskmovps, vmaskmovpd, vpmaskmov: as wide as the vector, where the mask says so. */
static bool
is_vex_maskmov(const struct insn *in)
{
    return in->enc == ENC_VEX && in->map == 2 && ((in->opcode >= 0x2c && in->opcode <= 0x2f) || in->opcode == 0x8c || in->opcode == 0x8e);
}

static bool
is_bit_string(const struct insn *in)
{
    return in->enc == ENC_LEGACY && in->map == 1 && (in->opcode == 0xa3 || in->opcode == 0xab || in->opcode == 0xb3 || in->opcode == 0xbb);
}

/* Sizes that scan_effects() leaves open. */
static void
complete(const uint8_t *bytes, const struct insn *in, struct dr_memory *m)
{
    if (is_bit_string(in)) {
        m->size = (uint16_t)operand_size(in);
        m->bit_register = (uint8_t)(reg_field(in) | (in->rex & REX_R ? 8 : 0));
    } else if (is_vex_maskmov(in)) {
        m->size = bytes[in->opcode_off - 1] & 4 ? 32 : 16;
        m->conditional = true;
        m->written = in->opcode == 0x2e || in->opcode == 0x2f || in->opcode == 0x8e;
        m->read = !m->written;
    } else if (in->enc == ENC_LEGACY && in->map == 1 && (in->opcode == 0xb2 || in->opcode == 0xb4 || in->opcode == 0xb5)) {
        m->size = (uint16_t)(operand_size(in) + 2);                         /* lss, lfs, lgs */
    } else if (in->enc == ENC_LEGACY && in->map == 1 && in->opcode == 0xae && reg_field(in) < 2) {
        m->size = 512;                                                    /* fxsave, fxrstor */
    } else if (in->enc == ENC_LEGACY && in->map == 1 && in->opcode == 0xae && (reg_field(in) == 7 || (reg_field(in) == 6 && in->prefixes & PFX_66))) {
        m->size = 1;                                                      /* clflush, clflushopt, clwb */
    }
}

static unsigned
modrm_operand(const uint8_t *bytes, const struct insn *in, uint64_t pc, struct dr_memory *out)
{
    struct effects fx;

    if (is_hint(in))
        return 0;
    scan_effects(bytes, in, &fx);
    if (fx.known && !fx.modrm_read && !fx.modrm_written)
        return 0;
    *out = modrm(bytes, in, pc);
    if (is_vector_indexed(in)) {
        vector_index(bytes, in, out);
        return 1;
    }
    out->read = fx.modrm_read;
    out->written = fx.modrm_written;
    out->size = in->enc == ENC_EVEX ? 0 : fx.mem_size;
    if (!out->size)
        complete(bytes, in, out);
    return 1;
}

/* 0f f7: maskmovq, maskmovdqu to [rdi]; 0f 01 fc: clzero of the line at rax. */
static unsigned
odd_operand(const struct insn *in, struct dr_memory *out)
{
    if (in->map == 1 && in->opcode == 0xf7 && (in->enc == ENC_LEGACY || in->enc == ENC_VEX)) {
        *out = pointed(in, RDI, in->enc == ENC_VEX || in->prefixes & PFX_66 ? 16 : 8);
        out->written = out->conditional = true;
        return 1;
    }
    if (in->enc == ENC_LEGACY && in->map == 1 && in->opcode == 0x01 && in->modrm == 0xfc) {
        *out = pointed(in, RAX, 64);
        out->written = true;
        return 1;
    }
    return 0;
}

/* Beside its ModRM operand: call, push and pop have the stack, movdir64b and enqcmd have [reg]. */
static unsigned
beside_modrm(const uint8_t *bytes, const struct insn *in, uint64_t pc, struct dr_memory *out)
{
    unsigned n, reg = reg_field(in);

    if (in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0x8f) {
        out[0] = popped(stack_size(in));
        n = 1 + modrm_operand(bytes, in, pc, out + 1);
        if (n == 2 && out[1].base == RSP)
            out[1].disp += out[0].size;                                   /* addressed after the increment */
        return n;
    }
    n = modrm_operand(bytes, in, pc, out);
    if (in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0xff && (reg == 2 || reg == 6))
        out[n++] = pushed(reg == 2 ? 8 : stack_size(in));
    if (in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0xff && reg == 3)
        out[n++] = pushed(2 * far_unit(in));
    if (in->enc == ENC_LEGACY && in->map == 2 && in->opcode == 0xf8) {
        out[n] = pointed(in, (enum reg)(reg | (in->rex & REX_R ? 8 : 0)), 64);
        out[n].segment = DR_SEGMENT_NONE;
        out[n++].written = true;
    }
    return n;
}

unsigned
scan_memory(const uint8_t *bytes, const struct insn *in, uint64_t pc, struct dr_memory *out)
{
    if (in->cls == INSN_INVALID)
        return 0;
    if (in->shape & SHAPE_MEM || (in->enc == ENC_LEGACY && in->map == 0 && (in->opcode == 0xff || in->opcode == 0x8f))) {
        if (in->shape & SHAPE_MEM)
            return beside_modrm(bytes, in, pc, out);
        if (!(in->shape & SHAPE_STACK))
            return 0;
        out[0] = in->opcode == 0x8f ? popped(stack_size(in)) : pushed(reg_field(in) == 2 ? 8 : stack_size(in));
        return 1;
    }
    if (in->enc == ENC_LEGACY && in->map == 0) {
        if (in->shape & SHAPE_STACK)
            return stack_operands(bytes, in, out);
        if (in->shape & SHAPE_STRING)
            return string_operands(in, out);
        if (in->shape & SHAPE_MOFFS)
            return moffs_operands(bytes, in, out);
        return in->opcode == 0xd7 ? xlat_operands(in, out) : 0;
    }
    if (in->enc == ENC_LEGACY && in->map == 1 && in->shape & SHAPE_STACK) {
        out[0] = in->opcode & 1 ? popped(stack_size(in)) : pushed(stack_size(in));      /* push and pop of fs and gs */
        return 1;
    }
    return odd_operand(in, out);
}
