/* The engine's own memory, and what it knows of the program's: which ranges are
 * executable, which of their pages are write-protected for the code cache. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_MEMORY_H
#define DRTOOLS_TRANSLATOR_MEMORY_H

#include "core/thread.h"

/* Everything the engine maps lies here (image, heap, thread blocks) or in the code cache. */
#define ENGINE_BASE 0x7c0000000000ull
#define ENGINE_END  0x7d0000000000ull

/* [at, at + n) for a tool, mapped without access and unaccounted; the program can neither see nor have it. At start only.
 * 0, or -errno. */
long engine_reserve(uint64_t at, uint64_t n);
/* Whether [lo, hi) touches such a place, the engine's own memory or the code cache. */
bool engine_touches(uint64_t lo, uint64_t hi);
/* Zeroed pages, on demand. NULL: no memory. Any thread. */
void *engine_map(size_t n);
void engine_unmap(void *p, size_t n);
/* Large and sparsely used: whole huge pages of it (transparent_hugepage=always) would add 8 MB to cc1, and no speed. */
void engine_small_pages(void *p, size_t n);
/* The first n bytes of a file, to be read. NULL: not possible. */
const void *engine_map_file(int fd, size_t n);
/* A file, shared and writable. at: NULL, or a mapping of that size to be replaced. */
void *engine_map_shared(void *at, int fd, size_t n);
/* Gives memory to the next piece of a large mapping at once: a page fault costs as much as translating ten
 * instructions. Returns how many bytes from `p` (at most n) are taken care of. */
size_t engine_back(void *p, size_t n);
uint64_t engine_memory_size(void);      /* bytes of address space that the engine takes, its image aside */
/* The program is about to filter system calls: map now what may be needed. */
void engine_memory_reserve(void);

/* ---- the program's executable memory ---- */

enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };
enum { REGION_SHARED = 1 };     /* MAP_SHARED: another mapping may change the bytes */

struct region { uint64_t lo, hi; uint8_t prot, flags; };

/* All take regions_lock themselves. `prot` is what the program asked for. */
void regions_set(uint64_t lo, uint64_t hi, int prot, int flags);    /* mapped anew (not executable: forgotten) */
void regions_protect(uint64_t lo, uint64_t hi, int prot);           /* mprotect succeeded                      */
void regions_move(uint64_t from, uint64_t from_len, uint64_t to, uint64_t to_len);
bool regions_find(uint64_t pc, struct region *out);                 /* false: not executable                   */
bool regions_intersect(uint64_t lo, uint64_t hi);
/* What is known of [lo, hi), to be put back if a call that was to unmap it fails. */
struct regions_kept { struct region some[16], *all; unsigned n; size_t size; };
void regions_keep(struct regions_kept *k, uint64_t lo, uint64_t hi);
void regions_drop_kept(struct regions_kept *k, bool put_back);
void regions_lock_for_fork(void);
void regions_unlock_after_fork(void);
void regions_after_fork(void);

/* ---- code pages that the program may write ---- */

enum page_state { PAGE_FREE, PAGE_PROTECTED, PAGE_SELFCHECK };
extern volatile bool page_faults_are_served;     /* by the program itself: it has a userfaultfd */
/* Called before code of [lo, hi) in writable region `r` is translated: write-protects its
 * pages, or says PAGE_SELFCHECK where that has proved futile. */
enum page_state code_protect(const struct region *r, uint64_t lo, uint64_t hi);
/* From now on fragments of writable pages check themselves: the kernel may write them at any time. */
void code_never_protect(void);
/* The program filters system calls: nor can we protect pages. */
void code_confine(void);
bool engine_confined(void);
/* A write fault at `addr`: true if the page was protected by us; it is writable again and its fragments are gone. */
bool code_write_fault(uint64_t addr);
bool code_any_protected(void);
/* Code at `addr` checks itself, and was found changed; and the way back: its page is write-protected again if it has not
 * changed for some time. */
void code_has_changed(uint64_t addr);
bool code_calm_down(uint64_t addr);
/* Makes every page we protected writable again (before filters, or to let go of the process). True if there was one. */
bool code_unprotect_all(void);
/* A range was mapped anew or given another protection: forget ours. */
void code_forget(uint64_t lo, uint64_t hi);
/* Gives a range the protection back that the program believes it to have; its fragments are gone. */
void code_release(uint64_t lo, uint64_t hi);
/* The first run of pages in [lo, hi) that are protected by us. */
bool code_protected_in(uint64_t lo, uint64_t hi, uint64_t *start, uint64_t *end);

/* ---- memory of the program's that tools ask for: as from its own mmap, munmap and madvise(MADV_DONTNEED) ---- */

void *program_map(size_t n);            /* NULL: the kernel refuses */
void program_unmap(void *p, size_t n);
bool program_discard(void *p, size_t n);

/* ---- where things go ---- */

extern uint64_t lib_window_low, lib_window_next;
/* A hint for a library of n bytes near the code cache, or 0. */
uint64_t place_library(uint64_t n);
void unplace_library(uint64_t at, uint64_t n);

#endif
