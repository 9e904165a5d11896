/* What the checks emit, beyond drtools/emit.h: accesses to shadow memory at [t + disp], where t holds an address of the
 * program's shifted right by two and disp contains SHADOW_BASE. None but cmp and shr touches flags. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_ENCODE_H
#define DRTOOLS_DRMEMORY_ENCODE_H

#include "drtools/emit.h"

/* rorx d, s, n (BMI2) */
static inline void
x_rorx(struct emit *e, enum reg d, enum reg s, uint8_t n)
{
    emit_u8(e, 0xc4);
    emit_u8(e, (uint8_t)((d < 8) << 7 | 1 << 6 | (s < 8) << 5 | 3));
    emit_u8(e, 0xfb);
    emit_u8(e, 0xf0);
    emit_u8(e, (uint8_t)(0xc0 | (d & 7) << 3 | (s & 7)));
    emit_u8(e, n);
}
/* pext d, d, gs:[slot] (BMI2) */
static inline void
x_pext_slot(struct emit *e, enum reg d, uint32_t slot)
{
    emit_u8(e, 0x65);
    emit_u8(e, 0xc4);
    emit_u8(e, (uint8_t)((d < 8) << 7 | 1 << 6 | 1 << 5 | 2));
    emit_u8(e, (uint8_t)(0x80 | (15 - d) << 3 | 2));
    emit_u8(e, 0xf5);
    emit_u8(e, (uint8_t)((d & 7) << 3 | 4));
    emit_u8(e, 0x25);
    emit_u32(e, slot);
}
/* pext or pdep ecx, ecx, dword gs:[slot] (BMI2) */
static inline void
x_pext_ecx_slot(struct emit *e, uint32_t slot)
{
    emit_bytes(e, "\x65\xc4\xe2\x72\xf5\x0c\x25", 7);
    emit_u32(e, slot);
}
static inline void
x_pdep_ecx_slot(struct emit *e, uint32_t slot)
{
    emit_bytes(e, "\x65\xc4\xe2\x73\xf5\x0c\x25", 7);
    emit_u32(e, slot);
}
/* pext rcx, t, [rcx] (BMI2) */
static inline void
x_pext_rcx(struct emit *e, enum reg t)
{
    emit_u8(e, 0xc4);
    emit_u8(e, 0xe2);
    emit_u8(e, (uint8_t)(0x80 | (15 - t) << 3 | 2));
    emit_u8(e, 0xf5);
    emit_u8(e, 0x09);
}
static inline void
x_shr(struct emit *e, enum reg r, uint8_t n)
{
    emit_u8(e, (uint8_t)(0x48 | r >> 3));
    emit_u8(e, 0xc1);
    emit_u8(e, (uint8_t)(0xe8 | (r & 7)));
    emit_u8(e, n);
}
/* ModRM, SIB and displacement of [t + disp], with `digit` in the register field. */
static inline void
x_at(struct emit *e, unsigned digit, enum reg t, int32_t disp)
{
    emit_u8(e, (uint8_t)(0x80 | (digit & 7) << 3 | (t & 7)));
    if ((t & 7) == RSP)
        emit_u8(e, 0x24);
    emit_u32(e, (uint32_t)disp);
}
/* Prefixes and opcode for an operand of n bytes (1, 2, 4, 8): `op8` for one byte, `op8` + 1 or `op` otherwise. */
static inline void
x_sized(struct emit *e, unsigned n, uint8_t op8, uint8_t op, enum reg reg, enum reg t)
{
    uint8_t rex = (uint8_t)((n == 8 ? 8 : 0) | reg >> 3 << 2 | t >> 3);

    if (n == 2)
        emit_u8(e, 0x66);
    if (rex || (n == 1 && reg >= 4))
        emit_u8(e, 0x40 | rex);
    emit_u8(e, n == 1 ? op8 : op);
}
/* cmp of n bytes at [t + disp] with an immediate byte, sign-extended */
static inline void
x_cmp_shadow(struct emit *e, unsigned n, enum reg t, int32_t disp, uint8_t imm)
{
    x_sized(e, n, 0x80, 0x83, 0, t);
    x_at(e, 7, t, disp);
    emit_u8(e, imm);
}
/* mov of n bytes (n 8: sign-extended from four) */
static inline void
x_mov_shadow(struct emit *e, unsigned n, enum reg t, int32_t disp, uint32_t imm)
{
    x_sized(e, n, 0xc6, 0xc7, 0, t);
    x_at(e, 0, t, disp);
    emit_bytes(e, &imm, n == 8 ? 4 : n);
}
/* The n bytes at [t + disp], zero-extended, into d. */
static inline void
x_load_shadow(struct emit *e, unsigned n, enum reg d, enum reg t, int32_t disp)
{
    uint8_t rex = (uint8_t)((n == 8 ? 8 : 0) | d >> 3 << 2 | t >> 3);

    if (rex)
        emit_u8(e, 0x40 | rex);
    if (n <= 2)
        emit_u8(e, 0x0f);
    emit_u8(e, n == 1 ? 0xb6 : n == 2 ? 0xb7 : 0x8b);
    x_at(e, d, t, disp);
}
/* mov [t + disp], cl or cx */
static inline void
x_store_shadow_cl(struct emit *e, unsigned n, enum reg t, int32_t disp)
{
    x_sized(e, n, 0x88, 0x89, RCX, t);
    x_at(e, RCX, t, disp);
}
/* test dword [t + disp], imm   and   lock and dword [t + disp], imm */
static inline void
x_test_shadow_i32(struct emit *e, enum reg t, int32_t disp, uint32_t imm)
{
    x_sized(e, 4, 0xf6, 0xf7, 0, t);
    x_at(e, 0, t, disp);
    emit_u32(e, imm);
}
static inline void
x_lock_and_shadow_i32(struct emit *e, enum reg t, int32_t disp, uint32_t imm)
{
    emit_u8(e, 0xf0);
    x_sized(e, 4, 0x80, 0x81, 0, t);
    x_at(e, 4, t, disp);
    emit_u32(e, imm);
}
/* mov ecx, gs:[rcx*4 + slot] */
static inline void
x_mov_rcx_table(struct emit *e, uint32_t slot)
{
    emit_bytes(e, "\x65\x8b\x0c\x8d", 4);
    emit_u32(e, slot);
}
/* test dword [t + disp], ecx; test r, ecx of 32 bits; lock and dword [rcx + disp], r */
static inline void
x_test_shadow_ecx(struct emit *e, enum reg t, int32_t disp)
{
    x_sized(e, 4, 0x84, 0x85, 0, t);
    x_at(e, RCX, t, disp);
}
static inline void
x_test_r_ecx(struct emit *e, enum reg r)
{
    if (r >> 3)
        emit_u8(e, 0x41);
    emit_u8(e, 0x85);
    emit_u8(e, (uint8_t)(0xc0 | RCX << 3 | (r & 7)));
}
static inline void
x_lock_and_at_rcx(struct emit *e, enum reg r, int32_t disp)
{
    emit_u8(e, 0xf0);
    if (r >> 3)
        emit_u8(e, 0x44);
    emit_u8(e, 0x21);
    x_at(e, r, RCX, disp);
}
/* test dword gs:[slot], imm */
static inline void
x_test_slot(struct emit *e, uint32_t slot, uint32_t imm)
{
    emit_bytes(e, "\x65\xf7\x04\x25", 4);
    emit_u32(e, slot);
    emit_u32(e, imm);
}
/* lea d, [a + b + disp8] */
static inline void
x_lea_sum(struct emit *e, enum reg d, enum reg a, enum reg b, int8_t disp)
{
    emit_u8(e, (uint8_t)(0x48 | d >> 3 << 2 | b >> 3 << 1 | a >> 3));
    emit_u8(e, 0x8d);
    emit_u8(e, (uint8_t)(0x44 | (d & 7) << 3));
    emit_u8(e, (uint8_t)((b & 7) << 3 | (a & 7)));
    emit_u8(e, (uint8_t)disp);
}
/* lea d, [s + disp32] */
static inline void
x_lea(struct emit *e, enum reg d, enum reg s, int32_t disp)
{
    emit_u8(e, (uint8_t)(0x48 | d >> 3 << 2 | s >> 3));
    emit_u8(e, 0x8d);
    x_at(e, d, s, disp);
}
static inline void
x_not(struct emit *e, enum reg r)
{
    emit_u8(e, (uint8_t)(0x48 | r >> 3));
    emit_u8(e, 0xf7);
    emit_u8(e, (uint8_t)(0xd0 | (r & 7)));
}

#endif
