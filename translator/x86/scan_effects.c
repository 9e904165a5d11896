/* Effects: which general-purpose registers and memory an instruction reads and
 * writes, from one row an opcode. Where no row knows, the answer is everything.
 * Threads: pure functions; the tables are constant. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "scan.h"

#include "effects_tables.h"
#include "scan_priv.h"

/* What the opcode's row is chosen and read by. */
struct shape {
    const uint8_t *bytes;
    const struct insn *in;
    uint8_t pp;
    uint8_t vvvv;       /* VEX, EVEX, XOP             */
    uint8_t vector_len; /* bytes; 16 for SSE          */
    bool varies;        /* EVEX with a mask or broadcast: the memory operand's size is not the row's */
};

static inline bool
is_16bit(const struct insn *in)
{
    return in->enc == ENC_LEGACY && in->prefixes & PFX_66 && !(in->rex & REX_W);
}

static unsigned
legacy_pp(const uint8_t *bytes, const struct insn *in)
{
    unsigned reps = in->prefixes & (PFX_F2 | PFX_F3);

    if (reps == (PFX_F2 | PFX_F3)) { /* the last one counts */
        for (unsigned i = in->opcode_off; i-- > 0;) {
            if (bytes[i] == 0xf2 || bytes[i] == 0xf3)
                return bytes[i] == 0xf2 ? PP_F2 : PP_F3;
        }
    }
    return reps == PFX_F2 ? PP_F2 : reps == PFX_F3 ? PP_F3 : in->prefixes & PFX_66 ? PP_66 : PP_NONE;
}

static struct shape
shape_of(const uint8_t *bytes, const struct insn *in)
{
    struct shape s = {.bytes = bytes, .in = in, .vector_len = 16};
    const uint8_t *last; /* the byte that holds pp, vvvv and, but for EVEX, L */

    if (in->enc == ENC_LEGACY || in->enc == ENC_3DNOW) {
        s.pp = legacy_pp(bytes, in);
        return s;
    }
    last = bytes + in->opcode_off - (in->enc == ENC_EVEX ? 2 : 1);
    s.pp = *last & 3;
    s.vvvv = ~*last >> 3 & 15;
    if (in->enc == ENC_EVEX) {
        s.vector_len = 16 << (last[1] >> 5 & 3);
        s.varies = last[1] & 0x17; /* b, aaa */
    } else if (*last & 4) {
        s.vector_len = 32;
    }
    return s;
}

/* clang-format off */
/* ---- rows that depend on more than map and opcode ---- */

static const struct effect_row nothing = NOTHING, unknown = UNKNOWN;

static inline struct effect_row
operands_and(uint8_t ops, enum size rm, enum size reg, enum implicit implicit)
{
    return (struct effect_row)BOTH(ops, rm, reg, implicit);
}

static inline struct effect_row
operands(uint8_t ops, enum size rm, enum size reg)
{
    return operands_and(ops, rm, reg, I_NONE);
}

static inline struct effect_row
implicitly(enum implicit implicit)
{
    return operands_and(0, S_NONE, S_NONE, implicit);
}

static inline struct effect_row
load(enum size size)
{
    return operands(M_R, size, S_NONE);
}

static inline struct effect_row
store(enum size size)
{
    return operands(M_W, size, S_NONE);
}

static struct effect_row
row_0f01(const struct insn *in, unsigned pp)
{
    static const struct effect_row mem[8] = {
        STORE(S_T), STORE(S_T), LOAD(S_T), LOAD(S_T),    /* sgdt, sidt, lgdt, lidt */
        ROW(E_W, S_SREG, 0), ROW(M_RW, S_Q, 0),          /* smsw, rstorssp */
        ROW(E_R, S_W_D, 0), NOTHING,                     /* lmsw, invlpg */
    };
    unsigned reg = reg_field(in);

    if (is_mem(in) || reg == 4 || reg == 6)
        return mem[reg];
    if (pp == PP_F3 && in->modrm >= 0xec && in->modrm <= 0xef)
        return nothing;    /* uiret, testui, clui, stui */
    switch (in->modrm) {
    case 0xc8: case 0xfa: return implicitly(I_MONITOR);    /* and monitorx */
    case 0xc9: return implicitly(I_MWAIT);
    case 0xd0: return implicitly(I_RDMSR);                    /* xgetbv */
    case 0xd1: return implicitly(I_WRMSR);                    /* xsetbv */
    case 0xca: case 0xcb: case 0xd5: case 0xd6: case 0xf8:    /* clac, stac, xend, xtest, swapgs */
        return nothing;
    case 0xee: return implicitly(I_RDMSR);    /* rdpkru */
    case 0xef: return implicitly(I_WRMSR);    /* wrpkru */
    case 0xf9: return implicitly(I_RDTSCP);
    case 0xfb: return implicitly(I_MWAITX);
    case 0xfc: return implicitly(I_STORE_AT_AX);    /* clzero */
    case 0xfd: return implicitly(I_RDMSR);          /* rdpru */
    }
    return unknown;
}

static struct effect_row
row_0fae(const struct insn *in, unsigned pp)
{
    static const struct effect_row mem[8] = {
        STORE(S_NONE), LOAD(S_NONE), LOAD(S_D), STORE(S_D),    /* fxsave, fxrstor, ldmxcsr, stmxcsr */
        BOTH(M_RW, S_NONE, 0, I_XSAVE), BOTH(M_R, S_NONE, 0, I_XSAVE),
        BOTH(M_RW, S_NONE, 0, I_XSAVE), LOAD(S_NONE),    /* xsaveopt, clflush: may fault as a load */
    };
    static const struct effect_row reg_f3[8] = {
        ROW(R_W, S_Y, 0), ROW(R_W, S_Y, 0), ROW(R_R, S_Y, 0), ROW(R_R, S_Y, 0),    /* rdfsbase ... wrgsbase */
        ROW(R_R, S_Y, 0), ROW(R_R, S_Y, 0), ROW(R_R, S_Q, 0), UNKNOWN,             /* ptwrite, incssp, umonitor */
    };
    unsigned reg = reg_field(in);

    if (is_mem(in)) {
        if (pp == PP_66 && reg >= 6)
            return load(S_NONE);    /* clwb, clflushopt */
        if (pp == PP_F3 && reg == 4)
            return load(S_Y);    /* ptwrite */
        if (pp == PP_F3 && reg == 6)
            return operands(M_RW, S_Q, 0);    /* clrssbsy */
        return mem[reg];
    }
    if (pp == PP_F3)
        return reg_f3[reg];
    if (reg == 6 && pp != PP_NONE)
        return operands_and(R_R, S_D, 0, I_AX_DX_R);    /* umwait, tpause */
    return nothing;                                     /* lfence, mfence, sfence */
}

static struct effect_row
row_0fc7(const struct insn *in, unsigned pp)
{
    static const struct effect_row mem[8] = {
        UNKNOWN, BOTH(M_RW, S_PAIR, 0, I_CMPXCHG8B), UNKNOWN,    /* cmpxchg8b, cmpxchg16b */
        BOTH(M_R, S_NONE, 0, I_XSAVE),                           /* xrstors */
        BOTH(M_RW, S_NONE, 0, I_XSAVE), BOTH(M_RW, S_NONE, 0, I_XSAVE),
        LOAD(S_Q), STORE(S_Q),    /* vmptrld and its kin, vmptrst */
    };

    if (is_mem(in))
        return mem[reg_field(in)];
    switch (reg_field(in)) {
    case 6:
        if (pp == PP_F3)
            return operands(R_R, S_Q, 0);    /* senduipi */
        return operands(R_W, S_V, 0);        /* rdrand */
    case 7:
        return operands(R_W, pp == PP_F3 ? S_Q : S_V, 0);    /* rdpid, rdseed */
    }
    return unknown;
}

static struct effect_row
row_0f38_legacy(const struct insn *in, unsigned pp)
{
    switch (in->opcode) {
    case 0x80 ... 0x82: return operands(M_R | G_R, S_X, S_Q);    /* invept ... invpcid */
    case 0xd8: case 0xdc ... 0xdf:
        return pp == PP_F3 ? operands_and(M_R, S_NONE, 0, I_AX_R)    /* Key Locker */
                           : load(S_X);
    case 0xf0:
        return pp == PP_F2 ? operands(G_RW | E_R, S_B, S_Y)    /* crc32 */
                           : operands(G_W | M_R, S_V, S_V);    /* movbe */
    case 0xf1:
        return pp == PP_F2 ? operands(G_RW | E_R, S_V, S_Y)
                           : operands(M_W | G_R, S_V, S_V);
    case 0xf5: return operands(M_W | G_R, S_Y, S_Y);    /* wruss */
    case 0xf6:
        return pp == PP_NONE ? operands(M_W | G_R, S_Y, S_Y)          /* wrss */
                             : operands(G_RW | E_R, S_Y, S_Y);        /* adcx, adox */
    case 0xf8: return operands_and(M_R | G_R, S_64, S_Q, I_STORE);    /* movdir64b, enqcmd */
    case 0xf9: return operands(M_W | G_R, S_Y, S_Y);                  /* movdiri */
    case 0xfa ... 0xfb: return operands(G_W | R_R, S_D, S_D);         /* encodekey */
    case 0xfc: return operands(M_RW | G_R, S_Y, S_Y);                 /* aadd, aand ... */
    }
    return effects_vector[1][in->opcode];
}

static bool
is_sse(unsigned opcode)
{
    return (opcode >= 0x10 && opcode <= 0x17) || (opcode >= 0x28 && opcode <= 0x2f) ||
           (opcode >= 0x50 && opcode <= 0x7f && opcode != 0x77) || opcode == 0xc2 ||
           (opcode >= 0xc4 && opcode <= 0xc6) || (opcode >= 0xd0 && opcode <= 0xfe);
}

/* Map 1 under SSE, VEX and EVEX, where F3 and F2 move the operand to another kind of register. */
static struct effect_row
row_vector_0f(const struct insn *in, unsigned pp)
{
    bool scalar = pp == PP_F3 || pp == PP_F2;

    switch (in->opcode) {
    case 0x2a:
        if (scalar)
            return operands(E_R, S_Y, 0);    /* cvtsi2ss, cvtsi2sd */
        break;
    case 0x2c: case 0x2d:
        if (scalar)
            return operands(G_W | M_R, S_COMI, S_Y);    /* cvttss2si ... */
        break;
    case 0x78: case 0x79:
        if (in->enc == ENC_LEGACY)
            return pp == PP_NONE ? effects_0f[in->opcode] : nothing;    /* extrq, insertq */
        if (scalar)
            return operands(G_W | M_R, S_COMI, S_Y);    /* vcvttss2usi ... */
        break;
    case 0x7b:
        if (scalar)
            return operands(E_R, S_Y, 0);    /* vcvtusi2ss, vcvtusi2sd */
        break;
    case 0x7e:
        if (pp == PP_F3)
            return load(S_Q);    /* movq xmm, m64 */
        break;
    }
    return effects_vector[0][in->opcode];
}

static struct effect_row
row_vex_0f(const struct insn *in, unsigned pp)
{
    static const uint8_t mask_sizes[2][2] = {{S_W, S_Q}, {S_B, S_D}};    /* by pp, W */
    unsigned mask_size = mask_sizes[pp == PP_66][!!(in->rex & REX_W)];

    switch (in->opcode) {
    case 0x41 ... 0x4b: case 0x77: case 0x98 ... 0x99:    /* mask arithmetic, vzeroupper, ktest */
        return nothing;
    case 0x90: return load(mask_size);    /* kmov */
    case 0x91: return store(mask_size);
    case 0x92: return operands(R_R, S_Y, 0);
    case 0x93: return operands(G_W, 0, S_Y);
    case 0xae:
        return reg_field(in) == 2 ? load(S_D) : store(S_D);
    }
    return row_vector_0f(in, pp);
}

static struct effect_row
row_vex_0f38(const struct insn *in, unsigned pp)
{
    switch (in->opcode) {
    case 0x49:    /* ldtilecfg, sttilecfg, tilerelease */
        return pp == PP_66 ? store(S_64) : load(S_64);
    case 0x4b:    /* tileloadd, tilestored */
        return pp == PP_F3 ? store(S_NONE) : load(S_NONE);
    case 0xe0 ... 0xef: return operands(M_RW | G_RW | B_R, S_Y, S_Y);     /* cmpccxadd */
    case 0xf2: return operands(G_W | B_R | E_R, S_Y, S_Y);                /* andn */
    case 0xf3: return operands(B_W | E_R, S_Y, S_Y);                      /* blsr ... */
    case 0xf5: return operands(G_W | B_R | E_R, S_Y, S_Y);                /* bzhi, pext, pdep */
    case 0xf6: return operands_and(G_W | B_W | E_R, S_Y, S_Y, I_DX_R);    /* mulx */
    case 0xf7: return operands(G_W | B_R | E_R, S_Y, S_Y);                /* bextr, shlx ... */
    }
    return effects_vector[1][in->opcode];
}

static struct effect_row
row_vex(const struct insn *in, unsigned pp)
{
    switch (in->map) {
    case 1: return row_vex_0f(in, pp);
    case 2: return row_vex_0f38(in, pp);
    case 3:
        if (in->opcode == 0xf0)
            return operands(G_W | E_R, S_Y, S_Y);    /* rorx */
        return effects_vector[2][in->opcode];
    }
    return unknown;
}

/* Half precision: map 5 mirrors map 1, and map 6 map 2. */
static struct effect_row
row_evex_half(const struct insn *in, unsigned pp)
{
    if (in->map == 6)
        return load(S_NONE);
    switch (in->opcode) {
    case 0x11: return store(S_NONE);
    case 0x2a: case 0x7b:
        return pp == PP_F3 ? operands(E_R, S_Y, 0) : load(S_NONE);
    case 0x2c: case 0x2d: case 0x78: case 0x79:
        return pp == PP_F3 ? operands(G_W | M_R, S_NONE, S_Y) : load(S_NONE);
    case 0x6e: return operands(E_R, S_W_D, 0);    /* vmovw */
    case 0x7e: return operands(E_W, S_W_D, 0);
    case 0x10: case 0x1d: case 0x2e: case 0x2f: case 0x51: case 0x58 ... 0x5f: case 0x7a: case 0x7c: case 0x7d:
        return load(S_NONE);
    }
    return unknown;    /* AVX10.2 writes general registers here */
}

static struct effect_row
without_mem_size(struct effect_row row)
{
    if (row.rm_size != S_VSIB && !(row.ops & (R_R | R_W)))
        row.rm_size = S_NONE;
    return row;
}

static struct effect_row
row_evex(const struct insn *in, unsigned pp)
{
    unsigned low = in->opcode & 15, high = in->opcode >> 4;
    struct effect_row row;

    switch (in->map) {
    case 1:
        row = row_vector_0f(in, pp);
        return in->opcode == 0xe6 ? without_mem_size(row) : row;
    case 2:
        if (pp == PP_F3 && high >= 1 && high <= 3 && low <= 5)
            return store(S_NONE);    /* vpmov to narrower elements */
        break;
    case 3: break;
    case 5: case 6: return row_evex_half(in, pp);
    default: return unknown;
    }
    row = effects_vector[in->map - 1][in->opcode];
    return without_mem_size(row);    /* element sizes differ from VEX's */
}

static struct effect_row
row_xop(const struct insn *in)
{
    bool vector = in->map == 8 || (in->map == 9 && in->opcode >= 0x80);

    if (vector)
        return load(S_NONE);
    if (in->map == 9 && (in->opcode == 0x01 || in->opcode == 0x02))
        return operands(B_W | E_R, S_Y, S_Y);    /* blcfill ... tzmsk */
    if (in->map == 10 && in->opcode == 0x10)
        return operands(G_W | E_R, S_Y, S_Y);    /* bextr */
    return unknown;
}

static struct effect_row
row_0f(const struct insn *in, unsigned pp)
{
    switch (in->opcode) {
    case 0x00:
        return reg_field(in) < 2 ? operands(E_W, S_SREG, 0) : operands(E_R, S_W_D, 0);
    case 0x01: return row_0f01(in, pp);
    case 0x1e:
        if (pp == PP_F3 && !is_mem(in) && reg_field(in) == 1)
            return operands(R_R | R_W, S_Y, 0);    /* rdssp: a nop without shadow stacks */
        break;
    case 0xae: return row_0fae(in, pp);
    case 0xc7: return row_0fc7(in, pp);
    }
    return is_sse(in->opcode) ? row_vector_0f(in, pp) : effects_0f[in->opcode];
}

static struct effect_row
row_x87(const struct insn *in)
{
    if (is_mem(in))
        return effects_x87[in->opcode & 7][reg_field(in)];
    if (in->opcode == 0xdf && in->modrm == 0xe0)
        return implicitly(I_AX_RW);    /* fnstsw ax */
    return nothing;
}

static struct effect_row
row_one_byte(const struct insn *in)
{
    if (in->opcode >= 0xd8 && in->opcode <= 0xdf)
        return row_x87(in);
    return effects_one_byte[in->opcode];
}

static struct effect_row
find_row(const struct shape *s)
{
    const struct insn *in = s->in;
    struct effect_row row = unknown;

    switch (in->enc) {
    case ENC_VEX: return row_vex(in, s->pp);
    case ENC_EVEX: return row_evex(in, s->pp);
    case ENC_XOP: return row_xop(in);
    case ENC_3DNOW: return load(S_Q);
    }
    switch (in->map) {
    case 0: row = row_one_byte(in); break;
    case 1: row = row_0f(in, s->pp); break;
    case 2: row = row_0f38_legacy(in, s->pp); break;
    case 3:
        row = in->opcode == 0xf0 ? implicitly(I_AX_R)    /* hreset */
                                 : effects_vector[2][in->opcode];
        break;
    }
    if (row.implicit == I_GROUP)
        row = effect_groups[row.ops][reg_field(in)];
    return row;
}

/* clang-format on */
/* ---- what a row means ---- */

static unsigned
mem_size(const struct shape *s, enum size size)
{
    const struct insn *in = s->in;
    unsigned w = in->rex & REX_W, vl = s->vector_len;
    bool mmx = in->enc == ENC_LEGACY && s->pp == PP_NONE;

    switch (size) {
    case S_NONE:
    case S_VSIB: return 0;
    case S_B:
    case S_B_D: return 1;
    case S_W:
    case S_W_D:
    case S_SREG: return 2;
    case S_D: return 4;
    case S_Q: return 8;
    case S_X: return 16;
    case S_T: return 10;
    case S_64: return 64;
    case S_V: return w ? 8 : is_16bit(in) ? 2 : 4;
    case S_Y:
    case S_SCALAR: return w ? 8 : 4;
    case S_MOVSXD: return is_16bit(in) ? 0 : 4;
    case S_PAIR: return w ? 16 : 8;
    case S_P: return is_16bit(in) ? 2 : 8;
    case S_ENV: return is_16bit(in) ? 14 : 28;
    case S_STATE: return is_16bit(in) ? 94 : 108;
    case S_VL: return vl;
    case S_VL_2: return vl / 2;
    case S_VL_4: return vl / 4;
    case S_VL_8: return vl / 8;
    case S_MX: return mmx ? 8 : vl;
    case S_MX_4: return mmx ? 4 : vl;
    case S_MX_X: return mmx ? 8 : 16;
    case S_PS: return s->pp == PP_F3 ? 4 : s->pp == PP_F2 ? 8 : vl;
    case S_COMI: return s->pp & 1 ? 8 : 4;
    case S_DUP: return s->pp < PP_F3 || (s->pp == PP_F2 && vl == 16) ? 8 : vl;
    case S_CVT: return s->pp == PP_NONE ? vl / 2 : s->pp == PP_66 ? vl : s->pp == PP_F3 ? 4 : 8;
    case S_CVT_DQ: return s->pp == PP_F3 ? vl / 2 : vl;
    case S_CVT_SI: return s->pp == PP_66 ? 16 : s->pp == PP_F3 ? 4 : 8;
    }
    return 0;
}

/* Whether a write of this size leaves part of the register as it was. */
static bool
is_partial(const struct insn *in, enum size size)
{
    return size == S_B || size == S_W || ((size == S_V || size == S_SREG || size == S_P) && is_16bit(in));
}

/* The bit of register `n`; byte registers 4 to 7 without REX are ah, ch, dh, bh. */
static unsigned
reg_bit(const struct insn *in, unsigned n, enum size size)
{
    if (size == S_B && n >= 4 && n <= 7 && in->rex == 0)
        n -= 4;
    return 1u << n;
}

static void
add_reg(struct effects *out, unsigned bit, bool read, bool written, bool partial)
{
    if (read || (written && partial))
        out->reads |= bit;
    if (written)
        out->writes |= bit;
}

/* The registers of the address; a vector index is not one of them. */
static unsigned
address_regs(const struct shape *s, bool vsib)
{
    const struct insn *in = s->in;
    unsigned rm = in->modrm & 7, b = in->rex & REX_B ? 8 : 0, x = in->rex & REX_X ? 8 : 0;
    unsigned sib, base, index, regs = 0;

    if (in->shape & SHAPE_RIPREL)
        return 0;
    if (rm != 4)
        return 1u << (rm | b);
    sib = s->bytes[in->modrm_off + 1];
    base = sib & 7;
    index = (sib >> 3 & 7) | x;
    if (base != 5 || in->modrm >= 0x40)
        regs |= 1u << (base | b);
    if (index != 4 && !vsib)
        regs |= 1u << index;
    return regs;
}

static void
add_mem(struct effects *out, unsigned ops)
{
    out->mem_read |= !!(ops & M_R);
    out->mem_written |= !!(ops & M_W);
}

static void
add_modrm(struct effects *out, const struct shape *s, struct effect_row row)
{
    const struct insn *in = s->in;
    unsigned g = reg_field(in) | (in->rex & REX_R ? 8 : 0);
    unsigned e = (in->modrm & 7) | (in->rex & REX_B ? 8 : 0);

    add_reg(out, reg_bit(in, g, row.reg_size), row.ops & G_R, row.ops & G_W, is_partial(in, row.reg_size));
    if (is_mem(in)) {
        out->reads |= address_regs(s, row.rm_size == S_VSIB);
        add_mem(out, row.ops);
        out->modrm_read = row.ops & M_R;
        out->modrm_written = row.ops & M_W;
        if (row.ops & M_RW && !s->varies)
            out->mem_size = mem_size(s, row.rm_size);
    } else {
        add_reg(out, reg_bit(in, e, row.rm_size), row.ops & R_R, row.ops & R_W, is_partial(in, row.rm_size));
    }
}

/* One-byte opcodes and bswap name a register in their low three bits. */
static void
add_opcode_reg(struct effects *out, const struct insn *in)
{
    unsigned n = (in->opcode & 7) | (in->rex & REX_B ? 8 : 0);

    if (in->map == 1) {
        if (in->opcode >= 0xc8 && in->opcode <= 0xcf)
            add_reg(out, 1u << n, true, true, false); /* bswap */
        return;
    }
    switch (in->opcode) {
    case 0x50 ... 0x57: add_reg(out, 1u << n, true, false, false); break;
    case 0x58 ... 0x5f: add_reg(out, 1u << n, false, true, is_16bit(in)); break;
    case 0x90:
        if (n == 0) { /* nop */
            *out = (struct effects){0};
            return;
        }
        __attribute__((fallthrough));
    case 0x91 ... 0x97: add_reg(out, 1u << n, true, true, false); break;
    case 0xb0 ... 0xb7: add_reg(out, reg_bit(in, n, S_B), false, true, true); break;
    case 0xb8 ... 0xbf: add_reg(out, 1u << n, false, true, is_16bit(in)); break;
    }
}

/* xor r,r, sub r,r and sbb r,r do not depend on r. */
static bool
ignores_its_operand(const struct insn *in)
{
    switch (in->opcode) {
    case 0x19:
    case 0x1b:
    case 0x29:
    case 0x2b:
    case 0x31:
    case 0x33:
        return in->map == 0 && in->enc == ENC_LEGACY && !is_mem(in) && !is_16bit(in) &&
               reg_field(in) == (in->modrm & 7u) && !(in->rex & REX_R) == !(in->rex & REX_B);
    }
    return false;
}

void
scan_effects(const uint8_t *bytes, const struct insn *in, struct effects *out)
{
    const struct implicit_sets *implicit;
    struct effect_row row = unknown;
    struct shape s;

    *out = (struct effects){0};
    if (in->cls != INSN_INVALID) {
        s = shape_of(bytes, in);
        row = find_row(&s);
    }
    implicit = &implicit_sets[row.implicit];
    out->reads = implicit->reads;
    out->writes = implicit->writes;
    add_mem(out, implicit->mem);
    if (row.implicit == I_UNKNOWN)
        return;
    out->known = true;

    if (in->map == 0 && is_16bit(in))
        out->reads |= out->writes; /* implicit 16-bit operands keep the rest */
    if (in->shape & SHAPE_MODRM)
        add_modrm(out, &s, row);
    else if (in->enc == ENC_LEGACY)
        add_opcode_reg(out, in);
    if (row.ops & (B_R | B_W))
        add_reg(out, 1u << s.vvvv, row.ops & B_R, row.ops & B_W, false);
    if (in->shape & SHAPE_REP) {
        out->reads |= out->writes | CX; /* a count of zero writes nothing else */
        out->writes |= CX;
    }
    if (ignores_its_operand(in))
        out->reads = 0;
}
