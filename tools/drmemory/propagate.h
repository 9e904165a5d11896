/* Propagation of definedness: what an instruction does to the undefined bits of
 * registers and memory, bit by bit, and where an undefined bit matters.
 * Called before each instruction in dirty mode, with the program's vector, mask
 * and x87 registers in the CPU: the code reads them there, and changes none.
 * Threads: each with its own regstate; shadow memory is shared.
 * See docs/propagation.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_PROPAGATE_H
#define DRTOOLS_PROPAGATE_H

#include "drtools/tool.h"
#include "state.h"

enum operand_kind {
    OPERAND_NONE,
    OPERAND_GPR,
    OPERAND_MEMORY,
    OPERAND_IMMEDIATE,
    OPERAND_VECTOR,
    OPERAND_MMX,
    OPERAND_X87,                    /* number: of the stack, st(i)                             */
    OPERAND_MASK,
    OPERAND_OTHER,                  /* always defined: segment, control registers …            */
};

struct operand {
    uint8_t kind, number;
    uint8_t shift;                  /* 8: ah ch dh bh                                          */
    uint8_t element;                /* bytes of one element; 0: of less than a byte            */
    uint16_t bytes;
};

enum step_flags {
    STEP_READS_MEMORY = 1,          /* the explicit memory operand                             */
    STEP_WRITES_MEMORY = 2,
    STEP_MEMORY = 4,                /* accesses memory at all: takes the whole way             */
    STEP_ZEROING = 8,               /* EVEX zero-masking                                       */
    STEP_BROADCAST = 16,
    STEP_VEX = 32,                  /* VEX or EVEX: clears a vector register above the result  */
    STEP_REP = 64,                  /* rep, repe                                               */
    STEP_REPNE = 128,
    STEP_ADDRESS32 = 256,
    STEP_IMMEDIATE = 512,           /* imm holds one                                           */
    STEP_CALL = 1024,
    STEP_MASK_READ = 2048,          /* its mask is an operand of its own (gathers)             */
};

enum { STEP_MAX_OPERANDS = 4 };

/* One decoded instruction. */
struct step {
    uint64_t pc;
    uint64_t touched;               /* bits of regstate.summary for all it reads or writes     */
    uint64_t imm;                   /* sign-extended                                           */
    int64_t disp;                   /* relative to rip: the address                            */
    struct operand op[STEP_MAX_OPERANDS];
    uint16_t flags;                 /* enum step_flags                                         */
    uint16_t gpr_read, gpr_written; /* all, also implicit and addresses                        */
    uint16_t flags_read, flags_written;
    uint8_t rule, a, b;             /* enum rule and its parameters                            */
    uint8_t length, count;          /* operands without mask; immediates only of integer rules */
    uint8_t base, index, scale, segment;    /* REG_NONE; index of a vector register for VSIB   */
    uint8_t mask;                   /* k1 … k7, 0: none                                        */
    uint8_t mem;                    /* number of the memory operand, or 0xff                   */
};
_Static_assert(sizeof(struct step) <= 96, "one is kept for each instruction of dirty fragments");

/* False: no instruction. `bytes` hold at least 15, or end where memory does. Needs dr_decode. */
bool step_make(const uint8_t *bytes, unsigned n, uint64_t pc, struct step *out);

/* The instruction s is about to execute with registers mc. */
void propagate_step(const struct step *s, struct regstate *rs, const struct dr_mcontext *mc);
/* … but the instruction at pc faulted: takes back what the last propagate_step of this thread changed, if it was for that one. */
void propagate_undo(struct regstate *rs, uint64_t pc);

/* A load of 16, 32 or 64 aligned bytes of which some, not all, are addressable: vector code that looks for the end of a
 * string does it, and it cannot fault. No error; the others load as undefined. */
bool partial_load(uint64_t a, uint64_t n);

/* Bits of regstate.summary that are a function of one register. */
static inline uint64_t summary_gpr(unsigned r) { return 1ull << (SUMMARY_GPR + r); }
static inline uint64_t summary_zmm(unsigned r) { return 1ull << (r < 14 ? SUMMARY_ZMM + r : SUMMARY_ZMM_REST + r - 14); }
static inline uint64_t summary_k(unsigned r) { return 1ull << (SUMMARY_K + r); }

#endif
