/* Runs: the program memory that the heap has, in units of 64 KiB, and who has which of it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_RUNS_H
#define DRTOOLS_DRMEMORY_RUNS_H

#include "heap.h"

enum { UNIT_SHIFT = 16, UNIT = 1 << UNIT_SHIFT, N_CLASSES = 80, ADDRESS_BITS = 47, LEAF_BITS = 16, TOP_BITS = ADDRESS_BITS - UNIT_SHIFT - LEAF_BITS };
_Static_assert((int)UNIT == (int)HEAP_UNIT, "heap.h tells the unit");

enum slot_state { SLOT_UNUSED, SLOT_LIVE, SLOT_DELAYED, SLOT_PAST /* freed, not used again yet */ };

struct slot {
    stack_id allocated, freed;
    uint16_t slack;                 /* bytes of the slot behind the block                   */
    uint8_t front;                  /* 16-byte steps before it, for its alignment           */
    uint8_t state : 2, family : 3, seen : 1;
};

enum run_kind { RUN_FREE, RUN_TAKEN /* about to become one of the others */, RUN_SLOTS, RUN_LARGE };

struct run {
    uint64_t start;
    uint32_t units;
    uint8_t kind, class;
    bool zero;                      /* nobody has written to it since it was mapped         */
    bool marked;                    /* while free: all of it is unaddressable               */
    bool own_mapping;
    struct arena *arena;            /* NULL: free                                           */
    struct slot *slots;
    uint64_t *unused;
    uint64_t reciprocal;
    uint32_t slot_size, n_slots, n_unused, fresh /* slots from here on were never used */, hint;
    uint32_t dirty;                 /* while free: units that may hold pages                */
    uint64_t user, size;            /* RUN_LARGE                                            */
    struct slot large;
    struct run *next, *prev;        /* arena's list, or of free runs                        */
    uint64_t first_number;
};

static inline uint64_t up(uint64_t x, uint64_t a) { return (x + a - 1) & ~(a - 1); }

/* The run that a is in; without a lock: look at `arena` first, and again under its lock. Descriptors are never unmapped. */
extern struct run **volatile runs_top[1 << TOP_BITS];
static inline struct run *
run_of(uint64_t a)
{
    if (a >> ADDRESS_BITS)
        return NULL;
    struct run **leaf = __atomic_load_n(&runs_top[a >> (UNIT_SHIFT + LEAF_BITS)], __ATOMIC_ACQUIRE);
    return leaf ? __atomic_load_n(&leaf[a >> UNIT_SHIFT & ((1 << LEAF_BITS) - 1)], __ATOMIC_ACQUIRE) : NULL;
}
/* A run without an arena, of at least `units`. NULL: no memory. */
struct run *run_allocate(uint64_t units);
/* Nothing refers to r any more, and its arena is NULL. All of it is unaddressable. */
void run_release(struct run *r);
/* Engine memory, zeroed, for what is known of the slots of a run of class `class`: n bytes, the same for all of the class.
 * It goes back with the run. NULL: no memory. */
void *runs_piece(unsigned class, size_t n);
/* Every run in use, by address; other threads stopped. */
void runs_each(void (*f)(struct run *r, void *arg), void *arg);
uint64_t runs_memory(void);
void runs_fork_begin(void);
void runs_fork_end(void);

#endif
