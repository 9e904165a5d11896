/* What the files of drmemory share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_H
#define DRTOOLS_DRMEMORY_H

#include "drtools/tool.h"
#include "shadow/shadow.h"
#include "state.h"

/* ---- options; drmemory.opt describes each. Set before the program starts. ---- */
struct drmemory_options {
    bool check_uninitialized, check_leaks, count_leaks, possible_leaks, show_reachable, leaks_only, light, origins;
    bool check_overlap, check_mismatches, check_realloc_zero, strict_alignment, pause_at_error, crash_at_unaddressable, crash_at_error, stats;
    unsigned callstack_max_frames, malloc_max_frames, free_max_frames;
    unsigned delay_frees;           /* freed blocks kept from reuse at most */
    uint64_t delay_frees_bytes;     /* … and their bytes together at most   */
    unsigned redzone_size;          /* bytes before and behind each block   */
    unsigned report_max, report_leak_max;
};
extern struct drmemory_options opt;

/* ---- stacks (stacks.c): call stacks, each kept once ---- */
typedef uint32_t stack_id;          /* 0: none */
/* The program's call stack at mc, innermost frame first, of at most `max` frames. */
stack_id stack_here(const struct dr_mcontext *mc, unsigned max);
unsigned stack_frames(stack_id s, const uint64_t **pcs);

/* ---- reports (report.c): each sends one record, deduplicated by kind and stack, in any thread ---- */
enum access_kind { ACCESS_IS_READ, ACCESS_IS_WRITE, ACCESS_IS_JUMP };
void report_unaddressable(const struct dr_mcontext *mc, enum access_kind kind, uint64_t a, unsigned size);
/* An undefined value decides something at mc->rip: `what` is a static string such as "conditional jump", "address";
 * `detail`: a register's or variable's name, or NULL. a, size: memory it came from, 0: a register. */
enum uninit_kind { UNINIT_JUMP, UNINIT_ADDRESS, UNINIT_READ /* vector index, mask */ };
void report_uninitialized(const struct dr_mcontext *mc, enum uninit_kind kind, const char *detail, uint64_t a, unsigned size);
/* System call number nr's argument `arg` (0 … 5, or -1) and, where memory, its address. */
void report_syscall(const struct dr_mcontext *mc, uint64_t nr, int arg, bool undefined, bool write, uint64_t a, uint64_t size);
/* A heap function called wrongly. mc stands at its entry; `function` is its name as called. */
enum heap_fault { HEAP_INVALID_FREE, HEAP_DOUBLE_FREE, HEAP_MISMATCH, HEAP_BAD_SIZE, HEAP_BAD_ALIGNMENT, HEAP_REALLOC_ZERO, HEAP_CORRUPT };
void report_heap(const struct dr_mcontext *mc, enum heap_fault fault, const char *function, uint64_t a, const char *allocated_by);
void report_overlap(const struct dr_mcontext *mc, const char *function, uint64_t dst, uint64_t src, uint64_t n);

struct leak {
    int kind;                       /* enum record_leak_kind */
    uint64_t address, bytes, indirect_bytes, blocks, indirect_blocks;
    stack_id allocated;
    bool is_new;                    /* not seen by an earlier scan */
};
void report_leaks(const struct leak *l, size_t n);

/* ---- heap (heap.c, replace.c): the allocator that replaces the program's ---- */
struct heap_block {
    uint64_t start, size;           /* as the program asked                */
    stack_id allocated, freed;      /* freed: 0 while it is live           */
    uint8_t family;                 /* enum heap_family                    */
    bool live, mapped_by_program;   /* the latter: MALLOCLIKE, pools       */
};
enum heap_family { HEAP_MALLOC, HEAP_NEW, HEAP_NEW_ARRAY, HEAP_POOL };
/* The block that holds a, or whose redzone does, live or freed and not reused yet. Any thread. */
bool heap_find(uint64_t a, struct heap_block *out);
/* Every live block, in the order of addresses; other threads stopped. */
void heap_each(void (*f)(const struct heap_block *b, void *arg), void *arg);

/* ---- replacing functions (replace.c): called by block_insn for a block's first instruction; true: this block is a replaced function's ---- */
bool replace_block(dr_block *b);        /* more in replace.h */

/* ---- propagation (propagate.c): see there ---- */
struct step;                        /* one decoded instruction, made at translation, kept while its fragment may run */

/* ---- leaks (leak.c) ---- */
enum leak_occasion { LEAK_AT_EXIT, LEAK_AT_NUDGE, LEAK_ON_REQUEST };
void leak_scan(enum leak_occasion why);

#endif
