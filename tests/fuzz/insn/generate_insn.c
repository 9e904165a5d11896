/* Making one instruction of a given form: registers, addresses that lead
 * somewhere, immediates; and the small instructions put around it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "generate_priv.h"

#include <string.h>

enum { TRIES = 80, PREFIX_FS = 0x64, PREFIX_GS = 0x65, PREFIX_ADDRESS = 0x67 };

/* ---- operands of a decoded instruction ---- */

int
gpr_number(ZydisRegister reg)
{
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (full < ZYDIS_REGISTER_RAX || full > ZYDIS_REGISTER_R15)
        return -1;
    return full - ZYDIS_REGISTER_RAX;
}

static uint16_t
registers_with(const struct instance *x, ZydisOperandActions actions, bool visible_only)
{
    int n = visible_only ? x->in.operand_count_visible : x->in.operand_count;
    uint16_t set = 0;

    for (int i = 0; i < n; i++) {
        int number;

        if (x->ops[i].type != ZYDIS_OPERAND_TYPE_REGISTER || !(x->ops[i].actions & actions))
            continue;
        number = gpr_number(x->ops[i].reg.value);
        if (number >= 0)
            set |= (uint16_t)(1 << number);
    }
    return set;
}

uint16_t
gprs_written(const struct instance *x)
{
    return registers_with(x, ZYDIS_OPERAND_ACTION_MASK_WRITE, false);
}

uint16_t
gprs_read(const struct instance *x)
{
    return registers_with(x, ZYDIS_OPERAND_ACTION_MASK_READ, false);
}

const ZydisDecodedOperand *
memory_operand(const struct instance *x)
{
    for (int i = 0; i < x->in.operand_count; i++)
        if (x->ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            x->ops[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
            return &x->ops[i];
    return NULL;
}

/* Zydis' attribute of that name also covers RIP-relative operands. */
static bool
is_relative_branch(const ZydisDecodedInstruction *in)
{
    return in->raw.imm[0].is_relative;
}

bool
narrow_branch(const struct making *m, const struct instance *x)
{
    if (!m->g->forms->amd || !m->g->forms->form[x->form].branch ||
        (x->in.raw.rex.W && x->in.attributes & ZYDIS_ATTRIB_HAS_REX))
        return false;
    for (int i = 0; i < x->in.raw.prefix_count; i++)
        if (x->in.raw.prefixes[i].value == 0x66)
            return true;
    return false;
}

static uint16_t
kind_of(const ZydisDecodedInstruction *in, const struct instance *x)
{
    uint16_t kind = 0;

    switch (in->meta.category) {
    case ZYDIS_CATEGORY_RET: kind |= MARK_RET; break;
    case ZYDIS_CATEGORY_CALL: kind |= MARK_CALL; break;
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR: kind |= MARK_BRANCH; break;
    case ZYDIS_CATEGORY_STRINGOP: kind |= MARK_STRING; break;
    case ZYDIS_CATEGORY_GATHER:
    case ZYDIS_CATEGORY_SCATTER: kind |= MARK_GATHER; break;
    default: break;
    }
    if (kind & (MARK_CALL | MARK_BRANCH) && !is_relative_branch(in))
        kind = (uint16_t)((kind & ~MARK_BRANCH) | MARK_INDIRECT);
    if (in->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        kind |= MARK_REP;
    if (x->riprel)
        kind |= MARK_RIPREL;
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JRCXZ:
    case ZYDIS_MNEMONIC_JECXZ: kind |= MARK_COUNTED; break;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFQ: kind |= MARK_PUSHF; break;
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_XSAVE:
    case ZYDIS_MNEMONIC_XSAVE64:
    case ZYDIS_MNEMONIC_XSAVEC:
    case ZYDIS_MNEMONIC_XSAVEC64: kind |= MARK_FXSAVE; break;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFQ: kind |= MARK_POPF; break;
    default: break;
    }
    return kind;
}

/* ---- small instructions ---- */

struct item *
add_item(struct making *m, const void *bytes, size_t len, uint16_t kind)
{
    struct item *it;

    if (m->r->nitems >= ITEMS_MAX - 1)
        m->r->nitems--; /* the case is thrown away: see generate_case */
    it = &m->r->item[m->r->nitems++];
    memset(it, 0, sizeof *it);
    memcpy(it->bytes, bytes, len);
    it->len = (uint8_t)len;
    it->kind = kind;
    it->form = -1;
    it->group = m->group;
    it->target = -1;
    return it;
}

void
add_mov(struct making *m, int reg, uint64_t value)
{
    uint8_t b[10] = {0x40 | reg >> 3, (uint8_t)(0xb8 | (reg & 7))};

    m->touched |= (uint16_t)(1 << reg);
    memcpy(b + 2, &value, 8);
    if (value <= 0xffffffff) {
        add_item(m, b, 6, 0);
    } else if ((int64_t)value == (int32_t)value) {
        memmove(b + 3, b + 2, 4);
        b[0] |= 8;
        b[1] = 0xc7;
        b[2] = (uint8_t)(0xc0 | (reg & 7));
        add_item(m, b, 7, 0);
    } else {
        b[0] |= 8;
        add_item(m, b, 10, 0);
    }
}

void
add_load(struct making *m, int reg, uint64_t address)
{
    uint8_t b[7] = {(uint8_t)(0x48 | reg >> 3 << 2), 0x8b, (uint8_t)(0x05 | (reg & 7) << 3)};
    struct item *it = add_item(m, b, 7, MARK_RIPREL);

    m->touched |= (uint16_t)(1 << reg);
    it->fix = FIX_RIP;
    it->fix_off = 3;
    it->address = address;
}

void
add_lea_label(struct making *m, int reg, int target, int ahead)
{
    uint8_t b[7] = {(uint8_t)(0x48 | reg >> 3 << 2), 0x8d, (uint8_t)(0x05 | (reg & 7) << 3)};
    struct item *it = add_item(m, b, 7, MARK_RIPREL);

    m->touched |= (uint16_t)(1 << reg);
    it->fix = FIX_RIP_LABEL;
    it->fix_off = 3;
    it->target = (int16_t)target;
    it->ahead = (int16_t)ahead;
}

void
add_push_reg(struct making *m, int reg)
{
    uint8_t b[2] = {0x41, (uint8_t)(0x50 | (reg & 7))};

    add_item(m, reg < 8 ? b + 1 : b, reg < 8 ? 1 : 2, 0);
}

void
add_push_imm(struct making *m, int32_t v)
{
    uint8_t b[5] = {0x68};

    memcpy(b + 1, &v, 4);
    add_item(m, b, 5, 0);
}

void
add_poke(struct making *m, uint64_t addr, uint64_t value, int target, int ahead)
{
    struct recipe_poke *p;

    if (m->r->npokes == POKES_MAX)
        m->r->npokes--;
    p = &m->r->poke[m->r->npokes++];
    *p = (struct recipe_poke){addr, value, (int16_t)target, (int16_t)ahead, m->group};
}

/* Pinned registers among `written` get their values back. */
void
repin(struct making *m, uint16_t written)
{
    for (int i = 0; i < 16; i++)
        if (written & m->pinned & 1 << i)
            add_mov(m, i, m->value[i]);
}

int
free_register(struct making *m, uint16_t avoid)
{
    uint16_t taken = m->pinned | m->forbidden | avoid | 1 << RSP;
    int reg;

    do
        reg = (int)rng_below(&m->rng, 16);
    while (taken & 1 << reg);
    return reg;
}

int
pick_ahead(struct making *m)
{
    return 1 + (int)rng_below(&m->rng, 3);
}

/* ---- values ---- */

uint64_t
interesting(struct rng *r)
{
    uint64_t v = rng_next(r);

    switch (rng_below(r, 8)) {
    case 0: return v & 0xff;
    case 1: return (uint64_t)(int64_t)(int8_t)v;
    case 2: return 1ull << (v & 63);
    case 3: return (1ull << (v & 63)) - 1;
    case 4: return (uint64_t)(int64_t)(int32_t)v;
    case 5: return v >> (v & 31);
    default: return v;
    }
}

uint64_t
data_address(struct making *m, uint32_t area)
{
    return m->zone + DATA_RW + area;
}

bool
in_data(uint64_t address, size_t size)
{
    uint64_t low = address - ZONE_LOW_BASE - DATA_RW, far = address - zone_base[ZONE_FAR] - DATA_RW;

    return low < DATA_RW_SIZE - size || far < DATA_RW_SIZE - size;
}

static uint64_t
pick_good(struct making *m, size_t size, ZydisElementType type)
{
    uint32_t area, span = 0x400;

    switch (type) {
    case ZYDIS_ELEMENT_TYPE_FLOAT32: area = AREA_FLOAT; break;
    case ZYDIS_ELEMENT_TYPE_FLOAT64: area = AREA_DOUBLE; break;
    case ZYDIS_ELEMENT_TYPE_FLOAT80: area = AREA_X87, span = 0x100, size = 16; break;
    default: area = AREA_RANDOM, span = AREA_SCRATCH; break;
    }
    if (rng_percent(&m->rng, 15))
        area = AREA_RANDOM, span = DATA_RW_SIZE;
    if (size >= span)
        return data_address(m, AREA_SCRATCH);
    if (size == 0)
        size = 1;
    if (m->quiet || rng_percent(&m->rng, 75))
        return data_address(m, area + rng_below(&m->rng, (uint32_t)(span / size)) * (uint32_t)size);
    return data_address(m, area + rng_below(&m->rng, (uint32_t)(span - size)));
}

/* An address for an operand: nearly always good; in a case that is to fault, sometimes not. */
uint64_t
pick_target(struct making *m, size_t size, ZydisElementType type)
{
    uint32_t near_end = rng_below(&m->rng, (uint32_t)(size ? size : 1));

    if (!m->faulty || !rng_percent(&m->rng, 12))
        return pick_good(m, size, type);
    switch (rng_below(&m->rng, 6)) {
    case 0: return m->zone + DATA_RO + rng_below(&m->rng, 0x800);
    case 1: return m->zone + DATA_NONE + rng_below(&m->rng, 0x1000);
    case 2: return m->zone + DATA_HOLE + rng_below(&m->rng, 0x1000);
    case 3: return m->zone + DATA_BUS + rng_below(&m->rng, 0xf00);
    case 4: return m->zone + DATA_RW + 0x1000 - near_end;        /* across good pages */
    default: return m->zone + DATA_RW + DATA_RW_SIZE - near_end; /* into the next */
    }
}

/* ---- addresses ---- */

static uint64_t
in_low_zone(const struct making *m, uint64_t target)
{
    return target - m->zone + ZONE_LOW_BASE;
}

static void
use_base(struct fields *v, int base, int64_t disp)
{
    v->rm = (uint8_t)base;
    v->sib = v->sib || (base & 7) == 4;
    v->disp = (int32_t)disp;
    v->mod = disp == 0 && (base & 7) != 5 ? 0 : 2;
}

static void
use_index(struct making *m, struct fields *v)
{
    v->sib = true;
    v->no_index = false;
    v->index = (uint8_t)m->index;
    v->scale = (uint8_t)rng_below(&m->rng, 4);
}

static void
use_absolute(struct fields *v, int64_t disp)
{
    v->mod = 0;
    v->sib = v->no_base = v->no_index = true;
    v->rm = 5;
    v->disp = (int32_t)disp;
}

/* Not GS with x87: an engine that has it for itself shows the operand pointer right only until another x87 instruction. */
static void
address_segment(struct making *m, struct instance *x, uint64_t target)
{
    struct fields *v = &x->fields;
    bool gs = m->r->start.gs_base && x->in.meta.category != ZYDIS_CATEGORY_X87_ALU && rng_percent(&m->rng, 50);
    int64_t disp = (int64_t)(target - (gs ? m->r->start.gs_base : m->r->start.fs_base));

    v->extra[0] = gs ? PREFIX_GS : PREFIX_FS;
    if (rng_percent(&m->rng, 50)) {
        use_absolute(v, disp);
    } else {
        v->no_index = true;
        use_base(v, m->index, disp - (int64_t)m->value[m->index]);
    }
}

/* Any registers. Not RIP-relative, not absolute and not with a large
 * displacement: that could lead to memory of the subject's own, or to the
 * engine's, which is nowhere natively. */
static void
address_wild(struct making *m, struct instance *x)
{
    struct fields *v = &x->fields;

    v->mod = (uint8_t)(1 + rng_below(&m->rng, 2));
    v->rm = (uint8_t)rng_below(&m->rng, 16);
    v->sib = rng_percent(&m->rng, 50) || (v->rm & 7) == 4;
    v->index = (uint8_t)rng_below(&m->rng, 16);
    v->scale = (uint8_t)rng_below(&m->rng, 4);
    v->disp = (int32_t)rng_below(&m->rng, 0x10000) - 0x8000;
    x->wild = true;
}

static void
address_pointer(struct making *m, struct instance *x, uint64_t target, bool evex)
{
    struct fields *v = &x->fields;
    int base = m->pointer[rng_below(&m->rng, 2)];
    int64_t disp = (int64_t)(target - m->value[base]);

    v->no_index = true;
    if (evex && rng_percent(&m->rng, 40)) { /* a compressed displacement: see where it leads */
        v->rm = (uint8_t)base;
        v->sib = (base & 7) == 4;
        v->mod = 1;
        v->disp = (int32_t)rng_below(&m->rng, 16) - 8;
        return;
    }
    if (rng_percent(&m->rng, 15))
        disp = 0;
    else if (rng_percent(&m->rng, 40))
        disp = (int64_t)rng_below(&m->rng, 31) * 8 - 120;
    use_base(v, base, disp);
    if (v->mod == 2 && !evex && disp == (int8_t)disp)
        v->mod = 1;
}

static void
address_indexed(struct making *m, struct instance *x, uint64_t target)
{
    struct fields *v = &x->fields;
    int base = m->pointer[rng_below(&m->rng, 2)];

    use_index(m, v);
    use_base(v, base, (int64_t)(target - m->value[base] - (m->value[m->index] << v->scale)));
}

static void
address_32bit(struct making *m, struct instance *x, uint64_t target)
{
    x->fields.extra[1] = PREFIX_ADDRESS;
    x->fields.no_index = true;
    use_base(&x->fields, m->low_pointer, (int64_t)(in_low_zone(m, target) - m->value[m->low_pointer]));
}

static void
address_stack(struct making *m, struct instance *x)
{
    x->fields.no_index = true;
    use_base(&x->fields, RSP, (int64_t)rng_below(&m->rng, 64) * 16 - 512);
}

static void
address_rip(struct making *m, struct instance *x, uint64_t target)
{
    x->fields.riprel = x->riprel = true;
    x->fields.mod = 0;
    x->target = target;
    if (m->zone == ZONE_LOW_BASE && rng_percent(&m->rng, 3))
        x->fields.extra[1] = PREFIX_ADDRESS; /* eip-relative */
}

/* A gather's index register is loaded from a table by its rule. */
static void
address_vsib(struct making *m, struct instance *x, const struct skeleton *s)
{
    struct fields *v = &x->fields;
    int base = m->pointer[rng_below(&m->rng, 2)];

    v->index = (uint8_t)rng_below(&m->rng, s->enc == SK_EVEX ? 32 : 16);
    v->no_index = false;
    v->sib = true;
    v->scale = (uint8_t)rng_below(&m->rng, 4);
    v->vvvv &= 15; /* V' belongs to the index */
    use_base(v, base, (int64_t)rng_below(&m->rng, 64) * 4);
}

static void
choose_address(struct making *m, struct instance *x, const struct skeleton *s, const struct wish *w)
{
    const struct form *f = &m->g->forms->form[x->form];
    uint64_t target = w->target ? w->target : pick_target(m, f->mem_size, f->mem_type);
    uint32_t roll = rng_below(&m->rng, w->plain_address ? 75 : 100);

    if (w->aligned64)
        target &= ~63ull;
    if (f->vsib)
        address_vsib(m, x, s);
    else if (roll < 30 && !w->target)
        address_pointer(m, x, target, s->enc == SK_EVEX);
    else if (roll < 55)
        address_indexed(m, x, target);
    else if (roll < 75)
        address_rip(m, x, target);
    else if (roll < 80)
        use_absolute(&x->fields, (int64_t)in_low_zone(m, target));
    else if (roll < 86 && !w->target)
        address_stack(m, x);
    else if (roll < 92 && !(m->g->without & WITHOUT_FS))
        address_segment(m, x, target);
    else if (roll < 97 || !m->faulty || w->target)
        address_32bit(m, x, target);
    else
        address_wild(m, x);
}

/* Where the operand of the decoded instruction leads, as far as it is known. */
static uint64_t
compute_target(const struct making *m, const struct instance *x)
{
    const ZydisDecodedOperand *op = memory_operand(x);
    uint64_t a;
    int base, index;

    if (!op || x->wild || op->mem.type == ZYDIS_MEMOP_TYPE_VSIB || op->mem.base == ZYDIS_REGISTER_RSP)
        return 0;
    if (x->riprel)
        return x->target;
    a = (uint64_t)op->mem.disp.value;
    base = gpr_number(op->mem.base);
    index = gpr_number(op->mem.index);
    if (base >= 0)
        a += m->value[base];
    if (index >= 0)
        a += m->value[index] * op->mem.scale;
    if (op->mem.segment == ZYDIS_REGISTER_FS)
        a += m->r->start.fs_base;
    if (op->mem.segment == ZYDIS_REGISTER_GS)
        a += m->r->start.gs_base;
    return a;
}

/* ---- instances ---- */

static uint8_t
pick_bit(struct rng *r, uint8_t bitmap)
{
    uint8_t n;

    do
        n = (uint8_t)rng_below(r, 8);
    while (!(bitmap >> n & 1));
    return n;
}

static void
add_noise(struct making *m, struct fields *v)
{
    static const uint8_t ignored[] = {0x26, 0x2e, 0x36, 0x3e};

    if (!v->extra[0] && rng_percent(&m->rng, 3))
        v->extra[0] = ignored[rng_below(&m->rng, 4)];
}

static void
choose_fields(struct making *m, struct instance *x, const struct skeleton *s, const struct wish *w,
              int attempt)
{
    struct fields *v = &x->fields;
    struct rng *r = &m->rng;
    uint8_t high = s->enc == SK_EVEX ? 24 : 8;
    bool low_only = attempt % 3 == 2; /* some operands have eight registers only */

    memset(v, 0, sizeof *v);
    v->reg = s->modrm ? pick_bit(r, s->regs) : 0;
    v->rm = s->modrm && !s->mem ? pick_bit(r, s->rms) : 0;
    if (!low_only) {
        v->reg |= rng_next(r) & high;
        v->rm |= rng_next(r) & high;
    }
    v->vvvv = s->vvvv ? rng_next(r) & (s->enc == SK_EVEX && !low_only ? 31 : 15) : 0;
    v->aaa = (uint8_t)(1 + rng_below(r, 7));
    v->short_vex = rng_percent(r, 50);
    v->force_rex = s->enc == SK_LEGACY && rng_percent(r, 25);
    v->imm = interesting(r);
    v->mod = 3;
    if (s->mem)
        choose_address(m, x, s, w);
    else if (!s->modrm && s->map == 0 && (s->opcode & 0xfc) == 0xa0)
        v->imm = w->target ? w->target : pick_target(m, 8, ZYDIS_ELEMENT_TYPE_INT);
    add_noise(m, v);
}

/* Zen 4 may read an rsp here that lacks the last pushes and calls: its stack
 * engine is not brought up to date for registers that EVEX instructions name. */
static bool
names_rsp_under_evex(const struct instance *x)
{
    return x->in.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && gprs_read(x) & 1 << RSP;
}

static bool
acceptable(const struct making *m, const struct instance *x, int attempt)
{
    uint16_t written = gprs_written(x), visible = registers_with(x, ZYDIS_OPERAND_ACTION_MASK_WRITE, true);

    if (written & m->forbidden || names_rsp_under_evex(x))
        return false;
    if (m->g->without & WITHOUT_BRANCH16 && narrow_branch(m, x))
        return false;
    if (visible & (m->pinned | 1 << RSP) && attempt < TRIES * 3 / 4)
        return false;
    return !(m->quiet && (x->wild || visible & 1 << RSP));
}

/* Mostly one without prefixes that this form ignores. */
static const struct skeleton *
pick_skeleton(struct making *m, const struct form *form)
{
    const struct skeleton *s = &m->g->forms->skeleton[form->first];
    uint32_t count = rng_percent(&m->rng, 90) ? form->natural : form->count;

    return &s[rng_below(&m->rng, count)];
}

static bool
build(struct making *m, struct instance *x, const struct wish *w)
{
    const struct forms *f = m->g->forms;
    const struct form *form = &f->form[x->form];

    for (int attempt = 0; attempt < TRIES; attempt++) {
        const struct skeleton *s = pick_skeleton(m, form);
        uint8_t bytes[32];

        x->riprel = x->wild = false;
        choose_fields(m, x, s, w, attempt);
        skeleton_bytes(s, &x->fields, bytes, &x->disp_off);
        if (!forms_decode(f, bytes, 15, &x->in, x->ops) || forms_find(f, &x->in, x->ops) != (int)x->form ||
            !acceptable(m, x, attempt))
            continue;
        x->len = x->in.length;
        memcpy(x->bytes, bytes, x->len);
        x->target = compute_target(m, x);
        return true;
    }
    return false;
}

static void
set_branch(struct making *m, struct instance *x, struct item *it)
{
    int size = x->in.raw.imm[0].size;

    if (!is_relative_branch(&x->in))
        return;
    it->fix = size == 8 ? FIX_REL8 : size == 16 ? FIX_REL16 : FIX_REL32;
    it->fix_off = x->in.raw.imm[0].offset;
    it->ahead = (int16_t)pick_ahead(m);
}

static void
append(struct making *m, struct instance *x)
{
    struct item *it = add_item(m, x->bytes, x->len, kind_of(&x->in, x));

    it->form = (int32_t)x->form;
    if (x->riprel) {
        it->fix = FIX_RIP;
        it->fix_off = (uint8_t)x->disp_off;
        it->address = x->target;
    }
    set_branch(m, x, it);
}

bool
emit_form(struct making *m, uint32_t form)
{
    const struct rule *rule = rule_of(&m->g->forms->form[form]);
    struct instance x = {.form = form};
    struct wish w = {0};
    int nitems = m->r->nitems, npokes = m->r->npokes;

    if (rule && (m->no_flow || m->quiet) &&
        rule->flags & (RULE_FLOW | RULE_ENDS | RULE_FAULTS | RULE_INTERRUPTIBLE))
        return false;
    if (form_saves_state(&m->g->forms->form[form])) {
        if (m->modifies)
            return false;
        m->saves_state = true;
    }
    m->touched = 0;
    for (int attempt = 0; attempt < 4; attempt++) {
        uint16_t written;

        m->r->nitems = nitems;
        m->r->npokes = npokes;
        if (rule && rule->wish)
            rule->wish(m, &w);
        if (!build(m, &x, &w))
            return false;
        if (rule && rule->prepare && !rule->prepare(m, &x))
            continue;
        append(m, &x);
        written = gprs_written(&x) | m->touched;
        repin(m, written);
        if (registers_with(&x, ZYDIS_OPERAND_ACTION_MASK_WRITE, true) & 1 << RSP ||
            (rule && rule->flags & RULE_STACK))
            add_mov(m, RSP, m->zone + STACK_START);
        if (rule && rule->flags & RULE_ENDS)
            m->ended = true;
        return true;
    }
    m->r->nitems = nitems;
    m->r->npokes = npokes;
    return false;
}
