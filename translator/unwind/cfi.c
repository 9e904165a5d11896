/* From an address to what its call frame information says: the search for the
 * FDE, its program, and the compact rule. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unwind/cfi.h"

const uint8_t reg_of_dwarf[DWARF_RA] = {RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15};
const uint8_t saved_reg[N_SAVED] = {RBP, RBX, R12, R13, R14, R15};
static const uint8_t saved_dwarf[N_SAVED] = {6, 3, 12, 13, 14, 15};

/* ---- encoded pointers (LSB, DWARF exception header encoding) ---- */

enum { PE_FORMAT = 0x0f, PE_RELATIVE = 0x70, PE_PC = 0x10, PE_DATA = 0x30, PE_INDIRECT = 0x80, PE_OMIT = 0xff };
enum { PE_TABLE = 0x3b };       /* data-relative, four signed bytes: the one encoding of search tables */

static uint64_t
take_pointer(struct cursor *c, uint8_t enc, uint64_t data)
{
    uint64_t at = (uint64_t)c->p, v;

    switch (enc & PE_FORMAT) {
    case 0x00: case 0x04: case 0x0c: v = take(c, 8); break;
    case 0x01: v = take_uleb(c); break;
    case 0x02: v = take(c, 2); break;
    case 0x03: v = take(c, 4); break;
    case 0x09: v = (uint64_t)take_sleb(c); break;
    case 0x0a: v = (uint64_t)(int16_t)take(c, 2); break;
    case 0x0b: v = (uint64_t)(int32_t)take(c, 4); break;
    default:
        c->bad = true;
        return 0;
    }
    if (!v)
        return 0;
    switch (enc & PE_RELATIVE) {
    case 0: break;
    case PE_PC: v += at; break;
    case PE_DATA: v += data; break;
    default: c->bad = true; return 0;
    }
    return (enc & PE_INDIRECT) && !c->bad ? load64(v) : v;
}

bool
cfi_open(struct cfi_image *im, uint64_t hdr, uint64_t size)
{
    struct cursor c = {(const uint8_t *)hdr, (const uint8_t *)hdr + size, false};

    if (take(&c, 1) != 1)
        return false;
    uint8_t frames_enc = (uint8_t)take(&c, 1), count_enc = (uint8_t)take(&c, 1), table_enc = (uint8_t)take(&c, 1);
    im->hdr = hdr;
    im->frames = take_pointer(&c, frames_enc, hdr);
    im->frames_end = im->hi;
    if (count_enc != PE_OMIT && table_enc == PE_TABLE) {
        uint64_t n = take_pointer(&c, count_enc, hdr);
        if (!c.bad && n <= (uint64_t)(c.end - c.p) / 8) {
            im->table = (uint64_t)c.p;
            im->n_table = n;
        }
    }
    return !c.bad && im->frames >= im->lo && im->frames < im->hi;
}

/* ---- CIEs and FDEs ---- */

struct cie {
    const uint8_t *program, *end;
    uint64_t code_align;
    int64_t data_align;
    uint8_t fde_enc;
    bool augmented, signal;
};

struct fde {
    uint64_t start, end;
    const uint8_t *program, *program_end;
    struct cie cie;
};

/* Opens the entry at `at`: its content in *c, its identifying word in *id. False: an end mark or garbage. */
static bool
entry_open(const struct cfi_image *im, uint64_t at, struct cursor *c, uint64_t *id, uint64_t *id_at)
{
    struct cursor all = {(const uint8_t *)at, (const uint8_t *)im->frames_end, false};

    if (at < im->frames || at >= im->frames_end)
        return false;
    uint64_t n = take(&all, 4);
    if (n == 0xffffffff)
        n = take(&all, 8);
    if (all.bad || n < 4 || n > (uint64_t)(all.end - all.p))
        return false;
    *c = (struct cursor){all.p, all.p + n, false};
    *id_at = (uint64_t)c->p;
    *id = take(c, 4);
    return true;
}

static bool
cie_read(const struct cfi_image *im, uint64_t at, struct cie *out)
{
    struct cursor c;
    uint64_t id, id_at;
    const char *aug;

    if (!entry_open(im, at, &c, &id, &id_at) || id != 0)
        return false;
    uint8_t version = (uint8_t)take(&c, 1);
    if (version != 1 && version != 3 && version != 4)
        return false;
    aug = (const char *)c.p;
    while (take(&c, 1) && !c.bad)
        ;
    if (version == 4)
        take(&c, 2);                 /* address and segment size */
    *out = (struct cie){.end = c.end};
    out->code_align = take_uleb(&c);
    out->data_align = take_sleb(&c);
    uint64_t ra = version == 1 ? take(&c, 1) : take_uleb(&c);
    if (c.bad || ra != DWARF_RA)
        return false;
    if (*aug == 'z') {
        uint64_t n = take_uleb(&c);
        if (n > (uint64_t)(c.end - c.p))
            return false;
        out->program = c.p + n;
        out->augmented = true;
        while (*++aug) {
            if (*aug == 'R') {
                out->fde_enc = (uint8_t)take(&c, 1);
            } else if (*aug == 'P') {
                uint8_t enc = (uint8_t)take(&c, 1);
                take_pointer(&c, enc & (uint8_t)~PE_INDIRECT, 0);
            } else if (*aug == 'L') {
                take(&c, 1);
            } else if (*aug == 'S') {
                out->signal = true;
            }
        }
    } else if (*aug) {
        return false;
    } else {
        out->program = c.p;
    }
    return !c.bad;
}

static bool
fde_read(const struct cfi_image *im, uint64_t at, struct fde *out)
{
    struct cursor c;
    uint64_t id, id_at;

    if (!entry_open(im, at, &c, &id, &id_at) || id == 0 || id > id_at || !cie_read(im, id_at - id, &out->cie))
        return false;
    out->start = take_pointer(&c, out->cie.fde_enc, im->hdr);
    out->end = out->start + take_pointer(&c, out->cie.fde_enc & PE_FORMAT, 0);
    if (out->cie.augmented) {
        uint64_t n = take_uleb(&c);
        if (n > (uint64_t)(c.end - c.p))
            return false;
        c.p += n;
    }
    out->program = c.p;
    out->program_end = c.end;
    return !c.bad;
}

uint64_t
cfi_each(const struct cfi_image *im, void (*f)(const struct cfi_entry *e, void *arg), void *arg)
{
    struct cursor c;
    struct fde fde;
    uint64_t id, id_at, n = 0;

    for (uint64_t at = im->frames; entry_open(im, at, &c, &id, &id_at); at = (uint64_t)c.end)
        if (id && fde_read(im, at, &fde) && fde.start && fde.end > fde.start) {
            f(&(struct cfi_entry){fde.start, fde.end, at}, arg);
            n++;
        }
    return n;
}

/* Address of the last FDE that starts at or below `place`, 0: none. */
static uint64_t
fde_candidate(const struct cfi_image *im, uint64_t place)
{
    uint64_t lo = 0, hi = im->table ? im->n_table : im->n_index;
    const int32_t *table = (const int32_t *)im->table;

    while (lo < hi) {
        uint64_t mid = (lo + hi) / 2, start = im->table ? im->hdr + (uint64_t)(int64_t)table[2 * mid] : im->index[mid].start;
        if (start <= place)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (!lo)
        return 0;
    return im->table ? im->hdr + (uint64_t)(int64_t)table[2 * (lo - 1) + 1] : im->index[lo - 1].fde;
}

static bool
fde_find(const struct cfi_image *im, uint64_t place, struct fde *out)
{
    uint64_t at = im->table || im->index ? fde_candidate(im, place) : 0;

    return at && fde_read(im, at, out) && place >= out->start && place < out->end;
}

/* ---- the program ---- */

enum { MAX_REMEMBERED = 8 };
enum where { SAME, UNDEFINED, AT_CFA, IS_CFA, IN_REGISTER, AT_EXPRESSION, IS_EXPRESSION };

struct place { int64_t offset; const uint8_t *p; uint8_t where; };     /* offset: or register, or length of the expression */
struct row {
    struct place reg[N_DWARF];
    uint8_t cfa_reg;                /* of DWARF                                     */
    int64_t cfa_offset;
    const uint8_t *cfa_p;           /* an expression of cfa_n bytes, if not NULL    */
    uint64_t cfa_n;
};

struct run {
    struct row now, initial, stack[MAX_REMEMBERED];
    unsigned n;
    uint64_t pc;
};

static void
set(struct run *s, uint64_t reg, enum where w, int64_t offset)
{
    if (reg < N_DWARF)
        s->now.reg[reg] = (struct place){offset, NULL, (uint8_t)w};
}

static void
set_expression(struct run *s, uint64_t reg, enum where w, struct cursor *c)
{
    uint64_t n = take_uleb(c);

    if (n > (uint64_t)(c->end - c->p)) {
        c->bad = true;
        return;
    }
    if (reg < N_DWARF)
        s->now.reg[reg] = (struct place){(int64_t)n, c->p, (uint8_t)w};
    c->p += n;
}

static void
restore(struct run *s, uint64_t reg)
{
    if (reg < N_DWARF)
        s->now.reg[reg] = s->initial.reg[reg];
}

static void
cfa_expression(struct run *s, struct cursor *c)
{
    s->now.cfa_n = take_uleb(c);
    s->now.cfa_p = c->p;
    if (s->now.cfa_n > (uint64_t)(c->end - c->p))
        c->bad = true;
    else
        c->p += s->now.cfa_n;
}

static void
cfa_is(struct run *s, struct cursor *c, uint64_t reg, int64_t offset)
{
    if (reg >= DWARF_RA)
        c->bad = true;
    s->now.cfa_reg = (uint8_t)reg;
    s->now.cfa_offset = offset;
    s->now.cfa_p = NULL;
}

/* An instruction that is not in the two top bits of its opcode. */
static void
extended(struct run *s, struct cursor *c, const struct cie *cie, unsigned op)
{
    uint64_t r;

    switch (op) {
    case 0x00: break;                                                           /* nop               */
    case 0x01: s->pc = take_pointer(c, cie->fde_enc, 0); break;                 /* set_loc           */
    case 0x02: s->pc += take(c, 1) * cie->code_align; break;                    /* advance_loc1      */
    case 0x03: s->pc += take(c, 2) * cie->code_align; break;
    case 0x04: s->pc += take(c, 4) * cie->code_align; break;
    case 0x05: r = take_uleb(c); set(s, r, AT_CFA, (int64_t)take_uleb(c) * cie->data_align); break;    /* offset_extended */
    case 0x06: restore(s, take_uleb(c)); break;                                 /* restore_extended  */
    case 0x07: set(s, take_uleb(c), UNDEFINED, 0); break;
    case 0x08: set(s, take_uleb(c), SAME, 0); break;
    case 0x09: r = take_uleb(c); set(s, r, IN_REGISTER, (int64_t)take_uleb(c)); break;
    case 0x0a:                                                                  /* remember_state    */
        if (s->n == MAX_REMEMBERED)
            c->bad = true;
        else
            s->stack[s->n++] = s->now;
        break;
    case 0x0b:                                                                  /* restore_state     */
        if (s->n)
            s->now = s->stack[--s->n];
        else
            c->bad = true;
        break;
    case 0x0c: r = take_uleb(c); cfa_is(s, c, r, (int64_t)take_uleb(c)); break; /* def_cfa           */
    case 0x0d: cfa_is(s, c, take_uleb(c), s->now.cfa_offset); break;            /* def_cfa_register  */
    case 0x0e: s->now.cfa_offset = (int64_t)take_uleb(c); break;                /* def_cfa_offset    */
    case 0x0f: cfa_expression(s, c); break;
    case 0x10: r = take_uleb(c); set_expression(s, r, AT_EXPRESSION, c); break;
    case 0x11: r = take_uleb(c); set(s, r, AT_CFA, take_sleb(c) * cie->data_align); break;             /* offset_extended_sf */
    case 0x12: r = take_uleb(c); cfa_is(s, c, r, take_sleb(c) * cie->data_align); break;
    case 0x13: s->now.cfa_offset = take_sleb(c) * cie->data_align; break;
    case 0x14: r = take_uleb(c); set(s, r, IS_CFA, (int64_t)take_uleb(c) * cie->data_align); break;    /* val_offset */
    case 0x15: r = take_uleb(c); set(s, r, IS_CFA, take_sleb(c) * cie->data_align); break;
    case 0x16: r = take_uleb(c); set_expression(s, r, IS_EXPRESSION, c); break;
    case 0x2e: take_uleb(c); break;                                             /* GNU_args_size     */
    case 0x2f: r = take_uleb(c); set(s, r, AT_CFA, -(int64_t)take_uleb(c) * cie->data_align); break;   /* GNU_negative_offset_extended */
    default: c->bad = true; break;
    }
}

/* Executes instructions up to the row that holds `place`. False: garbage. */
static bool
run(struct run *s, const uint8_t *p, const uint8_t *end, const struct cie *cie, uint64_t place)
{
    struct cursor c = {p, end, false};

    while (c.p < c.end && s->pc <= place && !c.bad) {
        unsigned op = (unsigned)take(&c, 1), low = op & 0x3f;
        switch (op >> 6) {
        case 1: s->pc += low * cie->code_align; break;
        case 2: set(s, low, AT_CFA, (int64_t)take_uleb(&c) * cie->data_align); break;
        case 3: restore(s, low); break;
        default: extended(s, &c, cie, low); break;
        }
    }
    return !c.bad;
}

/* The row that holds `place`. */
static bool
row_find(const struct cfi_image *im, uint64_t place, struct run *s, struct fde *fde)
{
    if (!fde_find(im, place, fde))
        return false;
    memset(&s->now, 0, sizeof s->now);
    s->n = 0;
    s->pc = fde->start;
    if (!run(s, fde->cie.program, fde->cie.end, &fde->cie, UINT64_MAX))
        return false;
    s->initial = s->now;
    s->pc = fde->start;
    return run(s, fde->program, fde->program_end, &fde->cie, place);
}

/* ---- compact rules ---- */

/* A PLT entry of lazy binding pushes its number half way: breg7 8, breg16 0, lit15, and, litN, ge, lit3, shl, plus. */
static bool
plt_cfa(const uint8_t *p, uint64_t n, uint64_t place, int32_t *offset)
{
    static const uint8_t head[6] = {0x77, 8, 0x80, 0, 0x3f, 0x1a}, tail[4] = {0x2a, 0x33, 0x24, 0x22};

    if (n != 11 || memcmp(p, head, sizeof head) != 0 || memcmp(p + 7, tail, sizeof tail) != 0 || p[6] < 0x30 || p[6] > 0x3f)
        return false;
    *offset = 8 + 8 * ((place & 15) >= (unsigned)(p[6] - 0x30));
    return true;
}

/* An expression that is one register and an offset; `rest`: bytes behind that, which the caller knows. */
static bool
register_and_offset(const uint8_t *p, uint64_t n, uint8_t *reg, int64_t *offset, uint64_t *rest)
{
    struct cursor c = {p, p + n, false};
    uint64_t op = take(&c, 1) - 0x70;

    if (op >= DWARF_RA)
        return false;
    *reg = reg_of_dwarf[op];
    *offset = take_sleb(&c);
    *rest = (uint64_t)(c.end - c.p);
    return !c.bad;
}

static bool
compact_cfa(const struct row *w, uint64_t place, struct rule *out)
{
    int64_t offset = w->cfa_offset;
    uint64_t rest = 0;

    out->kind = RULE_CFA;
    out->cfa_reg = reg_of_dwarf[w->cfa_reg];
    if (w->cfa_p) {
        if (plt_cfa(w->cfa_p, w->cfa_n, place, &out->cfa_offset)) {
            out->cfa_reg = RSP;
            return true;
        }
        if (!register_and_offset(w->cfa_p, w->cfa_n, &out->cfa_reg, &offset, &rest) || rest > 1 || (rest == 1 && w->cfa_p[w->cfa_n - 1] != 0x06))
            return false;
        if (rest)
            out->kind = RULE_DEREF;
    }
    out->cfa_offset = (int32_t)offset;
    return fits_i32(offset);
}

/* False: it takes more than a rule can say. */
static bool
compact(const struct row *w, uint64_t place, struct rule *out)
{
    const struct place *ra = &w->reg[DWARF_RA];

    if (!compact_cfa(w, place, out) || ra->where != AT_CFA || !fits_i32(ra->offset) || w->reg[DWARF_RSP].where != SAME)
        return false;
    out->ra = (int32_t)ra->offset;
    for (unsigned i = 0; i < N_SAVED; i++) {
        const struct place *p = &w->reg[saved_dwarf[i]];
        int64_t offset = p->offset;
        uint64_t rest;
        uint8_t reg;
        if (p->where == SAME || p->where == UNDEFINED)
            continue;
        if (p->where == AT_EXPRESSION) {
            if (!register_and_offset(p->p, (uint64_t)p->offset, &reg, &offset, &rest) || rest || reg != RBP)
                return false;
            out->by_rbp |= (uint8_t)(1 << i);
        } else if (p->where != AT_CFA) {
            return false;
        }
        if (!fits_i32(offset))
            return false;
        out->saved |= (uint8_t)(1 << i);
        out->at[i] = (int32_t)offset;
    }
    return true;
}

void
cfi_rule(const struct cfi_image *im, uint64_t place, struct rule *out)
{
    struct fde fde;
    struct run s;

    memset(out, 0, sizeof *out);
    if (!row_find(im, place, &s, &fde)) {
        out->kind = RULE_NONE;
    } else if (s.now.reg[DWARF_RA].where == UNDEFINED) {
        out->kind = RULE_END;
    } else if (fde.cie.signal || !compact(&s.now, place, out)) {
        memset(out, 0, sizeof *out);
        out->kind = RULE_SLOW;
    }
}

/* ---- everything else ---- */

static bool
register_value(const struct place *p, const struct frame *f, uint64_t cfa, uint64_t same, uint64_t *out)
{
    uint64_t a;

    switch (p->where) {
    case AT_CFA: *out = load64(cfa + (uint64_t)p->offset); return true;
    case IS_CFA: *out = cfa + (uint64_t)p->offset; return true;
    case IN_REGISTER:
        *out = p->offset < DWARF_RA ? f->r[reg_of_dwarf[p->offset]] : f->pc;
        return p->offset <= DWARF_RA;
    case AT_EXPRESSION:
        if (!cfi_expression(p->p, (uint64_t)p->offset, f, true, cfa, &a))
            return false;
        *out = load64(a);
        return true;
    case IS_EXPRESSION: return cfi_expression(p->p, (uint64_t)p->offset, f, true, cfa, out);
    default: *out = same; return true;
    }
}

bool
cfi_step(const struct cfi_image *im, struct frame *f, bool *signal)
{
    struct frame to = {.exact = false};
    struct fde fde;
    struct run s;
    uint64_t cfa;

    if (!row_find(im, frame_place(f), &s, &fde) || s.now.reg[DWARF_RA].where == UNDEFINED)
        return false;
    if (!s.now.cfa_p)
        cfa = f->r[reg_of_dwarf[s.now.cfa_reg]] + (uint64_t)s.now.cfa_offset;
    else if (!cfi_expression(s.now.cfa_p, s.now.cfa_n, f, false, 0, &cfa))
        return false;
    for (unsigned i = 0; i < DWARF_RA; i++)
        if (!register_value(&s.now.reg[i], f, cfa, i == DWARF_RSP ? cfa : f->r[reg_of_dwarf[i]], &to.r[reg_of_dwarf[i]]))
            return false;
    if (!register_value(&s.now.reg[DWARF_RA], f, cfa, 0, &to.pc))
        return false;
    to.exact = *signal = fde.cie.signal;
    *f = to;
    return true;
}
