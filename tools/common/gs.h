/* Instructions with an operand in the thread's memory, for tools that index tables there. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TOOLS_GS_H
#define DRTOOLS_TOOLS_GS_H

#include "drtools/emit.h"

/* op with gs:[base + disp32]; base REG_NONE: absolute. `reg`: a register, or the opcode's extension. */
static inline void
x_gs(struct emit *e, bool wide, uint8_t op, unsigned reg, enum reg base, uint32_t disp)
{
    uint8_t rex = (uint8_t)(0x40 | wide << 3 | (reg >> 3) << 2 | (base != REG_NONE && base >> 3));

    emit_u8(e, 0x65);
    if (rex != 0x40)
        emit_u8(e, rex);
    emit_u8(e, op);
    if (base == REG_NONE) {
        emit_u8(e, (uint8_t)((reg & 7) << 3 | 4));
        emit_u8(e, 0x25);
    } else {
        emit_u8(e, (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7)));
        if ((base & 7) == RSP)
            emit_u8(e, 0x24);
    }
    emit_u32(e, disp);
}

#endif
