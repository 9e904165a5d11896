/* The heap that replaces the program's, as replace.c, requests.c, pool.c and leak.c use it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_HEAP_H
#define DRTOOLS_DRMEMORY_HEAP_H

#include "drmemory.h"

enum { HEAP_ALIGNMENT = 16 };

/* In init, after the options are known. False: no memory. */
bool heap_init(void);
void heap_thread_exit(dr_thread *t);
/* The callbacks around a fork: in between no block changes, so that the child has a sound heap. */
void heap_fork_begin(dr_thread *t);
void heap_fork_end(dr_thread *t);

/* How a block came to be. HEAP_MIXED: by a function that serves several families; any may free it. */
enum { HEAP_MIXED = HEAP_POOL + 1 };
enum { HEAP_ZEROED = 1 };           /* flags of heap_allocate */

/* A block at a multiple of `align` (a power of two, at least 16), redzones before and behind it.
 * 0: no memory. Any thread. */
uint64_t heap_allocate(uint64_t size, uint64_t align, unsigned family, unsigned flags, stack_id s);

/* What is at an address that the program wants freed, resized or measured. */
enum heap_verdict {
    HEAP_VALID,
    HEAP_FOREIGN,                   /* no block of ours                                     */
    HEAP_INTERIOR,                  /* in a block or its redzone, but not where it starts   */
    HEAP_FREED,                     /* a block freed before                                 */
};
/* Frees the block at a; it stays unaddressable, and known, until enough others have been freed. *b: as it was, but
 * for HEAP_FOREIGN. */
enum heap_verdict heap_release(uint64_t a, stack_id s, struct heap_block *b);
/* Gives the block `size` bytes, moved or not; *to: its address, 0: no memory, the block is as it was. */
enum heap_verdict heap_resize(uint64_t a, uint64_t size, stack_id s, uint64_t *to, struct heap_block *b);
/* The live block that starts at a. */
enum heap_verdict heap_block_at(uint64_t a, struct heap_block *b);

/* heap_find and heap_each without MALLOCLIKE blocks, which pool.c adds. */
bool heap_find_own(uint64_t a, struct heap_block *out);

struct heap_target { uint64_t number, start, size; };       /* a block, for leak scans */

struct heap_stats { uint64_t live_blocks, live_bytes, allocations, frees, memory; };
void heap_stats(struct heap_stats *out);

/* ---- blocks that the program declares (pool.c): MALLOCLIKE_BLOCK, and the memory pools of Valgrind's requests ---- */

/* [a, a + size) becomes a block, with redzones; true: it did. False: it overlaps one. */
bool pool_block(uint64_t a, uint64_t size, uint64_t redzone, bool zeroed, unsigned family, stack_id s);
/* … is none any more. False: none begins at a. */
bool pool_block_free(uint64_t a, stack_id s);
bool pool_block_resize(uint64_t a, uint64_t old_size, uint64_t size, uint64_t redzone, stack_id s);
bool pool_create(uint64_t pool, uint64_t redzone, bool zeroed);
bool pool_destroy(uint64_t pool, stack_id s);
bool pool_exists(uint64_t pool);
bool pool_allocate(uint64_t pool, uint64_t a, uint64_t size, stack_id s);
bool pool_free(uint64_t pool, uint64_t a, stack_id s);
/* Keeps of the pool's blocks what lies in [a, a + size). */
bool pool_trim(uint64_t pool, uint64_t a, uint64_t size, stack_id s);
bool pool_move(uint64_t from, uint64_t to);
bool pool_change(uint64_t pool, uint64_t a, uint64_t to, uint64_t size);
void pool_fork_begin(void);
void pool_fork_end(void);
/* For leak scans. Every live block, by address; how many. */
uint64_t pool_number(uint64_t first);
bool pool_target(uint64_t a, struct heap_target *t);
void pool_each(void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg), void *arg);

/* ---- for leak scans: other threads stopped ---- */

/* Gives every slot of the heap a number; how many there are. */
uint64_t heap_number(void);
/* All blocks of the heap are in [*lo, *hi). */
void heap_bounds(uint64_t *lo, uint64_t *hi);
/* The live block that holds a. */
bool heap_target(uint64_t a, struct heap_target *t);
/* Every live block, by address. *seen is kept with the block. */
void heap_each_numbered(void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg), void *arg);
/* Is a in memory that the heap has from the kernel? It has whole units of this size, at multiples of it. */
enum { HEAP_UNIT = 64 << 10 };
bool heap_owns(uint64_t a);

#endif
