/* Which instructions surely raise no exception, whatever the registers hold.
 * A list of what compilers emit between memory accesses; what is not on it may
 * fault (#UD, #DE, #GP, #MF, #XM). Intel SDM volume 2, the instructions' pages. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "x86/scan.h"

/* One-byte opcodes, a bit each. 82 is invalid; c6 and c7 with a register are left out for XBEGIN's sake. */
static bool
plain_one_byte(const struct insn *in)
{
    unsigned op = in->opcode, digit = in->modrm >> 3 & 7;

    if (op < 0x40)                                   /* eight ALU operations, six forms each */
        return (op & 7) < 6;
    switch (op) {
    case 0x63:                                       /* movsxd */
    case 0x69: case 0x6b:                            /* imul */
    case 0x80: case 0x81: case 0x83:
    case 0x84: case 0x85: case 0x86: case 0x87:      /* test, xchg */
    case 0x88: case 0x89: case 0x8a: case 0x8b:
    case 0x8d:
    case 0x98: case 0x99:
    case 0xa8: case 0xa9:
    case 0xc0: case 0xc1: case 0xd0: case 0xd1: case 0xd2: case 0xd3:
        return op != 0x8d || (in->shape & SHAPE_MEM);
    case 0xf6: case 0xf7:
        return digit < 6;                            /* div and idiv are 6 and 7 */
    case 0xfe:
    case 0xff:
        return digit < 2;
    }
    return (op >= 0x90 && op <= 0x97) || (op >= 0xb0 && op <= 0xbf);
}

static bool
plain_0f(const struct insn *in)
{
    unsigned op = in->opcode;

    switch (op) {
    case 0x1f:
    case 0xa3: case 0xab: case 0xb3: case 0xbb:      /* bt … btc */
    case 0xa4: case 0xa5: case 0xac: case 0xad:      /* shld, shrd */
    case 0xaf:
    case 0xb0: case 0xb1: case 0xc0: case 0xc1:      /* cmpxchg, xadd */
    case 0xb6: case 0xb7: case 0xbe: case 0xbf:      /* movzx, movsx */
    case 0xbc: case 0xbd:
        return true;
    case 0xba:
        return (in->modrm >> 3 & 7) >= 4;
    }
    return (op >= 0x40 && op <= 0x4f) || (op >= 0x90 && op <= 0x9f) || (op >= 0xc8 && op <= 0xcf);
}

bool
insn_cannot_fault(const struct insn *in)
{
    if (in->cls != INSN_PLAIN || in->enc != ENC_LEGACY || in->prefixes & PFX_LOCK)
        return false;
    return in->map == 0 ? plain_one_byte(in) : in->map == 1 && plain_0f(in);
}
