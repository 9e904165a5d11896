/* Planted bugs: the subject behaves as if run by an engine with one mistake,
 * so that the fuzzer can be seen to find it. Most act between two instructions,
 * under single steps, at those where an engine has work to do; others act on
 * what a fault shows, or on the code that is run. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "subject.h"

#include <string.h>

enum {
    FLAG_AF = 0x10,
    FLAG_ZF = 0x40,
    FLAG_DF = 0x400,
    FLAG_OF = 0x800,
    ERR_WRITE = 2,
    XC_AVX = 2,
    XC_K = 5,
    XC_ZMM16 = 7,
};

/* ---- tools ---- */

static greg_t *
reg(ucontext_t *uc, int greg)
{
    return &uc->uc_mcontext.gregs[greg];
}

static uint8_t *
image(ucontext_t *uc)
{
    return (uint8_t *)uc->uc_mcontext.fpregs;
}

static void
mask_component(ucontext_t *uc, int component, size_t size, uint8_t keep)
{
    uint8_t *p = state_component(image(uc), component);

    for (size_t i = 0; p && i < size; i++)
        p[i] &= keep;
}

static bool
on_stack(uint64_t a)
{
    uint64_t off = a - subject.cases->zone_base[subject.current->zone];

    return off >= STACK && off + 8 <= STACK + STACK_SIZE;
}

static uint8_t *
writable_view(const struct insn_case *c, uint8_t *code)
{
    return c->install == INSTALL_ALIAS     ? code + (CODE_ALIAS_RW - CODE_ALIAS)
           : c->install == INSTALL_PROTECT ? NULL
                                           : code;
}

/* ---- bugs between instructions ---- */

typedef void step_bug(ucontext_t *uc, const struct mark *done, const struct mark *next);
typedef void fault_bug(siginfo_t *si, ucontext_t *uc, const struct mark *m);
typedef void async_bug(ucontext_t *uc);

/* The control: what the others rest on changes nothing. */
static void
no_bug(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)uc, (void)done, (void)next;
}

static void
ret_flips_of(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_RET)
        *reg(uc, REG_EFL) ^= FLAG_OF;
}

static void
branch_loses_upper_ymm(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_BRANCH)
        mask_component(uc, XC_AVX, 256, 0);
}

static void
indirect_clobbers_rcx(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_INDIRECT)
        *reg(uc, REG_RCX) = *reg(uc, REG_RIP);
}

static void
call_drops_af(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_CALL)
        *reg(uc, REG_EFL) &= ~FLAG_AF;
}

static void
indirect_corrupts_k1(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint8_t *k = state_component(image(uc), XC_K);

    (void)next;
    if (done->kind & MARK_INDIRECT && k)
        k[8] ^= 0x80;
}

static void
riprel_off_by_one(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint8_t *code = writable_view(subject.current, (uint8_t *)subject.code);

    (void)uc;
    if (code && done && done->kind & MARK_RIPREL)
        memcpy(code + done->off + done->disp_off, subject.current->code + done->off + done->disp_off, 4);
    if (code && next && next->kind & MARK_RIPREL)
        code[next->off + next->disp_off]++;
}

static void
branch_changes_x87_tag(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_BRANCH)
        image(uc)[4] ^= 1;
}

static void
hot_branch_clobbers_r11(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_BRANCH && subject.rep >= 20)
        *reg(uc, REG_R11) ^= 1;
}

static void
ret_writes_red_zone(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint64_t slot = (uint64_t)*reg(uc, REG_RSP) - 24;

    (void)next;
    if (done->kind & MARK_RET && on_stack(slot))
        *(uint64_t *)slot = (uint64_t)*reg(uc, REG_RIP);
}

static void
indirect_loses_mxcsr_flags(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_INDIRECT)
        image(uc)[24] &= 0xc0;
}

static void
loop_changes_zf(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_COUNTED)
        *reg(uc, REG_EFL) ^= FLAG_ZF;
}

static void
call_truncates_return_address(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint64_t slot = (uint64_t)*reg(uc, REG_RSP);

    (void)next;
    if (done->kind & MARK_CALL && on_stack(slot))
        *(uint64_t *)slot &= 0xffffffff;
}

static void
popf_drops_df(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_POPF)
        *reg(uc, REG_EFL) &= ~FLAG_DF;
}

static void
pushf_shows_iopl(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint64_t slot = (uint64_t)*reg(uc, REG_RSP);

    (void)next;
    if (done->kind & MARK_PUSHF && on_stack(slot))
        *(uint16_t *)slot |= 0x3000;
}

static void
counted_branch_zero_extends_rcx(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    (void)next;
    if (done->kind & MARK_COUNTED)
        *reg(uc, REG_RCX) &= 0xffffffff;
}

static void
long_code_loses_zmm_top(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    uint8_t *p = state_component(image(uc), 6);

    (void)next;
    if (done->off > 150 && done->kind & MARK_BRANCH && p)
        p[32 * 7] ^= 1;
}

/* ---- bugs in what a fault shows ---- */

static void
fault_rip_one_late(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)si;
    if (m)
        *reg(uc, REG_RIP) += m->len;
}

static void
fault_rep_count_wrong(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)si;
    if (m && m->kind & MARK_REP)
        *reg(uc, REG_RCX) += 1;
}

static void
fault_address_of_page(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)uc, (void)m;
    si->si_addr = (void *)((uintptr_t)si->si_addr & ~(uintptr_t)0xfff);
}

static void
gp_shows_rip_as_address(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)m;
    if (*reg(uc, REG_TRAPNO) == 13)
        si->si_addr = (void *)*reg(uc, REG_RIP);
}

static void
fault_loses_write_bit(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)si, (void)m;
    *reg(uc, REG_ERR) &= ~ERR_WRITE;
}

static void
frame_loses_zmm16_up(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)si, (void)m;
    mask_component(uc, XC_ZMM16, 1024, 0);
}

static void
fault_loses_gs_base(siginfo_t *si, ucontext_t *uc, const struct mark *m)
{
    (void)si, (void)uc, (void)m;
    set_gs_base(0);
}

/* ---- bugs in asynchronous frames ---- */

static void
async_rip_inside_instruction(ucontext_t *uc)
{
    *reg(uc, REG_RIP) += 1;
}

static void
async_flags_stale(ucontext_t *uc)
{
    *reg(uc, REG_EFL) ^= FLAG_AF;
}

/* ---- code that is not what it should be ---- */

/* The first instruction at an address stays what it was in the previous case
 * there: what a missed invalidation of the code cache looks like. */
static struct {
    bool on;
    uint8_t *code, old[16], proper[16];
    size_t len;
} stale;

static void
stale_install(const struct insn_case *c, uint8_t *code)
{
    size_t len = c->nmarks ? c->mark[0].len : 0;

    stale.on = code == stale.code && len == stale.len && len <= 15 && c->install < INSTALL_PROTECT;
    memcpy(stale.proper, c->code, 16);
    if (stale.on)
        memcpy(code, stale.old, len);
    stale.code = code;
    stale.len = len;
    memcpy(stale.old, stale.proper, 16);
}

static void
stale_leave(uint8_t *code)
{
    if (stale.on)
        memcpy(code, stale.proper, stale.len);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    step_bug *step;
    fault_bug *fault;
    async_bug *async;
} plants[] = {
    {"none", NULL, NULL, NULL},
    {"OF flips after a ret", ret_flips_of, NULL, NULL},
    {"a branch loses the upper halves of ymm", branch_loses_upper_ymm, NULL, NULL},
    {"a fault's rip is one instruction late", NULL, fault_rip_one_late, NULL},
    {"an indirect jump clobbers rcx", indirect_clobbers_rcx, NULL, NULL},
    {"rcx is off by one when a rep instruction faults", NULL, fault_rep_count_wrong, NULL},
    {"a call drops AF", call_drops_af, NULL, NULL},
    {"an indirect jump corrupts k1", indirect_corrupts_k1, NULL, NULL},
    {"RIP-relative displacements are off by one", riprel_off_by_one, NULL, NULL},
    {"a branch changes the x87 tag word", branch_changes_x87_tag, NULL, NULL},
    {"si_addr is rounded to its page", NULL, fault_address_of_page, NULL},
    {"old code runs at a rewritten address", NULL, NULL, NULL},
    {"a hot branch clobbers r11", hot_branch_clobbers_r11, NULL, NULL},
    {"a ret writes to the red zone", ret_writes_red_zone, NULL, NULL},
    {"an indirect jump loses MXCSR's sticky flags", indirect_loses_mxcsr_flags, NULL, NULL},
    {"#GP reports rip as its address", NULL, gp_shows_rip_as_address, NULL},
    {"the write bit of the error code is lost", NULL, fault_loses_write_bit, NULL},
    {"signal frames lose zmm16 to zmm31", NULL, frame_loses_zmm16_up, NULL},
    {"loop and jrcxz change ZF", loop_changes_zf, NULL, NULL},
    {"a fault loses the GS base", NULL, fault_loses_gs_base, NULL},
    {"a call pushes a 32-bit return address", call_truncates_return_address, NULL, NULL},
    {"popf drops DF", popf_drops_df, NULL, NULL},
    {"pushf shows another IOPL", pushf_shows_iopl, NULL, NULL},
    {"loop and jrcxz zero-extend rcx", counted_branch_zero_extends_rcx, NULL, NULL},
    {"a branch far into a sequence flips a bit of zmm7", long_code_loses_zmm_top, NULL, NULL},
    {"an asynchronous signal shows rip within an instruction", NULL, NULL, async_rip_inside_instruction},
    {"an asynchronous signal shows a wrong AF", NULL, NULL, async_flags_stale},
    {"nothing: single steps alone must not show", no_bug, NULL, NULL},
};

enum { PLANT_RIPREL = 8, PLANT_STALE = 11 };

const char *
plant_name(int plant)
{
    return plant < (int)(sizeof plants / sizeof *plants) ? plants[plant].name : NULL;
}

bool
plant_wants_steps(void)
{
    return plants[subject.plant].step != NULL;
}

void
plant_step(ucontext_t *uc, const struct mark *done, const struct mark *next)
{
    step_bug *bug = plants[subject.plant].step;

    if (bug && (done || subject.plant == PLANT_RIPREL))
        bug(uc, done, next);
}

void
plant_fault(int sig, siginfo_t *si, ucontext_t *uc)
{
    const struct mark *m = mark_at((uint64_t)*reg(uc, REG_RIP));

    if (subject.plant == PLANT_RIPREL)
        riprel_off_by_one(uc, subject.stepped, NULL);
    if (plants[subject.plant].fault && sig == SIGSEGV)
        plants[subject.plant].fault(si, uc, m);
}

void
plant_async(ucontext_t *uc)
{
    if (plants[subject.plant].async)
        plants[subject.plant].async(uc);
}

void
plant_installed(const struct insn_case *c, uint8_t *code)
{
    if (subject.plant == PLANT_STALE)
        stale_install(c, code);
}

void
plant_leaving(const struct insn_case *c, uint8_t *code)
{
    (void)c;
    if (subject.plant == PLANT_STALE)
        stale_leave(code);
}
