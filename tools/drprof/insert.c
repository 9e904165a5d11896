/* The code that drprof inserts. In each block: the count of its executions in
 * the current context. In front of a call, a return and a jump to another
 * function: the change of context.
 *
 *   count    node = gs:[now];  node[slot]++
 *   call     child = node[slot], 0: slow_call;  push frame;  gs:[now] = child;  child.calls++
 *   call *   … and child.entry == target, otherwise slow_call_indirect
 *   return   last frame is at rsp and leads to [rsp], otherwise slow_return;  gs:[now] = frame.node;  pop
 *   jump     child = node[slot], 0: slow_jump;  gs:[now] = child;  child.calls++
 *
 * Flags are tested only where nothing reads them; elsewhere by jrcxz. What is
 * written before the count (or last before the instruction) may be written
 * again: a signal may interrupt in between, and all of it runs once more.
 * Threads: under the engine's cache lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "priv.h"

/* ---- instructions ---- */

/* op r, [base + disp] with a 64-bit operand. */
static void
x_op(struct emit *e, uint8_t op, enum reg r, enum reg base, uint32_t disp)
{
    emit_u8(e, (uint8_t)(0x48 | (r >> 3) << 2 | base >> 3));
    emit_u8(e, op);
    emit_u8(e, (uint8_t)(0x80 | (r & 7) << 3 | (base & 7)));
    if ((base & 7) == RSP)
        emit_u8(e, 0x24);
    emit_u32(e, disp);
}
static void x_load(struct emit *e, enum reg r, enum reg base, uint32_t disp) { x_op(e, 0x8b, r, base, disp); }
static void x_store(struct emit *e, enum reg base, uint32_t disp, enum reg r) { x_op(e, 0x89, r, base, disp); }
static void x_lea(struct emit *e, enum reg r, enum reg base, int32_t disp) { x_op(e, 0x8d, r, base, (uint32_t)disp); }
static void
x_inc_mem(struct emit *e, enum reg base, uint32_t disp)          /* add qword [base + disp], 1: changes flags */
{
    x_op(e, 0x83, 0, base, disp);
    emit_u8(e, 1);
}

/* op r, gs:[index + disp] */
static void
x_gs_index(struct emit *e, uint8_t op, enum reg r, enum reg index, uint32_t disp)
{
    emit_u8(e, 0x65);
    emit_u8(e, (uint8_t)(0x48 | (r >> 3) << 2 | index >> 3));
    emit_u8(e, op);
    emit_u8(e, (uint8_t)(0x80 | (r & 7) << 3 | (index & 7)));
    if ((index & 7) == RSP)
        emit_u8(e, 0x24);
    emit_u32(e, disp);
}

/* lea r, [a + b + disp]; b is not rsp */
static void
x_lea_sum(struct emit *e, enum reg r, enum reg a, enum reg b, int32_t disp)
{
    emit_u8(e, (uint8_t)(0x48 | (r >> 3) << 2 | (b >> 3) << 1 | a >> 3));
    emit_u8(e, 0x8d);
    emit_u8(e, (uint8_t)(0x84 | (r & 7) << 3));
    emit_u8(e, (uint8_t)((b & 7) << 3 | (a & 7)));
    emit_u32(e, (uint32_t)disp);
}
static void x_not(struct emit *e, enum reg r) { emit_u8(e, (uint8_t)(0x48 | r >> 3)); emit_u8(e, 0xf7); emit_u8(e, (uint8_t)(0xd0 | (r & 7))); }
static void x_bswap(struct emit *e, enum reg r) { emit_u8(e, (uint8_t)(0x48 | r >> 3)); emit_u8(e, 0x0f); emit_u8(e, (uint8_t)(0xc8 | (r & 7))); }
/* movzx r32, r8; both rcx or rdx */
static void x_movzx8(struct emit *e, enum reg r) { emit_u8(e, 0x0f); emit_u8(e, 0xb6); emit_u8(e, (uint8_t)(0xc0 | r << 3 | r)); }

/* ---- the block under translation; the engine translates one at a time ---- */

enum transfer { NO_TRANSFER, CALL, CALL_INDIRECT, JUMP, JUMP_INDIRECT, CONDITIONAL, RETURN };

static struct {
    struct prof_function *function;
    struct prof_slot *block;
    unsigned n, counted_at;
    enum transfer transfer;
    uint64_t pc, next, target;           /* of the last instruction; behind it; where it leads if that is constant */
    uint8_t condition;
    unsigned opcode;                     /* index of its opcode among its bytes                      */
    uint8_t rex, segment;
    bool narrow_address;
    /* The part out of line that the code being inserted goes to when it cannot go on. */
    uint32_t side;
    bool has_side, tests_flags;
    enum reg third;                      /* scratch register besides rcx and rdx                     */
} now;

static void
read_transfer(dr_block *b)
{
    const struct dr_insn *in = dr_block_insn(b, now.n - 1);
    const uint8_t *p = in->bytes;
    int32_t rel = 0;
    unsigned i = 0;

    now.pc = in->pc;
    now.next = in->pc + in->length;
    now.transfer = NO_TRANSFER;
    now.target = now.next;
    now.rex = now.segment = 0;
    now.narrow_address = false;
    if (!in->branch)
        return;
    for (;; i++) {
        if (p[i] == 0x67)
            now.narrow_address = true;
        else if (p[i] == 0x64 || p[i] == 0x65)
            now.segment = p[i];
        else if (p[i] != 0x66 && p[i] != 0xf2 && p[i] != 0xf3 && p[i] != 0x2e && p[i] != 0x36 && p[i] != 0x3e && p[i] != 0x26)
            break;
    }
    if ((p[i] & 0xf0) == 0x40)
        now.rex = p[i++];
    now.opcode = i;
    if (p[i] == 0xe8 || p[i] == 0xe9 || (p[i] == 0x0f && (p[i + 1] & 0xf0) == 0x80)) {
        memcpy(&rel, p + in->length - 4, 4);
        now.transfer = p[i] == 0xe8 ? CALL : p[i] == 0xe9 ? JUMP : CONDITIONAL;
        now.condition = p[i + 1] & 15;
    } else if (p[i] == 0xeb || (p[i] & 0xf0) == 0x70) {
        rel = (int8_t)p[i + 1];
        now.transfer = p[i] == 0xeb ? JUMP : CONDITIONAL;
        now.condition = p[i] & 15;
    } else if (p[i] == 0xc3 || p[i] == 0xc2) {
        now.transfer = RETURN;
    } else if (p[i] == 0xff && (p[i + 1] >> 3 & 7) == 2) {
        now.transfer = CALL_INDIRECT;
    } else if (p[i] == 0xff && (p[i + 1] >> 3 & 7) == 4) {
        now.transfer = JUMP_INDIRECT;
    }
    now.target = now.next + (uint64_t)(int64_t)rel;
}

static bool
changes_context(void)
{
    switch (now.transfer) {
    case NO_TRANSFER:
    case JUMP:
        return !function_holds(now.function, now.target);
    case CONDITIONAL:
        return !function_holds(now.function, now.target) || !function_holds(now.function, now.next);
    default:
        return true;
    }
}

static unsigned
place_of_count(dr_block *b)
{
    for (unsigned i = 0; i < now.n; i++)
        if (dr_flags_unread(b, i))
            return i;
    return changes_context() ? now.n - 1 : 0;
}

static void
describe_block(dr_block *b)
{
    struct prof_slot *s = now.block;

    s->counted_at = (uint16_t)(now.counted_at + 1);
    s->target = now.next;
    for (unsigned i = 0; i < now.n; i++)
        s->length[i] = dr_block_insn(b, i)->length;
}

bool
insert_begin(dr_block *b)
{
    now.n = dr_block_count(b);
    if (dr_block_mode(b) != MODE_COUNT)
        return true;
    now.function = function_at(dr_block_tag(b));
    if (!now.function)
        return true;
    read_transfer(b);
    now.counted_at = place_of_count(b);
    now.block = slot_for(now.function, PROF_BLOCK, dr_block_tag(b), now.n);
    if (now.block)
        describe_block(b);
    return true;
}

/* Clean call: memory, or a function's slots, have run out. */
static void
no_room(uint64_t arg, struct dr_mcontext *mc)
{
    (void)arg;
    (void)mc;
    give_up(dr_thread_current());
}

/* ---- ways out of line ---- */

static void
take_three(dr_block *b, unsigned index)
{
    DR_CHECK(dr_take_this_register(b, RCX) && dr_take_this_register(b, RDX), "rcx and rdx are free");
    now.third = dr_take_register(b, index);
    DR_CHECK(now.third != REG_NONE, "a third register is free");
    now.tests_flags = dr_flags_unread(b, index);
    now.has_side = false;
}

static void
jump_to_side(dr_block *b, uint8_t cc)
{
    struct emit *e = dr_emit(b);

    if (!now.has_side) {
        now.side = emit_off(dr_side(b));
        now.has_side = true;
        dr_side_begin(b, cc);
        return;
    }
    if (cc == DR_ALWAYS) {
        emit_u8(e, 0xe9);
    } else {
        emit_u8(e, 0x0f);
        emit_u8(e, (uint8_t)(0x80 | cc));
    }
    emit_pc32(e, RELOC_SIDE, now.side, 0);
}

static void
test_rcx(struct emit *e)
{
    emit_bytes(e, "\x48\x85\xc9", 3);                  /* test rcx, rcx */
}

static void
slow_if_rcx_is_0(dr_block *b)
{
    struct emit *e = dr_emit(b);

    if (now.tests_flags) {
        test_rcx(e);
        jump_to_side(b, CC_E);
        return;
    }
    x_jrcxz8(e, 2);
    uint32_t over = x_jmp_ahead(e);
    jump_to_side(b, DR_ALWAYS);
    x_here(e, over);
}

static void
slow_unless_rcx_is_0(dr_block *b)
{
    struct emit *e = dr_emit(b);

    if (now.tests_flags) {
        test_rcx(e);
        jump_to_side(b, CC_NE);
        return;
    }
    x_jrcxz8(e, 5);
    jump_to_side(b, DR_ALWAYS);
}

/* Registers back; the slow way joins here. */
static void
finish(dr_block *b, void (*slow)(uint64_t, struct dr_mcontext *), const struct prof_slot *s)
{
    if (now.has_side)
        dr_side_give_registers(b);
    dr_inserted(b);
    dr_give_registers(b);
    if (now.has_side)
        dr_side_call(b, slow, (uint64_t)s);
}

/* ---- counting ---- */

/* node[slot]++ with node in `node`. */
static void
count_at(struct emit *e, enum reg node, uint32_t offset, enum reg scratch, bool flags_free)
{
    if (flags_free) {
        x_inc_mem(e, node, offset);
        return;
    }
    x_load(e, scratch, node, offset);
    x_lea(e, scratch, scratch, 1);
    x_store(e, node, offset, scratch);
}

static void
insert_count(dr_block *b, unsigned index)
{
    struct emit *e = dr_emit(b);
    const struct prof_slot *s = now.block;
    bool flags_free = dr_flags_unread(b, index);
    enum reg r, scratch = REG_NONE;

    if (!s) {
        dr_insert_call(b, no_room, 0);
        return;
    }
    uint32_t offset = node_offset(now.function, s->index);
    if (in_chunk(now.function, s->index)) {
        bool taken = dr_take_this_register(b, RCX) && (flags_free || dr_take_this_register(b, RDX));
        DR_CHECK(taken, "rcx and rdx are free");
        now.tests_flags = flags_free;
        now.has_side = false;
        x_mov_r_slot(e, RCX, context_slot);
        x_load(e, RCX, RCX, offset);
        slow_if_rcx_is_0(b);
        count_at(e, RCX, chunk_offset(now.function, s->index), RDX, flags_free);
        finish(b, slow_count, s);
        return;
    }
    r = dr_take_register(b, index);
    if (!flags_free)
        scratch = dr_take_register(b, index);
    x_mov_r_slot(e, r, context_slot);
    count_at(e, r, offset, scratch, flags_free);
    dr_inserted(b);
    dr_give_registers(b);
}

/* The count of a block without a place where flags are free shares the registers of its call or return. */
static bool
counts_with_transfer(unsigned index)
{
    return index == now.n - 1 && (now.transfer == CALL || now.transfer == RETURN) && now.block && !in_chunk(now.function, now.block->index);
}

static void
count_with_transfer(dr_block *b, unsigned index)
{
    struct emit *e = dr_emit(b);

    if (index != now.counted_at || !counts_with_transfer(index))
        return;
    x_mov_r_slot(e, RDX, context_slot);
    count_at(e, RDX, node_offset(now.function, now.block->index), RCX, now.tests_flags);
    dr_inserted(b);
}

/* ---- changes of context ---- */

/* rcx: what slot s of the current node holds. Clobbers rdx with the node. */
static void
load_slot(dr_block *b, const struct prof_slot *s)
{
    struct emit *e = dr_emit(b);

    x_mov_r_slot(e, RDX, context_slot);
    x_load(e, RCX, RDX, node_offset(now.function, s->index));
    if (in_chunk(now.function, s->index)) {
        slow_if_rcx_is_0(b);
        x_load(e, RCX, RCX, chunk_offset(now.function, s->index));
    }
    slow_if_rcx_is_0(b);
}

/* The third register: the new node. */
static void
push_frame_and_enter(dr_block *b)
{
    struct emit *e = dr_emit(b);

    x_mov_r_slot(e, RCX, context_slot + offsetof(struct context, top));
    x_lea(e, RCX, RCX, -(int32_t)sizeof(struct frame));
    x_mov_r_slot(e, RDX, context_slot);
    x_gs_index(e, 0x89, RDX, RCX, frames_slot + offsetof(struct frame, node));
    slow_if_rcx_is_0(b);
    x_lea(e, RDX, RSP, -8);
    x_not(e, RDX);
    x_gs_index(e, 0x89, RDX, RCX, frames_slot + offsetof(struct frame, slot_not));
    x_mov_r_i64(e, RDX, ~now.next);
    x_gs_index(e, 0x89, RDX, RCX, frames_slot + offsetof(struct frame, return_not));
    x_mov_slot_r(e, context_slot + offsetof(struct context, top), RCX);
}

/* The context before a jump, should a signal come before it. */
static void
leave_node(dr_block *b)
{
    x_mov_r_slot(dr_emit(b), RDX, context_slot);
    x_mov_slot_r(dr_emit(b), context_slot + offsetof(struct context, left), RDX);
}

/* gs:[now] = the third register, and its count of calls. */
static void
enter_node(dr_block *b)
{
    struct emit *e = dr_emit(b);

    x_mov_slot_r(e, context_slot, now.third);
    count_at(e, now.third, offsetof(struct prof_node, calls), RDX, now.tests_flags);
}

static struct prof_slot *
site(enum prof_slot_kind kind, uint64_t pc, uint64_t target)
{
    struct prof_slot *s = slot_for(now.function, kind, pc, (unsigned)(now.next - pc));

    if (s)
        s->target = target;
    return s;
}

/* Without a slot the context behind the transfer cannot be kept. */
static bool
insert_no_room(dr_block *b, const struct prof_slot *s)
{
    if (s)
        return false;
    dr_insert_call(b, no_room, 0);
    return true;
}

static void
insert_call(dr_block *b, unsigned index)
{
    struct prof_slot *s = site(PROF_CALL, now.pc, now.target);

    if (insert_no_room(b, s))
        return;
    take_three(b, index);
    count_with_transfer(b, index);
    load_slot(b, s);
    x_mov_r_r(dr_emit(b), now.third, RCX);
    push_frame_and_enter(b);
    enter_node(b);
    finish(b, slow_call, s);
}

/* rcx = the operand of the call or jump. */
static void
load_target(dr_block *b)
{
    struct emit *e = dr_emit(b);
    const struct dr_insn *in = dr_block_insn(b, now.n - 1);
    const uint8_t *p = in->bytes + now.opcode;
    uint8_t modrm = p[1];
    int32_t disp;

    if (modrm >> 6 == 3) {
        enum reg r = (enum reg)((modrm & 7) | (now.rex & 1) << 3);
        if (r != RCX)
            x_mov_r_r(e, RCX, r);
        return;
    }
    if (now.segment)
        emit_u8(e, now.segment);
    if ((modrm & 0xc7) == 5) {
        memcpy(&disp, p + 2, 4);
        uint64_t at = now.next + (uint64_t)(int64_t)disp;
        if (now.segment)
            e->p--;
        x_mov_r_i64(e, RCX, now.narrow_address ? (uint32_t)at : at);
        if (now.segment)
            emit_u8(e, now.segment);
        emit_bytes(e, "\x48\x8b\x09", 3);              /* mov rcx, [rcx] */
        return;
    }
    if (now.narrow_address)
        emit_u8(e, 0x67);
    emit_u8(e, (uint8_t)(0x48 | (now.rex & 3)));
    emit_u8(e, 0x8b);
    emit_u8(e, (uint8_t)((modrm & 0xc7) | RCX << 3));
    emit_bytes(e, p + 2, in->length - now.opcode - 2u);
}

static bool
operand_is_constant_place(dr_block *b)
{
    return (dr_block_insn(b, now.n - 1)->bytes[now.opcode + 1] & 0xc7) == 5;
}

/* The side part so far: looks for (place of the slot, target) among the polymorphs. If it is there, its node is in the third
 * register and the inline code goes on; from here on, the side part is the slow way. */
static void
look_up_polymorph(dr_block *b, const struct prof_slot *s)
{
    enum { TABLE = offsetof(struct context, polymorph) };
    struct emit *e = dr_side(b);

    x_mov_r_slot(e, RDX, context_slot);
    if (in_chunk(now.function, s->index)) {
        x_load(e, RDX, RDX, node_offset(now.function, s->index));
        x_lea(e, RDX, RDX, (int32_t)chunk_offset(now.function, s->index));
    } else {
        x_lea(e, RDX, RDX, (int32_t)node_offset(now.function, s->index));
    }
    x_mov_r_slot(e, RCX, context_slot + offsetof(struct context, target));
    emit_bytes(e, "\x48\x8d\x0c\xca", 4);              /* lea rcx, [rdx + 8*rcx]      */
    emit_bytes(e, "\x0f\xb6\xcd", 3);                  /* movzx ecx, ch               */
    emit_bytes(e, "\x48\x8d\x0c\xcd\0\0\0\0", 8);      /* lea rcx, [8*rcx]            */
    emit_bytes(e, "\x48\x8d\x0c\x8d\0\0\0\0", 8);      /* lea rcx, [4*rcx]            */
    x_mov_r_r(e, now.third, RCX);
    x_gs_index(e, 0x8b, RCX, now.third, context_slot + TABLE + offsetof(struct polymorph, place_not));
    x_lea_sum(e, RCX, RCX, RDX, 1);
    x_jrcxz8(e, 5);
    emit_u8(e, 0xe9);
    uint32_t miss = emit_off(e);
    emit_u32(e, 0);
    x_gs_index(e, 0x8b, RCX, now.third, context_slot + TABLE + offsetof(struct polymorph, target_not));
    x_mov_r_slot(e, RDX, context_slot + offsetof(struct context, target));
    x_lea_sum(e, RCX, RCX, RDX, 1);
    x_jrcxz8(e, 2);
    uint32_t miss2 = x_jmp_ahead(e);
    x_gs_index(e, 0x8b, now.third, now.third, context_slot + TABLE + offsetof(struct polymorph, node));
    dr_side_jump_back(b, DR_ALWAYS);
    x_here(e, miss2);
    now.side = emit_off(e);
    if (!e->overflow) {
        uint32_t d = now.side - miss - 4;
        memcpy(e->base + miss, &d, 4);
    }
}

/* Third register: the node for the slot and the target. */
static void
load_slot_for_target(dr_block *b, const struct prof_slot *s)
{
    struct emit *e = dr_emit(b);

    load_slot(b, s);
    x_mov_r_r(e, now.third, RCX);
    x_load(e, RCX, RCX, offsetof(struct prof_node, entry_not));
    x_mov_r_slot(e, RDX, context_slot + offsetof(struct context, target));
    x_lea_sum(e, RCX, RCX, RDX, 1);
    slow_unless_rcx_is_0(b);
    look_up_polymorph(b, s);
}

static void
insert_call_indirect(dr_block *b, unsigned index)
{
    struct prof_slot *s = site(PROF_CALL, now.pc, 0);

    if (now.segment == 0x65 || insert_no_room(b, s))
        return;
    take_three(b, index);
    load_target(b);
    x_mov_slot_r(dr_emit(b), context_slot + offsetof(struct context, target), RCX);
    load_slot_for_target(b, s);
    push_frame_and_enter(b);
    enter_node(b);
    finish(b, slow_call_indirect, s);
}

/* rcx: 0 if the target in rcx lies in the block's function. Clobbers rdx. */
static void
distance_from_function(struct emit *e)
{
    uint64_t length = now.function->end - now.function->start;

    x_mov_r_i64(e, RDX, -now.function->start);
    x_lea_sum(e, RCX, RCX, RDX, 0);                    /* from its start …              */
    x_mov_r_r(e, RDX, RCX);
    x_bswap(e, RDX);
    x_movzx8(e, RDX);                                  /* … the sign's byte: 0 or not   */
    x_not(e, RCX);
    x_lea(e, RCX, RCX, (int32_t)length);               /* to its last byte …            */
    x_bswap(e, RCX);
    x_movzx8(e, RCX);
    x_lea_sum(e, RCX, RCX, RDX, 0);
}

static void
insert_jump_indirect(dr_block *b, unsigned index)
{
    struct prof_slot *s = site(PROF_JUMP, now.pc, 0);
    struct emit *e = dr_emit(b);
    uint32_t stays = 0;

    if (now.segment == 0x65 || insert_no_room(b, s))
        return;
    take_three(b, index);
    load_target(b);
    x_mov_slot_r(e, context_slot + offsetof(struct context, target), RCX);
    bool table = !operand_is_constant_place(b) && now.function->end - now.function->start < INT32_MAX;
    if (table) {
        distance_from_function(e);
        stays = x_jrcxz_ahead(e);
    }
    load_slot_for_target(b, s);
    leave_node(b);
    enter_node(b);
    if (table)
        x_here(e, stays);
    finish(b, slow_jump_indirect, s);
}

static void
insert_jump(dr_block *b, unsigned index, uint64_t pc, uint64_t target)
{
    struct prof_slot *s = site(PROF_JUMP, pc, target);

    if (insert_no_room(b, s))
        return;
    take_three(b, index);
    load_slot(b, s);
    x_mov_r_r(dr_emit(b), now.third, RCX);
    leave_node(b);
    enter_node(b);
    finish(b, slow_jump, s);
}

/* As insert_jump, if condition `cc` holds. */
static void
insert_jump_if(dr_block *b, unsigned index, uint8_t cc, uint64_t pc, uint64_t target)
{
    struct prof_slot *s = site(PROF_JUMP, pc, target);
    struct emit *e = dr_emit(b);

    if (insert_no_room(b, s))
        return;
    take_three(b, index);
    now.tests_flags = false;
    emit_u8(e, 0x0f);
    emit_u8(e, (uint8_t)(0x90 | cc));
    emit_u8(e, 0xc1);                                  /* setcc cl */
    x_movzx8(e, RCX);
    uint32_t stays = x_jrcxz_ahead(e);
    load_slot(b, s);
    x_mov_r_r(e, now.third, RCX);
    leave_node(b);
    enter_node(b);
    x_here(e, stays);
    finish(b, slow_jump, s);
}

static void
insert_return(dr_block *b, unsigned index)
{
    struct emit *e = dr_emit(b);

    take_three(b, index);
    count_with_transfer(b, index);
    x_mov_r_slot(e, RDX, context_slot + offsetof(struct context, top));
    x_gs_index(e, 0x8b, RCX, RDX, frames_slot + offsetof(struct frame, slot_not));
    x_lea_sum(e, RCX, RSP, RCX, 1);
    slow_unless_rcx_is_0(b);
    x_load(e, now.third, RSP, 0);
    x_gs_index(e, 0x8b, RCX, RDX, frames_slot + offsetof(struct frame, return_not));
    x_lea_sum(e, RCX, RCX, now.third, 1);
    slow_unless_rcx_is_0(b);
    x_mov_r_slot(e, now.third, context_slot);
    x_gs_index(e, 0x8b, RCX, RDX, frames_slot + offsetof(struct frame, node));
    x_mov_slot_r(e, context_slot + offsetof(struct context, left), now.third);
    x_mov_slot_r(e, context_slot, RCX);
    x_lea(e, RDX, RDX, sizeof(struct frame));
    x_mov_slot_r(e, context_slot + offsetof(struct context, top), RDX);
    finish(b, slow_return, NULL);
}

static void
insert_transfer(dr_block *b, unsigned index)
{
    switch (now.transfer) {
    case CALL: insert_call(b, index); break;
    case CALL_INDIRECT: insert_call_indirect(b, index); break;
    case JUMP_INDIRECT: insert_jump_indirect(b, index); break;
    case RETURN: insert_return(b, index); break;
    case CONDITIONAL:
        if (!function_holds(now.function, now.target))
            insert_jump_if(b, index, now.condition, now.pc, now.target);
        if (!function_holds(now.function, now.next))
            insert_jump_if(b, index, now.condition ^ 1, now.pc + 1, now.next);
        break;
    default: insert_jump(b, index, now.pc, now.target); break;
    }
}

void
insert_insn(dr_block *b, unsigned index)
{
    uint64_t tag = dr_block_tag(b);

    switch (dr_block_mode(b)) {
    case MODE_LAND:
        if (index == 0)
            dr_insert_call(b, land, tag);
        return;
    case MODE_OFF:
        if (index == 0 && window_is_start(tag))
            dr_insert_call(b, window_begin, tag);
        return;
    }
    if (!now.function) {
        if (index == 0)
            dr_insert_call(b, no_room, 0);
        return;
    }
    if (index == now.counted_at && !counts_with_transfer(index))
        insert_count(b, index);
    if (index == 0 && window_is_stop(tag))
        dr_insert_call(b, window_end, tag);
    if (index == now.n - 1 && changes_context())
        insert_transfer(b, index);
}

/* ---- blocks that were cut short ---- */

/* Recursion: the frame that the last return has popped is still in its place, and leads to the present context. */
static bool
now_is_left_by_return(dr_thread *t, const struct context *x)
{
    return x->top >= sizeof(struct frame) && frame_at(t, x->top - sizeof(struct frame))->node == x->now;
}

/* The node that the block was counted in, if it was; the last instruction may have left it already. */
static struct prof_node *
node_of_block(const struct dr_cut *c, const struct prof_slot *s)
{
    struct context *x = context_of(c->thread);
    struct frame *f = frame_at(c->thread, x->top);

    x->cut = NULL;
    if (c->done == s->n - 1u) {          /* the change of context may be half done, too */
        x->cut = s;
        x->cut_pc = s->target - s->length[s->n - 1];
        if (x->top < FRAMES_BYTES && f->return_not == ~s->target && f->node->function == s->function)
            return f->node;
        if (x->left && x->left->function == s->function && (x->now->function != s->function || now_is_left_by_return(c->thread, x)))
            return x->left;
    }
    return x->now->function == s->function ? x->now : NULL;
}

/* However the program goes on, what was inserted for the instruction it stands at may run again, or not at all. */
static void
land_after_cut(const struct dr_cut *c)
{
    if (dr_mode(c->thread) != MODE_COUNT)
        return;
    context_of(c->thread)->event = EVENT_CUT;
    dr_set_mode(c->thread, MODE_LAND);
}

void
insert_cut(const struct dr_cut *c)
{
    if (c->mode != MODE_COUNT)
        return;
    land_after_cut(c);
    struct prof_slot *s = slot_of_block(c->tag);
    struct prof_node *n = s ? node_of_block(c, s) : NULL;
    if (!n || c->done >= s->n)
        return;
    unsigned at = s->counted_at - 1u;
    if (c->done > at || (c->done == at && c->inserted)) {
        uint64_t *whole = node_place(n, s);
        if (whole)
            --*whole;
    }
    if (!c->done)
        return;
    struct prof_slot *part = slot_for(at_ref(s->function), PROF_BLOCK, c->tag, c->done);
    uint64_t *place = part ? node_place(n, part) : NULL;
    if (!place)
        return;
    for (unsigned i = 0; i < c->done; i++)
        part->length[i] = s->length[i];
    ++*place;
}
