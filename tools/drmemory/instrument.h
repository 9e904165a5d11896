/* Emitted checks: see instrument.c. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_INSTRUMENT_H
#define DRTOOLS_DRMEMORY_INSTRUMENT_H

#include "drmemory.h"

/* Every register is defined; at most vector, mask and x87 registers are not; any may not be. */
enum mode { MODE_CLEAN, MODE_VECTOR, MODE_DIRTY, N_MODES };

/* The checks use BMI2 instructions. */
bool instrument_cpu_suffices(void);
/* In init. False: no thread memory. */
bool instrument_init(void);
void instrument_thread(dr_thread *t);             /* a new one */
struct regstate *regstate_of(dr_thread *t);
/* The calling thread goes on in the mode that its register state asks for. */
void mode_update(dr_thread *t);

/* The tool's callbacks. */
bool instrument_begin(dr_block *b);
void instrument_insn(dr_block *b, unsigned index);
bool instrument_fault(struct dr_fault *f);

void instrument_print_stats(void);

/* Counts; statistics, not exact with several threads. */
struct instrument_stats { uint64_t slow_loads, slow_stores, slow_others, slow_vectors, dirty_entries, vector_entries, dirty_steps, misaligned; };
extern struct instrument_stats instrument_stats;

#endif
