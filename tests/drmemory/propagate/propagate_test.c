/* Propagation against the CPU: random instructions, with random undefined bits
 * in what they read, are run natively with many fillings of those bits. A result
 * bit that varies must have been called undefined (soundness); one that was called
 * undefined must vary, in rules that claim it (exactness).
 * Where few bits are undefined all fillings are tried.
 *   propagate_test [-n INSTRUCTIONS] [-s SEED] [-m MNEMONIC] [-x] [-v]
 * -x: measure exactness of each mnemonic, -v: show what failed in full. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* sigaltstack, REG_RIP */
#include "doubles.h"
#include "machine.h"
#include "propagate_priv.h"

#include <Zydis/Zydis.h>
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX_BITS = 4096, FEW = 6, SKIP_CODE = 77 };

static struct machine *const in = (void *)MACHINE_IN, *const out = (void *)MACHINE_OUT;
static unsigned avx_at, k_at, hi256_at, hi16_at;        /* offsets in the xsave area */
static unsigned slot_at;
static struct { long count; uint64_t seed; const char *only; bool exact, verbose; } options = {20000, 1, NULL, false, false};

/* ---- random numbers ---- */

static uint64_t rng_state;

static uint64_t
rng(void)
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(unsigned n) { return (unsigned)((rng() >> 32) * n >> 32); }

/* Values that matter in arithmetic come up often. */
static uint64_t
interesting(void)
{
    switch (below(10)) {
    case 0: return 0;
    case 1: return ~0ull;
    case 2: return below(256);
    case 3: return -(uint64_t)below(256);
    case 4: return 1ull << below(64);
    case 5: return (1ull << below(64)) - 1;
    case 6: return 0x3ff0000000000000ull + (rng() >> 12);                   /* near 1.0 */
    case 7: return 0x3f8000003f800000ull + (rng() & 0x007fffff007fffffull);
    default: return rng();
    }
}

/* ---- the whole visible state, flat: what varies and what is undefined are compared bit by bit ---- */

struct image {
    uint64_t gpr[16];
    uint64_t flags;
    uint64_t k[8];
    uint8_t zmm[32][64];
    uint8_t st[8][10];              /* physical */
    uint16_t x87_flags;
    uint8_t memory[ARENA_SIZE];
};

static unsigned
top_of_stack(const struct machine *m)
{
    return m->xsave[3] >> 3 & 7;
}

static uint8_t *
vector_part(struct machine *m, unsigned r, unsigned byte)
{
    if (r >= 16)
        return m->xsave + hi16_at + 64 * (r - 16) + byte;
    return m->xsave + (byte < 16 ? 160 + 16 * r + byte : byte < 32 ? avx_at + 16 * r + byte - 16 : hi256_at + 32 * r + byte - 32);
}

static void
image_of_machine(struct machine *m, struct image *i)
{
    unsigned top = top_of_stack(m);
    uint16_t status = (uint16_t)(m->xsave[2] | m->xsave[3] << 8);

    memcpy(i->gpr, m->gpr, sizeof i->gpr);
    i->flags = m->flags & (FLAGS_ARITHMETIC | FLAG_DF);
    memcpy(i->k, m->xsave + k_at, 64);
    for (unsigned r = 0; r < 32; r++)
        for (unsigned b = 0; b < 64; b += 16)
            memcpy(i->zmm[r] + b, vector_part(m, r, b), 16);
    for (unsigned r = 0; r < 8; r++)
        memcpy(i->st[(top + r) & 7], m->xsave + 32 + 16 * r, 10);
    i->x87_flags = status & 0x4700;
    memcpy(i->memory, (const void *)ARENA, ARENA_SIZE);
}

static void
machine_of_image(const struct image *i, struct machine *m)
{
    unsigned top = top_of_stack(m);

    memcpy(m->gpr, i->gpr, sizeof i->gpr);
    m->flags = (m->flags & ~(uint64_t)(FLAGS_ARITHMETIC | FLAG_DF)) | i->flags;
    memcpy(m->xsave + k_at, i->k, 64);
    for (unsigned r = 0; r < 32; r++)
        for (unsigned b = 0; b < 64; b += 16)
            memcpy(vector_part(m, r, b), i->zmm[r] + b, 16);
    for (unsigned r = 0; r < 8; r++)
        memcpy(m->xsave + 32 + 16 * r, i->st[(top + r) & 7], 10);
    m->xsave[3] = (uint8_t)((m->xsave[3] & ~0x47) | i->x87_flags >> 8);
    memcpy((void *)ARENA, i->memory, ARENA_SIZE);
}

static void
image_of_definedness(const struct regstate *rs, struct image *i)
{
    memcpy(i->gpr, rs->gpr, sizeof i->gpr);
    i->flags = rs->flags;
    memcpy(i->k, rs->k, sizeof i->k);
    memcpy(i->zmm, rs->zmm, sizeof i->zmm);
    memcpy(i->st, rs->st, sizeof i->st);
    i->x87_flags = rs->x87_flags;
    memcpy(i->memory, arena_bits, ARENA_SIZE);
}

static uint64_t
true_summary(const struct regstate *rs)
{
    uint64_t s = rs->flags ? 1ull << SUMMARY_FLAGS : 0;
    uint8_t x = 0;

    for (unsigned r = 0; r < 16; r++)
        s |= rs->gpr[r] ? summary_gpr(r) : 0;
    for (unsigned r = 0; r < 8; r++)
        s |= rs->k[r] ? summary_k(r) : 0;
    for (unsigned r = 0; r < 32; r++) {
        x = 0;
        for (unsigned b = 0; b < 64; b++)
            x |= rs->zmm[r][b];
        s |= x ? summary_zmm(r) : 0;
    }
    x = 0;
    for (unsigned b = 0; b < sizeof rs->st; b++)
        x |= ((const uint8_t *)rs->st)[b];
    return s | (x || rs->x87_flags ? 1ull << SUMMARY_X87 : 0) | (rs->mxcsr ? 1ull << SUMMARY_MXCSR : 0);
}

/* ---- running ---- */

static sigjmp_buf fault_return;
static volatile uint64_t fault_address;
static volatile bool running;

static void
on_fault(int number, siginfo_t *info, void *context)
{
    if (!running) {
        fprintf(stderr, "fault outside of the tested instruction: signal %d at %#llx\n", number, ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]);
        _exit(1);
    }
    fault_address = number == SIGSEGV || number == SIGBUS ? (uint64_t)info->si_addr : ~0ull;
    siglongjmp(fault_return, number);
}

/* 0, or the signal. */
static int
run(const struct image *from, struct image *to)
{
    int fault;

    machine_of_image(from, in);
    fault = sigsetjmp(fault_return, 1);
    running = !fault;
    if (fault)
        return fault;
    ((void (*)(void))(uintptr_t)MACHINE_CODE)();
    running = false;
    image_of_machine(out, to);
    return 0;
}

static unsigned
state_offset(unsigned component)
{
    uint32_t a, b, c, d;

    __cpuid_count(0xd, component, a, b, c, d);
    return b;
}

static void
set_up(void)
{
    static uint8_t stack[65536];
    uint32_t a, b, c, d;
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    __cpuid_count(0xd, 0, a, b, c, d);
    if ((a & MACHINE_STATES) != MACHINE_STATES) {
        printf("skipped: this machine has no AVX-512\n");
        exit(SKIP_CODE);
    }
    avx_at = state_offset(2);
    k_at = state_offset(5);
    hi256_at = state_offset(6);
    hi16_at = state_offset(7);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    if (mmap((void *)MACHINE_IN, MACHINE_END - MACHINE_IN, 7, flags, -1, 0) != (void *)MACHINE_IN || mmap((void *)ARENA, ARENA_SIZE, 3, flags, -1, 0) != (void *)ARENA) {
        perror("mmap");
        exit(1);
    }
    memcpy((void *)MACHINE_CODE, machine_template, (size_t)(machine_template_end - machine_template));
    slot_at = (unsigned)(machine_slot - machine_template);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (unsigned i = 0; i < 5; i++)
        sigaction(signals[i], &act, NULL);
}

/* ---- instructions ---- */

struct insn {
    uint8_t bytes[16];
    ZydisDecodedInstruction z;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    struct step step;
};

static void
random_bytes(uint8_t *b)
{
    unsigned at = 0, kind = below(20);

    for (unsigned i = 0; i < 16; i += 8)
        *(uint64_t *)(b + i) = rng();
    if (kind < 14) {
        static const uint8_t prefixes[] = {0x66, 0x66, 0xf2, 0xf3, 0x67};
        while (!below(3) && at < 2)
            b[at++] = prefixes[below(sizeof prefixes)];
        if (below(2))
            b[at++] = 0x40 | (uint8_t)below(16);
        if (kind >= 5 && kind < 9)
            b[at] = 0x0f;
        if (kind == 9 || kind == 10)
            memcpy(b + at, "\x0f\x38", 2);
        if (kind == 11 || kind == 12)
            memcpy(b + at, "\x0f\x3a", 2);
        if (kind == 13)
            b[at] = 0xd8 | (uint8_t)below(8);
    } else if (kind < 16) {
        b[0] = 0xc4;
        b[1] = (b[1] & 0xe0) | (uint8_t)(1 + below(3));
        if (below(2))
            b[2] |= 0x78;
    } else {
        b[0] = 0x62;
        b[1] = (b[1] & 0xf0) | (uint8_t)(1 + below(3));
        b[2] |= 4;
        if (below(2))
            b[2] |= 0x78;
        if (below(2))
            b[3] |= 8;
        if (below(3))
            b[3] &= 0xf8;           /* no mask */
    }
}

/* Not run here: transfers of control, the system's, what reads a clock or a random source, what would trap or hide from
 * the comparison; these have tests of their own. */
static bool
runs_here(const struct insn *i)
{
    static const ZydisMnemonic no[] = {
        ZYDIS_MNEMONIC_RDTSC, ZYDIS_MNEMONIC_RDTSCP, ZYDIS_MNEMONIC_RDRAND, ZYDIS_MNEMONIC_RDSEED, ZYDIS_MNEMONIC_RDPID, ZYDIS_MNEMONIC_RDPRU, ZYDIS_MNEMONIC_POPF,
        ZYDIS_MNEMONIC_POPFQ, ZYDIS_MNEMONIC_WRFSBASE, ZYDIS_MNEMONIC_WRGSBASE, ZYDIS_MNEMONIC_CLZERO, ZYDIS_MNEMONIC_WRPKRU, ZYDIS_MNEMONIC_HLT, ZYDIS_MNEMONIC_XRSTOR,
        ZYDIS_MNEMONIC_XRSTOR64, ZYDIS_MNEMONIC_FXRSTOR, ZYDIS_MNEMONIC_FXRSTOR64, ZYDIS_MNEMONIC_FLDENV, ZYDIS_MNEMONIC_FRSTOR, ZYDIS_MNEMONIC_LDMXCSR, ZYDIS_MNEMONIC_VLDMXCSR,
        ZYDIS_MNEMONIC_FLDCW, ZYDIS_MNEMONIC_MONITORX, ZYDIS_MNEMONIC_MWAITX, ZYDIS_MNEMONIC_ENTER, ZYDIS_MNEMONIC_LSL, ZYDIS_MNEMONIC_LAR, ZYDIS_MNEMONIC_VERR, ZYDIS_MNEMONIC_VERW,
        ZYDIS_MNEMONIC_XSAVE, ZYDIS_MNEMONIC_XSAVE64, ZYDIS_MNEMONIC_XSAVEC, ZYDIS_MNEMONIC_XSAVEC64, ZYDIS_MNEMONIC_XSAVEOPT, ZYDIS_MNEMONIC_XSAVEOPT64,
        ZYDIS_MNEMONIC_FXSAVE, ZYDIS_MNEMONIC_FXSAVE64, ZYDIS_MNEMONIC_FNSAVE, ZYDIS_MNEMONIC_FNSTENV, ZYDIS_MNEMONIC_CPUID, ZYDIS_MNEMONIC_XGETBV,
        ZYDIS_MNEMONIC_STMXCSR, ZYDIS_MNEMONIC_VSTMXCSR, ZYDIS_MNEMONIC_RDFSBASE, ZYDIS_MNEMONIC_RDGSBASE, ZYDIS_MNEMONIC_RDSSPD, ZYDIS_MNEMONIC_RDSSPQ,
    };
    const ZydisDecodedInstruction *z = &i->z;

    if (z->meta.branch_type || z->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
        return false;
    switch (z->meta.category) {
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_CET:
    case ZYDIS_CATEGORY_RET: return false;
    default: break;
    }
    for (unsigned n = 0; n < sizeof no / sizeof *no; n++)
        if (z->mnemonic == no[n])
            return false;
    for (unsigned n = 0; n < z->operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && ((o->reg.value >= ZYDIS_REGISTER_ES && o->reg.value <= ZYDIS_REGISTER_GS && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ||
                                                       (o->reg.value >= ZYDIS_REGISTER_CR0 && o->reg.value <= ZYDIS_REGISTER_DR15)))
            return false;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && (o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP || o->mem.segment == ZYDIS_REGISTER_FS || o->mem.segment == ZYDIS_REGISTER_GS))
            return false;
        if (o->type == ZYDIS_OPERAND_TYPE_POINTER)
            return false;
    }
    return !options.only || !strcasecmp(ZydisMnemonicGetString(z->mnemonic), options.only);
}

static void
next_insn(struct insn *i)
{
    do {
        do
            random_bytes(i->bytes);
        while (!dr_decode(i->bytes, 15, &i->z, i->op) || !runs_here(i));
    } while (!step_make(i->bytes, 15, MACHINE_CODE + slot_at, &i->step));
}

/* Elements of the index vector of a gather or scatter: 4 or 8 bytes. */
static unsigned
index_size(ZydisMnemonic m)
{
    const char *s = ZydisMnemonicGetString(m);

    while (*s && strncasecmp(s, "gather", 6) && strncasecmp(s, "scatter", 7))
        s++;
    s += strncasecmp(s, "gather", 6) ? 7 : 6;
    return *s == 'q' || *s == 'Q' ? 8 : 4;
}

/* Registers that hold addresses: not made undefined here. */
static unsigned
place_operands(const struct insn *i, struct image *m)
{
    const struct step *s = &i->step;
    unsigned pinned = 1u << RSP;
    uint64_t target = ARENA + 0x600 + below(0x400);

    if (below(64) == 0)
        target = ARENA + ARENA_SIZE - below(64);            /* runs over the end */
    if (below(4) == 0)
        target &= ~63ull;
    m->gpr[RSP] = ARENA + 0x800 + 8 * below(64);
    if (s->rule == RULE_STRING) {
        m->gpr[RSI] = target;
        m->gpr[RDI] = below(2) ? target + below(32) - 16 : ARENA + 0x600 + below(0x400);
        m->gpr[RCX] = s->flags & (STEP_REP | STEP_REPNE) ? below(12) : m->gpr[RCX];
        return pinned | 1u << RSI | 1u << RDI | (s->flags & (STEP_REP | STEP_REPNE) ? 1u << RCX : 0);
    }
    if (s->rule == RULE_LEAVE)
        return m->gpr[RBP] = target, pinned | 1u << RBP;
    if (s->rule == RULE_XLAT)
        return m->gpr[RBX] = target, pinned | 1u << RBX | 1u << RAX;
    if (s->rule == RULE_V_BYTE_MASK_MOVE)
        return m->gpr[RDI] = target, pinned | 1u << RDI;
    if (s->mem == 0xff || s->rule == RULE_LEA)
        return pinned;
    if (s->rule == RULE_BIT && s->op[1].kind == OPERAND_GPR) {
        if (s->op[1].number == s->base || s->op[1].number == s->index)
            return 0;
        m->gpr[s->op[1].number] = (uint64_t)(int64_t)((int)below(4096) - 2048);
        pinned |= 1u << s->op[1].number;
    }
    bool vsib = s->rule == RULE_V_GATHER || s->rule == RULE_V_SCATTER;
    uint64_t offset = (uint64_t)s->disp;
    if (vsib) {
        unsigned size = index_size(i->z.mnemonic);
        for (unsigned b = 0; b < 64; b += size) {
            int64_t v = (int64_t)below(256) - 128;
            memcpy(m->zmm[s->index] + b, &v, size);
        }
    } else if (s->index != REG_NONE && s->index != s->base) {
        m->gpr[s->index] = below(4) ? below(64) : -(uint64_t)below(64);
        if (s->index == RSP)
            return 0;
        offset += m->gpr[s->index] * s->scale;
        pinned |= 1u << s->index;
    }
    if (s->base == REG_NONE)
        return 0;
    m->gpr[s->base] = s->index == s->base && !vsib ? (target - offset) / (1u + s->scale) : target - offset;
    return pinned | 1u << s->base;
}

/* ---- undefined bits of what it reads ---- */

struct place { uint8_t *bits; unsigned bytes; };

static unsigned
places_read(const struct insn *i, unsigned pinned, const struct image *m, struct image *u, struct place *out)
{
    unsigned n = 0;
    bool stack = false;

    for (unsigned k = 0; k < i->z.operand_count; k++) {
        const ZydisDecodedOperand *o = &i->op[k];
        unsigned bytes = (unsigned)(o->size + 7) / 8;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.type != ZYDIS_MEMOP_TYPE_AGEN) {
            uint64_t a = m->gpr[RSP];
            stack = o->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
            if (i->step.rule == RULE_STRING)
                a = m->gpr[below(2) ? RSI : RDI];
            else if (i->step.rule == RULE_LEAVE)
                a = m->gpr[RBP];
            else if (i->step.rule == RULE_XLAT)
                a = m->gpr[RBX] + (m->gpr[RAX] & 0xff);
            else if (!stack && i->step.base != REG_NONE)
                a = effective_address(&(struct ctx){.s = &i->step, .mc = (const struct dr_mcontext *)m}, i->step.index != REG_NONE && o->mem.type != ZYDIS_MEMOP_TYPE_VSIB ? m->gpr[i->step.index] : 0);
            if (o->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
                a -= 128, bytes = 256;
            if (i->step.rule == RULE_BIT && i->step.op[1].kind == OPERAND_GPR)
                a += (uint64_t)((int64_t)m->gpr[i->step.op[1].number] >> 3);
            if (arena_has(a, bytes) && bytes)
                out[n++] = (struct place){u->memory + (a - ARENA), bytes};
        } else if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
            ZydisRegister r = o->reg.value, wide = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
            if (wide >= ZYDIS_REGISTER_RAX && wide <= ZYDIS_REGISTER_R15 && !(pinned >> (wide - ZYDIS_REGISTER_RAX) & 1))
                out[n++] = (struct place){(uint8_t *)&u->gpr[wide - ZYDIS_REGISTER_RAX] + (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH), bytes};
            if (r >= ZYDIS_REGISTER_XMM0 && r <= ZYDIS_REGISTER_ZMM31)
                out[n++] = (struct place){u->zmm[(r - ZYDIS_REGISTER_XMM0) % 32], bytes};
            if (r >= ZYDIS_REGISTER_MM0 && r <= ZYDIS_REGISTER_MM7)
                out[n++] = (struct place){u->st[r - ZYDIS_REGISTER_MM0], 8};
            if (r >= ZYDIS_REGISTER_ST0 && r <= ZYDIS_REGISTER_ST7)
                out[n++] = (struct place){u->st[(top_of_stack(in) + r - ZYDIS_REGISTER_ST0) & 7], 10};
            if (r >= ZYDIS_REGISTER_K0 && r <= ZYDIS_REGISTER_K7)
                out[n++] = (struct place){(uint8_t *)&u->k[r - ZYDIS_REGISTER_K0], 8};
        }
    }
    return n;
}

/* Flips `dense` ? about a share : a few of the bits of what the instruction reads. */
static void
choose_undefined(const struct insn *i, unsigned pinned, const struct image *m, struct image *u)
{
    struct place p[16];
    unsigned n = places_read(i, pinned, m, u, p), few = 1 + below(FEW);
    bool flags = i->z.cpu_flags && i->z.cpu_flags->tested, keep_masks = below(3);

    memset(u, 0, sizeof *u);
    if (flags && below(2))
        u->flags = rng() & FLAGS_ARITHMETIC & i->z.cpu_flags->tested;
    if (!n)
        return;
    if (below(3)) {
        for (unsigned k = 0; k < few; k++) {
            struct place *q = &p[below(n)];
            unsigned bit = below(q->bytes * 8);
            q->bits[bit / 8] |= (uint8_t)(1 << bit % 8);
        }
    } else {
        for (unsigned k = 0; k < n; k++) {
            unsigned how = below(4);
            for (unsigned b = 0; b < p[k].bytes; b++)
                p[k].bits[b] |= how == 0 ? 0 : how == 1 ? 0xff : how == 2 ? (uint8_t)rng() : (uint8_t)(rng() & rng() & rng());
        }
    }
    if (i->step.mask && keep_masks)
        u->k[i->step.mask] = 0;
    if (below(8) == 0)
        u->gpr[below(16)] |= pinned ? 0 : rng();
    for (unsigned r = 0; r < 16; r++)
        if (pinned >> r & 1)
            u->gpr[r] = 0;
    if ((i->step.rule == RULE_V_GATHER || i->step.rule == RULE_V_SCATTER) && i->step.index != REG_NONE) {
        memset(u->zmm[i->step.index], 0, 64);
        u->k[i->step.mask] = 0;
        if (!i->step.mask)                                      /* the mask of AVX2's is reported where undefined */
            memset(u->zmm[i->step.op[2].number], 0, 64);
    }
}

static unsigned
list_bits(const struct image *u, uint32_t *bits, unsigned max)
{
    const uint8_t *b = (const uint8_t *)u;
    unsigned n = 0;

    for (unsigned i = 0; i < sizeof *u; i++)
        for (unsigned k = 0; b[i] && k < 8; k++)
            if (b[i] >> k & 1 && n < max)
                bits[n++] = 8 * i + k;
    return n;
}

static void
set_bit(struct image *m, uint32_t bit, bool value)
{
    uint8_t *p = (uint8_t *)m + bit / 8;

    *p = (uint8_t)((*p & ~(1 << bit % 8)) | value << bit % 8);
}

/* Another filling: number f of `all`, or at random after the extremes and each bit alone. */
static void
fill_bits(struct image *m, const struct image *base, const uint32_t *bits, unsigned n, unsigned f, bool all)
{
    uint64_t word = 0, bias = below(3);

    memcpy(m, base, sizeof *m);
    for (unsigned i = 0; i < n; i++) {
        if (i % 64 == 0)
            word = bias == 0 ? rng() : bias == 1 ? rng() & rng() & rng() : rng() | rng() | rng();
        bool v = all ? f >> i & 1 : f == 0 ? false : f == 1 ? true : word >> i % 64 & 1;
        set_bit(m, bits[i], v);
    }
    if (!all && f >= 40 && f < 72) {
        memcpy(m, base, sizeof *m);
        unsigned i = below(n);
        set_bit(m, bits[i], !((const uint8_t *)base)[bits[i] / 8] != 0 ? true : !(((const uint8_t *)base)[bits[i] / 8] >> bits[i] % 8 & 1));
    }
}

/* ---- one case ---- */

struct tally { uint64_t cases, called, extra; };   /* extra: called undefined, but no filling changed it */
static struct tally tallies[ZYDIS_MNEMONIC_MAX_VALUE + 1], by_rule[256];
static unsigned failures, ran, faulted;
static struct image start, undefined_in, undefined_out, first, other, varying;
static struct regstate rs, before;

static const char *
name_of_place(uint32_t bit)
{
    static char s[64];
    size_t at = bit / 8;

#define IN(field) (at < offsetof(struct image, field) + sizeof((struct image *)0)->field)
    if (IN(gpr))
        snprintf(s, sizeof s, "gpr %u bit %u", bit / 64, bit % 64);
    else if (IN(flags))
        snprintf(s, sizeof s, "flag %u", bit % 64);
    else if (IN(k))
        snprintf(s, sizeof s, "k%zu bit %u", (at - offsetof(struct image, k)) / 8, bit % 64);
    else if (IN(zmm))
        snprintf(s, sizeof s, "zmm%zu byte %zu bit %u", (at - offsetof(struct image, zmm)) / 64, (at - offsetof(struct image, zmm)) % 64, bit % 8);
    else if (IN(st))
        snprintf(s, sizeof s, "R%zu byte %zu bit %u", (at - offsetof(struct image, st)) / 10, (at - offsetof(struct image, st)) % 10, bit % 8);
    else if (IN(x87_flags))
        snprintf(s, sizeof s, "x87 flags bit %u", bit % 16);
    else
        snprintf(s, sizeof s, "memory %#llx bit %u", ARENA + (unsigned long long)(at - offsetof(struct image, memory)), bit % 8);
    return s;
}

static void
show(const struct insn *i, const char *what, uint32_t bit)
{
    static unsigned shown[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    ZydisFormatter f;
    char text[128];

    failures++;
    if (shown[i->z.mnemonic]++ >= (options.verbose ? 20 : 1))
        return;
    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterFormatInstruction(&f, &i->z, i->op, i->z.operand_count_visible, text, sizeof text, 0, NULL);
    fprintf(stderr, "%s: %s: %s (rule %u)\n", text, what, bit == ~0u ? "" : name_of_place(bit), i->step.rule);
    if (options.verbose) {
        uint32_t bits[24];
        unsigned n = list_bits(&undefined_in, bits, 24);
        fprintf(stderr, "   undefined:");
        for (unsigned k = 0; k < n; k++)
            fprintf(stderr, " %s;", name_of_place(bits[k]));
        fprintf(stderr, "\n");
    }
}

static void
set_definedness(const struct image *u)
{
    memset(&rs, 0, sizeof rs);
    memcpy(rs.gpr, u->gpr, sizeof rs.gpr);
    rs.flags = u->flags;
    memcpy(rs.k, u->k, sizeof rs.k);
    memcpy(rs.zmm, u->zmm, sizeof rs.zmm);
    memcpy(rs.st, u->st, sizeof rs.st);
    rs.x87_flags = u->x87_flags;
    rs.summary = true_summary(&rs);
    memcpy(arena_bits, u->memory, ARENA_SIZE);
}

static void
random_start(struct image *m)
{
    for (unsigned i = 0; i < 16; i++)
        m->gpr[i] = interesting();
    m->flags = rng() & FLAGS_ARITHMETIC;
    if (below(8) == 0)
        m->flags |= FLAG_DF;
    for (unsigned i = 0; i < 8; i++)
        m->k[i] = rng();
    for (unsigned i = 0; i < sizeof m->zmm; i += 8)
        *(uint64_t *)((uint8_t *)m->zmm + i) = interesting();
    for (unsigned i = 0; i < 8; i++) {
        uint64_t mantissa = rng() | 1ull << 63;
        uint16_t exponent = (uint16_t)(0x3fff + below(70) - 3);
        memcpy(m->st[i], &mantissa, 8);
        memcpy(m->st[i] + 8, &exponent, 2);
    }
    m->x87_flags = (uint16_t)(rng() & 0x4700);
    for (unsigned i = 0; i < ARENA_SIZE; i += 8)
        *(uint64_t *)(m->memory + i) = interesting();
    in->xsave[2] = 0;
    in->xsave[3] = (uint8_t)(below(8) << 3);
}

/* propagate_step, as a clean call would: with the program's registers in the CPU. */
static void
step_here(const struct insn *i, const struct image *m)
{
    struct dr_mcontext mc = {.rip = i->step.pc, .rflags = m->flags | 2};

    memcpy(mc.gpr, m->gpr, sizeof mc.gpr);
    machine_of_image(m, in);
    reports_clear();
    call_with_registers((void *)propagate_step, &i->step, &rs, &mc);
}

static bool
bits_equal(const struct image *a, const struct image *b, uint32_t *bit)
{
    const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

    for (unsigned i = 0; i < sizeof *a; i++)
        if (x[i] != y[i])
            return *bit = 8 * i + (unsigned)__builtin_ctz(x[i] ^ y[i]), false;
    return true;
}

static void
check_undo(const struct insn *i)
{
    static struct image now;
    uint32_t bit;

    propagate_undo(&rs, i->step.pc);
    image_of_definedness(&rs, &now);
    if (!bits_equal(&now, &undefined_in, &bit))
        show(i, "undo leaves", bit);
    if (rs.summary != before.summary)
        show(i, "undo leaves the summary", ~0u);
}

static void
one_case(const struct insn *i)
{
    static uint32_t bits[MAX_BITS];
    struct tally *t = &tallies[i->z.mnemonic];

    random_start(&start);
    unsigned pinned = place_operands(i, &start);
    if (!pinned)
        return;
    choose_undefined(i, pinned, &start, &undefined_in);
    set_definedness(&undefined_in);
    before = rs;
    step_here(i, &start);
    image_of_definedness(&rs, &undefined_out);
    struct reports said = reports;
    if (rs.summary != true_summary(&rs))
        show(i, "the summary is wrong", ~0u);
    check_undo(i);
    memcpy((void *)(MACHINE_CODE + (uintptr_t)slot_at), "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90", 16);
    memcpy((void *)(MACHINE_CODE + (uintptr_t)slot_at), i->bytes, i->z.length);
    int fault = run(&start, &first);
    if (fault) {
        faulted++;
        /* (maskmovdqu may fault at a byte that it does not write) */
        if (fault == SIGSEGV && i->step.rule != RULE_V_BYTE_MASK_MOVE && fault_address - ARENA < 2 * ARENA_SIZE && !said.unaddressable)
            show(i, "an access beyond memory is not seen", ~0u);
        return;
    }
    ran++;
    if (said.unaddressable)
        show(i, "a good access is called unaddressable", ~0u);
    if (said.uninitialized)
        return;                                 /* what it decides was reported, and counts as defined */
    unsigned n = list_bits(&undefined_in, bits, MAX_BITS);
    bool all = n <= FEW;
    unsigned fillings = !n ? 0 : all ? 1u << n : 80;
    memset(&varying, 0, sizeof varying);
    for (unsigned f = 0; f < fillings; f++) {
        fill_bits(&other, &start, bits, n, f, all);
        static struct image result;
        if (run(&other, &result))
            continue;
        for (unsigned k = 0; k < sizeof varying / 8; k++)
            ((uint64_t *)&varying)[k] |= ((uint64_t *)&result)[k] ^ ((uint64_t *)&first)[k];
    }
    for (unsigned k = 0; k < sizeof varying; k++) {
        uint8_t v = ((uint8_t *)&varying)[k], u = ((uint8_t *)&undefined_out)[k];
        if (v & ~u)
            return show(i, "varies, but is called defined", 8 * k + (unsigned)__builtin_ctz(v & ~u));
    }
    t->cases += n != 0;
    for (unsigned k = 0; k < sizeof varying && all; k++) {
        uint8_t v = ((uint8_t *)&varying)[k], u = ((uint8_t *)&undefined_out)[k];
        t->called += (unsigned)__builtin_popcount(u);
        t->extra += (unsigned)__builtin_popcount(u & ~v);
        by_rule[i->step.rule].called += (unsigned)__builtin_popcount(u);
        by_rule[i->step.rule].extra += (unsigned)__builtin_popcount(u & ~v);
    }
}

/* Rules that claim to be exact, and what share of the bits they call undefined may not vary, in percent: PF and AF of sums,
 * and what fillings of the 80 at random miss. */
static const struct { uint8_t rule, percent; } exact[] = {
    {RULE_MOV, 0}, {RULE_MOVZX, 0}, {RULE_MOVSX, 0}, {RULE_MOVBE, 0}, {RULE_XCHG, 0}, {RULE_PUSH, 0}, {RULE_POP, 0}, {RULE_SETCC, 0}, {RULE_CMOVCC, 0},
    {RULE_AND, 0}, {RULE_OR, 0}, {RULE_XOR, 0}, {RULE_TEST, 0}, {RULE_ANDN, 0}, {RULE_NOT, 0}, {RULE_ADD, 2}, {RULE_SUB, 2}, {RULE_CMP, 3}, {RULE_ADC, 2},
    {RULE_SBB, 2}, {RULE_NEG, 3}, {RULE_INC, 3}, {RULE_DEC, 3}, {RULE_ADX, 0}, {RULE_XADD, 3}, {RULE_BIT, 1}, {RULE_SIGN_EXTEND_AX, 0}, {RULE_K_LOGIC, 0},
    {RULE_V_MOVE, 0}, {RULE_V_MERGE, 0}, {RULE_V_LOGIC, 3}, {RULE_V_TERNARY_LOGIC, 0}, {RULE_V_ADD, 3}, {RULE_V_SUB, 1}, {RULE_V_COMPARE, 1}, {RULE_V_SHIFT, 3},
    {RULE_V_SHUFFLE, 8}, {RULE_V_WIDEN, 1}, {RULE_V_MOVE_MASK, 0}, {RULE_V_TEST, 0}, {RULE_X_EXCHANGE, 0},
};

static void
check_exactness(void)
{
    for (unsigned i = 0; i < sizeof exact / sizeof *exact; i++) {
        const struct tally *t = &by_rule[exact[i].rule];
        if (t->called > 1000 && t->extra * 100 > t->called * exact[i].percent) {
            fprintf(stderr, "rule %u: of %llu bits called undefined, %llu do not vary\n", exact[i].rule, (unsigned long long)t->called, (unsigned long long)t->extra);
            failures++;
        }
    }
}

static void
show_exactness(void)
{
    for (unsigned m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++)
        if (tallies[m].cases)
            printf("%-16s %8llu cases %10llu bits %6.2f %% did not vary\n", ZydisMnemonicGetString((ZydisMnemonic)m), (unsigned long long)tallies[m].cases,
                   (unsigned long long)tallies[m].called, tallies[m].called ? 100.0 * (double)tallies[m].extra / (double)tallies[m].called : 0.0);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcasecmp(argv[i], "-n") && i + 1 < argc)
            options.count = atol(argv[++i]);
        else if (!strcasecmp(argv[i], "-s") && i + 1 < argc)
            options.seed = strtoull(argv[++i], NULL, 0);
        else if (!strcasecmp(argv[i], "-m") && i + 1 < argc)
            options.only = argv[++i];
        else if (!strcasecmp(argv[i], "-x"))
            options.exact = true;
        else if (!strcasecmp(argv[i], "-v"))
            options.verbose = true;
    }
    set_up();
    rng_state = options.seed;
    in->xsave[512] = MACHINE_STATES;            /* XSTATE_BV */
    in->xsave[0] = 0x7f, in->xsave[1] = 3;      /* control word: all masked */
    in->xsave[4] = 0xff;                        /* no register is empty */
    in->xsave[24] = 0x80, in->xsave[25] = 0x1f; /* MXCSR */
    for (long n = 0; n < options.count; n++) {
        static struct insn i;
        next_insn(&i);
        one_case(&i);
    }
    if (options.exact)
        show_exactness();
    if (options.exact)
        for (unsigned r = 0; r < 256; r++)
            if (by_rule[r].called)
                printf("rule %u: %llu bits %.2f %%\n", r, (unsigned long long)by_rule[r].called, 100.0 * (double)by_rule[r].extra / (double)by_rule[r].called);
    check_exactness();
    printf("%u cases, %u faulted, %u failures\n", ran, faulted, failures);
    return failures != 0;
}
