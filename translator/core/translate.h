/* From program bytes to a fragment in the code cache. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_TRANSLATE_H
#define DRTOOLS_TRANSLATOR_TRANSLATE_H

#include "core/cache.h"

enum translate_result {
    TRANSLATE_OK,
    TRANSLATE_FAULT,     /* the first byte (or the rest of the first instruction) cannot be fetched: run it natively to fault */
    TRANSLATE_INVALID,   /* no CPU executes it: run it natively to fault */
};

/* The fragment of (tag, mode), translated now if need be. Takes and releases
 * cache_lock. `from`: the exit through which control came, or 0.
 * `indirect`: reached by an indirect branch, so its landing pad comes right in front.
 * `once`: translate only the first instruction, privately. */
enum translate_result translate(struct thread *t, uint64_t tag, unsigned mode, exit_id from, bool once, bool indirect, frag_id *out);

/* The state map: what cache address `pc` of fragment f stands for. */
struct app_state {
    uint64_t pc;             /* the program's                                            */
    bool boundary;           /* all effects of earlier instructions are done, none of this one */
    bool recoverable;        /* registers can be put back to the boundary at `pc`        */
    bool leaving;            /* on its way out of the cache                              */
    struct map_entry entry;
};
bool translate_state(frag_id f, uint64_t pc, struct app_state *out);
/* Puts the program's registers back as entry `e` tells. `gpr` by enum reg. */
void state_recover(const struct thread *t, const struct app_state *s, uint64_t *gpr);

struct insn;
bool insn_saves_x87_16(const struct insn *in);       /* fnsave in the 16-bit format */
bool insn_is_ia32_gate(const struct insn *in);     /* int 0x80 */
bool insn_takes_linear_operand(const uint8_t *bytes, const struct insn *in);
bool insn_is_lea(const struct insn *in);
bool insn_loads_gs(const uint8_t *bytes, const struct insn *in);
bool insn_may_store(const uint8_t *bytes, const struct insn *in);

/* core/narrow.c */
extern bool narrow_branches;        /* this processor takes the operand-size prefix of near branches */
void narrow_detect(void);
bool insn_is_narrow(const struct insn *in);
/* Carries it out on t->s.mc. False: its memory operand or stack is not there. */
bool narrow_branch(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc, uint64_t *next);

#endif
