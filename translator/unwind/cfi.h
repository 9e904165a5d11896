/* Call frame information (.eh_frame) as the unwinder uses it: what is known of
 * one address, compact enough to be cached.
 * Program memory is read directly: a caller recovers from faults. Every loop is
 * bounded by the bytes of one entry, one table or a step count, so that garbage
 * ends it.
 * See DWARF 5, section 6.4; the LSB on .eh_frame; docs/unwinding.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_CFI_H
#define DRTOOLS_TRANSLATOR_CFI_H

#include "drtools/emit.h"
#include "util/base.h"

/* A frame: the registers by enum reg, of which only the callee-saved are true of callers, and where it stands. */
struct frame {
    uint64_t r[16];
    uint64_t pc;
    bool exact;                     /* pc is the next instruction; else a return address: the call before it counts */
};
/* The address whose rule is the frame's. */
static inline uint64_t frame_place(const struct frame *f) { return f->pc - !f->exact; }

enum { SAVED_RBP, SAVED_RBX, SAVED_R12, SAVED_R13, SAVED_R14, SAVED_R15, N_SAVED };

enum rule_kind {
    RULE_NONE,      /* no CFI                                                       */
    RULE_CFA,       /* the CFA is cfa_reg + cfa_offset                              */
    RULE_DEREF,     /* … the word there (functions that align their stack)          */
    RULE_SIGNAL,    /* at a signal frame's restorer: the kernel's ucontext is at rsp */
    RULE_END,       /* the outermost frame                                          */
    RULE_SLOW,      /* none of these: cfi_step works it out each time               */
};

struct rule {
    int32_t cfa_offset;
    uint8_t kind, cfa_reg;
    uint8_t saved;                  /* bit i: register i (SAVED_*) is in memory at at[i] from the CFA */
    uint8_t by_rbp;                 /* bit i: … from the frame's rbp instead                          */
    int32_t at[N_SAVED];
    int32_t ra;                     /* of the return address, from the CFA          */
    bool guess;                     /* made by rule_guess: to be checked            */
};

/* One object's tables in memory. */
struct cfi_entry { uint64_t start, end, fde; };
struct cfi_image {
    uint64_t lo, hi;                /* the object; a range without CFI if there is neither table nor index */
    uint64_t hdr, table;            /* .eh_frame_hdr and its binary search table    */
    uint64_t n_table;
    uint64_t frames, frames_end;    /* .eh_frame                                    */
    struct cfi_entry *index;        /* of .eh_frame, where it has no table          */
    uint64_t n_index;
};

/* Fills in what .eh_frame_hdr at `hdr` says. False: it is none. */
bool cfi_open(struct cfi_image *im, uint64_t hdr, uint64_t size);
/* Passes over .eh_frame: calls `f` for each FDE. Returns their number. */
uint64_t cfi_each(const struct cfi_image *im, void (*f)(const struct cfi_entry *e, void *arg), void *arg);
/* The rule at `place`. RULE_NONE: nothing is known of it. */
void cfi_rule(const struct cfi_image *im, uint64_t place, struct rule *out);
/* The caller of f, by whatever its CFI says. False: f is outermost or nothing is known. *signal: f is a signal frame. */
bool cfi_step(const struct cfi_image *im, struct frame *f, bool *signal);

/* expression.c: a DWARF expression of n bytes with `cfa` on its stack if `push`. False: it cannot be evaluated. */
bool cfi_expression(const uint8_t *p, uint64_t n, const struct frame *f, bool push, uint64_t cfa, uint64_t *out);

/* ---- bytes ---- */

struct cursor { const uint8_t *p, *end; bool bad; };

static inline uint64_t
take(struct cursor *c, unsigned n)
{
    uint64_t v = 0;

    if ((uint64_t)(c->end - c->p) < n) {
        c->bad = true;
        c->p = c->end;
        return 0;
    }
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)c->p[i] << 8 * i;
    c->p += n;
    return v;
}
static inline uint64_t
take_uleb(struct cursor *c)
{
    uint64_t v = 0;
    uint8_t b = 0x80;

    for (unsigned shift = 0; (b & 0x80) && !c->bad; shift += 7) {
        b = (uint8_t)take(c, 1);
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
    }
    return v;
}
static inline int64_t
take_sleb(struct cursor *c)
{
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t b = 0x80;

    for (; (b & 0x80) && !c->bad; shift += 7) {
        b = (uint8_t)take(c, 1);
        if (shift < 64)
            v |= (uint64_t)(b & 0x7f) << shift;
    }
    if (shift < 64 && (b & 0x40))
        v |= ~0ull << shift;
    return (int64_t)v;
}
static inline uint64_t
load64(uint64_t a)
{
    return *(const volatile uint64_t *)a;
}

/* DWARF's number of a register (psABI, figure 3.36) to enum reg; REG_NONE: none of the 16. */
enum { DWARF_RSP = 7, DWARF_RA = 16, N_DWARF = 17 };
extern const uint8_t reg_of_dwarf[DWARF_RA];
extern const uint8_t saved_reg[N_SAVED];

#endif
