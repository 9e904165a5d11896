/* What the files of the code cache share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_CACHE_PRIV_H
#define DRTOOLS_TRANSLATOR_CACHE_PRIV_H

#include "core/cache.h"

enum { PAD_SIZE = 64, GRANULE = 4, MAX_CHUNK = 32 << 10, CLASSES = MAX_CHUNK / GRANULE + 1 };

/* area.c: offsets in the cache are handed out in granules. */
struct area {
    uint32_t next, end;             /* bump allocation in [next, end)          */
    uint32_t backed;                /* memory is there up to this offset       */
    uint32_t pieces;                /* on the lists below                      */
    uint32_t free[CLASSES];         /* heads by size; the link is the piece's first word */
    uint64_t some[CLASSES / 64 + 1];/* bit per size: the list is not empty     */
};
extern struct area cache_pads;      /* landing pads made after their fragment  */

static inline uint32_t chunk_round(uint32_t n) { return (uint32_t)align_up(n ? n : 1, GRANULE); }
uint32_t area_alloc(struct area *a, uint32_t n);            /* 0: full */
uint32_t area_alloc_aligned(struct area *a, uint32_t n);    /* at a multiple of 8, for a body */
void area_free(struct area *a, uint32_t off, uint32_t n);
void area_push(struct area *a, uint32_t off, uint32_t size);/* as area_free, of whole granules */
void area_restart(struct area *a, uint32_t next);

/* Multiplicative hash (Knuth, volume 3, 6.4); blob_ibl_miss in entry.S computes the same. */
static inline uint32_t hash_of(uint64_t key) { return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32); }

/* table.c */
bool table_init(void);
void table_insert(frag_id id);
void table_remove(frag_id id);
void table_set_pad(frag_id id, uint32_t pad);
bool table_has_retired(void);
void table_reclaim(uint64_t safe_epoch);

/* index.c */
bool index_init(size_t cache_bytes);
enum line_kind { LINE_BODY, LINE_PAD, LINE_SIDE };
void line_put(uint32_t off, frag_id id, enum line_kind kind);
void line_remove(uint32_t off, frag_id id, enum line_kind kind);
void pages_add(frag_id id);
void pages_remove(frag_id id);
unsigned index_delete_range(uint64_t lo, uint64_t hi);

/* ibl.c */
unsigned pad_length(uint64_t tag);
uint32_t pad_write(uint32_t off, uint64_t tag);
void pad_register(frag_id id, uint32_t off);
void ibl_forget(struct fragment *f);

/* cache.c */
void fragment_delete(frag_id id);

#endif
