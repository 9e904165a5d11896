/* From program bytes to a fragment: scan, rewrite what cannot run as it is, commit.
 *
 * Most instructions are copied byte for byte. Rewritten are transfers of
 * control, system calls, RIP-relative operands and what touches GS. Nothing
 * emitted here changes flags: the program's are live everywhere.
 * Each rewritten sequence leaves notes in the state map, so that a fault or a
 * signal at any cache address finds the program's registers (docs/signals.md).
 * Threads: the draft is one, under cache_lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/translate.h"

#include "core/engine.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "linux/sys.h"
#include "util/log.h"
#include "x86/scan.h"

enum { SELFCHECK_BYTES = 64, SCAN_AHEAD = 64 };

static struct draft draft;
static struct dr_block block;
static bool look_ahead;             /* into code behind the block, for what tools ask */

/* ---- the draft ---- */

static void
map_put(struct draft *d, struct map_entry *map, unsigned *n, struct map_entry e)
{
    struct map_entry *last = *n ? &map[*n - 1] : NULL;

    if (d->held != REG_NONE) {
        e.spilled |= MAP_HELD;
        e.scratch |= (uint8_t)(d->held << 4);
    }
    if (last && last->off == e.off) {        /* nothing came of that one */
        --*n;
        last = *n ? last - 1 : NULL;
    }
    if (last && last->kind == MAP_COPY && e.kind == MAP_COPY && last->spilled == e.spilled && last->scratch == e.scratch &&
        e.off - last->off == e.app_off - last->app_off)
        return;
    if (*n == DRAFT_MAX_MAP) {
        d->hot.overflow = true;
        return;
    }
    map[(*n)++] = e;
}

static void
map_add(struct draft *d, struct map_entry e)
{
    e.off = (uint16_t)emit_off(&d->hot);
    map_put(d, d->map, &d->n_map, e);
}

static void map_copy(struct draft *d, uint16_t app_off) { map_add(d, (struct map_entry){.kind = MAP_COPY, .app_off = app_off}); }
static void
map_inside(struct draft *d, uint16_t app_off, uint8_t spilled, uint8_t scratch, int32_t rsp_adjust)
{
    map_add(d, (struct map_entry){.kind = MAP_INSIDE, .app_off = app_off, .spilled = spilled, .scratch = scratch, .rsp_adjust = rsp_adjust});
}

void
draft_map_inserted(struct draft *d, uint8_t spilled, uint8_t scratch, unsigned uninserted)
{
    map_add(d, (struct map_entry){.kind = MAP_INSIDE, .app_off = d->app_now, .spilled = spilled | MAP_TOOL, .scratch = scratch,
                                  .uninserted = (uint8_t)uninserted});
}

void
draft_map_side(struct draft *d, uint8_t spilled, uint8_t scratch, unsigned uninserted)
{
    map_put(d, d->side_map, &d->n_side_map,
            (struct map_entry){.off = (uint16_t)(MAP_SIDE + emit_off(&d->side)), .kind = MAP_INSIDE, .app_off = d->app_now,
                               .spilled = spilled | MAP_TOOL, .scratch = scratch, .uninserted = (uint8_t)uninserted});
}

static uint64_t
exit_add(struct draft *d, uint64_t target, enum exit_kind kind, uint16_t app_off)
{
    if (d->n_exits == DRAFT_MAX_EXITS) {
        d->hot.overflow = true;
        return 0;
    }
    d->exit[d->n_exits] = (struct draft_exit){.target = target, .kind = (uint8_t)kind, .app_off = app_off};
    return d->n_exits++;
}

uint64_t
draft_mode_exit(struct draft *d, unsigned mode)
{
    uint64_t x = exit_add(d, d->tag + d->app_now, X_MODE, d->app_now);

    if (!d->hot.overflow)
        d->exit[x].mode = (uint8_t)mode;
    return x;
}

/* The unconditional way out at the end of a body. */
static void
emit_final_exit(struct draft *d, uint64_t target, enum exit_kind kind, uint16_t app_off)
{
    uint32_t from = emit_off(&d->hot);

    x_align_jump(&d->hot);
    if (d->n_map && d->map[d->n_map - 1].kind == MAP_COPY)
        map_copy(d, app_off);            /* the padding is not the program's: its length does not count */
    x_jmp_exit(&d->hot, exit_add(d, target, kind, app_off));
    d->fall_lead = kind == X_LINK ? (uint8_t)(emit_off(&d->hot) - 4 - from) : 0;
}

/* ---- operands that depend on the instruction's place ---- */

static bool
in_reach(uint64_t target)
{
    return fits_i32((int64_t)(target - (uint64_t)cache_base)) && fits_i32((int64_t)(target - (uint64_t)cache_base - cache_size));
}

static uint64_t riprel_target(const struct insn *in, uint64_t pc, const uint8_t *bytes)
{
    int32_t disp;

    __builtin_memcpy(&disp, bytes + in->disp_off, 4);
    uint64_t to = pc + in->len + (uint64_t)(int64_t)disp;
    return in->prefixes & PFX_67 ? (uint32_t)to : to;
}

/* Clears the index-extension bit of a copied instruction: it meant nothing with a RIP-relative
 * operand and would with a SIB byte. `base_too`: the base-extension bit as well. */
static void
clear_extensions(uint8_t *copy, const struct insn *in, bool base_too)
{
    if (in->enc == ENC_LEGACY) {
        if (in->rex)
            copy[in->opcode_off - 1 - (in->map > 1 ? 2 : in->map)] &= (uint8_t)~(base_too ? 3 : 2);
    } else if (copy[in->opcode_off - 2] != 0xc5 || in->enc == ENC_EVEX) {
        uint8_t *p = copy + in->opcode_off - (in->enc == ENC_EVEX ? 3 : 2);
        *p |= base_too ? 0x60 : 0x40;              /* inverted in VEX and EVEX */
    }
}

static bool needs_special(const uint8_t *bytes, const struct insn *in);
static bool touches_gs(const struct insn *in);

static enum reg
free_low_register(const uint8_t *bytes, const struct insn *in)
{
    static const uint8_t choice[] = {RAX, RDX, RSI, RDI, RBX, RCX};
    struct effects fx;

    scan_effects(bytes, in, &fx);
    /* An x87 opcode of 0 would look like none at all (x87_program_pointers): no rax, which is 0 in ModRM. */
    bool x87 = in->enc == ENC_LEGACY && in->map == 0 && (in->opcode & 0xf8) == 0xd8;
    for (unsigned i = x87; i < COUNT_OF(choice); i++)
        if (!((fx.reads | fx.writes) >> choice[i] & 1))
            return choice[i];
    return REG_NONE;
}

static void
emit_riprel(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint16_t app_off)
{
    struct emit *e = &d->hot;
    uint64_t target = riprel_target(in, pc, bytes);
    uint8_t copy[INSN_MAX_LEN + 1];
    unsigned tail = in->len - in->disp_off - 4u;

    memcpy(copy, bytes, in->len);      /* no further: the mapping may end there */
    if (in_reach(target) && !(in->prefixes & PFX_67)) {
        map_copy(d, app_off);
        emit_bytes(e, copy, in->disp_off);
        emit_pc32(e, RELOC_PC32, target, tail);
        emit_bytes(e, bytes + in->disp_off + 4, tail);
    } else if (target <= INT32_MAX || (in->prefixes & PFX_67)) {
        map_copy(d, app_off);
        clear_extensions(copy, in, false);
        copy[in->modrm_off] = (uint8_t)((in->modrm & 0x38) | 4);      /* [disp32]: SIB without base and index */
        emit_bytes(e, copy, in->modrm_off + 1u);
        emit_u8(e, 0x25);
        emit_u32(e, (uint32_t)target);
        emit_bytes(e, bytes + in->disp_off + 4, tail);
    } else {
        enum reg r = free_low_register(bytes, in);
        CHECK(r != REG_NONE, "an instruction leaves a register for its RIP-relative operand");
        map_copy(d, app_off);
        x_mov_slot_r(e, SLOT_SPILL2, r);
        map_inside(d, app_off, MAP_SCRATCH, (uint8_t)r, 0);
        x_mov_r_i64(e, r, target);
        clear_extensions(copy, in, true);
        copy[in->modrm_off] = (uint8_t)((in->modrm & 0x38) | r);
        emit_bytes(e, copy, in->modrm_off + 1u);
        emit_bytes(e, bytes + in->disp_off + 4, tail);
        map_inside(d, (uint16_t)(app_off + in->len), MAP_SCRATCH, (uint8_t)r, 0);
        x_mov_r_slot(e, r, SLOT_SPILL2);
    }
}

/* ---- operands relative to GS, which is the engine's ---- */

/* Where the part begins that is encoded with the opcode: after the legacy prefixes. */
static unsigned
opcode_start(const uint8_t *bytes, const struct insn *in)
{
    switch (in->enc) {
    case ENC_LEGACY: return in->opcode_off - (in->map > 1 ? 2u : in->map) - (in->rex ? 1u : 0u);
    case ENC_VEX: return in->opcode_off - (bytes[in->opcode_off - 2] == 0xc5 ? 2u : 3u);
    case ENC_EVEX: return in->opcode_off - 4u;
    default: return in->opcode_off - 3u;
    }
}

static bool
gs_in_place(const uint8_t *bytes, const struct insn *in)
{
    return (in->shape & SHAPE_MEM) && !(in->shape & SHAPE_RIPREL) && !(in->prefixes & PFX_67) && in->enc != ENC_3DNOW &&
           (in->cls == INSN_PLAIN || in->cls == INSN_FPSAVE) && free_low_register(bytes, in) != REG_NONE;
}

/* Prefixes without the segment's (and without the dead REX bytes among them, which would come to life). */
static void
emit_prefixes_without_segment(struct emit *e, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (bytes[i] == 0x66 || bytes[i] == 0xf0 || bytes[i] == 0xf2 || bytes[i] == 0xf3)
            emit_u8(e, bytes[i]);
}

/* The base register of a copied instruction is one of the lower eight. */
static void
clear_base_extension(uint8_t *copy, const struct insn *in, unsigned start)
{
    if (in->enc == ENC_LEGACY) {
        if (in->rex)
            copy[start] &= (uint8_t)~1;
    } else if (!(in->enc == ENC_VEX && in->opcode_off - start == 2)) {
        copy[start + 1] |= 0x20;             /* inverted in VEX, XOP and EVEX */
    }
}

/* The operand's address is known: [r] with r = d->linear. For one execution; see special.c. */
static void
emit_linear_operand(struct draft *d, const uint8_t *bytes, const struct insn *in, uint16_t app_off)
{
    struct emit *e = &d->hot;
    enum reg r = free_low_register(bytes, in);
    unsigned start = opcode_start(bytes, in), has_sib = (in->modrm & 7) == 4, next = in->modrm_off + 1u + has_sib + in->disp_len;
    uint8_t copy[INSN_MAX_LEN];

    map_copy(d, app_off);
    x_mov_slot_r(e, SLOT_SPILL2, r);
    map_inside(d, app_off, MAP_SCRATCH, (uint8_t)r, 0);
    x_mov_r_i64(e, r, *d->linear);
    memcpy(copy, bytes, in->len);
    clear_base_extension(copy, in, start);
    copy[in->modrm_off] = (uint8_t)((in->modrm & 0x38) | r);
    emit_prefixes_without_segment(e, bytes, start);
    emit_bytes(e, copy + start, in->modrm_off + 1 - start);
    emit_bytes(e, bytes + next, in->len - next);
    map_inside(d, (uint16_t)(app_off + in->len), MAP_SCRATCH, (uint8_t)r, 0);
    x_mov_r_slot(e, r, SLOT_SPILL2);
}

/* gs:[base + index*scale + disp] becomes [r + index*scale + disp] with r = the program's GS base + base. */
static void
emit_gs_operand(struct draft *d, const uint8_t *bytes, const struct insn *in, uint16_t app_off)
{
    struct emit *e = &d->hot;
    enum reg r = free_low_register(bytes, in);
    unsigned start = opcode_start(bytes, in), mod = in->modrm >> 6, rm = in->modrm & 7, next = in->modrm_off + (rm == 4 ? 2u : 1u);
    uint8_t copy[INSN_MAX_LEN + 1], sib = bytes[in->modrm_off + 1];
    bool based = !(rm == 4 && (sib & 7) == 5 && mod == 0);
    bool pops = in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0x8f;

    map_copy(d, app_off);
    x_mov_slot_r(e, SLOT_SPILL2, r);
    map_inside(d, app_off, MAP_SCRATCH, (uint8_t)r, 0);
    x_mov_r_slot(e, r, SLOT_APP_GS);
    if (based) {                             /* lea r, [base + r + what a pop adds to rsp first] */
        unsigned base = (rm == 4 ? sib & 7u : rm) | (in->rex & 1u) << 3;
        emit_u8(e, (uint8_t)(0x48 | base >> 3));
        emit_u8(e, 0x8d);
        emit_u8(e, (uint8_t)(0x44 | r << 3));
        emit_u8(e, (uint8_t)(r << 3 | (base & 7)));
        emit_u8(e, pops && base == RSP ? (insn_is_16_bit(in) ? 2 : 8) : 0);
    }
    memcpy(copy, bytes, in->len);      /* no further: the mapping may end there */
    clear_base_extension(copy, in, start);
    copy[in->modrm_off] = (uint8_t)((based ? mod : 2) << 6 | (in->modrm & 0x38) | (rm == 4 ? 4 : r));
    copy[in->modrm_off + 1] = rm == 4 ? (uint8_t)((sib & 0xf8) | r) : copy[in->modrm_off + 1];
    emit_prefixes_without_segment(e, bytes, start);
    emit_bytes(e, copy + start, next - start);
    emit_bytes(e, bytes + next, in->len - next);
    map_inside(d, (uint16_t)(app_off + in->len), MAP_SCRATCH, (uint8_t)r, 0);
    x_mov_r_slot(e, r, SLOT_SPILL2);
}

/* ---- transfers of control ---- */

static uint64_t
constant_add(struct draft *d, uint64_t v)
{
    if (d->n_constants == DRAFT_MAX_CONSTANTS) {
        d->hot.overflow = true;
        return 0;
    }
    d->constant[d->n_constants] = v;
    return d->n_constants++;
}

/* Pushes the return address, in one store: two halves would keep a quick return
 * from being forwarded the whole (measured: 1.8 times native on leaf calls, 1.2 so).
 * `spilled` tells where rcx and rdx are. */
static void
emit_push_return(struct draft *d, uint64_t ret, uint16_t app_off, uint8_t spilled)
{
    if (fits_i32((int64_t)ret))
        x_push_i32(&d->hot, (int32_t)ret);
    else
        x_push_constant(&d->hot, constant_add(d, ret));
    map_inside(d, app_off, spilled, 0, 8);
}

/* rcx holds the target, rcx and rdx are spilled: go there through the table. */
static void
emit_ibl(struct draft *d, uint64_t pc)
{
    struct emit *e = &d->hot;

    if (UNLIKELY(branch_sources_kept)) {
        x_mov_slot_u32(e, SLOT_BRANCH, (uint32_t)pc);
        x_mov_slot_u32(e, SLOT_BRANCH + 4, (uint32_t)(pc >> 32));
    }
    if (have_bmi2) {
        emit_bytes(e, "\x65\xc4\xe2\x72\xf5\x14\x25", 7);  /* pext edx, ecx, gs:[mask]     */
        emit_u32(e, SLOT_IBL_MASK);
    } else {
        emit_bytes(e, "\x0f\xb7\xd1", 3);              /* movzx edx, cx                */
    }
    emit_bytes(e, "\x65\xff\x24\xd5", 4);              /* jmp gs:[rdx*8 + SLOT_IBL]    */
    emit_u32(e, ibl_slot(d->mode));
}

static void
emit_spill_rcx_rdx(struct draft *d, uint16_t app_off)
{
    map_copy(d, app_off);
    x_mov_slot_r(&d->hot, SLOT_SPILL0, RCX);
    map_inside(d, app_off, 0, 0, 0);
    x_mov_slot_r(&d->hot, SLOT_SPILL1, RDX);
    map_inside(d, app_off, MAP_RCX | MAP_RDX, 0, 0);
}

static void
emit_ret(struct draft *d, const struct insn *in, uint16_t app_off)
{
    emit_spill_rcx_rdx(d, app_off);
    x_pop(&d->hot, RCX);
    map_inside(d, app_off, MAP_RCX | MAP_RDX, 0, -8);
    if (in->imm_len) {
        x_lea_rsp(&d->hot, (int32_t)(in->imm & 0xffff));
        map_inside(d, app_off, MAP_RCX | MAP_RDX, 0, -8 - (int32_t)(in->imm & 0xffff));
    }
    emit_ibl(d, d->tag + app_off);
}

/* mov rcx, <operand of ff /2 or ff /4> */
static void
emit_load_target(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    struct emit *e = &d->hot;

    if (!(in->shape & SHAPE_MEM)) {
        enum reg r = (in->modrm & 7) | (in->rex & 1) << 3;
        if (r != RCX)
            x_mov_r_r(e, RCX, r);
        return;
    }
    if ((in->shape & SHAPE_RIPREL) && !in_reach(riprel_target(in, pc, bytes))) {
        x_mov_r_i64(e, RCX, riprel_target(in, pc, bytes));
        if (in->seg == SEG_FS)
            emit_u8(e, 0x64);
        emit_bytes(e, "\x48\x8b\x09", 3);              /* mov rcx, [rcx] */
        return;
    }
    if (in->seg == SEG_FS)
        emit_u8(e, 0x64);
    if (in->prefixes & PFX_67)
        emit_u8(e, 0x67);
    emit_u8(e, (uint8_t)(0x48 | (in->rex & 3)));
    emit_u8(e, 0x8b);
    emit_u8(e, (uint8_t)((in->modrm & 0xc7) | RCX << 3));
    if (in->shape & SHAPE_RIPREL)
        emit_pc32(e, RELOC_PC32, riprel_target(in, pc, bytes), 0);
    else
        emit_bytes(e, bytes + in->modrm_off + 1, in->len - in->modrm_off - 1u);
}

static void
emit_indirect(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint16_t app_off)
{
    emit_spill_rcx_rdx(d, app_off);
    emit_load_target(d, bytes, in, pc);
    if (in->cls == INSN_CALL_IND)
        emit_push_return(d, pc + in->len, app_off, MAP_RCX | MAP_RDX);
    emit_ibl(d, pc);
}

static void
emit_jcc(struct draft *d, const struct insn *in, uint64_t pc, uint16_t app_off)
{
    struct emit *e = &d->hot;
    uint64_t next = pc + in->len;

    map_copy(d, app_off);
    x_align_patch(e, 2);
    map_copy(d, app_off);
    x_jcc_exit(e, in->opcode & 15u, exit_add(d, next + (uint64_t)in->imm, X_LINK, app_off));
    map_inside(d, (uint16_t)(app_off + in->len), 0, 0, 0);
    emit_final_exit(d, next, X_LINK, app_off);
}

/* loop, loope, loopne, jrcxz: only a short form exists. */
static void
emit_loop(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint16_t app_off)
{
    struct emit *e = &d->hot;
    uint64_t next = pc + in->len, taken = next + (uint64_t)in->imm;

    map_copy(d, app_off);
    emit_bytes(e, bytes, in->len - 1u);
    emit_u8(e, 2);                                     /* to the jump to `taken` */
    map_inside(d, (uint16_t)(app_off + in->len), 0, 0, 0);
    emit_u8(e, 0xeb);
    uint32_t skip = emit_off(e);
    emit_u8(e, 0);
    uint64_t x = exit_add(d, taken, X_LINK, app_off);
    map_add(d, (struct map_entry){.kind = MAP_EXIT, .app_off = (uint16_t)x});    /* the jump has happened */
    x_align_patch(e, 1);
    x_jmp_exit(e, x);
    if (!e->overflow)
        e->base[skip] = (uint8_t)(emit_off(e) - skip - 1);
    map_inside(d, (uint16_t)(app_off + in->len), 0, 0, 0);
    emit_final_exit(d, next, X_LINK, app_off);
}

/* The engine carries it out if it sets TF. Looked at without touching the flags, which a signal may show. */
static void
emit_popf(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint16_t app_off)
{
    struct emit *e = &d->hot;
    uint64_t special = exit_add(d, pc, X_SPECIAL, app_off);

    map_copy(d, app_off);
    x_mov_slot_r(e, SLOT_SPILL0, RCX);
    map_inside(d, app_off, MAP_RCX, 0, 0);
    if (insn_is_16_bit(in))
        emit_bytes(e, "\x0f\xb7\x0c\x24", 4);          /* movzx ecx, word [rsp]  */
    else
        emit_bytes(e, "\x48\x8b\x0c\x24", 4);          /* mov rcx, [rsp]         */
    emit_bytes(e, "\x0f\xb6\xcd", 3);                  /* movzx ecx, ch: TF is its lowest bit; 128 times that */
    emit_bytes(e, "\x8d\x0c\xcd\0\0\0\0", 7);         /* lea ecx, [rcx*8]       */
    emit_bytes(e, "\x8d\x0c\xcd\0\0\0\0", 7);
    emit_bytes(e, "\x8d\x0c\x09", 3);                  /* lea ecx, [rcx + rcx]   */
    emit_bytes(e, "\x0f\xb6\xc9", 3);                  /* movzx ecx, cl          */
    emit_u8(e, 0xe3);                                  /* jrcxz over the way out */
    uint32_t hole = emit_off(e);
    emit_u8(e, 0);
    x_mov_r_slot(e, RCX, SLOT_SPILL0);
    map_inside(d, app_off, 0, 0, 0);
    x_align_patch(e, 1);
    x_jmp_exit(e, special);
    if (!e->overflow)
        e->base[hole] = (uint8_t)(emit_off(e) - hole - 1);
    map_inside(d, app_off, MAP_RCX, 0, 0);
    x_mov_r_slot(e, RCX, SLOT_SPILL0);
    map_copy(d, app_off);
    emit_bytes(e, bytes, in->len);
    map_copy(d, (uint16_t)(app_off + in->len));
    emit_final_exit(d, pc + in->len, X_LINK, (uint16_t)(app_off + in->len));
}

/* ---- self-checking ---- */

/* After so many such executions this one asks whether its page can be watched again. rcx is spilled. */
static void
emit_countdown(struct draft *d, uint64_t pc)
{
    struct emit *e = &d->hot;
    uint64_t calm = exit_add(d, pc, X_CALM, 0);

    x_mov_r_slot(e, RCX, SLOT_CHECKS);
    emit_bytes(e, "\x48\x8d\x49\xff", 4);              /* lea rcx, [rcx - 1]     */
    x_mov_slot_r(e, SLOT_CHECKS, RCX);
    emit_bytes(e, "\xe3\x02", 2);                      /* jrcxz to the way out   */
    emit_u8(e, 0xeb);
    uint32_t hole = emit_off(e);
    emit_u8(e, 0);
    x_mov_r_slot(e, RDX, SLOT_SPILL1);
    x_mov_r_slot(e, RCX, SLOT_SPILL0);
    x_align_patch(e, 1);
    x_jmp_exit(e, calm);
    if (!e->overflow)
        e->base[hole] = (uint8_t)(emit_off(e) - hole - 1);
}

/* Compares the source bytes at [pc, pc + n), rounded up to eights, with what they are now. */
static void
emit_selfcheck(struct draft *d, uint64_t pc, unsigned n)
{
    struct emit *e = &d->hot;
    uint64_t fail = exit_add(d, pc, X_SELFCHECK, 0);

    emit_spill_rcx_rdx(d, 0);
    if (d->may_calm)
        emit_countdown(d, pc);
    for (unsigned i = 0; i < n; i += 8) {
        uint64_t now, at = n >= 8 ? pc + MIN(i, n - 8) : pc;
        unsigned bytes = n >= 8 ? 8 : n;
        now = 0;
        __builtin_memcpy(&now, (const void *)at, bytes);
        for (unsigned done = 0; done < bytes;) {       /* pieces of 8, 4, 2, 1: never past the end */
            unsigned k = bytes - done >= 8 ? 8 : bytes - done >= 4 ? 4 : bytes - done >= 2 ? 2 : 1;
            uint64_t part = now >> (8 * done);
            x_mov_r_i64(e, RCX, at + done);
            if (k == 8)
                emit_bytes(e, "\x48\x8b\x09", 3);          /* mov rcx, [rcx]         */
            else if (k == 4)
                emit_bytes(e, "\x8b\x09", 2);              /* mov ecx, [rcx]         */
            else if (k == 2)
                emit_bytes(e, "\x0f\xb7\x09", 3);          /* movzx ecx, word [rcx]  */
            else
                emit_bytes(e, "\x0f\xb6\x09", 3);          /* movzx ecx, byte [rcx]  */
            x_mov_r_i64(e, RDX, -(k == 8 ? part : part & ((1ull << (8 * k)) - 1)));
            emit_bytes(e, "\x48\x8d\x0c\x11", 4);          /* lea rcx, [rcx + rdx]   */
            emit_u8(e, 0xe3);                              /* jrcxz over the way out */
            uint32_t hole = emit_off(e);
            emit_u8(e, 0);
            x_mov_r_slot(e, RDX, SLOT_SPILL1);
            x_mov_r_slot(e, RCX, SLOT_SPILL0);
            x_jmp_exit(e, fail);
            if (!e->overflow)
                e->base[hole] = (uint8_t)(emit_off(e) - hole - 1);
            done += k;
        }
    }
    x_mov_r_slot(e, RDX, SLOT_SPILL1);
    x_mov_r_slot(e, RCX, SLOT_SPILL0);
}

/* ---- one instruction ---- */

/* Returns false when the block ends with it. */
static bool
emit_insn(struct draft *d, const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    uint16_t app_off = (uint16_t)(pc - d->tag);
    uint64_t next = pc + in->len;

    if (UNLIKELY(in->prefixes & PFX_66) && insn_is_narrow(in)) {
        map_copy(d, app_off);
        emit_final_exit(d, pc, X_SPECIAL, app_off);
        return false;
    }
    switch (in->cls) {
    case INSN_JMP:
        map_copy(d, app_off);
        emit_final_exit(d, next + (uint64_t)in->imm, X_LINK, app_off);
        return false;
    case INSN_JCC:
        emit_jcc(d, in, pc, app_off);
        return false;
    case INSN_LOOP:
        emit_loop(d, bytes, in, pc, app_off);
        return false;
    case INSN_CALL:
        map_copy(d, app_off);
        emit_push_return(d, next, app_off, 0);
        emit_final_exit(d, next + (uint64_t)in->imm, X_LINK, app_off);
        return false;
    case INSN_RET:
        emit_ret(d, in, app_off);
        return false;
    case INSN_JMP_IND:
    case INSN_CALL_IND:
        if (in->seg == SEG_GS)
            break;
        emit_indirect(d, bytes, in, pc, app_off);
        return false;
    case INSN_SYSCALL:
        map_copy(d, app_off);
        emit_final_exit(d, next, X_SYSCALL, app_off);
        return false;
    case INSN_FPSAVE:
        if ((in->seg == SEG_GS && !gs_in_place(bytes, in) && !d->linear) || (insn_saves_x87_16(in) && !(d->flags & FRAG_ONCE)))
            break;
        if (d->linear)
            emit_linear_operand(d, bytes, in, app_off);
        else if (in->seg == SEG_GS)
            emit_gs_operand(d, bytes, in, app_off);
        else if (in->shape & SHAPE_RIPREL)
            emit_riprel(d, bytes, in, pc, app_off);
        else {
            map_copy(d, app_off);
            emit_bytes(&d->hot, bytes, in->len);
        }
        map_inside(d, (uint16_t)(app_off + in->len), 0, 0, 0);
        emit_final_exit(d, next, X_FPSAVE, app_off);
        return false;
    case INSN_POPF:
        emit_popf(d, bytes, in, pc, app_off);
        return false;
    default:
        if (needs_special(bytes, in) && !d->linear)
            break;
        if (d->linear) {
            emit_linear_operand(d, bytes, in, app_off);
        } else if (touches_gs(in)) {
            emit_gs_operand(d, bytes, in, app_off);
        } else if (in->shape & SHAPE_RIPREL) {
            emit_riprel(d, bytes, in, pc, app_off);
        } else {
            map_copy(d, app_off);
            emit_bytes(&d->hot, bytes, in->len);
        }
        return true;
    }
    map_copy(d, app_off);
    emit_final_exit(d, pc, X_SPECIAL, app_off);
    return false;
}

/* Can the engine compute the address of its operand and hand it over in a register? Not for a vector of
 * addresses, nor where the index is a stride (tiles). */
bool
insn_takes_linear_operand(const uint8_t *bytes, const struct insn *in)
{
    bool vector_index = in->enc != ENC_LEGACY && in->enc != ENC_3DNOW && in->map == 2 &&
                        ((in->opcode & 0xfc) == 0x90 || (in->opcode & 0xfc) == 0xa0 || (in->opcode & 0xfe) == 0xc6 || in->opcode == 0x4b);

    return (in->shape & SHAPE_MEM) && !vector_index && in->enc != ENC_3DNOW && free_low_register(bytes, in) != REG_NONE;
}

bool
insn_is_lea(const struct insn *in)
{
    return in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0x8d;
}

bool
insn_is_ia32_gate(const struct insn *in)
{
    return in->cls == INSN_INT && in->opcode == 0xcd && (uint8_t)in->imm == 0x80;
}

bool
insn_loads_gs(const uint8_t *bytes, const struct insn *in)
{
    (void)bytes;
    if (in->map == 0)
        return in->opcode == 0x8e && (in->modrm >> 3 & 7) == 5;
    return in->map == 1 && (in->opcode == 0xa9 || in->opcode == 0xb5);     /* pop gs, lgs */
}

/* ---- one block ---- */

static void
draft_begin(struct draft *d, uint64_t tag, unsigned mode)
{
    uint8_t phase = d->hot.phase;

    d->tag = tag;
    d->mode = (uint8_t)mode;
    d->flags = 0;
    d->n_exits = d->n_map = d->n_side_map = d->n_insns = d->n_constants = 0;
    d->held = REG_NONE;
    d->held_dead = false;
    d->fall_lead = 0;
    d->hot = (struct emit){.base = d->code, .p = d->code, .end = d->code + sizeof d->code, .reloc = d->relocs, .phase = phase};
    d->side = (struct emit){.base = d->side_code, .p = d->side_code, .end = d->side_code + sizeof d->side_code, .reloc = d->side_relocs};
}

/* Where fetching must stop: the end of the executable memory around pc. */
static uint64_t
fetch_end(const struct region *r, uint64_t tag)
{
    struct region more;
    uint64_t end = r->hi;

    if (end - tag < PAGE_SIZE && regions_find(end, &more))
        end = more.hi;
    return end;
}

static bool
touches_gs(const struct insn *in)
{
    bool string = (in->shape & SHAPE_STRING) && ((in->opcode & 0xfc) == 0xa4 || (in->opcode & 0xfe) == 0xac);   /* movs, cmps, lods: it means nothing to the others */

    return in->seg == SEG_GS && ((in->shape & (SHAPE_MEM | SHAPE_MOFFS)) || string) && !insn_is_lea(in);
}

static bool
needs_special(const uint8_t *bytes, const struct insn *in)
{
    if (in->cls == INSN_FAR || in->cls == INSN_GSBASE || in->cls == INSN_XBEGIN || in->cls == INSN_REQUEST || insn_is_ia32_gate(in) || (in->cls == INSN_SEGLOAD && insn_loads_gs(bytes, in)))
        return true;
    if (touches_gs(in))
        return !gs_in_place(bytes, in);
    /* A RIP-relative operand out of reach of an instruction that nobody knows, so that no register is surely free. */
    return (in->shape & SHAPE_RIPREL) && in->cls == INSN_PLAIN && free_low_register(bytes, in) == REG_NONE;
}

static bool
ends_block(const uint8_t *bytes, const struct insn *in)
{
    switch (in->cls) {
    case INSN_PLAIN:
        return in->seg == SEG_GS && needs_special(bytes, in);
    case INSN_JCC:
    case INSN_LOOP:
    case INSN_JMP:
    case INSN_CALL:
    case INSN_JMP_IND:
    case INSN_CALL_IND:
    case INSN_RET:
    case INSN_FAR:
    case INSN_SYSCALL:
    case INSN_FPSAVE:
    case INSN_GSBASE:
    case INSN_POPF:
        return true;
    default:
        return needs_special(bytes, in);
    }
}

/* Does a request to tools begin at pc (valgrind.h: rol rdi by 3, 13, 61 and 51; xchg rbx, rbx)? */
static bool
is_client_request(uint64_t pc, uint64_t end)
{
    return end - pc >= 19 && memcmp((const void *)pc, "\x48\xc1\xc7\x03\x48\xc1\xc7\x0d\x48\xc1\xc7\x3d\x48\xc1\xc7\x33\x48\x87\xdb", 19) == 0;
}

/* Scans the instructions of the block at d->tag into `block`. */
static enum translate_result
scan_block(struct draft *d, uint64_t end, unsigned max_insns, unsigned max_bytes)
{
    uint64_t pc = d->tag;
    unsigned request = 0;            /* its last instruction: a block of its own, so that it is whole */

    for (block.n = 0; block.n < max_insns;) {
        struct insn *in = &block.insn[block.n];
        if (UNLIKELY(tools_want_requests) && is_client_request(pc, end)) {
            if (block.n)
                break;
            request = max_insns >= 5 && max_bytes >= 19 ? 5 : 0;
        }
        bool got = scan_insn((const uint8_t *)pc, MIN(end - pc, (uint64_t)SCAN_AHEAD), in);
        bool bad = !got || in->cls == INSN_INVALID;
        if (bad && !block.n)
            return got ? TRANSLATE_INVALID : TRANSLATE_FAULT;
        if (bad || (block.n && pc + in->len - d->tag > max_bytes))
            break;
        block.n++;
        if (UNLIKELY(request) && block.n == request)
            in->cls = INSN_REQUEST;
        if (ends_block((const uint8_t *)pc, in) || (d->stop_after_stores && insn_may_store((const uint8_t *)pc, in)))
            break;
        pc += in->len;
    }
    return TRANSLATE_OK;
}

static void
emit_block(struct draft *d, const struct region *r, bool with_tools)
{
    uint64_t pc = d->tag;
    bool more = true;

    block.draft = d;
    d->n_insns = block.n;
    block.code_lo = !look_ahead || r->prot & PROT_W || r->flags & REGION_SHARED ? 0 : r->lo;
    block.code_hi = block.code_lo ? r->hi : 0;
    if (with_tools) {
        memset(block.is_seen, 0, block.n);
        tools_block_begin(&block);
    }
    for (unsigned i = 0; i < block.n; i++) {
        d->app_now = (uint16_t)(pc - d->tag);
        if (with_tools && block.wanted)
            tools_insert(&block, i, i + 1 == block.n);
        more = emit_insn(d, (const uint8_t *)pc, &block.insn[i], pc);
        pc += block.insn[i].len;
    }
    d->app_len = (uint16_t)(pc - d->tag);
    if (more) {
        map_copy(d, d->app_len);
        emit_final_exit(d, pc, X_LINK, d->app_len);
    }
}

bool
insn_may_store(const uint8_t *bytes, const struct insn *in)
{
    struct effects fx;

    scan_effects(bytes, in, &fx);
    return fx.mem_written;
}

/* True: what is translated at `a` must check itself. Otherwise the page of `a` cannot change unnoticed. */
static bool
watch_page(const struct region *r, uint64_t a)
{
    if (r->flags & REGION_SHARED)
        return true;
    return (r->prot & PROT_W) && code_protect(r, a, a + 1) == PAGE_SELFCHECK;
}

/* Has the source of a block watched, and shortens the block to where another kind of watch begins: only its
 * first instruction may cross that line. True: the fragment must check itself. */
static bool
watch_source(const struct region *r, uint64_t tag, unsigned *max_bytes)
{
    uint64_t line = r->flags & REGION_SHARED || !(r->prot & PROT_W) ? r->hi : PAGE_DOWN(tag) + PAGE_SIZE;
    bool check = watch_page(r, tag);
    struct region next;

    if (line - tag < *max_bytes)
        *max_bytes = (unsigned)(line - tag);
    if (line - tag < INSN_MAX_LEN && regions_find(line, &next))
        check |= watch_page(&next, line);
    return check;
}

static enum translate_result
draft_block(struct draft *d, uint64_t tag, unsigned mode, const struct region *r, bool once)
{
    unsigned max_insns = once ? 1 : BLOCK_MAX_INSNS, max_bytes = 1500;
    uint64_t end = fetch_end(r, tag);
    enum translate_result result;
    bool check = false;

    draft_begin(d, tag, mode);
    d->stop_after_stores = d->may_calm = false;
    if (once)
        d->flags |= FRAG_ONCE;
    else
        check = watch_source(r, tag, &max_bytes);
    if (check) {
        d->flags |= FRAG_SELFCHECK;
        d->may_calm = !(r->flags & REGION_SHARED);
        d->stop_after_stores = true;
        max_bytes = MIN(max_bytes, (unsigned)SELFCHECK_BYTES);
    }
    for (;; max_insns /= 2) {        /* shorter, if what tools insert makes it too long */
        result = scan_block(d, end, max_insns, max_bytes);
        if (result != TRANSLATE_OK)
            return result;
        if (check) {
            uint32_t len = 0;
            for (unsigned i = 0; i < block.n; i++)
                len += block.insn[i].len;
            emit_selfcheck(d, tag, len);
        }
        emit_block(d, r, n_tools && !once);
        d->hot.overflow |= d->side.overflow || !cache_can_hold(d);
        if (!d->hot.overflow || max_insns == 1)
            return TRANSLATE_OK;
        uint8_t flags = d->flags;
        draft_begin(d, tag, mode);
        d->flags = flags;
    }
}

/* A full cache: everything goes, and this thread waits until the others are out.
 * Called and returns with cache_lock held. */
static void
make_room(struct thread *t)
{
    LOG(LOG_CACHE, "cache full: %lu fragments live, reset", cache_stats.live);
    cache_reset();
    for (int spins = 0;; spins++) {
        __atomic_store_n(&t->safe_epoch, cache_epoch, __ATOMIC_SEQ_CST);
        cache_reclaim();
        if (cache_has_room())
            return;
        mutex_unlock(&cache_lock);
        sys0(__NR_sched_yield);
        mutex_lock(&cache_lock);
    }
}

/* draft_block, for program memory that may go away under it. */
static enum translate_result
draft_safely(struct thread *t, uint64_t tag, unsigned mode, const struct region *r, bool once)
{
    struct recover recover;

    if (recover_set(&recover)) {
        if (!look_ahead)
            return TRANSLATE_FAULT;
        look_ahead = false;              /* perhaps it was not the block itself that could not be read */
    } else {
        look_ahead = true;
    }
    t->recover = &recover;
    enum translate_result result = draft_block(&draft, tag, mode, r, once);
    t->recover = NULL;
    return result;
}

static void
link_to_known(frag_id id, unsigned mode)
{
    for (unsigned i = 0; i < draft.n_exits; i++)
        if (draft.exit[i].kind == X_LINK || draft.exit[i].kind == X_MODE) {
            frag_id to = cache_find(draft.exit[i].target, draft.exit[i].kind == X_MODE ? draft.exit[i].mode : mode);
            if (to)
                cache_link(frag_get(id)->exit0 + i, to);
        }
}

/* A page that another thread of the program must bring first (userfaultfd) is waited for
 * without a lock, which that thread may need. */
static void
await_page(uint64_t tag)
{
    uint8_t byte;

    if (safe_read(&byte, tag, 1) && tag % PAGE_SIZE > PAGE_SIZE - INSN_MAX_LEN && regions_intersect(tag + INSN_MAX_LEN, tag + INSN_MAX_LEN + 1)) {
        uint8_t bytes[INSN_MAX_LEN];
        struct insn in;
        size_t here = PAGE_SIZE - tag % PAGE_SIZE;
        if (safe_read(bytes, tag, here) && !scan_insn(bytes, here, &in))
            safe_read(&byte, tag + here, 1);     /* the instruction goes on there */
    }
}

enum translate_result
translate(struct thread *t, uint64_t tag, unsigned mode, exit_id from, bool once, bool indirect, frag_id *out)
{
    enum translate_result result = TRANSLATE_OK;
    struct region r;
    frag_id id = 0;

    if (UNLIKELY(page_faults_are_served))
        await_page(tag);
    mutex_lock(&cache_lock);
    uint64_t begun = options.stats ? clock_ticks() : 0;
    if (!once)
        id = cache_find(tag, mode);
    while (!id) {
        /* Under the lock: who unmaps a region first takes it off the list, then flushes. */
        if (!regions_find(tag, &r)) {
            result = TRANSLATE_FAULT;
            break;
        }
        draft.landing = indirect && !once;
        draft.linear = once && t->linear_pc == tag ? &t->linear : NULL;
        draft.spot = once || indirect ? 0 : cache_overlay_spot(from);
        draft.hot.phase = cache_phase(&draft, tag);
        if ((result = draft_safely(t, tag, mode, &r, once)) != TRANSLATE_OK)
            break;
        CHECK(!draft.hot.overflow, "a block fits the draft");
        if (once && t->once && t->once_resets == cache_stats.resets)
            cache_drop(t->once);         /* the last one of this thread has run */
        id = cache_commit(&draft, once ? 0 : from);
        if (once) {
            t->once = id;
            t->once_resets = cache_stats.resets;
        }
        if (!id) {
            make_room(t);
            from = 0;
            continue;
        }
        LOG(LOG_CACHE, "fragment %u: 0x%lx (%u bytes, %u insns) at %p, %u bytes", id, tag, draft.app_len, draft.n_insns,
            (void *)cache_at(frag_get(id)->body), frag_get(id)->body_len);
        if (!once)
            link_to_known(id, mode);
    }
    if (id && from)
        cache_link(from, id);
    if (options.stats)
        cache_stats.translate_ticks += clock_ticks() - begun;
    mutex_unlock(&cache_lock);
    *out = id;
    return result;
}

/* ---- back from cache state to program state ---- */

bool
translate_state(frag_id id, uint64_t pc, struct app_state *out)
{
    const struct fragment *f = frag_get(id);
    const struct map_entry *map = (const struct map_entry *)cache_at(f->map);
    uint32_t off = (uint32_t)(pc - (uint64_t)cache_at(f->body)), side = (uint32_t)(pc - (uint64_t)cache_at(f->side));
    unsigned i = f->n_map;

    if (side < f->side_len)
        off = MAP_SIDE + side;
    while (i && map[i - 1].off > off)
        i--;
    if (!i || (off >= MAP_SIDE && map[i - 1].off < MAP_SIDE))
        return false;
    out->entry = map[i - 1];
    out->pc = out->entry.kind == MAP_EXIT ? exit_get(f->exit0 + out->entry.app_off)->target : f->tag + out->entry.app_off;
    out->boundary = out->entry.kind == MAP_COPY;
    if (out->boundary)
        out->pc += off - out->entry.off;
    return true;
}

void
state_recover(const struct thread *t, const struct app_state *s, uint64_t *gpr)
{
    if (s->entry.spilled & MAP_RCX)
        gpr[RCX] = t->s.spill[0];
    if (s->entry.spilled & MAP_RDX)
        gpr[RDX] = t->s.spill[1];
    if (s->entry.spilled & MAP_SCRATCH)
        gpr[s->entry.scratch & 15] = t->s.spill[2];
    if (s->entry.spilled & MAP_HELD)     /* last: another could be the same register, borrowed anew */
        gpr[s->entry.scratch >> 4] = t->s.hold;
    if (s->entry.kind == MAP_SYSCALLED)
        gpr[RCX] = s->pc;
    gpr[RSP] += (uint64_t)(int64_t)s->entry.rsp_adjust;
}
