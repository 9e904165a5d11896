/* Building signal frames as the kernel does (arch/x86/kernel/signal_64.c, x64_setup_rt_frame). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/sigframe.h"

#include "core/engine.h"
#include "core/tools.h"
#include "core/translate.h"
#include "x86/scan.h"

enum { REDZONE = 128, EFLAGS_DF = 0x400, EFLAGS_TF = 0x100, EFLAGS_RF = 0x10000 };
uint64_t engine_min_sigstack = 2048;

static bool
on_altstack(const struct thread *t, uint64_t sp)
{
    return t->app_altstack.size && sp > t->app_altstack.sp && sp - t->app_altstack.sp <= t->app_altstack.size;
}

void
x87_program_pointers(const struct thread *t, struct x87_pointers *p)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    struct app_state s;
    struct insn in;
    bool pad;
    frag_id f = cache_owner(p->fip, &pad);

    if (!f || pad || !translate_state(f, p->fip, &s))
        return;
    p->fip = s.pc;
    if (!fetch_insn(s.pc, bytes, &in) || (in.opcode & 0xf8) != 0xd8)
        return;
    if (p->fop)                          /* 0: this CPU keeps none */
        p->fop = (uint16_t)((in.opcode & 7) << 8 | in.modrm);
    if (in.seg == SEG_GS && (in.shape & SHAPE_MEM))
        p->fdp -= t->s.app_gs;           /* the offset within the segment: ours is without one */
}

/* Copies the vector state to `to`; the size is what the kernel wrote. */
static bool
copy_fpstate(const struct thread *t, uint64_t to, const uint8_t *from, uint32_t size)
{
    struct x87_pointers p;

    if (!safe_write(to, from, size))
        return false;
    memcpy(&p.fip, from + FX_FIP, 8);
    memcpy(&p.fdp, from + FX_FDP, 8);
    memcpy(&p.fop, from + FX_FOP, 2);
    if (!cache_contains(p.fip))
        return true;
    x87_program_pointers(t, &p);
    return safe_write(to + FX_FOP, &p.fop, 2) && safe_write(to + FX_FIP, &p.fip, 8) && safe_write(to + FX_FDP, &p.fdp, 8);
}

static uint32_t
fpstate_size(const uint8_t *fx)
{
    uint32_t magic, size;

    memcpy(&magic, fx + FX_SW_MAGIC1, 4);
    memcpy(&size, fx + FX_SW_EXT_SIZE, 4);
    return magic == FX_MAGIC1 ? size : FX_SIZE;
}

bool
sigframe_push(struct thread *t, const struct kucontext *uc, const struct mcontext *m, const struct ksiginfo *info,
              const struct ksigaction *a)
{
    const uint8_t *fx = (const uint8_t *)uc->mc.fpstate;
    uint64_t sp = m->gpr[RSP] - REDZONE;
    bool nested = on_altstack(t, m->gpr[RSP]) && !(t->app_altstack.flags & SSF_AUTODISARM), entering = false;
    struct krt_sigframe f;

    if ((a->flags & SAF_ONSTACK) && t->app_altstack.size && !nested) {
        sp = t->app_altstack.sp + t->app_altstack.size;
        entering = true;
    }
    uint64_t top = sp;
    uint32_t fx_size = fx ? fpstate_size(fx) : 0;
    uint64_t fx_at = align_down(sp - fx_size, 64), at = align_down(fx_at - sizeof f, 16) - 8;
    if ((nested || entering) && !on_altstack(t, at))
        return false;

    f.restorer = a->restorer;
    f.uc = *uc;
    f.uc.link = 0;
    f.uc.stack = (struct kstack){.sp = t->app_altstack.sp, .flags = (int32_t)t->app_altstack.flags, .size = t->app_altstack.size};
    mcontext_to_frame(m, &f.uc.mc);
    f.uc.mc.fpstate = fx ? fx_at : 0;
    f.uc.mc.trapno = t->trapno;
    f.uc.mc.err = t->err;
    f.uc.mc.cr2 = t->cr2;
    f.uc.sigmask = f.uc.mc.oldmask = t->mask_saved ? t->saved_mask : t->app_mask;
    f.info = *info;
    if ((fx && !copy_fpstate(t, fx_at, fx, fx_size)) || !safe_write(at, &f, sizeof f))
        return false;

    if (t->app_altstack.flags & SSF_AUTODISARM) {
        t->app_altstack.sp = t->app_altstack.size = 0;
        t->app_altstack.flags = SSF_DISABLE;
    }
    t->mask_saved = false;
    t->s.mc = *m;
    t->s.mc.gpr[RDI] = (uint64_t)info->signo;
    t->s.mc.gpr[RSI] = at + offsetof(struct krt_sigframe, info);
    t->s.mc.gpr[RDX] = at + offsetof(struct krt_sigframe, uc);
    t->s.mc.gpr[RAX] = 0;
    t->s.mc.gpr[RSP] = at;
    t->s.mc.rip = a->handler;
    t->s.mc.rflags &= ~(uint64_t)(EFLAGS_DF | EFLAGS_TF | EFLAGS_RF);
    tools_signal_frame(t, at, top);
    return true;
}
