/* The code cache: placing fragments, linking them, deleting them.
 *
 * Invariants: a linked exit is on its target's `incoming` list and no other;
 * a live fragment is in the table and on the lists of its pages; a dead one is
 * on neither, has no incoming links, and waits on `dying` for its epoch.
 * Epochs: deletion takes a new number; a thread publishes the number current
 * when it last was outside of the cache; memory of a fragment is free when every
 * thread's number has passed the fragment's.
 * See docs/code-cache.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache_priv.h"
#include "core/tools.h"
#include "linux/memory.h"

struct mutex cache_lock;
uint8_t *cache_base, *cache_exit_routine, *cache_ibl_miss, *cache_pad_miss, *cache_ibl_window, *cache_ibl_window_end, *cache_ibl_out;
uint8_t *cache_call_routine, *cache_side_routine, *cache_call_window, *cache_call_window_end, *cache_call_abort;
uint32_t cache_size;
volatile uint64_t cache_epoch = 1;
struct cache_stats cache_stats;

extern uint8_t cache_blob[], cache_blob_end[], blob_exit[], blob_ibl_miss[], blob_pad_miss[], blob_ibl_out[], ibl_window[],
    ibl_window_end[], blob_ibl_index[], blob_return_index[], blob_call[], blob_side[], call_window[], call_window_end[], call_abort[];

static struct area hot, cold;       /* bodies; stubs, constants and state maps */
struct area cache_pads;
static uint32_t hot_start;
static bool want_restart;           /* reset, and not yet empty                              */

/* ---- fragments and exits: arrays with free lists ---- */

static struct fragment *frags;
static struct exit *exits;
static uint32_t frags_backed, exits_backed;     /* memory is there for so many */
static uint32_t n_frags = 1, max_frags, n_exits = 1, max_exits;
static frag_id free_frag;
static exit_id free_exits[DRAFT_MAX_EXITS + 1];

frag_id frag_count(void) { return n_frags; }
struct fragment *frag_get(frag_id id) { return &frags[id]; }
struct exit *exit_get(exit_id id) { return &exits[id]; }

static frag_id
frag_alloc(void)
{
    frag_id id = free_frag;

    if (id)
        free_frag = frags[id].incoming;
    else if (n_frags < max_frags)
        id = n_frags++;
    if (id >= frags_backed)
        frags_backed += (uint32_t)(engine_back(frags + frags_backed, (max_frags - frags_backed) * sizeof *frags) / sizeof *frags);
    return id;
}

static exit_id
exits_alloc(unsigned n)
{
    exit_id id = free_exits[n];

    if (id) {
        free_exits[n] = exits[id].next_in;
    } else if (n_exits + n <= max_exits) {
        id = n_exits;
        n_exits += n;
        if (n_exits > exits_backed)
            exits_backed += (uint32_t)(engine_back(exits + exits_backed, (max_exits - exits_backed) * sizeof *exits) / sizeof *exits);
    }
    return id;
}

static void
frag_free(frag_id id)
{
    frags[id].tag = 0;
    frags[id].incoming = free_frag;
    free_frag = id;
}

static void
exits_free(exit_id first, unsigned n)
{
    if (!n)
        return;
    exits[first].next_in = free_exits[n];
    free_exits[n] = first;
}

/* ---- set-up ---- */

static const struct { uint8_t **copy, *original; } routines[] = {
    {&cache_exit_routine, blob_exit},
    {&cache_ibl_miss, blob_ibl_miss},
    {&cache_pad_miss, blob_pad_miss},
    {&cache_ibl_window, ibl_window},
    {&cache_ibl_window_end, ibl_window_end},
    {&cache_ibl_out, blob_ibl_out},
    {&cache_call_routine, blob_call},
    {&cache_side_routine, blob_side},
    {&cache_call_window, call_window},
    {&cache_call_window_end, call_window_end},
    {&cache_call_abort, call_abort},
};

bool
cache_init(uint8_t *at, size_t size)
{
    cache_base = at;
    cache_size = (uint32_t)size;
    max_frags = (uint32_t)(size / 64) + 64;
    max_exits = max_frags * 3;
    frags = engine_map(max_frags * sizeof *frags);
    exits = engine_map(max_exits * sizeof *exits);
    if (!frags || !exits || !index_init(size) || !table_init())
        return false;
    size_t blob = (size_t)(cache_blob_end - cache_blob);
    memcpy(cache_base, cache_blob, blob);
    if (!have_bmi2) {                    /* movzx eax (edx), cx, and a nop, in place of the pext */
        memcpy(cache_base + (blob_ibl_index - cache_blob), "\x0f\xb7\xc1\x0f\x1f\x84\0\0\0\0\0", 11);
        memcpy(cache_base + (blob_return_index - cache_blob), "\x0f\xb7\xd1\x0f\x1f\x84\0\0\0\0\0", 11);
    }
    for (unsigned i = 0; i < COUNT_OF(routines); i++)
        *routines[i].copy = cache_base + (routines[i].original - cache_blob);
    hot.backed = 0;
    hot_start = hot.next = (uint32_t)align_up(blob, 64);
    hot.end = cache_pads.next = (uint32_t)align_down(size / 2, PAGE_SIZE);
    cache_pads.end = cold.next = hot.end + (uint32_t)align_down(size / 16, PAGE_SIZE);
    cold.end = (uint32_t)size;
    cache_pads.backed = cache_pads.next;
    cold.backed = cold.next;
    return true;
}

/* ---- links ---- */

static inline void
patch(uint32_t at, uint64_t to)
{
    int64_t d = (int64_t)(to - (uint64_t)cache_at(at) - 4);

    DCHECK(at % 8 <= 4 && fits_i32(d), "a patched displacement is within an aligned word and in reach");
    __atomic_store_n((int32_t *)cache_at(at), (int32_t)d, __ATOMIC_RELEASE);
}

void
cache_link(exit_id x, frag_id to)
{
    struct exit *e = &exits[x];
    struct fragment *f = &frags[to];

    bool linkable = e->kind == X_LINK ? f->mode == frags[e->from].mode : e->kind == X_MODE && f->mode == e->lead && !tools_want_cuts;
    if (!linkable || e->linked || !e->jump || (f->flags & (FRAG_DEAD | FRAG_ONCE)) || (frags[e->from].flags & FRAG_DEAD) || e->target != f->tag)
        return;
    e->linked = to;
    e->next_in = f->incoming;
    f->incoming = x;
    patch(e->jump, (uint64_t)cache_at(f->body));
    cache_stats.links++;
}

static void
unlink_exit(exit_id x)
{
    struct exit *e = &exits[x];

    if (!e->linked)
        return;
    for (exit_id *at = &frags[e->linked].incoming; *at; at = &exits[*at].next_in)
        if (*at == x) {
            *at = e->next_in;
            break;
        }
    e->linked = 0;
    if (e->jump)
        patch(e->jump, (uint64_t)cache_at(e->stub));
}

/* Points every jump into the fragment back at its stub. Returns the predecessor that
 * falls through into it, which has no jump to patch and so must go too; 0: none. */
static frag_id
unlink_incoming(frag_id id)
{
    frag_id falls = 0;
    exit_id x;

    while ((x = frags[id].incoming)) {
        frags[id].incoming = exits[x].next_in;
        exits[x].linked = 0;
        if (exits[x].jump)
            patch(exits[x].jump, (uint64_t)cache_at(exits[x].stub));
        else
            falls = exits[x].from;
    }
    return falls;
}

/* ---- commit ---- */

enum { STUB_SIZE = 17 };

static void
write_stub(uint32_t off, exit_id x)
{
    uint8_t *p = cache_at(off);
    uint32_t slot = SLOT_EXIT;
    int32_t d = (int32_t)(cache_exit_routine - (p + STUB_SIZE));

    memcpy(p, "\x65\xc7\x04\x25", 4);      /* mov dword gs:[SLOT_EXIT], exit number; its upper half stays 0 */
    memcpy(p + 4, &slot, 4);
    memcpy(p + 8, &x, 4);
    p[12] = 0xe9;
    memcpy(p + 13, &d, 4);
}

/* Of the part of the fragment that was drafted in `e` and is going to stand at `part`. */
static void
apply_relocs(const struct draft *d, const struct fragment *f, const struct emit *e, uint32_t part)
{
    for (unsigned i = 0; i < e->n_reloc; i++) {
        const struct reloc *r = &e->reloc[i];
        uint8_t *at = cache_at(part) + r->off;
        uint64_t to = r->target;
        if (r->kind == RELOC_EXIT) {
            struct exit *x = &exits[f->exit0 + r->target];
            x->jump = part + r->off;
            to = (uint64_t)cache_at(x->stub);
        } else if (r->kind == RELOC_COLD) {
            to = (uint64_t)cache_at(f->map) - 8 * (d->n_constants - r->target);
        } else if (r->kind == RELOC_HOT) {
            to = (uint64_t)cache_at(f->body) + r->target;
        } else if (r->kind == RELOC_SIDE) {
            to = (uint64_t)cache_at(f->side) + r->target;
        }
        int64_t disp = (int64_t)(to - (uint64_t)at - r->end);
        CHECK(fits_i32(disp), "a relocated displacement is in reach");
        int32_t d32 = (int32_t)disp;
        memcpy(e->base + r->off, &d32, 4);
    }
}

/* Other threads may be executing the jump that is overlaid: then it must lie within an aligned 8 bytes, and the padding
 * before it stays, where one may have been interrupted. */
uint32_t
cache_overlay_spot(exit_id x)
{
    struct exit *e = x ? &exits[x] : NULL;

    if (!e || e->kind != X_LINK || !e->lead || e->linked || !e->jump || (frags[e->from].flags & FRAG_DEAD))
        return 0;
    struct fragment *p = &frags[e->from];
    uint32_t end = p->body + p->body_len;
    if (e->jump + 4 != end || chunk_round(end) != hot.next)
        return 0;
    if (thread_count == 1)
        return e->jump - e->lead;
    return (e->jump - 1) % 8 <= 3 ? e->jump - 1 : 0;
}

uint8_t
cache_phase(const struct draft *d, uint64_t tag)
{
    return (d->spot ? d->spot : d->landing ? pad_length(tag) : 0) & 7;
}

/* The jump at `body`, which other threads may be executing, gives way to `code` at once: what follows the aligned
 * word is there first. */
static void
write_over_jump(uint32_t body, const uint8_t *code, uint32_t len)
{
    uint32_t word = body & ~7u, head = MIN(len, word + 8 - body);
    uint64_t w;

    memcpy(cache_at(body + head), code + head, len - head);
    memcpy(&w, cache_at(word), 8);
    memcpy((uint8_t *)&w + (body - word), code, head);
    __atomic_store_n((uint64_t *)cache_at(word), w, __ATOMIC_RELEASE);
}

/* The predecessor's jump is gone: it falls in. */
static void
overlay(exit_id x, frag_id to)
{
    struct exit *e = &exits[x];
    struct fragment *f = &frags[to];

    frags[e->from].body_len = f->body - frags[e->from].body;
    e->jump = 0;
    e->linked = to;
    e->next_in = 0;
    f->incoming = x;
    hot.next = chunk_round(f->body + f->body_len);
    cache_stats.overlays++;
}

/* A place for the body, with its landing pad in front where wanted. 0: full. */
static uint32_t
place_body(struct draft *d, uint32_t len)
{
    uint32_t pad = d->landing ? pad_length(d->tag) : 0;

    if (d->spot && hot.end - d->spot >= len + GRANULE)
        return d->spot;
    d->spot = 0;
    /* Aligned to 8, plus the phase that the code was made for. */
    uint32_t lead = d->landing ? pad : d->hot.phase, chunk = area_alloc_aligned(&hot, lead + len);
    return chunk ? chunk + lead : 0;
}

static uint32_t
draft_map_bytes(const struct draft *d)
{
    return (d->n_map + d->n_side_map) * (uint32_t)sizeof(struct map_entry);
}

bool
cache_can_hold(const struct draft *d)
{
    return d->n_exits * STUB_SIZE + emit_off(&d->side) + d->n_constants * 8 + draft_map_bytes(d) + 64 <= MAX_CHUNK &&
           emit_off(&d->hot) + 128 <= MAX_CHUNK;
}

frag_id
cache_commit(struct draft *d, exit_id after)
{
    uint32_t len = emit_off(&d->hot), side = (uint32_t)align_up(d->n_exits * STUB_SIZE, 8), side_len = emit_off(&d->side);
    uint32_t constants = (uint32_t)align_up(side + side_len, 8), constant_bytes = d->n_constants * 8;
    uint32_t cold_len = constants + constant_bytes + draft_map_bytes(d);

    if (want_restart)                    /* somebody waits for the cache to be empty */
        return 0;
    frag_id id = frag_alloc();
    exit_id x0 = id ? exits_alloc(d->n_exits) : 0;
    uint32_t cold_off = x0 || !d->n_exits ? area_alloc_aligned(&cold, cold_len) : 0;
    uint32_t body = cold_off ? place_body(d, len) : 0;

    if (!body) {                         /* the reset that follows takes memory back, not numbers */
        if (x0)
            exits_free(x0, d->n_exits);
        if (id)
            frag_free(id);
        return 0;
    }
    struct fragment *f = &frags[id];
    *f = (struct fragment){.tag = d->tag, .mode = d->mode, .flags = d->flags, .app_len = d->app_len, .body = body, .body_len = len,
                           .cold = cold_off, .cold_len = cold_len, .exit0 = x0, .n_exits = (uint16_t)d->n_exits, .n_map = (uint16_t)(d->n_map + d->n_side_map),
                           .side = cold_off + side, .side_len = side_len};
    f->map = cold_off + constants + constant_bytes;
    memcpy(cache_at(cold_off + constants), d->constant, constant_bytes);
    memcpy(cache_at(f->map), d->map, d->n_map * sizeof *d->map);
    memcpy(cache_at(f->map) + d->n_map * sizeof *d->map, d->side_map, d->n_side_map * sizeof *d->side_map);
    for (unsigned i = 0; i < d->n_exits; i++) {
        exits[x0 + i] = (struct exit){.target = d->exit[i].target, .kind = d->exit[i].kind, .app_off = d->exit[i].app_off, .stub = cold_off + i * STUB_SIZE, .from = id,
                                        .lead = d->exit[i].kind == X_MODE ? d->exit[i].mode : i == d->n_exits - 1 ? d->fall_lead : 0};
        write_stub(cold_off + i * STUB_SIZE, x0 + i);
    }
    apply_relocs(d, f, &d->hot, body);
    apply_relocs(d, f, &d->side, f->side);
    memcpy(cache_at(f->side), d->side_code, side_len);
    if (d->spot) {
        write_over_jump(body, d->code, len);
        overlay(after, id);
    } else {
        memcpy(cache_at(body), d->code, len);
    }
    line_put(body, id, LINE_BODY);
    if (f->side_len)
        line_put(f->side, id, LINE_SIDE);
    if (!(d->flags & FRAG_ONCE)) {
        pages_add(id);
        table_insert(id);
    }
    if (d->landing) {
        f->flags |= FRAG_PAD_INLINE;
        pad_register(id, body - pad_write(body - pad_length(d->tag), d->tag));
    }
    cache_stats.fragments++;
    cache_stats.live++;
    cache_stats.selfchecks += (d->flags & FRAG_SELFCHECK) != 0;
    cache_stats.insns += d->n_insns;
    cache_stats.app_bytes += d->app_len;
    cache_stats.hot_bytes += len;
    cache_stats.cold_bytes += cold_len;
    return id;
}

/* ---- deletion ---- */

/* Linked by `incoming`. The youngest stay: an x87 instruction pointer may still lead into them. */
enum { KEPT_DEAD = 64 };
static struct { frag_id head, tail; unsigned n; } dying;

static bool something_waits(void) { return dying.n > KEPT_DEAD || (want_restart && dying.n) || table_has_retired(); }

static frag_id
delete_one(frag_id id)
{
    struct fragment *f = &frags[id];

    f->flags |= FRAG_DEAD;
    if (!(f->flags & FRAG_ONCE)) {
        table_remove(id);
        pages_remove(id);
    }
    ibl_forget(f);
    tools_fragment_deleted(f->tag, f->mode);
    frag_id falls = unlink_incoming(id);
    for (unsigned i = 0; i < f->n_exits; i++)
        unlink_exit(f->exit0 + i);
    f->incoming = 0;
    if (dying.tail)
        frags[dying.tail].incoming = id;
    else
        dying.head = id;
    dying.tail = id;
    dying.n++;
    f->epoch = cache_epoch + 1;      /* the caller moves the epoch once it is done */
    cache_stats.live--;
    return falls;
}

/* With it go those that fall through into it, one after the other: a chain may be as long as a program's text. */
void
fragment_delete(frag_id id)
{
    while (id && !(frags[id].flags & FRAG_DEAD))
        id = delete_one(id);
}

/* A body that overlays its predecessor, or is overlaid, ends within a granule: that one is lost until a reset. */
static void
free_body(const struct fragment *f)
{
    uint32_t lo = f->flags & FRAG_PAD_INLINE ? f->pad : f->body, hi = f->body + f->body_len;
    bool overlaid = f->n_exits && !exits[f->exit0 + f->n_exits - 1].jump;

    lo = (uint32_t)align_up(lo, GRANULE);
    hi = (uint32_t)(overlaid ? align_down(hi, GRANULE) : align_up(hi, GRANULE));
    if (hi > lo)
        area_push(&hot, lo, hi - lo);
}

static void
release(frag_id id)
{
    struct fragment *f = &frags[id];

    line_remove(f->body, id, LINE_BODY);
    if (f->side_len)
        line_remove(f->side, id, LINE_SIDE);
    free_body(f);
    area_free(&cold, f->cold, f->cold_len);
    if (f->pad) {
        line_remove(f->pad, id, LINE_PAD);
        if (!(f->flags & FRAG_PAD_INLINE))
            area_free(&cache_pads, f->pad, PAD_SIZE);
    }
    exits_free(f->exit0, f->n_exits);
    frag_free(id);
}

/* Everything is gone and nobody is inside: start over at the bottom. */
static void
restart(void)
{
    area_restart(&hot, hot_start);
    area_restart(&cache_pads, hot.end);
    area_restart(&cold, cache_pads.end);
    want_restart = false;
}

void
cache_reclaim(void)
{
    uint64_t safe = UINT64_MAX;

    if (!something_waits())
        return;
    for (struct thread *t = all_threads; t; t = t->next) {
        uint64_t its = t->safe_epoch;    /* read once: it moves, and may only lower the minimum */
        safe = MIN(safe, its);
    }
    for (frag_id id; (id = dying.head) && frags[id].epoch <= safe && (dying.n > KEPT_DEAD || want_restart);) {
        dying.n--;
        dying.head = frags[id].incoming;
        if (!dying.head)
            dying.tail = 0;
        release(id);
    }
    table_reclaim(safe);
    if (want_restart && !dying.head && !cache_stats.live)
        restart();
}

bool
cache_has_room(void)
{
    return !want_restart;
}

void
cache_reclaim_if_needed(void)
{
    if (LIKELY(!something_waits()))
        return;
    mutex_lock(&cache_lock);
    cache_reclaim();
    mutex_unlock(&cache_lock);
}

unsigned
cache_flush_range(uint64_t lo, uint64_t hi)
{
    unsigned n = index_delete_range(lo, hi);

    if (n) {
        cache_stats.flushes++;
        cache_epoch++;
    }
    return n;
}

void
cache_drop(frag_id id)
{
    fragment_delete(id);
    cache_epoch++;
}

void
cache_reset(void)
{
    for (frag_id id = 1; id < n_frags; id++)
        if (frags[id].tag && !(frags[id].flags & FRAG_DEAD))
            fragment_delete(id);
    cache_epoch++;
    want_restart = true;
    cache_stats.resets++;
}

void
cache_after_fork(void)
{
    mutex_init(&cache_lock);
}
