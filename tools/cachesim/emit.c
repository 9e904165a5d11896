/* Emitted code: the first look of each reference, and with LRU all of L1's hits.
 *
 * A data reference, in a register h that is held:
 *     lea h, ea;  mov gs:[address], h
 *     and h, the set's bits                    the set's place in thread memory
 *     mov h, gs:[L1D + h]                      its last used line
 *     xor h, gs:[address]                      that line: ea's place in it; another: more than a line's size
 *     cmp h, line - span;  ja side             it holds all of the reference: nothing changes
 * The side part looks at the next few ways and, if it finds the line, moves it to the front. Lines that are adjacent are in
 * different sets: a reference to two that are both the last used of theirs changes nothing either. The rest is for C.
 * References that follow one another and lie at constant distances are looked up as one: if they share a line, those
 * behind the first change nothing.
 * Lines of code have numbers of ours, so that an immediate can name one. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cachesim.h"

#include "common/gs.h"

enum { CC_A = 7 };
enum { SIDE_WAYS = 8 };              /* ways that side parts look at, with the first */

static uint64_t line_now;            /* line of code that the block's last instruction ended in; UINT64_MAX: none yet */

void instrument_begin(dr_block *b) { (void)b; line_now = UINT64_MAX; }

static void x_gs_cmp(struct emit *e, enum reg r, enum reg base, uint32_t disp) { x_gs(e, true, 0x39, r, base, disp); }
static void x_gs_load(struct emit *e, enum reg r, enum reg base, uint32_t disp) { x_gs(e, true, 0x8b, r, base, disp); }
static void x_gs_store(struct emit *e, enum reg r, enum reg base, uint32_t disp) { x_gs(e, true, 0x89, r, base, disp); }
static void x_gs_cmp_imm32(struct emit *e, uint32_t disp, uint32_t v) { x_gs(e, false, 0x81, 7, REG_NONE, disp); emit_u32(e, v); }
static void x_gs_mov_imm32(struct emit *e, uint32_t disp, uint32_t v) { x_gs(e, false, 0xc7, 0, REG_NONE, disp); emit_u32(e, v); }

static void
x_mov32(struct emit *e, enum reg d, enum reg s)
{
    if ((d | s) >> 3)
        emit_u8(e, (uint8_t)(0x40 | (s >> 3) << 2 | d >> 3));
    emit_u8(e, 0x89);
    emit_u8(e, (uint8_t)(0xc0 | (s & 7) << 3 | (d & 7)));
}
static void
x_and32(struct emit *e, enum reg d, uint32_t mask)
{
    if (d >> 3)
        emit_u8(e, 0x41);
    emit_u8(e, 0x81);
    emit_u8(e, (uint8_t)(0xe0 | (d & 7)));
    emit_u32(e, mask);
}
/* shl, shr d32, n */
static void
x_shift32(struct emit *e, bool right, enum reg d, unsigned n)
{
    if (d >> 3)
        emit_u8(e, 0x41);
    emit_u8(e, 0xc1);
    emit_u8(e, (uint8_t)((right ? 0xe8 : 0xe0) | (d & 7)));
    emit_u8(e, (uint8_t)n);
}
/* and rcx, simm32 */
static void
x_and_rcx(struct emit *e, int32_t mask)
{
    emit_bytes(e, mask == (int8_t)mask ? "\x48\x83\xe1" : "\x48\x81\xe1", 3);
    emit_bytes(e, &mask, mask == (int8_t)mask ? 1 : 4);
}
static uint32_t
x_jcc32(struct emit *e, uint8_t cc)
{
    emit_u8(e, 0x0f);
    emit_u8(e, 0x80 | cc);
    emit_u32(e, 0);
    return emit_off(e);
}
static uint32_t x_jmp32(struct emit *e) { emit_u8(e, 0xe9); emit_u32(e, 0); return emit_off(e); }
static void
x_here32(struct emit *e, uint32_t jump)
{
    uint32_t d = emit_off(e) - jump;

    if (!e->overflow)
        memcpy(e->base + jump - 4, &d, 4);
}
/* cmp r, imm8 */
static void
x_cmp_r(struct emit *e, enum reg r, unsigned imm)
{
    emit_u8(e, (uint8_t)(0x48 | r >> 3));
    emit_u8(e, 0x83);
    emit_u8(e, (uint8_t)(0xf8 | (r & 7)));
    emit_u8(e, (uint8_t)imm);
}
static void x_flags_save(struct emit *e) { emit_bytes(e, "\x9f\x0f\x90\xc0", 4); }          /* lahf; seto al      */
static void x_flags_restore(struct emit *e) { emit_bytes(e, "\x04\x7f\x9e", 3); }            /* add al, 127; sahf  */

/* ---- code ---- */

static uint32_t
code_slot(uint64_t line)
{
    return slot_l1i + ((uint32_t)line & (sim.core[0].l1i.sets - 1)) * sim.core[0].l1i.ways * 8;
}

static unsigned side_ways(unsigned ways) { return ways < SIDE_WAYS ? ways : SIDE_WAYS; }

/* rcx = gs:[slot] - id, as 32 bits, without changing flags */
static void
x_code_differs(struct emit *e, uint32_t slot, uint32_t id)
{
    x_gs(e, false, 0x8b, RCX, REG_NONE, slot);               /* mov ecx, gs:[slot] */
    emit_bytes(e, "\x8d\x89", 2);                            /* lea ecx, [rcx - id] */
    emit_u32(e, (uint32_t)-(int32_t)id);
}

/* Another of the first ways? To the front with it, and back. Otherwise goes on behind this. rcx is free. */
static void
emit_code_ways(dr_block *b, uint32_t slot, uint32_t id)
{
    struct emit *s = dr_side(b);
    unsigned n = side_ways(sim.core[0].l1i.ways);
    uint32_t found[SIDE_WAYS], miss;

    for (unsigned way = 1; way < n; way++) {
        x_gs_cmp_imm32(s, slot + 8 * way, id);
        found[way] = x_jcc32(s, CC_E);
    }
    miss = x_jmp32(s);
    for (unsigned way = n; --way;) {
        x_here32(s, found[way]);
        x_gs_load(s, RCX, REG_NONE, slot + 8 * (way - 1));
        x_gs_store(s, RCX, REG_NONE, slot + 8 * way);
    }
    x_gs_mov_imm32(s, slot, id);
    dr_side_give_rcx(b);
    dr_side_jump_back(b, DR_ALWAYS);
    x_here32(s, miss);
}

/* The same without flags: rcx is taken. */
static void
emit_code_ways_flagless(dr_block *b, uint32_t slot, uint32_t id)
{
    struct emit *s = dr_side(b);
    unsigned n = side_ways(sim.core[0].l1i.ways) < 4 ? side_ways(sim.core[0].l1i.ways) : 4;
    uint32_t found[SIDE_WAYS], miss;

    for (unsigned way = 1; way < n; way++) {
        x_code_differs(s, slot + 8 * way, id);
        found[way] = x_jrcxz_ahead(s);
    }
    miss = x_jmp_ahead(s);
    for (unsigned way = n; --way;) {
        x_here(s, found[way]);
        x_gs_load(s, RCX, REG_NONE, slot + 8 * (way - 1));
        x_gs_store(s, RCX, REG_NONE, slot + 8 * way);
    }
    x_gs_mov_imm32(s, slot, id);
    dr_side_jump_back(b, DR_ALWAYS);
    x_here(s, miss);
}

/* One line of code is looked up before instruction `index`. */
static void
emit_fetch(dr_block *b, unsigned index, uint64_t line, uint32_t id, uint32_t site)
{
    struct emit *e = dr_emit(b);
    uint32_t slot = code_slot(line), over;

    if (dr_flags_unread(b, index)) {
        x_gs_cmp_imm32(e, slot, id);
        dr_side_begin(b, CC_NE);
        dr_side_take_rcx(b);
        emit_code_ways(b, slot, id);
        dr_side_give_rcx(b);
        dr_side_call(b, fetch_missed, site);
        return;
    }
    dr_take_this_register(b, RCX);
    x_code_differs(e, slot, id);
    over = x_jrcxz_ahead(e);
    dr_side_begin(b, DR_ALWAYS);
    x_here(e, over);
    emit_code_ways_flagless(b, slot, id);
    dr_side_call(b, fetch_missed, site);
    dr_give_registers(b);
}

static void
instrument_fetch(dr_block *b, unsigned index, const struct insn *in, uint32_t number)
{
    uint64_t first = in->pc >> sim.core[0].l1i.line_bits, last = (in->pc + in->length - 1) >> sim.core[0].l1i.line_bits;
    uint32_t site;

    if (first == line_now && last == line_now)
        return;
    struct fetch_site f = {.insn = number, .n = first == last ? 1 : 2, .line = {first, last}, .id = {code_line_id(first), code_line_id(last)}};
    site = new_fetch_site(&f);
    if (first != line_now)
        emit_fetch(b, index, first, f.id[0], site);
    if (first != last)
        emit_fetch(b, index, last, f.id[1], site);
    line_now = last;
}

/* ---- data ---- */

/* Place of a set in L1D, of an address whose low bits are in h. */
static void
emit_set(struct emit *e, enum reg h)
{
    const struct cache *c = &sim.core[0].l1d;
    unsigned stride = c->ways * 8, bits = c->line_bits, to = (unsigned)__builtin_ctz(stride);

    if (to < bits)
        x_shift32(e, true, h, bits - to);
    x_and32(e, h, (c->sets - 1) << (to < bits ? to : bits));
    if (to > bits)
        x_shift32(e, false, h, to - bits);
}

/* Can emitted code find the set? Its ways take a power of 2 of bytes. */
static bool strides_are_powers(void) { return !(sim.core[0].l1d.ways & (sim.core[0].l1d.ways - 1)); }

/* The side part of a reference to [a, a + span), a in slot_address. In one line: looks at the next ways; in two: at the
 * first way of both. Found: back; otherwise goes on behind this, with rcx as it was. */
static void
emit_data_side(dr_block *b, enum reg h, unsigned span)
{
    struct emit *s = dr_side(b);
    unsigned n = side_ways(sim.core[0].l1d.ways), line = 1u << sim.core[0].l1d.line_bits;
    uint32_t found[SIDE_WAYS], two, miss[3];

    dr_side_take_rcx(b);
    x_gs_load(s, RCX, REG_NONE, slot_address);
    x_mov32(s, h, RCX);
    emit_set(s, h);
    x_and_rcx(s, (int32_t)line - 1);
    x_cmp_r(s, RCX, line - span);
    x_gs_load(s, RCX, REG_NONE, slot_address);
    two = x_jcc32(s, CC_A);
    x_and_rcx(s, -(int32_t)line);
    x_gs_store(s, RCX, REG_NONE, slot_line);
    for (unsigned way = 1; way < n; way++) {
        x_gs_cmp(s, RCX, h, slot_l1d + 8 * way);
        found[way] = x_jcc32(s, CC_E);
    }
    miss[0] = x_jmp32(s);
    for (unsigned way = n; --way;) {
        x_here32(s, found[way]);
        x_gs_load(s, RCX, h, slot_l1d + 8 * (way - 1));
        x_gs_store(s, RCX, h, slot_l1d + 8 * way);
    }
    x_gs_load(s, RCX, REG_NONE, slot_line);
    x_gs_store(s, RCX, h, slot_l1d);
    dr_side_give_rcx(b);
    dr_side_jump_back(b, DR_ALWAYS);
    x_here32(s, two);
    x_and_rcx(s, -(int32_t)line);
    x_gs_cmp(s, RCX, h, slot_l1d);
    miss[1] = x_jcc32(s, CC_NE);
    x_lea_add(s, RCX, (int32_t)line);
    x_mov32(s, h, RCX);
    emit_set(s, h);
    x_gs_cmp(s, RCX, h, slot_l1d);
    miss[2] = x_jcc32(s, CC_NE);
    dr_side_give_rcx(b);
    dr_side_jump_back(b, DR_ALWAYS);
    for (unsigned i = 0; i < 3; i++)
        x_here32(s, miss[i]);
    dr_side_give_rcx(b);
}

/* That the block uses last from `index` on; rcx and rax have their own parts here. */
static enum reg
register_to_hold(dr_block *b, unsigned index)
{
    uint16_t left = (uint16_t)~(1u << RSP | 1u << RCX | 1u << RAX);

    for (unsigned i = index; i < dr_block_count(b) && i < index + 24; i++) {
        const struct dr_insn *in = dr_block_insn(b, i);
        uint16_t rest = (uint16_t)(left & ~(in->regs_read | in->regs_written));
        if (!rest)
            return i == index ? REG_NONE : (enum reg)__builtin_ctz(left);
        left = rest;
    }
    return (enum reg)__builtin_ctz(left);
}

/* References to [ea, ea + span). */
static bool
emit_data(dr_block *b, unsigned index, const struct dr_memory *m, unsigned span, uint64_t arg)
{
    struct emit *e = dr_emit(b);
    unsigned line = 1u << sim.core[0].l1d.line_bits;
    bool flags = !dr_flags_unread(b, index);
    enum reg h;

    if (m->vsib || m->conditional || m->repeated || span > line || line > 128 || sim.core[0].l1d.sets == 1 || !strides_are_powers())
        return false;
    h = dr_hold_register(b, index, dr_holds(b) ? REG_NONE : register_to_hold(b, index));
    if (h == REG_NONE || h == RCX || h == RAX)
        return false;
    if (flags)
        dr_take_this_register(b, RAX);
    if (!dr_emit_address(b, index, m, h))
        return false;
    if (flags)
        x_flags_save(e);
    x_gs_store(e, h, REG_NONE, slot_address);
    emit_set(e, h);
    x_gs_load(e, h, h, slot_l1d);
    x_gs(e, true, 0x33, h, REG_NONE, slot_address);          /* xor h, gs:[slot_address] */
    x_cmp_r(e, h, line - span);
    dr_side_begin(b, CC_A);
    emit_data_side(b, h, span);
    if (flags) {
        x_flags_restore(dr_side(b));
        x_flags_restore(e);
    }
    dr_side_call(b, data_missed, arg);
    dr_give_registers(b);
    return true;
}

void
instrument(dr_block *b, unsigned index, uint32_t block)
{
    uint32_t number = blocks[block].first_insn + index;
    const struct insn *in = insn_at(number);

    if (index == 0)
        dr_insert_add(b, index, slot_blocks + block * 8, 1);
    if (!fast) {
        dr_insert_call(b, insn_executes, number);
        return;
    }
    instrument_fetch(b, index, in, number);
    for (unsigned k = 0; k < in->n_ops; k++) {
        uint64_t arg = (uint64_t)number << OPERAND_BITS | k;
        const struct dr_memory *m = operand_at(in->first_op + k);
        if (in->group_member)
            continue;
        struct dr_memory lowest = *m;
        if (in->group_span)
            lowest.disp += in->group_first;
        if (!emit_data(b, index, &lowest, in->group_span ? in->group_span : m->size, arg))
            dr_insert_call(b, data_refers, arg);
    }
}
