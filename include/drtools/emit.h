/* A small emitter for the engine and its tools: one function an instruction,
 * named as the assembler names it. Code goes to a buffer and is moved to its place in the
 * code cache at commit; what depends on the place is recorded as a reloc.
 * Overflow of the buffer or of the reloc list is sticky in `overflow`, tested once. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_EMIT_H
#define DRTOOLS_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General-purpose registers by their number in encodings. */
enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, REG_NONE = 0xff };

enum reloc_kind {
    RELOC_PC32,     /* 32-bit displacement to the absolute address `target`             */
    RELOC_EXIT,     /* … to the stub (or linked fragment) of exit number `target`        */
    RELOC_COLD,     /* … to constant number `target` of this fragment's cold part        */
    RELOC_HOT,      /* … to offset `target` of this fragment's body                     */
    RELOC_SIDE,     /* … to offset `target` of this fragment's part out of line         */
};
struct reloc {
    uint32_t off;        /* of the displacement                                        */
    uint8_t kind;
    uint8_t end;         /* bytes from the displacement's start to the instruction's end */
    uint64_t target;
};

enum { EMIT_MAX_RELOCS = 1024 };
struct emit {
    uint8_t *base, *p, *end;
    struct reloc *reloc;
    unsigned n_reloc;
    bool overflow;
    uint8_t phase;       /* of the place that base will be moved to, modulo 8        */
};

static inline uint32_t emit_off(const struct emit *e) { return (uint32_t)(e->p - e->base); }

static inline bool
emit_room(struct emit *e, size_t n)
{
    if (__builtin_expect(e->end - e->p >= (ptrdiff_t)n, 1))
        return true;
    e->overflow = true;
    return false;
}
static inline void
emit_bytes(struct emit *e, const void *b, size_t n)
{
    if (emit_room(e, n)) {
        for (size_t i = 0; i < n; i++)
            e->p[i] = ((const uint8_t *)b)[i];
        e->p += n;
    }
}
static inline void
emit_u8(struct emit *e, uint8_t b)
{
    if (emit_room(e, 1))
        *e->p++ = b;
}
static inline void
emit_u32(struct emit *e, uint32_t v)
{
    if (emit_room(e, 4)) {
        __builtin_memcpy(e->p, &v, 4);
        e->p += 4;
    }
}
static inline void
emit_u64(struct emit *e, uint64_t v)
{
    if (emit_room(e, 8)) {
        __builtin_memcpy(e->p, &v, 8);
        e->p += 8;
    }
}
/* A displacement to be filled at commit; `after`: immediate bytes that follow it. */
static inline void
emit_pc32(struct emit *e, enum reloc_kind kind, uint64_t target, unsigned after)
{
    if (e->n_reloc == EMIT_MAX_RELOCS) {
        e->overflow = true;
        return;
    }
    e->reloc[e->n_reloc++] = (struct reloc){.off = emit_off(e), .kind = kind, .end = (uint8_t)(4 + after), .target = target};
    emit_u32(e, 0);
}

#define CC_O 0
#define CC_C 2
#define CC_NC 3
#define CC_E 4
#define CC_NE 5

/* mov gs:[slot], r   and   mov r, gs:[slot] */
static inline void
x_gs_op(struct emit *e, uint8_t op, enum reg r, uint32_t slot)
{
    emit_u8(e, 0x65);
    emit_u8(e, (uint8_t)(0x48 | (r >> 3) << 2));
    emit_u8(e, op);
    emit_u8(e, (uint8_t)((r & 7) << 3 | 4));
    emit_u8(e, 0x25);
    emit_u32(e, slot);
}
static inline void x_mov_slot_r(struct emit *e, uint32_t slot, enum reg r) { x_gs_op(e, 0x89, r, slot); }
static inline void x_mov_r_slot(struct emit *e, enum reg r, uint32_t slot) { x_gs_op(e, 0x8b, r, slot); }
/* mov qword gs:[slot], simm32 */
static inline void
x_mov_slot_i32(struct emit *e, uint32_t slot, int32_t v)
{
    emit_bytes(e, "\x65\x48\xc7\x04\x25", 5);
    emit_u32(e, slot);
    emit_u32(e, (uint32_t)v);
}
static inline void
x_mov_r_r(struct emit *e, enum reg d, enum reg s)
{
    emit_u8(e, (uint8_t)(0x48 | (s >> 3) << 2 | d >> 3));
    emit_u8(e, 0x89);
    emit_u8(e, (uint8_t)(0xc0 | (s & 7) << 3 | (d & 7)));
}
/* The shortest mov of a 64-bit constant that leaves flags alone. */
static inline void
x_mov_r_i64(struct emit *e, enum reg d, uint64_t v)
{
    if (v <= UINT32_MAX) {
        if (d >> 3)
            emit_u8(e, 0x41);
        emit_u8(e, (uint8_t)(0xb8 | (d & 7)));
        emit_u32(e, (uint32_t)v);
    } else if ((int64_t)v == (int32_t)v) {
        emit_u8(e, (uint8_t)(0x48 | d >> 3));
        emit_u8(e, 0xc7);
        emit_u8(e, (uint8_t)(0xc0 | (d & 7)));
        emit_u32(e, (uint32_t)v);
    } else {
        emit_u8(e, (uint8_t)(0x48 | d >> 3));
        emit_u8(e, (uint8_t)(0xb8 | (d & 7)));
        emit_u64(e, v);
    }
}
static inline void x_push_i32(struct emit *e, int32_t v) { emit_u8(e, 0x68); emit_u32(e, (uint32_t)v); }
static inline void x_pop(struct emit *e, enum reg r) { if (r >> 3) emit_u8(e, 0x41); emit_u8(e, (uint8_t)(0x58 | (r & 7))); }
static inline void x_jrcxz8(struct emit *e, int8_t disp) { emit_u8(e, 0xe3); emit_u8(e, (uint8_t)disp); }

/* add qword gs:[slot], imm32: changes flags */
static inline void
x_add_slot_i32(struct emit *e, uint32_t slot, int32_t v)
{
    if (v == (int8_t)v) {
        emit_bytes(e, "\x65\x48\x83\x04\x25", 5);
        emit_u32(e, slot);
        emit_u8(e, (uint8_t)v);
    } else {
        emit_bytes(e, "\x65\x48\x81\x04\x25", 5);
        emit_u32(e, slot);
        emit_u32(e, (uint32_t)v);
    }
}
/* jmp to a place further on within 127 bytes: x_here(e, x_jmp_ahead(e)) jumps nowhere. */
static inline uint32_t x_jmp_ahead(struct emit *e) { emit_u8(e, 0xeb); emit_u8(e, 0); return emit_off(e); }
static inline uint32_t x_jrcxz_ahead(struct emit *e) { emit_u8(e, 0xe3); emit_u8(e, 0); return emit_off(e); }
static inline void
x_here(struct emit *e, uint32_t jump)
{
    if (e->overflow)
        return;
    if (emit_off(e) - jump > 127)
        e->overflow = true;
    else
        e->base[jump - 1] = (uint8_t)(emit_off(e) - jump);
}

/* lea r, [r + disp32] */
static inline void
x_lea_add(struct emit *e, enum reg r, int32_t disp)
{
    emit_u8(e, (uint8_t)(0x48 | (r >> 3) * 5));
    emit_u8(e, 0x8d);
    emit_u8(e, (uint8_t)(0x80 | (r & 7) << 3 | (r & 7)));
    if ((r & 7) == RSP)
        emit_u8(e, 0x24);
    emit_u32(e, (uint32_t)disp);
}

/* n bytes (< 9) of no operation, as one instruction (SDM volume 2, NOP). */
static inline void
x_nop(struct emit *e, unsigned n)
{
    static const char nops[9][9] = {"", "\x90", "\x66\x90", "\x0f\x1f\x00", "\x0f\x1f\x40\x00", "\x0f\x1f\x44\x00\x00",
                                    "\x66\x0f\x1f\x44\x00\x00", "\x0f\x1f\x80\x00\x00\x00\x00", "\x0f\x1f\x84\x00\x00\x00\x00\x00"};
    emit_bytes(e, nops[n], n);
}

#endif
