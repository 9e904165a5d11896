/* Instructions that the engine carries out itself: those that touch GS, far
 * transfers, and popf where it sets TF. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "core/tools.h"
#include "core/translate.h"
#include "linux/sigframe.h"
#include "linux/signal.h"
#include "linux/syscall.h"
#include "x86/scan.h"

/* The next page is touched only if the instruction goes on there: a fault would cost a signal, and the x87 pointers. */
bool
fetch_insn(uint64_t pc, uint8_t *bytes, struct insn *in)
{
    size_t here = MIN((size_t)INSN_MAX_LEN, PAGE_SIZE - pc % PAGE_SIZE);

    if (!safe_read(bytes, pc, here))
        return false;
    if (scan_insn(bytes, here, in))
        return true;
    return here < INSN_MAX_LEN && safe_read(bytes + here, pc + here, INSN_MAX_LEN - here) && scan_insn(bytes, INSN_MAX_LEN, in);
}

/* The address of a ModRM memory operand with the program's registers; GS is the program's. */
uint64_t
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
    if (in->seg == SEG_FS) {
        uint64_t fs;
        __asm__("rdfsbase %0" : "=r"(fs));
        a += fs;
    }
    return in->seg == SEG_GS ? a + t->s.app_gs : a;
}

/* rdgsbase (/1) and wrgsbase (/3) */
static bool
gs_base(struct thread *t, const struct insn *in)
{
    uint64_t *r = &t->s.mc.gpr[(in->modrm & 7) | (in->rex & 1) << 3];
    bool wide = in->rex & 8;

    if ((in->modrm >> 3 & 7) == 1)
        *r = wide ? t->s.app_gs : (uint32_t)t->s.app_gs;
    else if (wide && !is_canonical(*r))
        return false;                    /* #GP */
    else
        t->s.app_gs = wide ? *r : (uint32_t)*r;
    return true;
}

/* Flags as popf and iret of user code leave them: system flags stay as they are. */
enum { FLAGS_SETTABLE = 0x254dd5 };      /* ID AC NT OF DF TF SF ZF AF PF CF */

static bool
pop_flags(struct thread *t, const struct insn *in)
{
    size_t n = insn_is_16_bit(in) ? 2 : 8;
    uint64_t v = t->s.mc.rflags, settable = n == 2 ? FLAGS_SETTABLE & 0xffff : FLAGS_SETTABLE;

    if (!safe_read(&v, t->s.mc.gpr[RSP], n))
        return false;
    t->s.mc.rflags = (t->s.mc.rflags & ~settable) | (v & settable);
    t->s.mc.gpr[RSP] += n;
    return true;
}

/* ---- far transfers that stay in the flat 64-bit code segment ---- */

enum { USER_CS = 0x33, USER32_CS = 0x23, USER_DS = 0x2b, FLAG_TF = 0x100, FLAG_NT = 0x4000 };

/* iret: offset, selector, flags, stack pointer and its selector, each of the operand size. To 32-bit code it goes
 * natively, single-stepped; so TF must be among the flags that it loads. */
static bool
interrupt_return(struct thread *t, const struct insn *in, uint64_t *next)
{
    size_t n = in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;
    uint64_t f[5] = {0}, settable = n == 2 ? FLAGS_SETTABLE & 0xffff : FLAGS_SETTABLE, sp = t->s.mc.gpr[RSP];

    for (unsigned i = 0; i < COUNT_OF(f); i++)
        if (!safe_read(&f[i], sp + i * n, n))
            return false;
    if ((t->s.mc.rflags & FLAG_NT) || (uint16_t)f[1] != USER_CS || (uint16_t)f[4] != USER_DS || !is_canonical(f[0])) {
        f[2] |= FLAG_TF;
        if ((uint16_t)f[1] == USER32_CS)
            safe_write(sp + 2 * n, &f[2], n);
        return false;
    }
    *next = f[0];
    t->s.mc.rflags = (t->s.mc.rflags & ~settable) | (f[2] & settable);
    t->s.mc.gpr[RSP] = f[3];
    return true;
}

/* retf and retf imm16: offset and selector, each of the operand size */
static bool
far_return(struct thread *t, const struct insn *in, uint64_t *next)
{
    size_t n = in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;
    uint64_t to = 0, cs = 0;

    if (!safe_read(&to, t->s.mc.gpr[RSP], n) || !safe_read(&cs, t->s.mc.gpr[RSP] + n, n) || (uint16_t)cs != USER_CS || !is_canonical(to))
        return false;
    *next = to;
    t->s.mc.gpr[RSP] += 2 * n + (in->imm_len ? (uint64_t)in->imm & 0xffff : 0);
    return true;
}

/* jmp and call through a far pointer of 16:32. With REX.W processors differ: that is theirs to do. */
static bool
far_branch(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    uint64_t to = 0, a = operand_address(t, bytes, in, pc), pushed = (uint32_t)(pc + in->len) | (uint64_t)USER_CS << 32;
    uint16_t cs = 0;

    if ((in->rex & 8) || (in->prefixes & PFX_66) || !safe_read(&to, a, 4) || !safe_read(&cs, a + 4, 2) || cs != USER_CS)
        return false;
    if ((in->modrm >> 3 & 7) == 3) {
        if (!safe_write(t->s.mc.gpr[RSP] - 8, &pushed, 8))
            return false;
        t->s.mc.gpr[RSP] -= 8;
    }
    *next = to;
    return true;
}

static bool
far_transfer(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    if (in->opcode == 0xcf)
        return interrupt_return(t, in, next);
    return in->opcode == 0xff ? far_branch(t, bytes, in, pc, next) : far_return(t, in, next);
}

/* ---- loads of the GS selector ---- */

extern void load_gs_selector(unsigned selector, void *base, uint64_t *left);

/* mov gs, r/m16 · pop gs · lgs: the selector is loaded for the program to read it
 * back, and GS is ours again at once. */
static bool
gs_load(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc)
{
    uint64_t v = 0, *g = t->s.mc.gpr;
    unsigned r = (in->modrm >> 3 & 7) | (in->rex & 4) << 1;
    size_t n = in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;

    if (in->map == 1 && in->opcode == 0xa9) {
        if (!safe_read(&v, g[RSP], 2))
            return false;
    } else if (!(in->shape & SHAPE_MEM)) {
        v = g[(in->modrm & 7) | (in->rex & 1) << 3];
    } else if (!safe_read(&v, operand_address(t, bytes, in, pc) + (in->map == 1 ? n : 0), 2)) {
        return false;
    }
    if ((uint16_t)v > 3 && (uint16_t)v != USER_DS)
        return false;                    /* no other descriptor: as natively, a fault */
    uint64_t offset = 0;
    if (in->map == 1 && in->opcode == 0xb5 && !safe_read(&offset, operand_address(t, bytes, in, pc), n))
        return false;
    set_kernel_mask(~0ull, NULL);        /* a handler would not find its thread */
    load_gs_selector((uint16_t)v, t, &t->s.app_gs);
    signal_restore_mask(t);
    if (in->map == 1 && in->opcode == 0xa9)
        g[RSP] += insn_is_16_bit(in) ? 2 : 8;
    else if (in->map == 1)
        g[r] = n == 2 ? (g[r] & ~0xffffull) | offset : offset;
    return true;
}

/* ---- operands relative to GS that are not rewritten in place ---- */

static void
set_low(uint64_t *reg, uint64_t v, size_t size)
{
    if (size == 4)
        v = (uint32_t)v;
    memcpy(reg, &v, size == 4 ? 8 : size);
}

/* mov between the accumulator and an absolute address */
static bool
gs_moffs(struct thread *t, const uint8_t *bytes, const struct insn *in)
{
    size_t n = !(in->opcode & 1) ? 1 : in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;
    uint64_t a = 0, v = 0;

    memcpy(&a, bytes + in->disp_off, in->disp_len);
    a += t->s.app_gs;
    if (in->opcode >= 0xa2)
        return safe_write(a, &t->s.mc.gpr[RAX], n);
    if (!safe_read(&v, a, n))
        return false;
    set_low(&t->s.mc.gpr[RAX], v, n);
    return true;
}

static uint64_t
flags_of_compare(uint64_t a, uint64_t b, size_t n)
{
    unsigned shift = 64 - 8 * (unsigned)n;   /* in the upper bits, all flags but AF and PF come out right */
    uint64_t flags, low;

    __asm__("cmp %2, %1\n pushfq\n pop %0" : "=r"(flags) : "r"(a << shift), "r"(b << shift) : "cc");
    __asm__("cmp %b2, %b1\n pushfq\n pop %0" : "=r"(low) : "q"(a), "q"(b) : "cc");
    return (flags & (FLAGS_ARITH & ~(FLAG_AF | FLAG_PF))) | (low & (FLAG_AF | FLAG_PF));
}

/* movs, cmps and lods, with or without rep: one element after the other, so that a fault finds the registers as
 * natively. With an address-size prefix rsi, rdi and rcx count in 32 bits. */
static bool
gs_string(struct thread *t, const struct insn *in)
{
    size_t n = !(in->opcode & 1) ? 1 : in->rex & 8 ? 8 : in->prefixes & PFX_66 ? 2 : 4;
    int64_t step = t->s.mc.rflags & FLAG_DF ? -(int64_t)n : (int64_t)n;
    bool moves = (in->opcode & 0xfe) == 0xa4, compares = (in->opcode & 0xfe) == 0xa6, repeat = in->shape & SHAPE_REP;
    uint64_t *g = t->s.mc.gpr, v = 0, w = 0, mask = in->prefixes & PFX_67 ? UINT32_MAX : UINT64_MAX;

    for (uint64_t left = repeat ? g[RCX] & mask : 1; left; left--) {
        uint64_t from = (g[RSI] & mask) + t->s.app_gs, to = g[RDI] & mask;
        if (!safe_read(&v, from, n) || (moves && !safe_write(to, &v, n)) || (compares && !safe_read(&w, to, n)))
            return false;
        g[RSI] = (g[RSI] + (uint64_t)step) & mask;
        if (moves || compares)
            g[RDI] = (g[RDI] + (uint64_t)step) & mask;
        else
            set_low(&g[RAX], v, n);
        if (repeat)
            g[RCX] = (g[RCX] - 1) & mask;
        if (compares)
            t->s.mc.rflags = (t->s.mc.rflags & ~(uint64_t)FLAGS_ARITH) | flags_of_compare(v, w, n);
        if (compares && repeat && !(t->s.mc.rflags & FLAG_ZF) == !!(in->prefixes & PFX_F3))
            break;
    }
    return true;
}

/* jmp and call through memory */
static bool
gs_branch(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    uint64_t to, ret = pc + in->len;

    if (!safe_read(&to, operand_address(t, bytes, in, pc), 8))
        return false;
    if (in->cls == INSN_CALL_IND) {
        if (!safe_write(t->s.mc.gpr[RSP] - 8, &ret, 8))
            return false;
        t->s.mc.gpr[RSP] -= 8;
    }
    *next = to;
    return true;
}

/* ---- transactions ---- */

/* xbegin can be executed: CPUID leaf 7, RTM or RTM_ALWAYS_ABORT (SDM volume 1, 16.3.3). */
static bool
have_transactions(void)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (a < 7)
        return false;
    a = 7, c = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (b | d) & 1u << 11;
}

/* A transaction that spans fragments would abort sooner or later: it does so at once, with the status that
 * the CPU gives for an instruction it cannot have in one. */
static bool
begin_transaction(struct thread *t, const struct insn *in, uint64_t *next)
{
    uint32_t status;

    if (!have_transactions())
        return false;                    /* #UD */
    __asm__ volatile("xbegin 1f\n ud2\n 1:" : "=a"(status) : : "memory");
    t->s.mc.gpr[RAX] = status;
    *next += (uint64_t)in->imm;
    return true;
}

/* An access that was made for the program has faulted: so has the program. */
static void
raise_copy_fault(struct thread *t)
{
    struct ksiginfo info = {.signo = SIG_SEGV, .code = 0x80 /* SI_KERNEL: not an address at all */};

    if (t->copy_fault.trapno == 14) {
        info.code = t->copy_fault.code;
        info.signo = t->copy_fault.signo;
        info.fault.addr = t->copy_fault.cr2;
    }
    t->s.mc.rflags |= FLAG_RF;
    signal_raise(t, &info, t->copy_fault.trapno ? t->copy_fault.trapno : 13, t->copy_fault.err, t->copy_fault.trapno == 14 ? t->copy_fault.cr2 : t->cr2);
}

/* Any other instruction: dispatch runs it once more, alone, with the address in a register. */
static bool
gs_linear(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    bool pops = in->enc == ENC_LEGACY && in->map == 0 && in->opcode == 0x8f;
    unsigned size = insn_is_16_bit(in) ? 2 : 8;

    if (!insn_takes_linear_operand(bytes, in))
        return false;
    if (pops)                                /* its address counts from rsp as it is then */
        t->s.mc.gpr[RSP] += size;
    t->linear = operand_address(t, bytes, in, pc);
    if (pops)
        t->s.mc.gpr[RSP] -= size;
    t->linear_pc = *next = pc;
    t->single = true;
    return true;
}

static bool
gs_access(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    bool done = false;

    t->copy_fault.trapno = 0;
    if (in->cls == INSN_JMP_IND || in->cls == INSN_CALL_IND)
        done = gs_branch(t, bytes, in, pc, next);
    else if (in->shape & SHAPE_MOFFS)
        done = gs_moffs(t, bytes, in);
    else if (in->shape & SHAPE_STRING)
        done = gs_string(t, in);
    else
        return gs_linear(t, bytes, in, pc, next);
    if (!done)
        raise_copy_fault(t);
    return done;
}

/* ---- saved x87 pointers ---- */

/* Only the low half of an x87 pointer into the cache is known, which lies within one 4 GiB stretch or two. */
static uint64_t
whole_pointer(uint32_t low)
{
    uint64_t base = (uint64_t)cache_base;

    return base + (uint32_t)(low - (uint32_t)base);
}

static uint32_t
x87_pointer_now(void)
{
    uint32_t env[7];

    __asm__ volatile("fnstenv %0" : "=m"(env));
    return env[3];
}

/* fnsave in the 16-bit format keeps too little of the pointer to translate it, and clears the rest. */
static bool
save_x87_16(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next)
{
    uint32_t env[7];

    __asm__ volatile("fnstenv %0\n fldenv %0" : "=m"(env));
    t->x87_fip = env[3];
    if (in->seg == SEG_GS)
        return gs_linear(t, bytes, in, pc, next);
    *next = pc;
    t->single = true;
    return true;
}

bool
insn_saves_x87_16(const struct insn *in)
{
    return in->cls == INSN_FPSAVE && in->map == 0 && in->opcode == 0xdd && insn_is_16_bit(in);
}

/* Where an instruction of class INSN_FPSAVE puts what: the two pointers, of so many bytes, and the opcode (0: nowhere). */
struct x87_fields { unsigned fip, fdp, size, fop; };

static struct x87_fields
x87_fields(const struct insn *in)
{
    if (in->map == 0)                        /* fnstenv and fnsave: SDM volume 1, figures 8-9 and 8-11 */
        return insn_is_16_bit(in) ? (struct x87_fields){6, 10, 2, 0} : (struct x87_fields){12, 20, 4, 18};
    return (struct x87_fields){FX_FIP, FX_FDP, in->rex & 8 ? 8 : 4, FX_FOP};
}

void
fix_saved_x87_pointer(struct thread *t, uint64_t at)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    struct insn in;
    struct x87_pointers p = {0};

    if (!fetch_insn(at, bytes, &in))
        return;
    struct x87_fields has = x87_fields(&in);
    uint64_t image = operand_address(t, bytes, &in, at);
    if (!safe_read(&p.fip, image + has.fip, has.size) || !safe_read(&p.fdp, image + has.fdp, has.size) ||
        (has.fop && !safe_read(&p.fop, image + has.fop, 2)))
        return;
    if (has.size == 2)
        p.fip = whole_pointer(insn_saves_x87_16(&in) ? t->x87_fip : x87_pointer_now());
    else if (has.size == 4)
        p.fip = whole_pointer((uint32_t)p.fip);
    if (!cache_contains(p.fip))
        return;
    x87_program_pointers(t, &p);
    safe_write(image + has.fip, &p.fip, has.size);
    safe_write(image + has.fdp, &p.fdp, has.size);
    if (has.fop)
        safe_write(image + has.fop, &p.fop, 2);
}

/* ---- which is which ---- */

bool
special_instruction(struct thread *t, uint64_t pc, uint64_t *next)
{
    uint8_t bytes[INSN_MAX_LEN + 1] = {0};
    struct insn in;

    if (!fetch_insn(pc, bytes, &in))
        return false;
    *next = pc + in.len;
    if (UNLIKELY(tools_want_requests) && in.len == 3 && memcmp(bytes, "\x48\x87\xdb", 3) == 0) {
        client_request(t);
        return true;
    }
    if (insn_is_narrow(&in))
        return narrow_branch(t, bytes, &in, pc, next);
    switch (in.cls) {
    case INSN_GSBASE:
        return gs_base(t, &in);
    case INSN_POPF:
        return pop_flags(t, &in);
    case INSN_INT:
        return syscall_ia32_program(t, next);
    case INSN_FPSAVE:
        return insn_saves_x87_16(&in) ? save_x87_16(t, bytes, &in, pc, next) : gs_linear(t, bytes, &in, pc, next);
    case INSN_XBEGIN:
        return begin_transaction(t, &in, next);
    case INSN_FAR:
        return far_transfer(t, bytes, &in, pc, next);
    case INSN_SEGLOAD:
        return gs_load(t, bytes, &in, pc);
    default:
        return gs_access(t, bytes, &in, pc, next);
    }
}
