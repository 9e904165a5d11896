/* What the engine emits besides: its own slots, and jumps that it links. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_EMIT_H
#define DRTOOLS_TRANSLATOR_EMIT_H

#include "core/thread.h"
#include "drtools/emit.h"

/* mov dword gs:[slot], imm32 */
static inline void
x_mov_slot_u32(struct emit *e, uint32_t slot, uint32_t v)
{
    emit_bytes(e, "\x65\xc7\x04\x25", 4);
    emit_u32(e, slot);
    emit_u32(e, v);
}
/* push qword [constant]: one store, so that a return soon after it can be forwarded the whole address */
static inline void x_push_constant(struct emit *e, uint64_t n) { emit_bytes(e, "\xff\x35", 2); emit_pc32(e, RELOC_COLD, n, 0); }
/* lea rsp, [rsp+disp32] */
static inline void x_lea_rsp(struct emit *e, int32_t disp) { emit_bytes(e, "\x48\x8d\xa4\x24", 4); emit_u32(e, (uint32_t)disp); }
static inline void x_jmp_exit(struct emit *e, uint64_t exit) { emit_u8(e, 0xe9); emit_pc32(e, RELOC_EXIT, exit, 0); }
static inline void x_jmp_abs(struct emit *e, uint64_t to) { emit_u8(e, 0xe9); emit_pc32(e, RELOC_PC32, to, 0); }
static inline void x_jcc_exit(struct emit *e, unsigned cc, uint64_t exit) { emit_u8(e, 0x0f); emit_u8(e, (uint8_t)(0x80 | cc)); emit_pc32(e, RELOC_EXIT, exit, 0); }

/* Pads so that the displacement `ahead` bytes from here lies within an aligned 8 bytes: a store to it is then
 * atomic (AMD APM volume 2, 7.3.2). e->phase is the start address of the body, modulo 8. */
static inline void
x_align_patch(struct emit *e, unsigned ahead)
{
    unsigned at = (e->phase + emit_off(e) + ahead) & 7;

    if (at > 4)
        x_nop(e, 8 - at);
}

/* Pads so that a jump of 5 bytes lies within an aligned 8 bytes: one store can put other code in its place. */
static inline void
x_align_jump(struct emit *e)
{
    unsigned at = (e->phase + emit_off(e)) & 7;

    if (at > 3)
        x_nop(e, 8 - at);
}

#endif
