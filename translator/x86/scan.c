/* Instruction scanner: reads prefixes, looks the opcode up in one table row,
 * and works out where the instruction's parts lie.
 * Intel and AMD differ on 66 before a near branch: Intel ignores it, AMD takes
 * a 16-bit displacement and truncates rip, which no program for Linux survives.
 * This follows Intel. 66 48 e8, which linkers write, is the same on both.
 * REX2 (d5) and the other encodings of APX are undefined here.
 * Invariant: scan_window() reads no more than WINDOW bytes, so only its caller
 * thinks about what is readable.
 * Threads: pure functions; the tables are constant. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "scan.h"

#include "scan_priv.h"
#include "scan_tables.h"
#include "util/base.h"

/* 14 prefixes, EVEX and an opcode, ModRM, SIB, disp32 and an 8-byte load of the
 * immediate stay below this. */
enum { WINDOW = 40 };

/* What the prefixes said. */
struct prefixes {
    uint8_t bits; /* PFX_*                                       */
    uint8_t rex;
    uint8_t seg;
    uint8_t last_rep; /* f2 or f3, whichever came last; 0: neither   */
};

typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned_u64;

/* Fills in the immediates at w[at]; returns the offset after them. Without a
 * branch: whether there is one, and of which size, is hard to predict. */
static inline unsigned
read_imm(const uint8_t *w, unsigned at, struct imm_size size, struct insn *out)
{
    uint64_t v = *(const unaligned_u64 *)(w + at);

    out->imm = (int64_t)(v << size.half_shift << size.half_shift) >> size.half_shift >> size.half_shift;
    out->imm_off = size.bytes ? at : 0;
    out->imm_len = size.bytes;
    return at + size.bytes;
}

/* Reads legacy prefixes and REX from w[0]; returns the offset of the byte after
 * them. A REX that a legacy prefix follows counts for nothing. cs, ds, es and
 * ss do not undo an fs or gs before them. */
static unsigned
read_prefixes(const uint8_t *w, struct prefixes *p)
{
    unsigned at;

    for (at = 0; at < INSN_MAX_LEN; at++) {
        unsigned byte = w[at];
        struct op op = one_byte[byte];

        if ((op.form & FORM_PREFIX) != FORM_PREFIX)
            break;
        p->bits |= op.cls;
        p->rex = (byte & 0xf0) == REX_NONE ? byte : 0;
        if (op.cls & (PFX_F2 | PFX_F3))
            p->last_rep = byte;
        if (op.shape && (op.shape != SEG_OTHER || p->seg == SEG_NONE))
            p->seg = op.shape;
    }
    if (p->rex)
        p->bits |= PFX_REX;
    return at;
}

/* Fills in ModRM, SIB and displacement at w[at], if the form has them; returns
 * the offset after them. */
static inline unsigned
read_modrm(const uint8_t *w, unsigned at, unsigned form, struct insn *out)
{
    unsigned modrm = w[at], present = form / FORM_MODRM & 1;
    unsigned parts = modrm_parts[(form & (FORM_MODRM | FORM_MOD3)) + (modrm >> 3 & 0x18) + (modrm & 7)];
    unsigned disp = parts >> MODRM_DISP_SHIFT;

    out->modrm = present ? modrm : 0;
    out->modrm_off = present ? at : 0;
    out->shape = parts & (SHAPE_MODRM | SHAPE_MEM | SHAPE_RIPREL);
    at += present;
    if (parts & MODRM_SIB) {
        if ((w[at++] & 7) == 5 && modrm < 0x40)
            disp = 4; /* no base */
    }
    out->disp_len = disp;
    out->disp_off = disp ? at : 0;
    return at + disp;
}

/* Ends the instruction at `len`: too long is undefined, and so is LOCK before
 * anything that is not plain. Before a plain one the processor decides. */
static inline void
finish(struct insn *out, unsigned len)
{
    if (UNLIKELY(len > INSN_MAX_LEN)) {
        out->cls = INSN_INVALID;
        len = INSN_MAX_LEN;
    }
    if (UNLIKELY(out->prefixes & PFX_LOCK) && out->cls != INSN_PLAIN)
        out->cls = INSN_INVALID;
    out->len = len;
}

static void
finish_invalid(struct insn *out, unsigned len)
{
    out->cls = INSN_INVALID;
    finish(out, len);
}

static inline void
set_flags(struct insn *out, enum flag_effect fx)
{
    out->flags_read = flag_effects[fx].read;
    out->flags_written = flag_effects[fx].written;
}

/* A shift by an immediate that the processor masks to zero writes no flags. The
 * narrow rcl and rcr count modulo 9 and 17. */
static void
odd_shift(struct insn *out)
{
    unsigned count = out->imm & (out->rex & REX_W ? 63 : 31);
    bool rotate_carry = out->map == 0 && (reg_field(out) & 6) == 2;

    if (count == 0 || (rotate_carry && (count % 9 == 0 || count % 17 == 0)))
        out->flags_written = 0;
}

static void
odd_x87(struct insn *out)
{
    static const uint8_t fcmov[4] = {FX_CC_B, FX_CC_Z, FX_CC_BE, FX_CC_P};
    unsigned reg = reg_field(out);

    if (is_mem(out)) {
        if (reg == 6 && (out->opcode == 0xd9 || out->opcode == 0xdd))
            out->cls = INSN_FPSAVE; /* fnstenv, fnsave */
    } else if ((out->opcode == 0xda || out->opcode == 0xdb) && reg < 4) {
        set_flags(out, fcmov[reg]);
    } else if ((out->opcode == 0xdb || out->opcode == 0xdf) && (reg == 5 || reg == 6)) {
        set_flags(out, FX_FCOMI);
    }
}

static void
odd_0f01(struct insn *out, unsigned last_rep)
{
    switch (out->modrm) {
    case 0xd6: /* xtest */ set_flags(out, FX_ALL); break;
    case 0xec:
        if (last_rep == 0xf3)
            out->cls = INSN_INVALID; /* uiret: Linux leaves it disabled */
        break;
    case 0xef:
        if (last_rep != 0xf3)
            out->cls = INSN_WRPKRU; /* with f3: stui */
        break;
    }
}

static void
odd_0fae(struct insn *out, unsigned last_rep)
{
    unsigned reg = reg_field(out);

    if (!is_mem(out)) {
        if (last_rep == 0xf3 && (reg == 1 || reg == 3))
            out->cls = INSN_GSBASE;
    } else if (reg == 0) {
        out->cls = INSN_FPSAVE; /* fxsave */
    } else if ((reg == 4 || reg == 6) && !last_rep && !(out->prefixes & PFX_66)) {
        out->cls = INSN_FPSAVE; /* xsave, xsaveopt; else ptwrite, clwb ... */
    }
}

static void
odd_0fc7(struct insn *out)
{
    unsigned reg = reg_field(out);

    if (!is_mem(out)) {
        if (reg >= 6 && !(out->prefixes & PFX_F3))
            set_flags(out, FX_ALL); /* rdrand, rdseed; f3: senduipi, rdpid */
    } else if (reg == 1) {
        set_flags(out, FX_W_ZF); /* cmpxchg8b, cmpxchg16b */
    } else if (reg == 4 || reg == 5) {
        out->cls = INSN_FPSAVE; /* xsavec, xsaves */
    }
}

/* With rep, a count of zero writes nothing, not even cmps its flags. */
static void
odd_string(struct insn *out)
{
    if (out->prefixes & (PFX_F2 | PFX_F3)) {
        out->shape |= SHAPE_REP;
        out->flags_written = 0;
    }
}

/* clang-format off */

/* Completes what one table row cannot say, in an instruction that ends at `at`
 * as far as its row goes; returns where it ends. All fields but `len` are set. */
static NOINLINE unsigned
odd_one(struct insn *out, unsigned at, unsigned last_rep)
{
    unsigned reg = reg_field(out);
    bool invalid = false;

    switch (out->map << 8 | out->opcode) {
    case 0x6c ... 0x6f: case 0xa4 ... 0xa7: case 0xaa ... 0xaf: odd_string(out); break;
    case 0x8c: invalid = reg > 5; break;
    case 0x8d: invalid = !is_mem(out); break;
    case 0x8e: invalid = reg == 1 || reg > 5; break;    /* cs cannot be loaded */
    case 0x8f: invalid = reg != 0; break;
    case 0xa0 ... 0xa3:
        out->disp_off = at;
        out->disp_len = out->prefixes & PFX_67 ? 4 : 8;
        return at + out->disp_len;
    case 0xc0: case 0xc1: case 0x1a4: case 0x1ac: odd_shift(out); break;
    case 0xc2: case 0xc8: case 0xca:
        out->imm = (uint16_t)out->imm;                  /* ret, enter and retf count in unsigned bytes */
        break;
    case 0xc6: case 0xc7: invalid = out->modrm != 0xf8; break;
    case 0xd8 ... 0xdf: odd_x87(out); break;
    case 0xff: invalid = !is_mem(out); break;           /* far call and jump */
    case 0x100:
        if (reg == 4 || reg == 5)
            set_flags(out, FX_W_ZF);                    /* verr, verw */
        break;
    case 0x101: odd_0f01(out, last_rep); break;
    case 0x1ae: odd_0fae(out, last_rep); break;
    case 0x1b2: case 0x1b4: case 0x1b5: invalid = !is_mem(out); break;
    case 0x1b8: invalid = last_rep != 0xf3; break;
    case 0x1c7: odd_0fc7(out); break;
    case 0x2f6:                                         /* adcx, adox, wrss */
        if (last_rep == 0xf3)
            set_flags(out, FX_ADOX);
        else if (out->prefixes & PFX_66)
            set_flags(out, FX_CMC);
        break;
    }
    if (invalid)
        out->cls = INSN_INVALID;
    return at;
}

/* The flags of a VEX, EVEX or XOP instruction. */
static enum flag_effect
vector_flags(const struct insn *in, unsigned pp)
{
    bool vex = in->enc == ENC_VEX;

    switch ((in->enc == ENC_XOP ? 0 : in->map << 8) | in->opcode) {
    case 0x01: case 0x02:                               /* XOP: blcfill ... tzmsk */
        return in->map == 9 ? FX_ALL : FX_NONE;
    case 0x10:
        return in->map == 10 ? FX_ALL : FX_NONE;        /* XOP: bextr r, r/m, imm32 */
    case 0x12e: case 0x12f: return FX_ALL;              /* vucomiss, vcomiss */
    case 0x52e: case 0x52f: return FX_ALL;              /* vucomish, vcomish */
    case 0x198: case 0x199:                             /* kortest, ktest */
    case 0x20e: case 0x20f: case 0x217:                 /* vtestps, vtestpd, vptest */
    case 0x2f2: case 0x2f3:                             /* andn, blsr ... */
        return vex ? FX_ALL : FX_NONE;
    case 0x2f5: case 0x2f7:                             /* bzhi, bextr; with pp: pdep, shlx ... */
        return vex && pp == PP_NONE ? FX_ALL : FX_NONE;
    case 0x360 ... 0x363:                               /* vpcmpestrm ... vpcmpistri */
        return vex ? FX_ALL : FX_NONE;
    }
    return FX_NONE;
}

/* clang-format on */

/* Map 1 has an immediate in these places, under VEX and EVEX alike. */
static bool
vector_map1_has_imm(unsigned opcode)
{
    return (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6);
}

/* The immediates of the vector instruction in `in`: an IMM_ kind, or -1 where no
 * such map exists. */
static int
vector_imm(const struct insn *in)
{
    if (in->enc == ENC_XOP) {
        switch (in->map) {
        case 8: return IMM_B;
        case 9: return IMM_NONE;
        case 10: return IMM_D;
        }
        return -1;
    }
    switch (in->map) {
    case 1: return vector_map1_has_imm(in->opcode) ? IMM_B : IMM_NONE;
    case 2:
    case 5:
    case 6: return IMM_NONE;
    case 3: return IMM_B;
    case 7: return in->enc == ENC_VEX ? IMM_D : -1; /* rdmsr, wrmsr, urdmsr by imm32 */
    }
    return -1;
}

/* VEX (c4, c5), EVEX (62) or XOP (8f) at w[at]. 66, F2, F3, LOCK or REX before
 * one is undefined. Which opcodes exist is left to the processor. */
static NOINLINE void
scan_vector(const uint8_t *w, unsigned at, struct insn *out)
{
    unsigned lead = w[at];
    unsigned p0 = w[at + 1], p1 = w[at + 2], pp;
    int kind;

    if (out->prefixes & (PFX_66 | PFX_F2 | PFX_F3 | PFX_LOCK | PFX_REX)) {
        finish_invalid(out, lead == 0x8f ? at + 2 : at + 1); /* 8f is XOP by its second byte */
        return;
    }
    if (lead == 0xc5) {
        out->enc = ENC_VEX;
        out->map = 1;
        out->rex = REX_NONE | (~p0 >> 5 & REX_R);
        pp = p0 & 3;
        at += 2;
    } else {
        out->enc = lead == 0xc4 ? ENC_VEX : lead == 0x62 ? ENC_EVEX : ENC_XOP;
        out->map = out->enc == ENC_EVEX ? p0 & 7 : p0 & 0x1f;
        out->rex = REX_NONE | (p1 >> 4 & REX_W) | (~p0 >> 5 & (REX_R | REX_X | REX_B));
        pp = p1 & 3;
        at += out->enc == ENC_EVEX ? 4 : 3;
    }
    out->opcode = w[at];
    out->opcode_off = at++;

    kind = vector_imm(out);
    if (kind < 0) {
        finish_invalid(out, at);
        return;
    }
    if (!(out->enc == ENC_VEX && out->map == 1 && out->opcode == 0x77)) /* vzeroupper */
        at = read_modrm(w, at, FORM_MODRM, out);
    at = read_imm(w, at, imm_sizes[kind][0], out);
    set_flags(out, vector_flags(out, pp));
    finish(out, at);
}

/* The row for the opcode behind the 0f at w[*at - 1]. Leaves *at at the opcode's last byte. */
static inline struct op
lookup_0f(const uint8_t *w, unsigned *at, const struct prefixes *p, struct insn *out)
{
    struct op op = two_byte[w[*at]];

    out->map = 1;
    if (LIKELY(!(op.form & FORM_ESCAPE)))
        return op;
    switch (w[*at]) {
    case 0x38:
        ++*at;
        out->map = 2;
        return (struct op){MO, INSN_PLAIN, 0, flags_0f38[w[*at]]};
    case 0x3a:
        ++*at;
        out->map = 3;
        return (struct op){MB, INSN_PLAIN, 0, flags_0f3a[w[*at]]};
    case 0x0f: out->enc = ENC_3DNOW; break;
    case 0x78:
        if (p->last_rep == 0xf2 || (!p->last_rep && (p->bits & PFX_66)))
            op.form = M | IMM_BB;
        break;
    }
    return op;
}

/* From the opcode at w[at], whose row in one_byte is `op`, to the end. */
static inline __attribute__((always_inline)) void
scan_legacy(const uint8_t *w, unsigned at, struct op op, const struct prefixes *p, struct insn *out)
{
    unsigned size = p->rex & REX_W ? 2 : p->bits & PFX_66 ? 1 : 0;

    out->prefixes = p->bits;
    out->rex = p->rex;
    out->seg = p->seg;
    if (w[at] == 0x0f) {
        at++;
        op = lookup_0f(w, &at, p, out);
    }
    out->opcode = w[at];
    out->opcode_off = at++;
    at = read_modrm(w, at, op.form, out);
    if (op.form & FORM_GROUP)
        op = groups[op.cls][reg_field(out)];
    out->cls = op.cls;
    out->shape |= op.shape;
    set_flags(out, op.flags);
    at = read_imm(w, at, imm_sizes[op.form & IMM_KIND][size], out);
    if (op.form & FORM_ODD)
        at = odd_one(out, at, p->last_rep);
    finish(out, at);
}

/* The instruction at w[0] begins with a legacy prefix, or with a byte that may
 * begin a vector instruction. */
static NOINLINE void
scan_escape(const uint8_t *w, struct insn *out)
{
    struct prefixes p = {0};
    unsigned at = read_prefixes(w, &p);
    unsigned first = w[at];
    bool pop = first == 0x8f && !(w[at + 1] & 0x18); /* XOP's map number begins at 8 */

    out->prefixes = p.bits;
    if (UNLIKELY(at == INSN_MAX_LEN)) {
        finish_invalid(out, at);
    } else if (one_byte[first].form & FORM_ESCAPE && first != 0x0f && !pop) {
        out->rex = p.rex;
        out->seg = p.seg;
        scan_vector(w, at, out);
    } else {
        scan_legacy(w, at, one_byte[first], &p, out);
    }
}

/* Scans the instruction at w[0], where WINDOW bytes are readable. */
static inline void
scan_window(const uint8_t *w, struct insn *out)
{
    struct prefixes p = {0};
    unsigned at = 0;
    struct op op;

    *out = (struct insn){0};
    if ((w[0] & 0xf0) == REX_NONE) {
        p.bits = PFX_REX;
        p.rex = w[0];
        at = 1;
    }
    op = one_byte[w[at]];
    if (UNLIKELY(op.form & FORM_ESCAPE) && w[at] != 0x0f)
        scan_escape(w, out);
    else
        scan_legacy(w, at, op, &p, out);
}

/* Fewer than WINDOW bytes are readable: scans a copy. */
static NOINLINE bool
scan_edge(const uint8_t *bytes, size_t avail, struct insn *out)
{
    uint8_t window[WINDOW];
    unaligned_u64 *words = (unaligned_u64 *)window;

    for (size_t i = 0; i < WINDOW / sizeof *words; i++)
        words[i] = 0;
    if (avail >= INSN_MAX_LEN) {
        words[0] = *(const unaligned_u64 *)bytes;
        *(unaligned_u64 *)(window + 7) = *(const unaligned_u64 *)(bytes + 7);
    } else {
        for (size_t i = 0; i < avail; i++)
            window[i] = bytes[i];
    }
    scan_insn(window, WINDOW, out);
    if (out->len <= avail)
        return true;
    out->len = 0;
    return false;
}

bool
scan_insn(const uint8_t *bytes, size_t avail, struct insn *out)
{
    if (UNLIKELY(avail < WINDOW))
        return scan_edge(bytes, avail, out);
    scan_window(bytes, out);
    return true;
}
