/* Single steps of the program's own: it has set TF (popf, iret, sigreturn) and
 * gets one SIGTRAP after each instruction.
 *
 * TF never reaches the code cache. While the program's is set, each instruction
 * runs from a private fragment, TF waits in slots.app_tf, and dispatch raises
 * the signal that the CPU would have. A string instruction with a repeat prefix
 * traps after each iteration (SDM volume 3, 18.3.1.4): it is run with a count of 1.
 * Roads not taken: letting the CPU trap in the cache would need every rewritten
 * sequence, stub and landing pad to know which of their traps count. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/step.h"

#include "core/cache.h"
#include "core/engine.h"
#include "core/translate.h"
#include "linux/abi.h"
#include "linux/signal.h"
#include "x86/scan.h"

enum { FLAG_TF = 0x100, TRAP_TRACE_CODE = 2, TRAPNO_DB = 1 };

/* Counted iterations are left to do: of the repeat prefixes f2 and f3, cmps and scas look at ZF. */
static bool
repeats(const struct insn *in, uint64_t rflags)
{
    bool compares = (in->opcode & 0xfe) == 0xa6 || (in->opcode & 0xfe) == 0xae;

    return !compares || !(rflags & FLAG_ZF) == !(in->prefixes & PFX_F3);
}

static bool
is_move_to_ss(const struct insn *in)
{
    return in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0x8e && (in->modrm >> 3 & 7) == 2;
}

void
step_prepare(struct thread *t)
{
    uint8_t bytes[INSN_MAX_LEN + 1];
    struct insn in;

    t->s.mc.rflags &= ~(uint64_t)FLAG_TF;
    t->s.app_tf = FLAG_TF;
    t->step = (struct step){.pc = t->s.mc.rip, .budget = t->s.ibl_budget};
    if (!fetch_insn(t->s.mc.rip, bytes, &in))
        return;
    if ((in.shape & SHAPE_REP) && t->s.mc.gpr[RCX] > 1) {
        t->step.repeat_left = t->s.mc.gpr[RCX] - 1;
        t->s.mc.gpr[RCX] = 1;
    }
    if (in.cls == INSN_RET || in.cls == INSN_JMP_IND || in.cls == INSN_CALL_IND) {
        ibl_init(t);                 /* no landing pad is to be found: the way leads back here */
        t->s.ibl_budget = 0;
    }
}

void
step_undo(struct thread *t, struct mcontext *m)
{
    if (!t->s.app_tf)
        return;
    m->rflags |= t->s.app_tf;
    m->gpr[RCX] += t->step.repeat_left;
    t->s.app_tf = 0;
    t->s.ibl_budget = t->step.budget;
    t->step.repeat_left = 0;
    t->step.trap = false;
}

bool
step_is_done(const struct thread *t, const struct mcontext *m)
{
    return t->s.app_tf && m->rip != t->step.pc;
}

void
step_finish(struct thread *t, uint64_t *pc)
{
    uint8_t bytes[INSN_MAX_LEN + 1];
    struct mcontext *m = &t->s.mc;
    struct insn in;

    t->s.app_tf = 0;
    t->s.ibl_budget = t->step.budget;
    t->step.trap = true;
    bool known = fetch_insn(t->step.pc, bytes, &in);
    if (!known || in.cls != INSN_POPF)   /* what popf leaves of TF is what it has loaded */
        m->rflags |= FLAG_TF;
    if (!known)
        return;
    if (t->step.repeat_left) {
        m->gpr[RCX] = t->step.repeat_left;
        t->step.repeat_left = 0;
        if (repeats(&in, m->rflags))
            *pc = t->step.pc;
    }
    if (in.cls == INSN_PUSHF) {
        uint64_t pushed = 0;
        size_t n = insn_is_16_bit(&in) ? 2 : 8;
        if (safe_read(&pushed, m->gpr[RSP], n)) {
            pushed |= FLAG_TF;
            safe_write(m->gpr[RSP], &pushed, n);
        }
    }
    if (in.cls == INSN_SYSCALL || insn_is_ia32_gate(&in) || is_move_to_ss(&in))
        t->step.trap = false;        /* the CPU traps after the instruction that follows these */
}

void
step_raise(struct thread *t)
{
    struct ksiginfo info = {.signo = SIG_TRAP, .code = TRAP_TRACE_CODE, .fault.addr = t->s.mc.rip};

    t->step.trap = false;
    signal_raise(t, &info, TRAPNO_DB, 0, t->cr2);
}
