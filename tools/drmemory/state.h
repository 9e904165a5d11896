/* Definedness of the registers of one thread. A 1 is an undefined bit.
 * Lies in thread memory (dr_thread_memory), so that emitted code tests `summary`
 * in one instruction.
 * Invariant: summary == 0 if and only if everything else but `undo` is 0.
 * Threads: its own only. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_STATE_H
#define DRTOOLS_DRMEMORY_STATE_H

#include <stdint.h>

/* Bits of regstate.summary. */
enum {
    SUMMARY_GPR = 0,                /* bit r: gpr[r] is not 0                        */
    SUMMARY_FLAGS = 16,
    SUMMARY_ZMM = 17,               /* bit 17 + r for zmm0 … zmm13: zmm[r] is not 0  */
    SUMMARY_X87 = 31,
    SUMMARY_ZMM_REST = 32,          /* bit 32 + r - 14 for zmm14 … zmm31             */
    SUMMARY_K = 50,                 /* bit 50 + r for k0 … k7                        */
    SUMMARY_MXCSR = 58,
};
#define SUMMARY_INTEGER 0x1ffffull  /* general registers and flags: what makes a block need dirty mode */
#define SUMMARY_VECTOR 0x7ffffffffffe0000ull    /* vector, mask and x87 registers                */

enum relation { RELATION_BELOW_EQUAL = 1, RELATION_LESS = 2, RELATION_LESS_EQUAL = 4 };

struct regstate {
    uint64_t summary;
    uint64_t gpr[16];               /* by enum reg                                   */
    uint64_t flags;                 /* by EFLAGS position: CF PF AF ZF SF DF OF      */
    uint64_t k[8];
    uint8_t zmm[32][64];            /* byte i of a vector register, as in memory     */
    uint8_t st[8][10];              /* physical x87 registers R0 … R7; MMX shares their low 8 bytes */
    uint16_t x87_flags;             /* C0-C3 of the status word                      */
    uint32_t mxcsr;
    /* Relations that hold whatever the undefined flags are, after a comparison (enum relation); 0 when flags is 0. */
    uint8_t relations;
    /* What the last step changed: see propagate_undo. */
    struct { uint64_t summary, pc; uint32_t used; uint8_t log[4096]; } undo;
};

#endif
