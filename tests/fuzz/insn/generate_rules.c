/* What single instructions need in order to do something: registers set, a
 * branch target to go to, a frame to pop; and which are left out, and why.
 * A mnemonic without a row is generated with random operands. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "generate_priv.h"

#include <cpuid.h>
#include <string.h>

enum { USER_CS = 0x33, USER_SS = 0x2b };

enum { FLAGS_ARITH = 0x8d5, FLAG_TF = 0x100, FLAG_DF = 0x400, FLAG_AC = 0x40000 };

/* ---- wishes: where memory operands shall point ---- */

static void
wish_scratch(struct making *m, struct wish *w)
{
    w->target = data_address(m, AREA_SCRATCH + 64 * rng_below(&m->rng, 8));
    w->plain_address = true;
}

static void
wish_control(struct making *m, struct wish *w)
{
    uint32_t n = rng_below(&m->rng, m->faulty ? 16 : 4);

    w->target = data_address(m, AREA_CONTROL + 4 * n);
    w->plain_address = true;
}

/* As an x87 control word most of these would unmask exceptions. */
static void
wish_x87_control(struct making *m, struct wish *w)
{
    static const uint8_t masked[] = {6, 7, 12};

    wish_control(m, w);
    if (!m->faulty)
        w->target = data_address(m, AREA_CONTROL + 4 * masked[rng_below(&m->rng, 3)]);
}

static void
wish_pointer_slot(struct making *m, struct wish *w)
{
    w->target = data_address(m, AREA_POINTERS + 16 * rng_below(&m->rng, 31));
    w->plain_address = true;
}

static void
wish_aligned(struct making *m, struct wish *w)
{
    if (!m->faulty || rng_percent(&m->rng, 80))
        w->target = data_address(m, 16 * rng_below(&m->rng, 0x300));
}

static void
wish_in_the_middle(struct making *m, struct wish *w)
{
    w->target = data_address(m, 0x800 + 8 * rng_below(&m->rng, 0x200));
}

/* ---- strings ---- */

static uint64_t
string_address(struct making *m, bool low)
{
    uint64_t zone = low ? ZONE_LOW_BASE : m->zone;
    uint32_t off = AREA_STRING + rng_below(&m->rng, 0x300);

    if (m->faulty && rng_percent(&m->rng, 15)) /* runs off an end */
        off = rng_percent(&m->rng, 50) ? rng_below(&m->rng, 24) : DATA_RW_SIZE - rng_below(&m->rng, 64);
    else if (rng_percent(&m->rng, 30))
        off = 0x400 + rng_below(&m->rng, 0x3000);
    return zone + DATA_RW + off;
}

static bool
prepare_string(struct making *m, struct instance *x)
{
    bool low = x->in.address_width == 32;

    add_mov(m, RSI, string_address(m, low));
    add_mov(m, RDI, string_address(m, low));
    if (x->in.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        add_mov(m, RCX, rng_below(&m->rng, m->faulty && rng_percent(&m->rng, 20) ? 5000 : 30));
    if (rng_percent(&m->rng, 30))
        add_mov(m, RAX, rng_percent(&m->rng, 80) ? 0x6161616161616161 : 'b');
    if (rng_percent(&m->rng, 30))
        add_item(m, rng_percent(&m->rng, 50) ? "\xfd" : "\xfc", 1, 0); /* std, cld */
    return true;
}

static bool
prepare_xlat(struct making *m, struct instance *x)
{
    add_mov(m, RBX,
            (x->in.address_width == 32 ? ZONE_LOW_BASE : m->zone) + DATA_RW + rng_below(&m->rng, 0x3000));
    return true;
}

static bool
prepare_rdi(struct making *m, struct instance *x)
{
    add_mov(m, RDI,
            (x->in.address_width == 32 ? ZONE_LOW_BASE : m->zone) + DATA_RW + rng_below(&m->rng, 0x3000));
    return true;
}

static bool
prepare_rax_pointer(struct making *m, struct instance *x)
{
    add_mov(m, RAX,
            (x->in.address_width == 32 ? ZONE_LOW_BASE : m->zone) + DATA_RW + rng_below(&m->rng, 0x3000));
    return true;
}

/* ---- arithmetic ---- */

static bool
prepare_divide(struct making *m, struct instance *x)
{
    bool narrow = x->ops[0].size == 8;
    uint16_t used = gprs_read(x);

    if (!m->quiet && rng_percent(&m->rng, 30))
        return true;
    if (x->ops[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
        int divisor = gpr_number(x->ops[0].reg.value);

        if (divisor == RAX || divisor == RDX || m->pinned & 1 << divisor || divisor == RSP)
            return !m->quiet;
        add_mov(m, divisor, 0x80 | interesting(&m->rng) | 0x0101 * (1 + rng_below(&m->rng, 100)));
    } else if (m->quiet || (m->pinned & used & (1 << RAX | 1 << RDX))) {
        return !m->quiet;
    }
    add_mov(m, RAX, narrow ? rng_below(&m->rng, 0x40) : interesting(&m->rng) >> 1);
    if (!narrow)
        add_mov(m, RDX, rng_percent(&m->rng, 80) ? 0 : rng_below(&m->rng, 0x80));
    return true;
}

/* A bit offset in a register reaches up to 2^60 bytes away. */
static bool
prepare_bit_offset(struct making *m, struct instance *x)
{
    int reg;

    if (x->ops[0].type != ZYDIS_OPERAND_TYPE_MEMORY || x->ops[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return true;
    reg = gpr_number(x->ops[1].reg.value);
    if (m->pinned & 1 << reg || reg == RSP)
        return false;
    add_mov(m, reg, (uint64_t)(int64_t)((int32_t)rng_below(&m->rng, 4096) - 2048));
    return true;
}

/* Makes the comparison come out equal, half of the time. */
static bool
prepare_compare_exchange(struct making *m, struct instance *x)
{
    if (x->ops[0].type == ZYDIS_OPERAND_TYPE_MEMORY && x->target && rng_percent(&m->rng, 50)) {
        if (m->pinned & (1 << RAX | 1 << RDX))
            return false;
        add_load(m, RAX, x->target);
        if (x->ops[0].size > 64)
            add_load(m, RDX, x->target + 8);
        else if (x->in.mnemonic == ZYDIS_MNEMONIC_CMPXCHG8B)
            add_load(m, RDX, x->target + 4);
    }
    return true;
}

/* ---- gathers and scatters ---- */

static int
vector_number(ZydisRegister reg)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_XMM: return reg - ZYDIS_REGISTER_XMM0;
    case ZYDIS_REGCLASS_YMM: return reg - ZYDIS_REGISTER_YMM0;
    case ZYDIS_REGCLASS_ZMM: return reg - ZYDIS_REGISTER_ZMM0;
    default: return -1;
    }
}

/* A vector register from memory: vmovups zmm, [rip+...] or, where there is no EVEX, vmovups ymm. */
static void
load_vector(struct making *m, int reg, uint64_t address, bool evex)
{
    uint8_t wide[10] = {0x62, 0xf1, 0x7c, 0x48, 0x10, (uint8_t)(0x05 | (reg & 7) << 3)};
    uint8_t narrow[8] = {0xc5, (uint8_t)(reg & 8 ? 0x7c : 0xfc), 0x10, (uint8_t)(0x05 | (reg & 7) << 3)};
    struct item *it;

    if (reg & 8)
        wide[1] &= 0x7f;
    if (reg & 16)
        wide[1] &= 0xef;
    it = evex ? add_item(m, wide, 10, MARK_RIPREL) : add_item(m, narrow, 8, MARK_RIPREL);
    it->fix = FIX_RIP;
    it->fix_off = evex ? 6 : 4;
    it->address = address;
}

/* kmovw k, [rip+...] */
static void
load_mask(struct making *m, int k, uint64_t address)
{
    uint8_t b[8] = {0xc5, 0xf8, 0x90, (uint8_t)(0x05 | k << 3)};
    struct item *it = add_item(m, b, 8, MARK_RIPREL);

    it->fix = FIX_RIP;
    it->fix_off = 4;
    it->address = address;
}

static bool
prepare_vsib(struct making *m, struct instance *x)
{
    const ZydisDecodedOperand *op = memory_operand(x);
    bool evex = x->in.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX;
    bool wild = m->faulty && rng_percent(&m->rng, 15);
    uint32_t area;

    if (!op || op->mem.type != ZYDIS_MEMOP_TYPE_VSIB)
        return true;
    /* The digit in the mnemonic says which: ...dps, ...qps */
    area = strstr(ZydisMnemonicGetString(x->in.mnemonic), "qp") ||
                   strstr(ZydisMnemonicGetString(x->in.mnemonic), "qq") ||
                   strstr(ZydisMnemonicGetString(x->in.mnemonic), "qd")
               ? AREA_INDEX64
               : AREA_INDEX32;
    if (!wild)
        load_vector(m, vector_number(op->mem.index), data_address(m, area + 8 * rng_below(&m->rng, 32)),
                    evex);
    else if (rng_percent(&m->rng, 50)) /* some of the elements lead astray */
        load_vector(m, vector_number(op->mem.index), data_address(m, AREA_INDEX32 - 24), evex);
    if (evex && x->in.avx.mask.reg != ZYDIS_REGISTER_K0)
        load_mask(m, x->in.avx.mask.reg - ZYDIS_REGISTER_K0, data_address(m, 8 * rng_below(&m->rng, 64)));
    return true;
}

/* ---- stack ---- */

static bool
prepare_popf(struct making *m, struct instance *x)
{
    int32_t flags = (int32_t)(rng_next(&m->rng) & (FLAGS_ARITH | FLAG_DF)) | 2;
    uint8_t word[4] = {0x66, 0x68, (uint8_t)flags, (uint8_t)(flags >> 8)};

    if (!m->quiet && rng_percent(&m->rng, 3) && !(m->g->without & WITHOUT_TF))
        flags |= FLAG_TF;
    if (!m->quiet && rng_percent(&m->rng, 3) && !(m->g->without & WITHOUT_AC))
        flags |= FLAG_AC;
    if (rng_percent(&m->rng, 10))
        flags |= 0x203200; /* ID, IOPL, IF: the processor decides */
    if (x->in.operand_width == 16)
        add_item(m, word, 4, 0);
    else
        add_push_imm(m, flags);
    return true;
}

static bool
prepare_enter(struct making *m, struct instance *x)
{
    uint16_t size = (uint16_t)rng_below(&m->rng, m->faulty && rng_percent(&m->rng, 10) ? 65536 : 512);

    memcpy(x->bytes + x->in.raw.imm[0].offset, &size, 2);
    if (rng_percent(&m->rng, 60))
        x->bytes[x->in.raw.imm[1].offset] &= 3;
    add_mov(m, RBP, m->zone + STACK_START - 0x100);
    return true;
}

static bool
prepare_leave(struct making *m, struct instance *x)
{
    (void)x;
    add_mov(m, RBP, m->zone + STACK_START - 8 * rng_below(&m->rng, 64));
    return true;
}

/* ---- control transfer ---- */

static bool
prepare_counted(struct making *m, struct instance *x)
{
    (void)x;
    if (rng_percent(&m->rng, 70))
        add_mov(m, RCX, rng_percent(&m->rng, 50) ? rng_below(&m->rng, 3) : interesting(&m->rng));
    return true;
}

/* Through a register: its address is loaded first. Through memory: a pointer is put there. */
static bool
prepare_indirect(struct making *m, struct instance *x)
{
    const ZydisDecodedOperand *op = &x->ops[0];
    int ahead = pick_ahead(m), reg;

    if (narrow_branch(m, x) || (m->faulty && rng_percent(&m->rng, 3))) {
        m->ended = true; /* goes wherever it goes */
        return true;
    }
    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (!in_data(x->target, 8))
            return false;
        add_poke(m, x->target, 0, 0, ahead);
        return true;
    }
    reg = gpr_number(op->reg.value);
    if (m->pinned & 1 << reg || reg == RSP)
        return false;
    add_lea_label(m, reg, -1, ahead);
    return true;
}

/* Where the next `items` items end: the instruction behind a return. */
static int
item_ahead(const struct making *m, int items)
{
    return m->r->nitems + items;
}

static bool
prepare_ret(struct making *m, struct instance *x)
{
    int reg = free_register(m, 0);
    uint16_t pop = (uint16_t)(8 * rng_below(&m->rng, 32));

    if (narrow_branch(m, x)) {
        m->ended = true;
        return true;
    }
    if (x->in.operand_count_visible) { /* ret imm16; from 8000h on it is not a negative number */
        if (m->faulty && rng_percent(&m->rng, 15))
            pop = (uint16_t)rng_next(&m->rng);
        memcpy(x->bytes + x->in.raw.imm[0].offset, &pop, 2);
    }
    add_lea_label(m, reg, item_ahead(m, 3), 0);
    add_push_reg(m, reg);
    return true;
}

static void
add_push_label_and_cs(struct making *m, int reg, int items)
{
    add_push_imm(m, USER_CS);
    add_lea_label(m, reg, item_ahead(m, items + 2), 0);
    add_push_reg(m, reg);
}

/* mov dword [rsp+disp], value */
static void
add_stack_store(struct making *m, uint8_t disp, uint32_t value)
{
    uint8_t b[8] = {0xc7, 0x44, 0x24, disp};

    memcpy(b + 4, &value, 4);
    add_item(m, b, 8, 0);
}

static bool
prepare_far_ret(struct making *m, struct instance *x)
{
    uint64_t pop = 8 * rng_below(&m->rng, 16);

    if (x->in.operand_count_visible)
        memcpy(x->bytes + x->in.raw.imm[0].offset, &pop, 2);
    if (x->in.operand_width == 64) {
        add_push_label_and_cs(m, free_register(m, 0), 1);
    } else if (x->in.operand_width == 32 && m->zone == ZONE_LOW_BASE) {
        int reg = free_register(m, 0);

        add_lea_label(m, reg, item_ahead(m, 4), 0);
        add_push_reg(m, reg);
        add_stack_store(m, 4, USER_CS);
    } else {
        m->ended = true;
    }
    return true;
}

static bool
prepare_iret(struct making *m, struct instance *x)
{
    uint32_t flags = (uint32_t)(rng_next(&m->rng) & (FLAGS_ARITH | FLAG_DF)) | 0x202;
    uint64_t rsp = m->zone + STACK_START - 16 * rng_below(&m->rng, 16);
    int reg = free_register(m, 0);

    if (x->in.operand_width == 64) {
        add_mov(m, reg, rsp);
        add_push_imm(m, USER_SS);
        add_push_reg(m, reg);
        add_push_imm(m, (int32_t)flags);
        add_push_label_and_cs(m, reg, 1);
    } else if (x->in.operand_width == 32 && m->zone == ZONE_LOW_BASE) {
        add_lea_label(m, reg, item_ahead(m, 7), 0);
        add_push_reg(m, reg);
        add_stack_store(m, 4, USER_CS);
        add_stack_store(m, 8, flags);
        add_stack_store(m, 12, (uint32_t)rsp);
        add_stack_store(m, 16, USER_SS);
    } else {
        m->ended = true;
    }
    return true;
}

/* Offset and selector in memory; the low zone's addresses fit in 32 bits. */
static bool
prepare_far_pointer(struct making *m, struct instance *x)
{
    if (m->zone != ZONE_LOW_BASE || x->in.operand_width == 16 || !in_data(x->target, 16)) {
        m->ended = true;
        return true;
    }
    add_poke(m, x->target, (uint64_t)USER_CS << 32, 0, pick_ahead(m));
    add_poke(m, x->target + 8, USER_CS, -1, 0);
    return true;
}

/* ---- system ---- */

static bool
prepare_selector(struct making *m, struct instance *x)
{
    static const uint16_t selectors[] = {0, 3, 0x10, 0x18, 0x20, 0x23, 0x28, 0x2b, 0x33, 0x43, 0x4, 0xfff0};
    const ZydisDecodedOperand *op = &x->ops[x->in.operand_count_visible - 1];
    uint16_t selector = selectors[rng_below(&m->rng, 12)];
    int reg;

    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (x->target & 1 || !in_data(x->target, 8))
            return false;
        add_poke(m, x->target & ~7ull, selector * 0x0001000100010001ull, -1, 0);
        return true;
    }
    reg = gpr_number(op->reg.value);
    if (m->pinned & 1 << reg || reg == RSP)
        return false;
    add_mov(m, reg, selector | (rng_next(&m->rng) & 0xffff0000));
    return true;
}

static bool
prepare_cpuid(struct making *m, struct instance *x)
{
    static const uint32_t leaves[] = {0, 7, 0x80000000, 0x80000002, 0x80000003, 0x80000004};

    (void)x;
    add_mov(m, RAX, leaves[rng_below(&m->rng, 6)]);
    add_mov(m, RCX, 0);
    return true;
}

static bool
prepare_xgetbv(struct making *m, struct instance *x)
{
    (void)x;
    add_mov(m, RCX, m->faulty && rng_percent(&m->rng, 20) ? 5 : 0); /* 1 is XINUSE: not ours to compare */
    return true;
}

static bool
prepare_ecx_zero(struct making *m, struct instance *x)
{
    (void)x;
    add_mov(m, RCX, 0);
    return true;
}

static bool
prepare_xsave(struct making *m, struct instance *x)
{
    (void)x;
    add_mov(m, RAX, rng_percent(&m->rng, 50) ? 0xffffffff : rng_below(&m->rng, 256));
    add_mov(m, RDX, 0);
    return true;
}

/* A save of the same kind to the same place makes what is then loaded valid. */
static bool
prepare_restore(struct making *m, struct instance *x)
{
    static const struct {
        uint16_t load;
        uint8_t bytes[4], len;
        bool mask;
    } saves[] = {
        {ZYDIS_MNEMONIC_XRSTOR, {0x0f, 0xae, 0x25}, 3, true},
        {ZYDIS_MNEMONIC_XRSTOR64, {0x48, 0x0f, 0xae, 0x25}, 4, true},
        {ZYDIS_MNEMONIC_FXRSTOR, {0x0f, 0xae, 0x05}, 3, false},
        {ZYDIS_MNEMONIC_FXRSTOR64, {0x48, 0x0f, 0xae, 0x05}, 4, false},
        {ZYDIS_MNEMONIC_FRSTOR, {0xdd, 0x35}, 2, false},
        {ZYDIS_MNEMONIC_FLDENV, {0xd9, 0x35}, 2, false},
    };

    if (!x->target || (m->faulty && rng_percent(&m->rng, 15)))
        return true;
    for (size_t i = 0; i < sizeof saves / sizeof *saves; i++) {
        uint8_t b[8] = {0};
        struct item *it;

        if (saves[i].load != x->in.mnemonic)
            continue;
        if (saves[i].mask)
            prepare_xsave(m, x);
        memcpy(b, saves[i].bytes, saves[i].len);
        it = add_item(m, b, saves[i].len + 4u, MARK_RIPREL | MARK_FXSAVE);
        it->fix = FIX_RIP;
        it->fix_off = saves[i].len;
        it->address = x->target;
    }
    return true;
}

static bool
prepare_write_base(struct making *m, struct instance *x)
{
    int reg = gpr_number(x->ops[0].reg.value);
    uint64_t base = (x->ops[0].size == 32 ? ZONE_LOW_BASE : m->zone) + DATA_RW + AREA_SEGMENT + 0x100;

    if (m->pinned & 1 << reg || reg == RSP)
        return false;
    add_mov(m, reg, m->faulty && rng_percent(&m->rng, 10) ? 0x8000000000000000 : base);
    return true;
}

static bool
prepare_interrupt(struct making *m, struct instance *x)
{
    static const uint8_t vectors[] = {3, 4, 0, 1, 5, 13, 14, 0x20, 0x2d, 0x7f, 0x81, 0xff};

    x->bytes[x->len - 1] = vectors[rng_below(&m->rng, 12)]; /* 80h is the 32-bit system call */
    return true;
}

/* ---- the table ----
 * Saves of x87 and extended state count as interruptible: a signal loses the
 * x87 pointers on some processors, and may change which components are in use. */

#define UNSTABLE     "its result differs from run to run"
#define KERNEL       "enters the kernel or changes what the kernel relies on"
#define WAITS        "waits for an event"
#define HYPER        "calls the hypervisor"
#define SEGMENT_LOAD "loads a segment register: a separate test has that"
#define OPTIMIZED    "what it writes depends on what the processor remembers of earlier saves"

#define MN(name) ZYDIS_MNEMONIC_##name

/* clang-format off */
static const struct rule rules[] = {
    {.mnemonic = MN(RDTSC), .excluded = UNSTABLE},
    {.mnemonic = MN(RDTSCP), .excluded = UNSTABLE},
    {.mnemonic = MN(RDRAND), .excluded = UNSTABLE},
    {.mnemonic = MN(RDSEED), .excluded = UNSTABLE},
    {.mnemonic = MN(RDPID), .excluded = UNSTABLE},
    {.mnemonic = MN(RDPRU), .excluded = UNSTABLE},
    {.mnemonic = MN(XSAVEOPT), .excluded = OPTIMIZED},
    {.mnemonic = MN(XSAVEOPT64), .excluded = OPTIMIZED},
    {.mnemonic = MN(SYSCALL), .excluded = KERNEL},
    {.mnemonic = MN(SYSENTER), .excluded = KERNEL},
    {.mnemonic = MN(WRPKRU), .excluded = KERNEL},
    {.mnemonic = MN(XBEGIN), .excluded = UNSTABLE},
    {.mnemonic = MN(MWAITX), .excluded = WAITS},
    {.mnemonic = MN(MONITORX), .excluded = WAITS},
    {.mnemonic = MN(UMWAIT), .excluded = WAITS},
    {.mnemonic = MN(UMONITOR), .excluded = WAITS},
    {.mnemonic = MN(TPAUSE), .excluded = WAITS},
    {.mnemonic = MN(VMCALL), .excluded = HYPER},
    {.mnemonic = MN(VMMCALL), .excluded = HYPER},
    {.mnemonic = MN(LFS), .excluded = SEGMENT_LOAD},
    {.mnemonic = MN(LGS), .excluded = SEGMENT_LOAD},
    {.mnemonic = MN(LSS), .excluded = SEGMENT_LOAD},

    {.mnemonic = MN(MOVSB), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(MOVSW), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(MOVSQ), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(CMPSB), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(CMPSW), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(CMPSQ), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(STOSB), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(STOSW), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(STOSD), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(STOSQ), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LODSB), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LODSW), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LODSD), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LODSQ), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SCASB), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SCASW), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SCASD), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SCASQ), .prepare = prepare_string, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XLAT), .prepare = prepare_xlat},
    {.mnemonic = MN(MASKMOVQ), .prepare = prepare_rdi},
    {.mnemonic = MN(MASKMOVDQU), .prepare = prepare_rdi},
    {.mnemonic = MN(VMASKMOVDQU), .prepare = prepare_rdi},
    {.mnemonic = MN(CLZERO), .prepare = prepare_rax_pointer},

    {.mnemonic = MN(DIV), .prepare = prepare_divide},
    {.mnemonic = MN(IDIV), .prepare = prepare_divide},
    {.mnemonic = MN(BT), .wish = wish_in_the_middle, .prepare = prepare_bit_offset},
    {.mnemonic = MN(BTS), .wish = wish_in_the_middle, .prepare = prepare_bit_offset},
    {.mnemonic = MN(BTR), .wish = wish_in_the_middle, .prepare = prepare_bit_offset},
    {.mnemonic = MN(BTC), .wish = wish_in_the_middle, .prepare = prepare_bit_offset},
    {.mnemonic = MN(CMPXCHG), .prepare = prepare_compare_exchange},
    {.mnemonic = MN(CMPXCHG8B), .prepare = prepare_compare_exchange},
    {.mnemonic = MN(CMPXCHG16B), .wish = wish_aligned, .prepare = prepare_compare_exchange},

    {.mnemonic = MN(POPF), .prepare = prepare_popf},
    {.mnemonic = MN(POPFQ), .prepare = prepare_popf},
    {.mnemonic = MN(ENTER), .prepare = prepare_enter, .flags = RULE_STACK},
    {.mnemonic = MN(LEAVE), .prepare = prepare_leave, .flags = RULE_STACK},

    {.mnemonic = MN(LOOP), .prepare = prepare_counted, .flags = RULE_FLOW},
    {.mnemonic = MN(LOOPE), .prepare = prepare_counted, .flags = RULE_FLOW},
    {.mnemonic = MN(LOOPNE), .prepare = prepare_counted, .flags = RULE_FLOW},
    {.mnemonic = MN(JRCXZ), .prepare = prepare_counted, .flags = RULE_FLOW},
    {.mnemonic = MN(JECXZ), .prepare = prepare_counted, .flags = RULE_FLOW},
    {.mnemonic = MN(RET), .prepare = prepare_ret, .flags = RULE_FLOW | RULE_STACK},
    {.mnemonic = MN(IRET), .prepare = prepare_iret, .flags = RULE_FLOW | RULE_STACK},
    {.mnemonic = MN(IRETD), .prepare = prepare_iret, .flags = RULE_FLOW | RULE_STACK},
    {.mnemonic = MN(IRETQ), .prepare = prepare_iret, .flags = RULE_FLOW | RULE_STACK},

    /* With UMIP the kernel carries these out, without the trap of a single step. */
    {.mnemonic = MN(SGDT), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SIDT), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SLDT), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(STR), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(SMSW), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LAR), .prepare = prepare_selector},
    {.mnemonic = MN(LSL), .prepare = prepare_selector},
    {.mnemonic = MN(VERR), .prepare = prepare_selector},
    {.mnemonic = MN(VERW), .prepare = prepare_selector},
    {.mnemonic = MN(CPUID), .prepare = prepare_cpuid},
    {.mnemonic = MN(XGETBV), .prepare = prepare_xgetbv},
    {.mnemonic = MN(RDPKRU), .prepare = prepare_ecx_zero},
    {.mnemonic = MN(XSAVE), .wish = wish_scratch, .prepare = prepare_xsave, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XSAVE64), .wish = wish_scratch, .prepare = prepare_xsave, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XSAVEC), .wish = wish_scratch, .prepare = prepare_xsave, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XSAVEC64), .wish = wish_scratch, .prepare = prepare_xsave, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FXSAVE), .wish = wish_scratch, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FXSAVE64), .wish = wish_scratch, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XRSTOR), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(XRSTOR64), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FXRSTOR), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FXRSTOR64), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FRSTOR), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FLDENV), .wish = wish_scratch, .prepare = prepare_restore, .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FNSAVE), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(FNSTENV), .flags = RULE_INTERRUPTIBLE},
    {.mnemonic = MN(LDMXCSR), .wish = wish_control},
    {.mnemonic = MN(VLDMXCSR), .wish = wish_control},
    {.mnemonic = MN(FLDCW), .wish = wish_x87_control},
    {.mnemonic = MN(WRFSBASE), .prepare = prepare_write_base},
    {.mnemonic = MN(WRGSBASE), .prepare = prepare_write_base},
    {.mnemonic = MN(INT), .prepare = prepare_interrupt, .flags = RULE_FAULTS},
    {.mnemonic = MN(INT3), .flags = RULE_FAULTS},
    {.mnemonic = MN(INT1), .flags = RULE_FAULTS},
    {.mnemonic = MN(UD0), .flags = RULE_FAULTS},
    {.mnemonic = MN(UD1), .flags = RULE_FAULTS},
    {.mnemonic = MN(UD2), .flags = RULE_FAULTS},
    {.mnemonic = MN(IN), .flags = RULE_FAULTS},
    {.mnemonic = MN(OUT), .flags = RULE_FAULTS},
    {.mnemonic = MN(INSB), .flags = RULE_FAULTS},
    {.mnemonic = MN(INSW), .flags = RULE_FAULTS},
    {.mnemonic = MN(INSD), .flags = RULE_FAULTS},
    {.mnemonic = MN(OUTSB), .flags = RULE_FAULTS},
    {.mnemonic = MN(OUTSW), .flags = RULE_FAULTS},
    {.mnemonic = MN(OUTSD), .flags = RULE_FAULTS},
    {.mnemonic = MN(RDPMC), .flags = RULE_FAULTS},
    {.mnemonic = MN(VMRUN), .flags = RULE_FAULTS},
    {.mnemonic = MN(VMLOAD), .flags = RULE_FAULTS},
    {.mnemonic = MN(VMSAVE), .flags = RULE_FAULTS},
    {.mnemonic = MN(STGI), .flags = RULE_FAULTS},
    {.mnemonic = MN(CLGI), .flags = RULE_FAULTS},
    {.mnemonic = MN(SKINIT), .flags = RULE_FAULTS},
    {.mnemonic = MN(INVLPGA), .flags = RULE_FAULTS},
    {.mnemonic = MN(CLI), .flags = RULE_FAULTS},
    {.mnemonic = MN(STI), .flags = RULE_FAULTS},
};
/* clang-format on */

static const struct rule indirect_rule = {
    .wish = wish_pointer_slot, .prepare = prepare_indirect, .flags = RULE_FLOW};
static const struct rule far_rule = {
    .wish = wish_pointer_slot, .prepare = prepare_far_pointer, .flags = RULE_FLOW};
static const struct rule far_ret_rule = {.prepare = prepare_far_ret, .flags = RULE_FLOW | RULE_STACK};
static const struct rule branch_rule = {.flags = RULE_FLOW};
static const struct rule branch16_rule = {.flags = RULE_FLOW | RULE_ENDS};
static const struct rule vsib_rule = {.prepare = prepare_vsib, .flags = RULE_INTERRUPTIBLE};
static const struct rule string_rule = {.prepare = prepare_string, .flags = RULE_INTERRUPTIBLE};
static const struct rule privileged_rule = {.flags = RULE_FAULTS};

static bool
loads_segment(const struct form *f)
{
    uint32_t op = f->key.operand[0];

    return (f->key.mnemonic == MN(MOV) || f->key.mnemonic == MN(POP)) && f->key.noperands &&
           op >> 28 == ZYDIS_OPERAND_TYPE_REGISTER && (op >> 22 & 31) == ZYDIS_REGCLASS_SEGMENT;
}

static bool
is_relative(const struct form *f)
{
    return f->key.noperands == 1 && f->key.operand[0] >> 28 == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

static const struct rule *
rule_of_branch(const struct form *f)
{
    if (f->key.traits & FORM_FAR)
        return f->key.noperands ? &far_rule : NULL;
    if (is_relative(f))
        return (f->key.operand[0] & 0xffff) == 16 ? &branch16_rule : &branch_rule;
    return f->key.mnemonic == MN(JMP) || f->key.mnemonic == MN(CALL) ? &indirect_rule : &branch_rule;
}

/* Forms that share a rule with others of their kind. */
static const struct rule *
rule_of_kind(const struct form *f)
{
    if (f->branch)
        return rule_of_branch(f);
    if (f->vsib)
        return &vsib_rule;
    return f->privileged ? &privileged_rule : NULL;
}

/* Mnemonics that name two different things. */
static const struct rule *
rule_of_homonym(const struct form *f)
{
    if (f->key.mnemonic == MN(RET) && f->key.traits & FORM_FAR)
        return &far_ret_rule;
    if ((f->key.mnemonic == MN(MOVSD) || f->key.mnemonic == MN(CMPSD)) && !f->key.noperands)
        return &string_rule;
    return NULL;
}

const struct rule *
rule_of(const struct form *f)
{
    static uint8_t by_mnemonic[ZYDIS_MNEMONIC_MAX_VALUE + 1]; /* row + 1 */
    const struct rule *homonym = rule_of_homonym(f);

    if (!by_mnemonic[MN(RDTSC)])
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            by_mnemonic[rules[i].mnemonic] = (uint8_t)(i + 1);
    if (homonym)
        return homonym;
    if (by_mnemonic[f->key.mnemonic])
        return &rules[by_mnemonic[f->key.mnemonic] - 1];
    return rule_of_kind(f);
}

/* With UMIP these fault and the kernel gives constants; without, they tell which processor runs us. */
static bool
reads_descriptor_tables(const struct form *f)
{
    switch (f->key.mnemonic) {
    case MN(SGDT):
    case MN(SIDT):
    case MN(SLDT):
    case MN(STR):
    case MN(SMSW): return true;
    default: return false;
    }
}

static bool
cpu_has_umip(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 4;
}

const char *
form_excluded(const struct form *f)
{
    const struct rule *rule = rule_of(f);

    if (loads_segment(f))
        return SEGMENT_LOAD;
    if (reads_descriptor_tables(f) && !cpu_has_umip())
        return UNSTABLE;
    return rule ? rule->excluded : NULL;
}

bool
form_always_faults(const struct form *f)
{
    const struct rule *rule = rule_of(f);

    return rule && rule->flags & RULE_FAULTS;
}

bool
form_saves_state(const struct form *f)
{
    const struct rule *rule = rule_of(f);

    return f->key.mnemonic == MN(FNSAVE) || f->key.mnemonic == MN(FNSTENV) ||
           (rule && rule->wish == wish_scratch);
}

bool
form_left_out(const struct form *f, unsigned without)
{
    const struct rule *rule = rule_of(f);
    bool gs = f->key.mnemonic == MN(RDGSBASE) || f->key.mnemonic == MN(WRGSBASE);
    bool far = (f->key.traits & FORM_FAR && f->branch) || (rule && rule->prepare == prepare_iret);

    return (without & WITHOUT_GS && gs) || (without & WITHOUT_FAR && far) ||
           (without & WITHOUT_FAULTS && form_always_faults(f)) ||
           (without & WITHOUT_X87SAVE && form_saves_state(f)) ||
           (without & WITHOUT_BRANCH16 && rule == &branch16_rule);
}
