/* Finds the instruction forms by decoding the opcode space: every map, prefix,
 * W, L, EVEX.b and mask, opcode, ModRM.mod, reg and rm. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "forms.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BITS = 16 };

struct builder {
    struct forms *f;
    size_t form_cap, skeleton_cap;
    int32_t table[1 << TABLE_BITS]; /* hash of key → form, -1 empty; kept for forms_find */
};
static struct builder builder;

/* ---- keys ---- */

/* Bit layout of a packed operand:
 *   31..28 type | 27 not explicit | 26..22 register class | 21..19 memory type | 18 high byte | 15..0 size */
static uint32_t
pack_operand(const ZydisDecodedOperand *op)
{
    uint32_t v = (uint32_t)op->type << 28 | op->size;

    if (op->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        v |= 1u << 27;
    if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        v |= (uint32_t)ZydisRegisterGetClass(op->reg.value) << 22;
        if (op->reg.value >= ZYDIS_REGISTER_AH && op->reg.value <= ZYDIS_REGISTER_BH)
            v |= 1u << 18;
    } else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        v |= (uint32_t)op->mem.type << 19;
        if (op->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
            v |= (uint32_t)ZydisRegisterGetClass(op->mem.index) << 22;
    }
    return v;
}

static uint16_t
traits_of(const ZydisDecodedInstruction *in)
{
    uint16_t t = 0;

    if (in->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        t |= FORM_FAR;
    if (in->attributes & ZYDIS_ATTRIB_HAS_LOCK)
        t |= FORM_LOCK;
    if (in->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE))
        t |= FORM_REP;
    if (in->attributes & ZYDIS_ATTRIB_HAS_REPNE)
        t |= FORM_REPNE;
    if (in->encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
        return t;
    if (in->avx.mask.mode == ZYDIS_MASK_MODE_MERGING || in->avx.mask.mode == ZYDIS_MASK_MODE_CONTROL)
        t |= FORM_MERGE;
    if (in->avx.mask.mode == ZYDIS_MASK_MODE_ZEROING || in->avx.mask.mode == ZYDIS_MASK_MODE_CONTROL_ZEROING)
        t |= FORM_ZERO;
    if (in->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID && !in->avx.broadcast.is_static)
        t |= FORM_BROADCAST;
    if (in->avx.rounding.mode != ZYDIS_ROUNDING_MODE_INVALID)
        t |= FORM_ROUNDING;
    else if (in->avx.has_sae)
        t |= FORM_SAE;
    return t;
}

static struct form_key
key_of(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    struct form_key k;

    memset(&k, 0, sizeof k);
    k.mnemonic = (uint16_t)in->mnemonic;
    k.traits = traits_of(in);
    for (int i = 0; i < in->operand_count && k.noperands < FORM_OPERANDS_MAX; i++)
        if (ops[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
            ops[i].encoding != ZYDIS_OPERAND_ENCODING_MASK)
            k.operand[k.noperands++] = pack_operand(&ops[i]);
    return k;
}

static uint32_t
key_hash(const struct form_key *k)
{
    const uint32_t *w = (const uint32_t *)k;
    uint32_t h = 0;

    for (size_t i = 0; i < sizeof *k / 4; i++)
        h = (h ^ w[i]) * 0x9e3779b1u, h ^= h >> 15;
    return h & ((1u << TABLE_BITS) - 1);
}

static int32_t *
key_slot(const struct forms *f, const struct form_key *k)
{
    uint32_t h = key_hash(k);

    while (builder.table[h] >= 0 && memcmp(&f->form[builder.table[h]].key, k, sizeof *k) != 0)
        h = (h + 1) & ((1u << TABLE_BITS) - 1);
    return &builder.table[h];
}

int
forms_find(const struct forms *f, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    struct form_key k = key_of(in, ops);

    return *key_slot(f, &k);
}

bool
forms_decode(const struct forms *f, const uint8_t *bytes, size_t size, ZydisDecodedInstruction *in,
             ZydisDecodedOperand *ops)
{
    ZydisDecoderContext context;

    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&f->decoder, &context, bytes, size, in)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&f->decoder, &context, in, ops, ZYDIS_MAX_OPERAND_COUNT));
}

/* ---- bytes ---- */

static size_t
put_tail(const struct skeleton *s, const struct fields *v, uint8_t *p, size_t *disp_off)
{
    uint8_t *start = p;
    int disp_len = v->mod == 1 ? 1 : v->mod == 2 ? 4 : 0;
    uint8_t rm = v->rm & 7;

    if (s->mem && v->riprel)
        rm = 5;
    if (s->mem && v->sib)
        rm = 4;
    *p++ = (uint8_t)(v->mod << 6 | (v->reg & 7) << 3 | rm);
    if (s->mem && v->sib) {
        uint8_t index = v->no_index ? 4 : v->index & 7, base = v->no_base ? 5 : v->rm & 7;

        *p++ = (uint8_t)(v->scale << 6 | index << 3 | base);
        if (v->mod == 0 && base == 5)
            disp_len = 4;
    } else if (s->mem && v->mod == 0 && rm == 5) {
        disp_len = 4;
    }
    *disp_off = disp_len ? (size_t)(p - start) : 0;
    memcpy(p, &v->disp, 4);
    return (size_t)(p + disp_len - start);
}

static size_t
put_legacy(const struct skeleton *s, const struct fields *v, uint8_t *out)
{
    uint8_t *p = out;
    uint8_t rex = (uint8_t)(s->w << 3);

    for (size_t i = 0; i < sizeof v->extra; i++)
        if (v->extra[i])
            *p++ = v->extra[i];
    if (s->prefixes & SKP_F0)
        *p++ = 0xf0;
    if (s->prefixes & SKP_66)
        *p++ = 0x66;
    if (s->prefixes & SKP_F2)
        *p++ = 0xf2;
    if (s->prefixes & SKP_F3)
        *p++ = 0xf3;
    if (s->modrm)
        rex |= (uint8_t)((v->reg >> 3 & 1) << 2);
    if (s->modrm && s->mem && v->sib && !v->no_index)
        rex |= (uint8_t)((v->index >> 3 & 1) << 1);
    rex |= v->rm >> 3 & 1;
    if (rex || v->force_rex)
        *p++ = 0x40 | rex;
    if (s->enc == SK_3DNOW) {
        *p++ = 0x0f;
        *p++ = 0x0f;
        return (size_t)(p - out);
    }
    if (s->map >= 1)
        *p++ = 0x0f;
    if (s->map >= 2)
        *p++ = s->map == 2 ? 0x38 : 0x3a;
    *p++ = s->opcode;
    return (size_t)(p - out);
}

static size_t
put_vex(const struct skeleton *s, const struct fields *v, uint8_t *out)
{
    uint8_t *p = out;
    bool x = s->mem && v->sib && !v->no_index && (v->index & 8), b = v->rm & 8;

    for (size_t i = 0; i < sizeof v->extra; i++)
        if (v->extra[i])
            *p++ = v->extra[i];
    if (s->enc == SK_VEX && v->short_vex && !x && !b && !s->w && s->map == 1) {
        *p++ = 0xc5;
        *p++ = (uint8_t)((v->reg & 8 ? 0 : 0x80) | (~v->vvvv & 15) << 3 | s->l << 2 | s->pp);
    } else {
        *p++ = s->enc == SK_XOP ? 0x8f : 0xc4;
        *p++ = (uint8_t)((v->reg & 8 ? 0 : 0x80) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | s->map);
        *p++ = (uint8_t)(s->w << 7 | (~v->vvvv & 15) << 3 | s->l << 2 | s->pp);
    }
    *p++ = s->opcode;
    return (size_t)(p - out);
}

static size_t
put_evex(const struct skeleton *s, const struct fields *v, uint8_t *out)
{
    uint8_t *p = out;
    bool x = s->mem ? (v->sib && !v->no_index && (v->index & 8)) : (v->rm & 16);
    uint8_t high = s->mem && v->sib && !v->no_index ? v->index : v->vvvv; /* V' */

    for (size_t i = 0; i < sizeof v->extra; i++)
        if (v->extra[i])
            *p++ = v->extra[i];
    *p++ = 0x62;
    *p++ = (uint8_t)((v->reg & 8 ? 0 : 0x80) | (x ? 0 : 0x40) | (v->rm & 8 ? 0 : 0x20) |
                     (v->reg & 16 ? 0 : 0x10) | s->map);
    *p++ = (uint8_t)(s->w << 7 | (~v->vvvv & 15) << 3 | 4 | s->pp);
    *p++ = (uint8_t)((s->mask == 2 ? 0x80 : 0) | s->l << 5 | s->b << 4 | ((high | v->vvvv) & 16 ? 0 : 8) |
                     (s->mask ? v->aaa & 7 : 0));
    *p++ = s->opcode;
    return (size_t)(p - out);
}

size_t
skeleton_bytes(const struct skeleton *s, const struct fields *v, uint8_t out[32], size_t *disp_off)
{
    size_t n, off = 0;

    memset(out, 0, 32);
    switch (s->enc) {
    case SK_VEX:
    case SK_XOP: n = put_vex(s, v, out); break;
    case SK_EVEX: n = put_evex(s, v, out); break;
    default: n = put_legacy(s, v, out); break;
    }
    *disp_off = 0;
    if (s->modrm) {
        size_t tail = put_tail(s, v, out + n, &off);

        *disp_off = off ? n + off : 0;
        n += tail;
    }
    if (s->enc == SK_3DNOW)
        out[n++] = s->opcode;
    memcpy(out + n, &v->imm, 8);
    return n;
}

/* ---- enumeration ---- */

static void *
grow(void *p, size_t *cap, size_t used, size_t size)
{
    if (used < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 1024;
    p = realloc(p, *cap * size);
    if (!p) {
        fprintf(stderr, "insn_fuzz: out of memory\n");
        exit(2);
    }
    return p;
}

static void
describe_operand(struct form *form, const ZydisDecodedOperand *op)
{
    if (op->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        ZydisRegisterClass class = ZydisRegisterGetClass(op->reg.value);

        form->vector |=
            (class >= ZYDIS_REGCLASS_XMM && class <= ZYDIS_REGCLASS_ZMM) || class == ZYDIS_REGCLASS_MASK;
    } else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM) {
        form->memory = op->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
        form->vsib = op->mem.type == ZYDIS_MEMOP_TYPE_VSIB;
        form->mem_type = (uint8_t)op->element_type;
        form->mem_size = op->size / 8;
    }
}

static int
form_add(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
    struct forms *f = builder.f;
    struct form_key k = key_of(in, ops);
    int32_t *slot = key_slot(f, &k);
    struct form *form;

    if (*slot >= 0)
        return *slot;
    f->form = grow(f->form, &builder.form_cap, f->nforms, sizeof *f->form);
    form = &f->form[f->nforms];
    *form = (struct form){.key = k, .isa_ext = (uint8_t)in->meta.isa_ext};
    form->privileged = in->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED;
    form->branch = in->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;
    for (int i = 0; i < in->operand_count; i++)
        describe_operand(form, &ops[i]);
    return *slot = (int32_t)f->nforms++;
}

static bool
same_encoding(const struct skeleton *a, const struct skeleton *b)
{
    return a->enc == b->enc && a->map == b->map && a->opcode == b->opcode && a->prefixes == b->prefixes &&
           a->pp == b->pp && a->w == b->w && a->l == b->l && a->b == b->b && a->mask == b->mask;
}

/* Adds the encoding to the form's skeletons, or one more reg and rm to one that is
 * equal otherwise: not every pair of its reg and rm need be the form. */
static void
skeleton_add(const struct skeleton *proto, int form, uint8_t reg, uint8_t rm)
{
    struct forms *f = builder.f;
    struct skeleton *s;

    for (size_t i = f->nskeletons; i-- > 0 && same_encoding(&f->skeleton[i], proto);) {
        s = &f->skeleton[i];
        if (s->form == form && s->mem == proto->mem) {
            s->regs |= (uint8_t)(1 << reg);
            s->rms |= (uint8_t)(1 << rm);
            return;
        }
    }
    f->skeleton = grow(f->skeleton, &builder.skeleton_cap, f->nskeletons, sizeof *f->skeleton);
    s = &f->skeleton[f->nskeletons++];
    *s = *proto;
    s->form = (uint16_t)form;
    s->regs = (uint8_t)(1 << reg);
    s->rms = (uint8_t)(1 << rm);
}

static bool
probe(const struct skeleton *s, const struct fields *v, ZydisDecodedInstruction *in, ZydisDecodedOperand *ops)
{
    uint8_t bytes[32];
    size_t off;

    skeleton_bytes(s, v, bytes, &off);
    return forms_decode(builder.f, bytes, sizeof bytes, in, ops);
}

/* Tries one ModRM; true if it decodes. A first call with `modrm` unset learns whether there is one. */
static bool
try_modrm(struct skeleton *s, uint8_t mod, uint8_t reg, uint8_t rm)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    /* index 6, so that a gather's index, mask (vvvv 0) and destination can differ */
    struct fields v = {.reg = reg, .rm = rm, .mod = mod, .sib = mod != 3 && rm == 4, .index = 6, .aaa = 1};
    struct skeleton wide = *s;
    int form;

    s->mem = mod != 3;
    if (!probe(s, &v, &in, ops))
        return false;
    form = form_add(&in, ops);
    v.vvvv = 5;
    wide.mem = s->mem;
    s->vvvv = s->enc >= SK_XOP && probe(&wide, &v, &in, ops);
    skeleton_add(s, form, reg, rm);
    return true;
}

static void
try_opcode(struct skeleton *s)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    struct fields v = {0};

    if (s->enc == SK_LEGACY) {
        s->modrm = s->mem = false;
        if (probe(s, &v, &in, ops) && !(in.attributes & ZYDIS_ATTRIB_HAS_MODRM)) {
            skeleton_add(s, form_add(&in, ops), 0, 0);
            return;
        }
    }
    s->modrm = true;
    for (uint8_t reg = 0; reg < 8; reg++) {
        if (!try_modrm(s, 0, reg, 1)) /* plain base; an instruction with VSIB needs the SIB byte */
            try_modrm(s, 0, reg, 4);
        for (uint8_t rm = 0; rm < 8; rm++)
            try_modrm(s, 3, reg, rm);
    }
}

static bool
is_prefix_or_escape(const struct skeleton *s)
{
    static const uint8_t bytes[] = {0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x62, 0x64, 0x65,
                                    0x66, 0x67, 0xc4, 0xc5, 0xf0, 0xf2, 0xf3};

    if (s->map == 0)
        return (s->opcode & 0xf0) == 0x40 || memchr(bytes, s->opcode, sizeof bytes);
    return s->map == 1 && (s->opcode == 0x0f || s->opcode == 0x38 || s->opcode == 0x3a);
}

static void
enumerate_legacy(void)
{
    static const uint8_t sets[] = {0,      SKP_66,         SKP_F2, SKP_F3, SKP_66 | SKP_F2, SKP_66 | SKP_F3,
                                   SKP_F0, SKP_F0 | SKP_66};

    for (uint8_t map = 0; map < 4; map++)
        for (int opcode = 0; opcode < 256; opcode++)
            for (size_t set = 0; set < sizeof sets; set++)
                for (uint8_t w = 0; w < 2; w++) {
                    struct skeleton s = {.enc = SK_LEGACY, .map = map, .opcode = (uint8_t)opcode};

                    s.prefixes = sets[set];
                    s.w = w;
                    if (!is_prefix_or_escape(&s))
                        try_opcode(&s);
                }
    for (int opcode = 0; opcode < 256; opcode++)
        try_opcode(&(struct skeleton){.enc = SK_3DNOW, .map = 1, .opcode = (uint8_t)opcode});
}

static void
enumerate_vex(enum skeleton_enc enc, uint8_t first_map, uint8_t last_map)
{
    for (uint8_t map = first_map; map <= last_map; map++)
        for (int n = 0; n < 256 * 16; n++)
            try_opcode(&(struct skeleton){.enc = (uint8_t)enc,
                                          .map = map,
                                          .opcode = (uint8_t)n,
                                          .pp = n >> 8 & 3,
                                          .w = n >> 10 & 1,
                                          .l = n >> 11 & 1});
}

static void
enumerate_evex(void)
{
    for (uint8_t map = 1; map <= 6; map++)
        for (int n = 0; n < 256 * 64; n++)
            for (uint8_t mask = 0; mask < 3; mask++)
                try_opcode(&(struct skeleton){.enc = SK_EVEX,
                                              .map = map,
                                              .opcode = (uint8_t)n,
                                              .pp = n >> 8 & 3,
                                              .w = n >> 10 & 1,
                                              .l = n >> 11 & 3,
                                              .b = n >> 13 & 1,
                                              .mask = mask});
}

static bool
cpu_is_amd(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

static int
by_form(const void *a, const void *b)
{
    const struct skeleton *x = a, *y = b;

    if (x->form != y->form)
        return x->form - y->form;
    return x->excess != y->excess ? x->excess - y->excess : memcmp(x, y, sizeof *x);
}

/* Brings the skeletons of a form together, those with the fewest prefixes first. */
static void
sort_skeletons(struct forms *f)
{
    for (size_t i = 0; i < f->nskeletons; i++)
        f->skeleton[i].excess = (uint8_t)(__builtin_popcount(f->skeleton[i].prefixes) +
                                          (f->skeleton[i].enc == SK_LEGACY && f->skeleton[i].w));
    qsort(f->skeleton, f->nskeletons, sizeof *f->skeleton, by_form);
    for (size_t i = f->nskeletons; i-- > 0;) {
        f->form[f->skeleton[i].form].first = (uint32_t)i;
        f->form[f->skeleton[i].form].count++;
    }
    for (size_t i = 0; i < f->nskeletons; i++) {
        struct form *form = &f->form[f->skeleton[i].form];

        form->natural += f->skeleton[i].excess == f->skeleton[form->first].excess;
    }
}

void
forms_build(struct forms *f)
{
    memset(f, 0, sizeof *f);
    builder.f = f;
    memset(builder.table, 0xff, sizeof builder.table);
    ZydisDecoderInit(&f->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    /* AMD's processors take the operand-size prefix of near branches seriously. */
    f->amd = cpu_is_amd();
    ZydisDecoderEnableMode(&f->decoder, ZYDIS_DECODER_MODE_AMD_BRANCHES, f->amd);
    enumerate_legacy();
    enumerate_vex(SK_VEX, 1, 3);
    enumerate_vex(SK_XOP, 8, 10);
    enumerate_evex();
    sort_skeletons(f);
}

void
forms_free(struct forms *f)
{
    free(f->form);
    free(f->skeleton);
    memset(f, 0, sizeof *f);
}

/* ---- names ---- */

static const char *
register_class_name(uint32_t class, uint32_t packed, char buf[16])
{
    static const char *const names[] = {
        [ZYDIS_REGCLASS_X87] = "st",      [ZYDIS_REGCLASS_MMX] = "mm",       [ZYDIS_REGCLASS_XMM] = "xmm",
        [ZYDIS_REGCLASS_YMM] = "ymm",     [ZYDIS_REGCLASS_ZMM] = "zmm",      [ZYDIS_REGCLASS_TMM] = "tmm",
        [ZYDIS_REGCLASS_FLAGS] = "flags", [ZYDIS_REGCLASS_SEGMENT] = "sreg", [ZYDIS_REGCLASS_CONTROL] = "cr",
        [ZYDIS_REGCLASS_DEBUG] = "dr",    [ZYDIS_REGCLASS_MASK] = "k",       [ZYDIS_REGCLASS_BOUND] = "bnd",
        [ZYDIS_REGCLASS_TEST] = "tr",     [ZYDIS_REGCLASS_TABLE] = "table"};

    if (packed & 1u << 18)
        return "r8h";
    if (class >= ZYDIS_REGCLASS_GPR8 && class <= ZYDIS_REGCLASS_GPR64) {
        snprintf(buf, 16, "r%u", 8u << (class - ZYDIS_REGCLASS_GPR8));
        return buf;
    }
    return class < sizeof names / sizeof *names && names[class] ? names[class] : "reg";
}

static void
operand_name(uint32_t packed, char *buf, size_t size)
{
    uint32_t type = packed >> 28, class = packed >> 22 & 31, memory = packed >> 19 & 7,
             bits = packed & 0xffff;
    char tmp[16], index[16];
    const char *open = packed & 1u << 27 ? "<" : "", *close = packed & 1u << 27 ? ">" : "";

    switch (type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        snprintf(buf, size, "%s%s%s", open, register_class_name(class, packed, tmp), close);
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (memory == ZYDIS_MEMOP_TYPE_VSIB)
            snprintf(buf, size, "vm%u[%s]", bits, register_class_name(class, 0, index));
        else
            snprintf(buf, size, "%s%s%u%s", open, memory == ZYDIS_MEMOP_TYPE_AGEN ? "agen" : "m", bits,
                     close);
        break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: snprintf(buf, size, "%simm%u%s", open, bits, close); break;
    default: snprintf(buf, size, "ptr"); break;
    }
}

void
form_name(const struct form *f, char *buf, size_t size)
{
    char op[40];
    size_t n = 0;
    unsigned t = f->key.traits;

#define ADD(...) (n = n + (size_t)snprintf(buf + n, size - n, __VA_ARGS__), n = n < size ? n : size - 1)
    ADD("%s%s%s%s%s", t & FORM_LOCK ? "lock " : "", t & FORM_REP ? "rep " : "",
        t & FORM_REPNE ? "repne " : "", t & FORM_FAR ? "far " : "", ZydisMnemonicGetString(f->key.mnemonic));
    for (uint32_t i = 0; i < f->key.noperands; i++) {
        operand_name(f->key.operand[i], op, sizeof op);
        ADD("%s%s%s", i ? ", " : " ", op,
            i > 0            ? ""
            : t & FORM_ZERO  ? "{k}{z}"
            : t & FORM_MERGE ? "{k}"
                             : "");
    }
    ADD("%s%s%s", t & FORM_BROADCAST ? " {bcst}" : "", t & FORM_ROUNDING ? " {er}" : "",
        t & FORM_SAE ? " {sae}" : "");
#undef ADD
}
