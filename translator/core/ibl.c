/* Indirect branches: each thread's table of landing pads, and the pads, which
 * verify the target without touching flags.
 * See docs/linking.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache_priv.h"

/* The index is `pext target, mask`: which bits of a target matter is decided at run
 * time. It starts with 13 bits from bit 3 (a table of 64 KiB, 16 pages to touch at the
 * start of a thread) and grows with the program. Without BMI2 it is the low 16 bits. */
enum { IBL_FIRST_MASK = 0xfff8, IBL_LAST_MASK = 0x7fff8, IBL_BUDGET = 4096 };
bool have_bmi2;

static inline uint32_t ibl_index(uint64_t mask, uint64_t target) { return (uint32_t)((target & mask) >> __builtin_ctzll(mask)); }

void
ibl_fill(struct thread *t, uint64_t target, uint8_t *landing)
{
    thread_ibl(t, thread_mode(t))[ibl_index(t->s.ibl_mask, target)].p = landing;
}

static void
ibl_set_mask(struct thread *t, uint64_t mask)
{
    t->s.ibl_mask = mask;
    t->s.ibl_budget = IBL_BUDGET;
    for (unsigned m = 0; m < n_modes; m++) {
        cache_pc *e = thread_ibl(t, m);
        for (uint64_t i = 0; i <= mask >> __builtin_ctzll(mask); i++)
            e[i].p = cache_ibl_miss;
    }
}

void
ibl_init(struct thread *t)
{
    ibl_set_mask(t, have_bmi2 ? IBL_FIRST_MASK : 0xffff);
}

void
ibl_grow(struct thread *t)
{
    uint64_t mask = t->s.ibl_mask;

    if (have_bmi2 && mask < IBL_LAST_MASK)
        ibl_set_mask(t, mask << 1 | 8);
    else
        t->s.ibl_budget = INT32_MAX;
}

void
ibl_forget(struct fragment *f)
{
    if (!f->pad)
        return;
    for (struct thread *t = all_threads; t; t = t->next) {
        cache_pc *e = &thread_ibl(t, f->mode)[ibl_index(t->s.ibl_mask, f->tag)];
        if (e->p == cache_at(f->pad))
            e->p = cache_ibl_miss;
    }
}

/* A pad is: subtract the tag (one instruction for an address of 31 bits, else two);
 * over the way out if zero; the way out; registers back. */
static bool pad_near(uint64_t tag) { return tag <= INT32_MAX; }
static unsigned pad_test(uint64_t tag) { return pad_near(tag) ? 7 : 10 + 4; }
static unsigned pad_hit(uint64_t tag) { return pad_test(tag) + 2 + (pad_near(tag) ? 7 + 5 : 5); }
unsigned pad_length(uint64_t tag) { return pad_hit(tag) + 18; }

static void
emit_lea_rcx(struct emit *e, uint32_t disp)
{
    emit_bytes(e, "\x48\x8d\x89", 3);                          /* lea rcx, [rcx + disp]   */
    emit_u32(e, disp);
}

/* The landing pad of `tag` at cache offset `off`. rcx: the target; the program's rcx and
 * rdx are in the spill slots; flags are the program's. Returns its length. */
uint32_t
pad_write(uint32_t off, uint64_t tag)
{
    struct emit e = {.base = cache_at(off), .p = cache_at(off), .end = cache_at(off) + PAD_SIZE};
    const uint8_t *miss = cache_pad_miss;

    if (pad_near(tag)) {
        emit_lea_rcx(&e, (uint32_t)-tag);
        x_jrcxz8(&e, 12);
        emit_lea_rcx(&e, (uint32_t)tag);                       /* not this one            */
        miss = cache_ibl_miss;
    } else {
        emit_bytes(&e, "\x48\xba", 2);                         /* mov rdx, -tag           */
        emit_u64(&e, -tag);
        emit_bytes(&e, "\x48\x8d\x0c\x11", 4);                 /* lea rcx, [rcx + rdx]    */
        x_jrcxz8(&e, 5);
    }
    emit_u8(&e, 0xe9);
    emit_u32(&e, (uint32_t)(miss - (cache_at(off) + emit_off(&e) + 4)));
    x_mov_r_slot(&e, RDX, SLOT_SPILL1);
    x_mov_r_slot(&e, RCX, SLOT_SPILL0);
    DCHECK(emit_off(&e) == pad_length(tag), "a landing pad has the length it was given");
    return emit_off(&e);
}

void
pad_register(frag_id id, uint32_t off)
{
    frag_get(id)->pad = off;
    table_set_pad(id, off);
    line_put(off, id, LINE_PAD);
    cache_stats.pads++;
}

uint8_t *
cache_landing(frag_id id)
{
    struct fragment *f = frag_get(id);

    if (f->pad)
        return cache_at(f->pad);
    uint32_t off = area_alloc(&cache_pads, PAD_SIZE);
    if (!off)
        return NULL;
    uint8_t *jmp = cache_at(off + pad_write(off, f->tag));
    int32_t d = (int32_t)(cache_at(f->body) - (jmp + 5));
    jmp[0] = 0xe9;
    memcpy(jmp + 1, &d, 4);
    pad_register(id, off);
    return cache_at(off);
}

uint64_t
cache_pad_target(frag_id id, uint64_t pc, uint64_t rcx)
{
    const struct fragment *f = frag_get(id);
    uint32_t at = (uint32_t)(pc - (uint64_t)cache_at(f->pad)), hit = pad_hit(f->tag);

    if (at < pad_test(f->tag) || (pad_near(f->tag) && at == hit - 5))
        return rcx;
    return at < hit ? rcx + f->tag : f->tag;
}
