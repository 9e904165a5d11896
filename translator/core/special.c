/* Instructions that the engine carries out itself: those that touch GS, far
 * transfers, and popf where it sets TF. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/translate.h"
#include "linux/sigframe.h"
#include "x86/scan.h"

bool
fetch_insn(uint64_t pc, uint8_t *bytes, struct insn *in)
{
    size_t n = INSN_MAX_LEN;

    while (n && !safe_read(bytes, pc, n))
        n--;
    return scan_insn(bytes, n, in);
}

/* The address of a ModRM memory operand with the program's registers; GS is the program's. */
static uint64_t
operand_address(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    const uint64_t *g = t->s.mc.gpr;
    uint64_t a = 0;
    int64_t disp = 0;
    unsigned mod = in->modrm >> 6, rm = in->modrm & 7;

    if (in->disp_len == 1)
        disp = (int8_t)bytes[in->disp_off];
    else if (in->disp_len == 4)
        disp = *(const int32_t *)(bytes + in->disp_off);
    if (in->shape & SHAPE_RIPREL) {
        a = pc + in->len;
    } else if (rm == 4) {
        uint8_t sib = bytes[in->modrm_off + 1];
        unsigned base = (sib & 7) | (in->rex & 1) << 3, index = (sib >> 3 & 7) | (in->rex & 2) << 2;
        if (!((sib & 7) == 5 && mod == 0))
            a = g[base];
        if (index != RSP)
            a += g[index] << (sib >> 6);
    } else {
        a = g[rm | (in->rex & 1) << 3];
    }
    a += (uint64_t)disp;
    if (in->prefixes & PFX_67)
        a = (uint32_t)a;
    return in->seg == SEG_GS ? a + t->s.app_gs : a;
}

/* rdgsbase (/1) and wrgsbase (/3) */
static void
gs_base(struct thread *t, const struct insn *in)
{
    uint64_t *r = &t->s.mc.gpr[(in->modrm & 7) | (in->rex & 1) << 3];
    bool wide = in->rex & 8;

    if ((in->modrm >> 3 & 7) == 1)
        *r = wide ? t->s.app_gs : (uint32_t)t->s.app_gs;
    else
        t->s.app_gs = wide ? *r : (uint32_t)*r;
}

/* Flags as popf and iret of user code leave them: system flags stay as they are. */
enum { FLAGS_SETTABLE = 0x254dd5 };      /* ID AC NT OF DF TF SF ZF AF PF CF */

static bool
pop_flags(struct thread *t, const struct insn *in)
{
    size_t n = in->prefixes & PFX_66 ? 2 : 8;
    uint64_t v = t->s.mc.rflags, settable = n == 2 ? FLAGS_SETTABLE & 0xffff : FLAGS_SETTABLE;

    if (!safe_read(&v, t->s.mc.gpr[RSP], n))
        return false;
    t->s.mc.rflags = (t->s.mc.rflags & ~settable) | (v & settable);
    t->s.mc.gpr[RSP] += n;
    return true;
}

/* iretq with the flat 64-bit code segment. */
static bool
far_return(struct thread *t, const struct insn *in, uint64_t *next)
{
    uint64_t f[5];

    if (in->opcode != 0xcf || !(in->rex & 8) || !safe_read(f, t->s.mc.gpr[RSP], sizeof f) || f[1] != 0x33)
        return false;
    *next = f[0];
    t->s.mc.rflags = (t->s.mc.rflags & ~(uint64_t)FLAGS_SETTABLE) | (f[2] & FLAGS_SETTABLE);
    t->s.mc.gpr[RSP] = f[3];
    return true;
}

/* An instruction with a GS operand: run on a copy of the registers with the true address.
 * Only the moves that programs use there are known. */
static bool
gs_access(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    uint64_t a = operand_address(t, bytes, in, pc), v = 0;
    unsigned r = (in->modrm >> 3 & 7) | (in->rex & 4) << 1, size = in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;
    uint64_t *g = &t->s.mc.gpr[r];

    if (in->enc != ENC_LEGACY || in->map != 0)
        return false;
    if (in->opcode == 0x8b) {
        if (!safe_read(&v, a, size))
            return false;
        *g = size == 2 ? (*g & ~0xffffull) | v : v;
        return true;
    }
    if (in->opcode == 0x89)
        return safe_write(a, g, size);
    return false;
}

bool
special_instruction(struct thread *t, uint64_t pc, uint64_t *next)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    struct insn in;

    if (!fetch_insn(pc, bytes, &in))
        return false;
    *next = pc + in.len;
    switch (in.cls) {
    case INSN_GSBASE:
        gs_base(t, &in);
        return true;
    case INSN_POPF:
        return pop_flags(t, &in);
    case INSN_FAR:
        return far_return(t, &in, next);
    case INSN_SEGLOAD:
        return true;                 /* a null selector leaves what the program knows of GS alone */
    default:
        return gs_access(t, bytes, &in, pc);
    }
}

void
fix_saved_x87_pointer(struct thread *t, uint64_t at, uint64_t next)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    struct insn in;
    uint64_t fip = 0;

    (void)next;
    if (!fetch_insn(at, bytes, &in))
        return;
    bool legacy_env = in.map == 0;           /* d9 /6 fnstenv, dd /6 fnsave: 32-bit pointer at offset 12 */
    uint64_t field = operand_address(t, bytes, &in, at) + (legacy_env ? 12 : FX_FIP);
    size_t size = legacy_env || !(in.rex & 8) ? 4 : 8;
    if (!safe_read(&fip, field, size))
        return;
    if (size == 4)                   /* the cache lies within one 4 GiB stretch or two: find its upper half */
        fip |= ((uint64_t)cache_base + (uint32_t)(fip - (uint32_t)(uint64_t)cache_base)) & ~0xffffffffull;
    if (!cache_contains(fip))
        return;
    fip = x87_program_pointer(fip);
    safe_write(field, &fip, size);
}
