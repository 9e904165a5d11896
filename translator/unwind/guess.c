/* A rule for code without call frame information: the code is followed to its
 * `ret`, and what it does to the stack on the way says where the return address
 * is now. Holds for what compilers and people write (_init, _fini, assembly);
 * who uses it checks that a return address is there. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unwind/unwind.h"
#include "x86/scan.h"

enum { MAX_INSNS = 200, PLT_INSNS = 2, GROUP1_ADD = 0, GROUP1_SUB = 5 };

/* The stack pointer as the code goes on, relative to `base` as it is now: rsp, or rbp after `leave` or `mov %rbp, %rsp`. */
struct path { uint8_t base; bool rbp_changed; int64_t at; struct rule *out; };

static void
popped(struct path *p, unsigned reg)
{
    for (unsigned i = 0; i < N_SAVED && (p->base == RBP || p->at >= 0 /* else it was pushed on the way */); i++)
        if (saved_reg[i] == reg) {
            p->out->saved |= (uint8_t)(1 << i);
            p->out->at[i] = (int32_t)p->at;          /* from the base; from the CFA at the end */
        }
    p->at += 8;
}

static bool
sets_rsp_from_rbp(const struct insn *in)
{
    return in->map == 0 && in->enc == ENC_LEGACY && (in->rex & 8) &&
           ((in->opcode == 0x89 && in->modrm == 0xec) || (in->opcode == 0x8b && in->modrm == 0xe5));
}

static bool
rsp_is_rbp(struct path *p)
{
    p->base = RBP;
    p->at = 0;
    p->out->saved = 0;
    return !p->rbp_changed;
}

/* False: what this does to the stack pointer is not followed. */
static bool
follow(struct path *p, const uint8_t *bytes, const struct insn *in)
{
    struct effects fx;
    unsigned reg = (in->opcode & 7u) | (in->rex & 1u) << 3;

    if (in->cls == INSN_CALL || in->cls == INSN_CALL_IND)
        return true;
    if (in->map == 0 && in->enc == ENC_LEGACY && !(in->prefixes & PFX_66)) {
        if (in->opcode >= 0x50 && in->opcode <= 0x57) {
            p->at -= 8;
            return true;
        }
        if (in->opcode >= 0x58 && in->opcode <= 0x5f && reg != RSP) {
            popped(p, reg);
            return true;
        }
        if (in->opcode == 0x68 || in->opcode == 0x6a) {
            p->at -= 8;
            return true;
        }
        if (in->opcode == 0xc9) {                    /* leave */
            if (!rsp_is_rbp(p))
                return false;
            popped(p, RBP);
            return true;
        }
        if ((in->opcode == 0x81 || in->opcode == 0x83) && (in->rex & 9) == 8 && (in->modrm & 0xc7) == 0xc4 &&
            ((in->modrm >> 3 & 7) == GROUP1_ADD || (in->modrm >> 3 & 7) == GROUP1_SUB)) {
            p->at += (in->modrm >> 3 & 7) == GROUP1_ADD ? in->imm : -in->imm;
            return true;
        }
    }
    if (sets_rsp_from_rbp(in))
        return rsp_is_rbp(p);
    scan_effects(bytes, in, &fx);
    p->rbp_changed |= fx.writes >> RBP & 1;
    return !(fx.writes >> RSP & 1);
}

static void
finish(struct path *p)
{
    struct rule *r = p->out;

    for (unsigned i = 0; i < N_SAVED; i++)
        r->at[i] -= r->saved >> i & 1 ? (int32_t)(p->at + 8) : 0;
    r->kind = RULE_CFA;
    r->guess = true;
    r->cfa_reg = p->base;
    r->cfa_offset = (int32_t)(p->at + 8);
    r->ra = -8;
}

static bool
is_dead_end(const struct insn *in)
{
    return in->cls == INSN_INVALID || in->cls == INSN_JMP_IND || in->cls == INSN_FAR || in->cls == INSN_INT;
}

/* The rule at pc, from the code in [pc, end). False: it is not to be had. */
bool
rule_guess(uint64_t pc, uint64_t lo, uint64_t end, struct rule *out)
{
    struct { uint64_t pc; struct path p; struct rule r; } other = {0};   /* the first branch that was not taken */
    struct path p = {.base = RSP, .out = out};
    struct insn in;

    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < MAX_INSNS; i++) {
        const uint8_t *bytes = (const uint8_t *)pc;
        if (i < PLT_INSNS && pc >= lo && pc < end && scan_insn(bytes, MIN(end - pc, 40), &in) && in.cls == INSN_JMP_IND && p.at == 0) {
            finish(&p);              /* a PLT entry, or a tail call: nothing pushed yet */
            return true;
        }
        if (pc < lo || pc >= end || !scan_insn(bytes, MIN(end - pc, 40), &in) || is_dead_end(&in)) {
            if (!other.pc)
                break;
            pc = other.pc;
            p = other.p;
            *out = other.r;
            other.pc = 0;
            continue;
        }
        pc += in.len;
        if (in.cls == INSN_RET) {
            finish(&p);
            return p.at >= 0 || p.base == RBP;
        }
        if (in.cls == INSN_JMP) {
            pc += (uint64_t)in.imm;
        } else if (in.cls == INSN_JCC || in.cls == INSN_LOOP) {
            if (!other.pc && in.imm > 0) {
                other.pc = pc + (uint64_t)in.imm;
                other.p = p;
                other.r = *out;
            }
        } else if (!follow(&p, bytes, &in)) {
            break;
        }
    }
    memset(out, 0, sizeof *out);
    return false;
}
