/* Shadow memory: two bits for each byte of the program.
 *
 * The shadow of address a is the two bits at 2 * (a & 3) of the byte at
 * SHADOW_BASE + (a >> 2): directly mapped, so that emitted code finds it with a
 * shift and a constant. What nobody touched is the kernel's zero page: defined.
 * A byte with defined and undefined bits is SHADOW_MIXED and its eight bits
 * are in a side table.
 *
 * Threads: any, at once, on any bytes; updates of bytes that share a shadow
 * byte are compare-exchanges. Nothing here takes a lock but the side table, for
 * a few instructions. Usable in a tool (no libc) and in a host test.
 * See docs/shadow.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_SHADOW_H
#define DRTOOLS_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shadow_state {
    SHADOW_DEFINED = 0,
    SHADOW_UNADDRESSABLE = 1,
    SHADOW_MIXED = 2,           /* addressable; the side table says which bits are undefined */
    SHADOW_UNDEFINED = 3,
};

#define SHADOW_BASE 0x70000000ull
#define SHADOW_APP_END 0x800000000000ull                            /* addresses that have a shadow are below */
#define SHADOW_END (SHADOW_BASE + (SHADOW_APP_END >> 2))            /* 32 TiB further up        */
/* Shadow of the shadow: no access; a program address in the reservation faults when it is checked. */
#define SHADOW_HOLE_LO (SHADOW_BASE + (SHADOW_BASE >> 2))
#define SHADOW_HOLE_HI (SHADOW_BASE + (SHADOW_END >> 2))

static inline uint8_t *shadow_at(uint64_t a) { return (uint8_t *)(SHADOW_BASE + (a >> 2)); }
static inline bool shadow_covers(uint64_t a) { return a < SHADOW_APP_END && !(a >= SHADOW_BASE && a < SHADOW_END); }

/* Reserves the shadow. NULL, or why not (a static string). */
const char *shadow_init(void);

/* All bytes of [a, a + n) become s (not SHADOW_MIXED). Addresses that have no shadow are passed over. */
void shadow_set(uint64_t a, uint64_t n, enum shadow_state s);
/* The states of [src, src + n) become those of [dst, dst + n), with mixed bits; the two may overlap. */
void shadow_copy(uint64_t dst, uint64_t src, uint64_t n);
/* [a, a + n) was unmapped or is mapped anew: its shadow memory goes back to the kernel, all defined. */
void shadow_forget(uint64_t a, uint64_t n);

enum shadow_state shadow_get(uint64_t a);       /* SHADOW_UNADDRESSABLE where there is no shadow */
/* The first address in [a, a + n) that is unaddressable; a + n: none. */
uint64_t shadow_find_unaddressable(uint64_t a, uint64_t n);
/* The first address in [a, a + n) that is not wholly defined (unaddressable ones count); a + n: none. */
uint64_t shadow_find_not_defined(uint64_t a, uint64_t n);
/* The first address in [a, a + n) whose state is not `s`; a + n: none. */
uint64_t shadow_find_other(uint64_t a, uint64_t n, enum shadow_state s);

/* Bit by bit, as the propagation sees it: bits[i] has a 1 for each undefined bit of the byte at a + i.
 * Unaddressable bytes load as defined and stay unaddressable when stored to. */
void shadow_load(uint64_t a, unsigned n, uint8_t *bits);
void shadow_store(uint64_t a, unsigned n, const uint8_t *bits);

/* Undefined bytes and mixed ones, for -stats. */
/* In a fork child, before anything else. */
void shadow_after_fork(void);

struct shadow_stats { uint64_t side_entries; };
void shadow_stats(struct shadow_stats *out);

#endif
