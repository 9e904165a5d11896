/* The code cache and its fragments.
 *
 * One contiguous reservation. Lower half: the engine's routines, then hot code
 * (landing pads made together with a body stand right before it). A sixteenth
 * from the middle: landing pads made later. The rest: the cold part (exit stubs,
 * out-of-line code, constants, state maps), so that hot lines hold hot code only.
 * A fragment is the translation of the block that starts at `tag` in `mode`.
 * Every patchable displacement lies within an aligned 8 bytes.
 *
 * Threads: everything here is under cache_lock unless said otherwise. Code
 * running in the cache sees the old jump or the new one, because a patch is
 * one atomic 4-byte store. Lookups (cache_lookup) take no lock.
 * Deleted fragments keep their memory until no thread can be inside (epochs).
 * See docs/code-cache.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_CACHE_H
#define DRTOOLS_TRANSLATOR_CACHE_H

#include "core/thread.h"
#include "x86/emit.h"

typedef uint32_t frag_id;       /* 0: none */
typedef uint32_t exit_id;       /* 0: none */

enum {
    FRAG_DEAD = 1,              /* unlinked and out of the table; memory waits for its epoch */
    FRAG_SELFCHECK = 2,         /* compares its source bytes at entry                        */
    FRAG_ONCE = 8,              /* private single-instruction fragment, never linked         */
    FRAG_PAD_INLINE = 16,       /* its landing pad stands right before its body              */
};

struct fragment {
    uint64_t tag;               /* app pc                                                    */
    uint32_t body, body_len;    /* offset in the cache, bytes                                */
    uint32_t cold, cold_len;    /* stubs, then the state map                                 */
    uint32_t map;               /* offset in the cache of the state map (struct map_entry[]) */
    uint32_t pad;               /* landing pad for indirect branches, 0: none yet            */
    uint32_t side, side_len;    /* what tools put out of line: offset in the cache, bytes    */
    exit_id exit0, incoming;    /* first of its exits; head of exits linked to it            */
    frag_id line_next[3];       /* lists of what starts in the same cache line, by enum line_kind */
    union {
        frag_id page_next[2];   /* lists of fragments by source page (first and last page)   */
        uint64_t epoch;         /* dead: when its memory may be used again                   */
    };
    uint16_t n_exits, n_map;
    uint16_t app_len;           /* source bytes                                              */
    uint8_t mode, flags;
};

enum exit_kind {
    X_LINK,                     /* to `target`, once linked without leaving the cache        */
    X_SYSCALL,                  /* a system call instruction at app_off; `target` follows it */
    X_SPECIAL,                  /* the instruction at app_off is carried out by the engine   */
    X_FPSAVE,                   /* the instruction at app_off has just stored x87 pointers   */
    X_MODE,                     /* to `target` in another mode, which the thread has by then; linked as X_LINK, unless tools want cuts */
    X_SELFCHECK,                /* source bytes have changed: translate `target` afresh      */
    X_CALM,                     /* perhaps nobody writes to the code at `target` any more    */
};

struct exit {
    uint64_t target;            /* app pc to go on at                                        */
    uint32_t jump;              /* cache offset of the 4-byte displacement; 0: overlaid      */
    uint32_t stub;              /* cache offset                                              */
    frag_id from, linked;
    exit_id next_in;            /* next exit linked to the same fragment                     */
    uint8_t kind;
    uint8_t lead;               /* the last exit: bytes of padding and opcode before its displacement; 0: not overlayable. X_MODE: the mode */
    uint16_t app_off;           /* of the instruction, from the fragment's tag               */
};

/* One stretch of a fragment's state map: from body offset `off` until the next
 * entry's. In a MAP_COPY stretch cache and program code have the same layout. */
enum map_kind {
    MAP_COPY,       /* each instruction boundary is one of the program's                         */
    MAP_INSIDE,     /* with the spills and rsp put back, the state before the instruction at app_off */
    MAP_EXIT,       /* the state at the target of exit number app_off                            */
    MAP_SYSCALLED,  /* after an inline system call: as MAP_INSIDE, and rcx := the address of app_off */
};
enum {
    MAP_RCX = 1, MAP_RDX = 2, MAP_SCRATCH = 4,        /* the program's value is in spill[0], [1], [2] */
    MAP_HELD = 8,                                     /* that of the held register is in hold            */
    MAP_TOOL = 16,                                    /* code of a tool's: a fault is the tool's         */
};
struct map_entry {
    uint16_t off;
    uint16_t app_off;
    uint8_t kind;
    uint8_t spilled;      /* MAP_RCX, …                            */
    uint8_t scratch;      /* registers: of MAP_SCRATCH in the low four bits, of MAP_HELD in the others */
    uint8_t uninserted;   /* of what tools put before this instruction, that of so many, the last ones, has not had its effect yet */
    int32_t rsp_adjust;   /* program's rsp = rsp + rsp_adjust      */
};

/* Note in the state map of `d`: code inserted by a tool before the current instruction goes on here, with the
 * program's values of some registers in the spill slots. All as in struct map_entry. */
struct draft;
/* A way out of `d` to its current instruction in another mode. Returns its number for RELOC_EXIT. */
uint64_t draft_mode_exit(struct draft *d, unsigned mode);
void draft_map_inserted(struct draft *d, uint8_t spilled, uint8_t scratch, unsigned uninserted);
/* The same for what is emitted to the side part. */
void draft_map_side(struct draft *d, uint8_t spilled, uint8_t scratch, unsigned uninserted);

/* A block under construction. One a thread at a time; large, lives in the thread's scratch. */
enum { DRAFT_MAX_EXITS = 64, DRAFT_MAX_CONSTANTS = 64, DRAFT_MAX_MAP = 1200, DRAFT_CODE = 16 << 10, DRAFT_SIDE = 24 << 10 };
/* Offsets in a state map: of the body as they are, of the side part from here on. */
enum { MAP_SIDE = 0x8000 };
struct draft_exit { uint64_t target; uint8_t kind, mode; uint16_t app_off; };
struct draft {
    uint64_t tag;
    uint8_t mode, flags;
    uint16_t app_len;
    uint16_t app_now;           /* offset of the instruction being emitted                 */
    unsigned n_insns;
    const uint64_t *linear;     /* address of the one instruction's operand, computed beforehand; or NULL */
    bool landing;               /* wants its landing pad right in front                    */
    uint32_t spot;              /* where it could overlay its predecessor's jump, or 0     */
    bool may_calm;              /* checks itself because its page was written, which may end */
    bool stop_after_stores;     /* a store could change what follows it                    */
    struct emit hot, side;      /* the body; what tools put out of line                    */
    uint8_t held;               /* register whose program value is in its slot, or REG_NONE */
    bool held_dead;             /* … until the instruction being emitted overwrites it      */
    struct draft_exit exit[DRAFT_MAX_EXITS];
    unsigned n_exits;
    struct map_entry map[DRAFT_MAX_MAP], side_map[DRAFT_MAX_MAP];
    unsigned n_map, n_side_map;
    uint64_t constant[DRAFT_MAX_CONSTANTS];     /* placed in the cold part; RELOC_COLD counts from the first */
    unsigned n_constants;
    uint8_t fall_lead;          /* the last exit is an unconditional jump at the very end: see struct exit.lead */
    struct reloc relocs[EMIT_MAX_RELOCS];
    struct reloc side_relocs[EMIT_MAX_RELOCS];
    uint8_t code[DRAFT_CODE], side_code[DRAFT_SIDE];
};

extern struct mutex cache_lock;
extern uint8_t *cache_base;             /* set once at start; any thread */
extern uint32_t cache_size;

/* Reserve and lay out the cache at [at, at+size). False: no memory. */
bool cache_init(uint8_t *at, size_t size);
static inline bool cache_contains(uint64_t pc) { return pc - (uint64_t)cache_base < cache_size; }
static inline uint8_t *cache_at(uint32_t off) { return cache_base + off; }
struct fragment *frag_get(frag_id id);
frag_id frag_count(void);               /* ids are below this; under cache_lock */
struct exit *exit_get(exit_id id);

/* Fragment of (tag, mode), or 0. Any thread, no lock. */
frag_id cache_lookup(uint64_t tag, unsigned mode);
frag_id cache_find(uint64_t tag, unsigned mode);       /* the same, with cache_lock held */
/* Places a finished draft. 0: the cache is full (caller resets it and retries).
 * `after`: the exit whose jump may be overlaid, or 0. */
frag_id cache_commit(struct draft *d, exit_id after);
/* Small enough to be placed. */
bool cache_can_hold(const struct draft *d);
/* Where code that runs on from exit `x` would stand right behind it, its jump saved; 0: not possible. */
uint32_t cache_overlay_spot(exit_id x);
/* Start address modulo 8 that a body for `d` will get. */
uint8_t cache_phase(const struct draft *d, uint64_t tag);
/* Points exit `x` at fragment `to`, if both are alive and it is not linked yet. */
void cache_link(exit_id x, frag_id to);
/* Landing pad of `f` for indirect branches, made on first use. NULL: cache full. */
uint8_t *cache_landing(frag_id f);
void ibl_fill(struct thread *t, uint64_t target, uint8_t *landing);
void ibl_init(struct thread *t);
void ibl_grow(struct thread *t);          /* too many targets share an entry */

/* Deletes every fragment with source bytes in [lo, hi). Returns how many. */
unsigned cache_flush_range(uint64_t lo, uint64_t hi);
/* Deletes one fragment. */
void cache_drop(frag_id id);
/* Deletes everything. Memory comes back when no other thread is inside. */
void cache_reset(void);
bool cache_has_room(void);
/* Frees what no thread can be executing any more. Called on the way through C. */
void cache_reclaim(void);
void cache_reclaim_if_needed(void);     /* the same, taking cache_lock, when anything waits */
void cache_after_fork(void);

/* The live (or dying) fragment whose body, side part or pad holds cache address pc, or 0. Takes cache_lock, which the thread must not hold. */
frag_id cache_owner(uint64_t pc, bool *in_pad);

extern volatile uint64_t cache_epoch;

/* The program address that a thread at `pc` in f's landing pad is going to; rcx as it is there. */
uint64_t cache_pad_target(frag_id f, uint64_t pc, uint64_t rcx);

struct cache_stats {
    uint64_t fragments, live, insns, app_bytes, hot_bytes, cold_bytes, links, overlays, pads, flushes, resets, selfchecks, calmed, ibl_misses, exits, translate_ticks;
};
extern struct cache_stats cache_stats;

extern void *const cache_table_address;
/* blob addresses inside the cache */
extern bool have_bmi2;
extern uint8_t *cache_exit_routine, *cache_ibl_miss, *cache_pad_miss, *cache_ibl_window, *cache_ibl_window_end, *cache_ibl_out, *cache_call_routine, *cache_side_routine, *cache_call_window, *cache_call_window_end, *cache_call_abort;

#endif
