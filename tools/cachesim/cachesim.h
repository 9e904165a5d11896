/* What the tool's files share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_CACHESIM_CACHESIM_H
#define DRTOOLS_CACHESIM_CACHESIM_H

#include "drtools/tool.h"
#include "sim.h"

int strcmp(const char *a, const char *b);                  /* the engine's */
void *memcpy(void *to, const void *from, size_t n);

/* ---- what is counted, by instruction ---- */

enum count { I1_MISS, IL_MISS, D1_READ_MISS, DL_READ_MISS, D1_WRITE_MISS, DL_WRITE_MISS, N_COUNTS };

struct insn {
    uint64_t pc;
    uint32_t block, first_op;
    uint8_t length, n_ops;
    uint8_t reads, writes;           /* references each execution; those of `varies` not among them */
    bool group_member;               /* looked up with an earlier instruction's reference               */
    uint8_t group_span;              /* bytes that its group extends over, 0: none begins here         */
    int8_t group_first;              /* … from this one's address to the lowest                        */
    uint8_t group_n;                 /* … instructions                                                 */
    int8_t group_at;                 /* from the group's first reference to this one                   */
    bool varies;                     /* rep, gathers, masks: counted as they happen, in read, written */
    uint64_t cut;                    /* executions of its block that ended in front of it           */
    uint64_t fetched, read, written; /* as they happened: of `varies`; of all where `fast` is not */
    uint64_t missed[N_COUNTS];
};

struct block { uint64_t tag; uint32_t n, first_insn, checksum; };

extern uint32_t n_blocks, n_insns;
extern struct block *blocks;
extern uint64_t *executed;           /* by block, of threads that have ended                       */
struct insn *insn_at(uint32_t i);
struct dr_memory *operand_at(uint32_t i);

/* ---- threads ---- */

/* Totals of a core. */
struct core_totals { uint64_t fetches, reads, writes, missed[N_COUNTS], l2[2] /* misses of instructions, data */, invalidated, prefetched, itlb, dtlb, tlb2; unsigned threads; };

struct cpu {                         /* in every thread's memory                                   */
    unsigned core;
    bool shared;                     /* the core has other threads: its caches are sim.core's      */
    struct cache l1i, l1d;           /* in thread memory; tags: code line numbers of ours; line addresses */
    struct core_totals totals;
};

extern struct sim sim;
extern struct sim_config config;
extern bool fast;                    /* L1 is simulated by emitted code                            */
extern struct core_totals totals[SIM_MAX_CORES];
extern uint32_t slot_cpu, slot_l1i, slot_l1d, slot_blocks, slot_address, slot_line;
extern uint64_t refs_seen, warmup_refs, skip_refs, sim_refs;
extern struct dr_mutex lock;

/* ---- the slow path: clean calls ---- */

/* A place where lines of code are first touched in a block. */
struct fetch_site { uint32_t insn, id[2]; uint64_t line[2]; unsigned n; };
struct fetch_site *fetch_site_at(uint32_t i);
uint32_t new_fetch_site(const struct fetch_site *f);
uint32_t code_line_id(uint64_t line);          /* the number of a line of code */

void fetch_missed(uint64_t site, struct dr_mcontext *mc);
void data_missed(uint64_t insn_and_operand, struct dr_mcontext *mc);     /* its lowest address is in slot_address */
void data_refers(uint64_t insn_and_operand, struct dr_mcontext *mc);
void insn_executes(uint64_t insn, struct dr_mcontext *mc);
enum { OPERAND_BITS = 2 };

/* ---- emission ---- */

void instrument(dr_block *b, unsigned index, uint32_t block);
void instrument_begin(dr_block *b);

/* ---- reports ---- */

extern const char *cachegrind_path, *json_path, *counts_path;
extern unsigned report_top;
void report_all(void);

#endif
