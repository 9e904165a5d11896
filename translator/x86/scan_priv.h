/* What the scanner and its effects share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_X86_SCAN_PRIV_H
#define DRTOOLS_TRANSLATOR_X86_SCAN_PRIV_H

#include "scan.h"

enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, REX_NONE = 0x40 };

/* The mandatory prefix, numbered as in VEX.pp. */
enum { PP_NONE, PP_66, PP_F3, PP_F2 };

static inline unsigned
reg_field(const struct insn *in)
{
    return in->modrm >> 3 & 7;
}

static inline bool
is_mem(const struct insn *in)
{
    return in->shape & SHAPE_MEM;
}

#endif
