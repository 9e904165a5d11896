/* Memory operands for tools: what they are, code that computes their addresses, and
 * their addresses in C.
 * What the instruction tables do not know (AVX-512, XOP, some system instructions) is looked up in Zydis.
 * Threads: dr_memory_operands and dr_emit_address under cache_lock, as all block callbacks. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "core/translate.h"
#include "linux/sys.h"

/* Bytes that xsave writes, and xrstor reads, with every component that the system has enabled (CPUID leaf 0dh). */
static uint16_t
xsave_size(void)
{
    uint32_t a = 0xd, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (uint16_t)b;
}

static bool
is_xsave(const struct insn *in)
{
    unsigned reg = in->modrm >> 3 & 7;

    return in->enc == ENC_LEGACY && in->map == 1 &&
           ((in->opcode == 0xae && reg >= 4 && reg <= 6) || (in->opcode == 0xc7 && reg >= 3 && reg <= 5));
}

/* False: it accesses nothing. */
static bool
look_up(const uint8_t *bytes, const struct insn *in, struct dr_memory *m)
{
    if (is_xsave(in)) {
        static uint16_t size;
        if (!size)
            size = xsave_size();
        m->size = size;
        m->conditional = true;
        m->written = !((in->opcode == 0xae && (in->modrm >> 3 & 7) == 5) || (in->opcode == 0xc7 && (in->modrm >> 3 & 7) == 3));
        m->read = !m->written;
        return true;
    }
    return zydis_memory(bytes, in->len, m) && (m->read || m->written);
}

unsigned
dr_memory_operands(dr_block *b, unsigned index, struct dr_memory out[DR_MAX_MEMORY])
{
    const struct insn *in = &b->insn[index];
    uint64_t pc = b->draft->tag + b->off[index];
    unsigned n, kept = 0;

    DR_CHECK(index < b->n, "operands of an instruction of the block are asked for");
    if (!(in->shape & (SHAPE_MEM | SHAPE_STACK | SHAPE_STRING | SHAPE_MOFFS)) && in->map <= 0 && in->opcode != 0xd7)
        return 0;
    n = scan_memory((const uint8_t *)pc, in, pc, out);
    for (unsigned i = 0; i < n; i++)
        if (out[i].size || look_up((const uint8_t *)pc, in, &out[i]))
            out[kept++] = out[i];
    if (UNLIKELY(in->prefixes & PFX_66) && insn_is_narrow(in))
        for (unsigned i = 0; i < kept; i++) {
            out[i].size = 2;
            if (out[i].stack && out[i].written)
                out[i].disp = -2;
        }
    return kept;
}

/* ---- code ---- */

/* One term of an address. */
struct term {
    enum { LIVE, SLOT, BYTE, BITS, CONSTANT, FS_BASE } kind;
    enum reg r;                  /* LIVE: in this register                         */
    uint32_t slot;               /* SLOT, and BYTE or BITS unless 0: in this slot   */
    unsigned scale;              /* BITS: bytes of the operand                     */
    int64_t value;
};

/* The slot that holds register r's value of the program, or 0: the register itself. */
static uint32_t
slot_of(const dr_block *b, enum reg r)
{
    if (r == RCX && b->spilled & MAP_RCX)
        return SLOT_SPILL0;
    if (r == RDX && b->spilled & MAP_RDX)
        return SLOT_SPILL1;
    if (b->spilled & MAP_SCRATCH && r == (enum reg)b->scratch)
        return SLOT_SPILL2;
    if (r == (enum reg)b->draft->held)
        return SLOT_HOLD;
    return 0;
}

static struct term
term_of(const dr_block *b, enum reg r, unsigned scale)
{
    uint32_t slot = slot_of(b, r);

    return (struct term){.kind = slot ? SLOT : LIVE, .r = r, .slot = slot, .scale = scale};
}

static unsigned
terms_of(const dr_block *b, const struct dr_memory *m, struct term *t)
{
    unsigned n = 0;

    if (m->base != REG_NONE)
        t[n++] = term_of(b, m->base, 1);
    if (m->index != REG_NONE) {
        t[n] = term_of(b, m->index, m->scale);
        if (m->index_low8)
            t[n].kind = BYTE;
        n++;
    }
    if (m->bit_register != REG_NONE) {
        t[n] = term_of(b, m->bit_register, m->size);
        t[n++].kind = BITS;
    }
    if (m->segment == DR_SEGMENT_FS)
        t[n++] = (struct term){.kind = FS_BASE, .scale = 1};
    if (m->segment == DR_SEGMENT_GS)
        t[n++] = (struct term){.kind = SLOT, .slot = SLOT_APP_GS, .scale = 1};
    if (m->disp != (int32_t)m->disp && n)
        t[n++] = (struct term){.kind = CONSTANT, .value = m->disp, .scale = 1};
    return n;
}

/* lea d, [base + index * scale + disp]; base or index may be REG_NONE */
static void
x_lea(struct emit *e, enum reg d, enum reg base, enum reg index, unsigned scale, int32_t disp)
{
    bool sib = index != REG_NONE || base == REG_NONE || (base & 7) == RSP, small = base != REG_NONE && disp == (int8_t)disp;
    unsigned mod = base == REG_NONE ? 0 : disp == 0 && (base & 7) != RBP ? 0 : small ? 1 : 2;

    emit_u8(e, (uint8_t)(0x48 | (d >> 3) << 2 | (index != REG_NONE ? index >> 3 << 1 : 0) | (base != REG_NONE ? base >> 3 : 0)));
    emit_u8(e, 0x8d);
    emit_u8(e, (uint8_t)(mod << 6 | (d & 7) << 3 | (sib ? 4 : base & 7)));
    if (sib)
        emit_u8(e, (uint8_t)((unsigned)__builtin_ctz(scale) << 6 | (index == REG_NONE ? 4 : index & 7) << 3 | (base == REG_NONE ? 5 : base & 7)));
    if (mod == 1)
        emit_u8(e, (uint8_t)disp);
    else if (mod == 2 || base == REG_NONE)
        emit_u32(e, (uint32_t)disp);
}

/* movzx d, byte of r, or of gs:[slot] */
static void
x_movzx8(struct emit *e, enum reg d, const struct term *t)
{
    if (t->slot)
        emit_u8(e, 0x65);
    emit_u8(e, (uint8_t)(0x40 | (d >> 3) << 2 | (t->slot ? 0 : t->r >> 3)));
    emit_bytes(e, "\x0f\xb6", 2);
    emit_u8(e, (uint8_t)((t->slot ? 0x04 : 0xc0 | (t->r & 7)) | (d & 7) << 3));
    if (t->slot) {
        emit_u8(e, 0x25);
        emit_u32(e, t->slot);
    }
}

/* The value of the bit register, sign-extended from `size` bytes, shifted right until it counts operands. */
static void
x_bit_offset(struct emit *e, enum reg d, enum reg helper, const struct term *t)
{
    if (t->slot)
        x_mov_r_slot(e, d, t->slot);
    else if (d != t->r)
        x_mov_r_r(e, d, t->r);
    if (t->scale != 8) {                                       /* movsxd d, d32   or   movsx d, d16 */
        emit_u8(e, (uint8_t)(0x48 | (d >> 3) * 5));
        emit_bytes(e, t->scale == 4 ? "\x63" : "\x0f\xbf", t->scale == 4 ? 1 : 2);
        emit_u8(e, (uint8_t)(0xc0 | (d & 7) * 9));
    }
    x_mov_r_i64(e, helper, t->scale == 8 ? 6 : t->scale == 4 ? 5 : 4);
    emit_u8(e, 0xc4);                                          /* sarx d, d, helper */
    emit_u8(e, (uint8_t)((d >> 3 ? 0 : 0x80) | 0x40 | (d >> 3 ? 0 : 0x20) | 2));
    emit_u8(e, (uint8_t)(0x80 | (~helper & 15) << 3 | 2));
    emit_u8(e, 0xf7);
    emit_u8(e, (uint8_t)(0xc0 | (d & 7) * 9));
}

/* A term that is not live in its register, into one. */
static void
load_term(struct emit *e, enum reg d, enum reg helper, const struct term *t)
{
    switch (t->kind) {
    case SLOT: x_mov_r_slot(e, d, t->slot); break;
    case BYTE: x_movzx8(e, d, t); break;
    case BITS: x_bit_offset(e, d, helper, t); break;
    case CONSTANT: x_mov_r_i64(e, d, (uint64_t)t->value); break;
    case FS_BASE:
        emit_u8(e, 0xf3);                                      /* rdfsbase d */
        emit_u8(e, (uint8_t)(0x48 | d >> 3));
        emit_bytes(e, "\x0f\xae", 2);
        emit_u8(e, (uint8_t)(0xc0 | (d & 7)));
        break;
    case LIVE: break;
    }
}

/* A register besides `into`: one that is taken, whose value it gets back (*saved), or one more. REG_NONE: none left. */
static enum reg
take_helper(dr_block *b, unsigned index, enum reg into, bool *saved)
{
    for (enum reg r = RAX; r <= R15; r++)
        if (r != into && r != (enum reg)b->draft->held && slot_of(b, r)) {
            *saved = true;
            return r;
        }
    *saved = false;
    return dr_take_register(b, index);
}

/* into = the sum of the terms and disp; terms that are not live come first, the second of them by way of the helper. */
static void
emit_sum(struct emit *e, enum reg into, enum reg helper, const struct term *t, unsigned n, int32_t disp)
{
    const struct term *live[2] = {0};
    unsigned n_live = 0;
    bool begun = false;

    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < n; i++) {
            if (t[i].kind == LIVE) {
                if (!pass)
                    live[n_live++] = &t[i];
                continue;
            }
            if ((t[i].kind == BITS) != !pass)                  /* the one that needs the helper itself: first */
                continue;
            load_term(e, begun ? helper : into, helper, &t[i]);
            if (begun)
                x_lea(e, into, into, helper, t[i].scale, 0);
            else if (t[i].scale > 1)
                x_lea(e, into, REG_NONE, into, t[i].scale, 0);
            begun = true;
        }
    if (!begun && !n_live)
        x_mov_r_i64(e, into, (uint64_t)(int64_t)disp);
    else if (!begun && n_live == 2)
        x_lea(e, into, live[0]->r, live[1]->r, live[1]->scale, disp);
    else if (!begun && live[0]->scale > 1)
        x_lea(e, into, REG_NONE, live[0]->r, live[0]->scale, disp);
    else if (!begun)
        x_lea(e, into, live[0]->r, REG_NONE, 1, disp);
    else if (!n_live && disp)
        x_lea(e, into, into, REG_NONE, 1, disp);
    else
        for (unsigned i = 0; i < n_live; i++)
            if (live[i]->r == RSP)                             /* cannot be an index */
                x_lea(e, into, RSP, into, 1, i ? 0 : disp);
            else
                x_lea(e, into, into, live[i]->r, live[i]->scale, i ? 0 : disp);
}

static void
x_mov_r32_r32(struct emit *e, enum reg d, enum reg s)
{
    if ((d | s) >> 3)
        emit_u8(e, (uint8_t)(0x40 | (s >> 3) << 2 | d >> 3));
    emit_u8(e, 0x89);
    emit_u8(e, (uint8_t)(0xc0 | (s & 7) << 3 | (d & 7)));
}

bool
dr_emit_address(dr_block *b, unsigned index, const struct dr_memory *m, enum reg into)
{
    struct emit *e = &b->draft->hot;
    struct term t[6];
    unsigned n, loaded = 0;
    enum reg helper = REG_NONE;
    bool cut, saved = false;

    DR_CHECK(slot_of(b, into), "dr_emit_address is given a register that is taken");
    if (m->vsib)
        return false;
    n = terms_of(b, m, t);
    if (!n) {
        x_mov_r_i64(e, into, (uint64_t)m->disp);
        return true;
    }
    for (unsigned i = 0; i < n; i++)
        loaded += t[i].kind == BITS ? 2 : t[i].kind != LIVE;
    cut = m->address32;
    if (m->bit_register != REG_NONE && !have_bmi2)
        return false;
    if (loaded > 1 || (cut && m->segment)) {
        helper = take_helper(b, index, into, &saved);
        if (helper == REG_NONE)
            return false;
        n = terms_of(b, m, t);                                 /* the helper may be one of the address's registers */
        if (saved)
            x_mov_slot_r(e, SLOT_SAVE_RSI, helper);
    }
    if (cut) {                                                 /* a segment's base comes behind the cut */
        unsigned before = n - (m->segment != DR_SEGMENT_NONE);
        emit_sum(e, into, helper, t, before, (int32_t)m->disp);
        x_mov_r32_r32(e, into, into);
        if (before < n) {
            load_term(e, helper, helper, &t[before]);
            x_lea(e, into, into, helper, 1, 0);
        }
    } else {
        emit_sum(e, into, helper, t, n, m->disp == (int32_t)m->disp ? (int32_t)m->disp : 0);
    }
    if (saved)
        x_mov_r_slot(e, helper, SLOT_SAVE_RSI);
    return true;
}

/* ---- in C ---- */

static uint64_t
rdfsbase(void)
{
    uint64_t v;

    __asm__("rdfsbase %0" : "=r"(v));
    return v;
}

/* Vector register n, and mask register k, as they are. */
static void
read_vector(unsigned n, bool wide, uint8_t out[64])
{
#define YMM(i) case i: __asm__ volatile("vmovdqu %%ymm" #i ", %0" : "=m"(*(uint8_t (*)[32])out)); break;
#define ZMM(i) case i: __asm__ volatile("vmovdqu64 %%zmm" #i ", %0" : "=m"(*(uint8_t (*)[64])out)); break;
    if (wide)
        switch (n) {
        ZMM(0) ZMM(1) ZMM(2) ZMM(3) ZMM(4) ZMM(5) ZMM(6) ZMM(7) ZMM(8) ZMM(9) ZMM(10) ZMM(11) ZMM(12) ZMM(13) ZMM(14) ZMM(15)
        ZMM(16) ZMM(17) ZMM(18) ZMM(19) ZMM(20) ZMM(21) ZMM(22) ZMM(23) ZMM(24) ZMM(25) ZMM(26) ZMM(27) ZMM(28) ZMM(29) ZMM(30) ZMM(31)
        }
    else
        switch (n) {
        YMM(0) YMM(1) YMM(2) YMM(3) YMM(4) YMM(5) YMM(6) YMM(7) YMM(8) YMM(9) YMM(10) YMM(11) YMM(12) YMM(13) YMM(14) YMM(15)
        }
#undef YMM
#undef ZMM
}

static uint64_t
read_mask(unsigned k)
{
    uint32_t v = 0;

    switch (k) {
#define K(i) case i: __asm__ volatile("kmovw %%k" #i ", %0" : "=r"(v)); break;
    K(1) K(2) K(3) K(4) K(5) K(6) K(7)
#undef K
    default: return ~0ull;
    }
    return v;
}

/* The sign of element i of the mask vector, whose elements have `size` bytes. */
static bool sign_of(const uint8_t *v, unsigned i, unsigned size) { return v[(i + 1) * size - 1] >> 7; }

static unsigned
vector_addresses(const struct dr_memory *m, uint64_t base, uint64_t *out)
{
    bool evex = m->mask < 16;
    uint8_t index[64], signs[64];
    uint64_t k = evex ? read_mask(m->mask) : 0;
    unsigned n = 0;

    read_vector(m->index, evex, index);
    if (!evex)
        read_vector(m->mask - 16u, false, signs);
    for (unsigned i = 0; i < m->elements; i++) {
        int64_t v;
        if (m->index_size == 8)
            memcpy(&v, index + 8 * i, 8);
        else {
            int32_t v32;
            memcpy(&v32, index + 4 * i, 4);
            v = v32;
        }
        if (evex ? k >> i & 1 : sign_of(signs, i, m->size))
            out[n++] = base + (uint64_t)v * m->scale;
    }
    return n;
}

unsigned
dr_memory_addresses(const struct dr_memory *m, const struct dr_mcontext *mc, uint64_t out[DR_MAX_ADDRESSES])
{
    uint64_t a = (uint64_t)m->disp, segment = 0;
    unsigned n = 1;

    if (m->base != REG_NONE)
        a += mc->gpr[m->base];
    if (m->index != REG_NONE && !m->vsib)
        a += (m->index_low8 ? (uint8_t)mc->gpr[m->index] : mc->gpr[m->index]) * m->scale;
    if (m->bit_register != REG_NONE) {
        int64_t bit = (int64_t)mc->gpr[m->bit_register];
        bit = m->size == 2 ? (int16_t)bit : m->size == 4 ? (int32_t)bit : bit;
        a += (uint64_t)((bit >> (m->size == 2 ? 4 : m->size == 4 ? 5 : 6)) * m->size);
    }
    if (m->segment)
        segment = m->segment == DR_SEGMENT_FS ? rdfsbase() : thread_self()->s.app_gs;
    out[0] = a;
    if (m->vsib)
        n = vector_addresses(m, a, out);
    for (unsigned i = 0; i < n; i++)
        out[i] = (m->address32 ? (uint32_t)out[i] : out[i]) + segment;
    return n;
}
