/* Near branches with an operand-size prefix, as AMD's processors take them: 16
 * bits of displacement or target, 16 bits of return address, rip cut to 16
 * bits (APM volume 3, "Near branches in 64-bit mode"). Intel's ignore the
 * prefix, and the scanner's lengths are theirs. Nobody means to write one:
 * carried out here, one at a time. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/translate.h"
#include "x86/scan.h"

bool narrow_branches;

/* CPUID leaf 0: AuthenticAMD, HygonGenuine. */
void
narrow_detect(void)
{
    uint32_t a = 0, b, c, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    narrow_branches = (b == 0x68747541 && c == 0x444d4163) || (b == 0x6f677948 && c == 0x656e6975);
}

bool
insn_is_narrow(const struct insn *in)
{
    if (!narrow_branches || !(in->prefixes & PFX_66) || (in->rex & 8))
        return false;
    return in->cls == INSN_JCC || in->cls == INSN_LOOP || in->cls == INSN_JMP || in->cls == INSN_CALL || in->cls == INSN_JMP_IND ||
           in->cls == INSN_CALL_IND || in->cls == INSN_RET;
}

/* Condition code of jcc (SDM volume 1, appendix B) under these flags. */
static bool
condition_holds(unsigned cc, uint64_t f)
{
    bool cf = f & FLAG_CF, zf = f & FLAG_ZF, sf = f & FLAG_SF, of = f & FLAG_OF, yes;

    switch (cc >> 1) {
    case 0: yes = of; break;
    case 1: yes = cf; break;
    case 2: yes = zf; break;
    case 3: yes = cf || zf; break;
    case 4: yes = sf; break;
    case 5: yes = f & FLAG_PF; break;
    case 6: yes = sf != of; break;
    default: yes = zf || sf != of; break;
    }
    return yes != (cc & 1);
}

/* Which ZF loope (e1) and loopne (e0) want. On AMD's processors a repeat prefix decides, whichever the opcode (measured on Zen 4). */
static bool
wanted_zf(const uint8_t *bytes, const struct insn *in)
{
    bool wanted = in->opcode == 0xe1;

    for (unsigned i = 0; i < in->opcode_off; i++)
        if (bytes[i] == 0xf2 || bytes[i] == 0xf3)
            wanted = bytes[i] == 0xf3;
    return wanted;
}

/* loop, loope, loopne count in rcx (ecx with an address-size prefix); jrcxz only looks. */
static bool
loop_goes(struct thread *t, const uint8_t *bytes, const struct insn *in)
{
    uint64_t *rcx = &t->s.mc.gpr[RCX], n = in->prefixes & PFX_67 ? (uint32_t)*rcx : *rcx;
    bool zf = t->s.mc.rflags & FLAG_ZF;

    if (in->opcode == 0xe3)
        return n == 0;
    n = in->prefixes & PFX_67 ? (uint32_t)(n - 1) : n - 1;
    *rcx = n;
    return n && (in->opcode == 0xe2 || zf == wanted_zf(bytes, in));
}

static bool
push16(struct thread *t, uint64_t v)
{
    uint16_t low = (uint16_t)v;

    if (!safe_write(t->s.mc.gpr[RSP] - 2, &low, 2))
        return false;
    t->s.mc.gpr[RSP] -= 2;
    return true;
}

static bool
pop16(struct thread *t, const struct insn *in, uint64_t *next)
{
    uint16_t to;

    if (!safe_read(&to, t->s.mc.gpr[RSP], 2))
        return false;
    t->s.mc.gpr[RSP] += 2 + (in->imm_len ? (uint64_t)(in->imm & 0xffff) : 0);
    *next = to;
    return true;
}

static bool
load_target(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *to)
{
    uint16_t v = (uint16_t)t->s.mc.gpr[(in->modrm & 7) | (in->rex & 1) << 3];

    if ((in->shape & SHAPE_MEM) && !safe_read(&v, operand_address(t, bytes, in, pc), 2))
        return false;
    *to = v;
    return true;
}

bool
narrow_branch(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    bool rel32 = in->imm_len == 4;
    uint64_t after = pc + in->len - (rel32 ? 2 : 0), target = 0;
    int64_t rel = rel32 ? *(const int16_t *)(bytes + in->imm_off) : in->imm;

    *next = after;
    switch (in->cls) {
    case INSN_RET:
        return pop16(t, in, next);
    case INSN_JMP_IND:
        return load_target(t, bytes, in, pc, next);
    case INSN_CALL_IND:
        if (!load_target(t, bytes, in, pc, &target) || !push16(t, after))
            return false;
        *next = target;
        return true;
    case INSN_CALL:
        if (!push16(t, after))
            return false;
        break;
    case INSN_JCC:
        if (!condition_holds(in->opcode & 15, t->s.mc.rflags))
            return true;
        break;
    case INSN_LOOP:
        if (!loop_goes(t, bytes, in))
            return true;
        break;
    }
    *next = (after + (uint64_t)rel) & 0xffff;
    return true;
}
