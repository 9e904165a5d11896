/* The code cache: memory for fragments, the table that finds them, links
 * between them, and their deletion.
 *
 * Invariants: a linked exit is on its target's `incoming` list and no other;
 * a live fragment is in the table and on the lists of its pages; a dead one is
 * on neither, has no incoming links, and waits on `dying` for its epoch.
 * Epochs: deletion takes a new number; a thread publishes the number current
 * when it last was outside of the cache; memory of a fragment is free when every
 * thread's number has passed the fragment's.
 * See docs/code-cache.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"

#include "core/tools.h"
#include "linux/memory.h"
#include "util/log.h"

struct mutex cache_lock;
uint8_t *cache_base, *cache_exit_routine, *cache_ibl_miss, *cache_pad_miss, *cache_ibl_window, *cache_ibl_window_end, *cache_ibl_out, *cache_call_routine, *cache_call_window, *cache_call_window_end, *cache_call_abort;
uint32_t cache_size;
volatile uint64_t cache_epoch = 1;
struct cache_stats cache_stats;

extern uint8_t cache_blob[], cache_blob_end[], blob_exit[], blob_ibl_miss[], blob_pad_miss[], blob_ibl_out[], ibl_window[], ibl_window_end[], blob_ibl_index[], blob_call[], call_window[], call_window_end[], call_abort[];

/* ---- chunks of cache memory ---- */

enum { PAD_SIZE = 64, GRANULE = 4, MAX_CHUNK = 32 << 10, CLASSES = MAX_CHUNK / GRANULE + 1 };

struct area {
    uint32_t next, end;             /* bump allocation in [next, end)          */
    uint32_t backed;                /* memory is there up to this offset       */
    uint32_t pieces;                /* on the lists below                      */
    uint32_t free[CLASSES];         /* heads by size; the link is the chunk's first word */
    uint64_t some[CLASSES / 64 + 1];/* bit per size: the list is not empty     */
};
static struct area hot, pads, cold;         /* bodies; landing pads made later; stubs and maps */
static uint32_t hot_start;

static inline uint32_t chunk_round(uint32_t n) { return (uint32_t)align_up(n ? n : 1, GRANULE); }

static void
area_push(struct area *a, uint32_t off, uint32_t size)
{
    if (!size)
        return;
    memcpy(cache_at(off), &a->free[size / GRANULE], 4);
    a->free[size / GRANULE] = off;
    a->pieces++;
    a->some[size / GRANULE / 64] |= 1ull << (size / GRANULE % 64);
}

static uint32_t
area_pop(struct area *a, uint32_t class)
{
    uint32_t off = a->free[class];

    memcpy(&a->free[class], cache_at(off), 4);
    a->pieces--;
    if (!a->free[class])
        a->some[class / 64] &= ~(1ull << (class % 64));
    return off;
}

/* The first non-empty list of at least `class`, or 0. */
static uint32_t
area_class(const struct area *a, uint32_t class)
{
    uint32_t word = class / 64;
    uint64_t bits = a->some[word] & (~0ull << (class % 64));

    while (!bits && ++word < COUNT_OF(a->some))
        bits = a->some[word];
    return bits ? word * 64 + (uint32_t)__builtin_ctzll(bits) : 0;
}

static uint32_t
area_alloc(struct area *a, uint32_t n)
{
    uint32_t size = chunk_round(n), class = a->pieces ? area_class(a, size / GRANULE) : 0, off;

    if (class) {
        off = area_pop(a, class);
        area_push(a, off + size, class * GRANULE - size);
        return off;
    }
    if (a->end - a->next < size)
        return 0;
    off = a->next;
    a->next += size;
    if (a->next > a->backed)
        a->backed += (uint32_t)engine_back(cache_at(a->backed), a->end - a->backed);
    return off;
}

/* For a body: at a multiple of 8. */
static uint32_t
area_alloc_aligned(struct area *a, uint32_t n)
{
    if (a->next % 8 && a->end - a->next >= 8)
        a->next += GRANULE;
    uint32_t off = area_alloc(a, n);
    if (off % 8 == 0)
        return off;
    area_push(a, off, chunk_round(n));              /* a freed piece at an odd granule: take one with room to align */
    off = area_alloc(a, n + GRANULE);
    if (off % 8 == 0)
        return off;
    area_push(a, off, GRANULE);
    return off + GRANULE;
}

static void
area_free(struct area *a, uint32_t off, uint32_t n)
{
    if (n)
        area_push(a, off, chunk_round(n));
}

static void
area_restart(struct area *a, uint32_t next)
{
    a->next = next;
    a->pieces = 0;
    memset(a->free, 0, sizeof a->free);
    memset(a->some, 0, sizeof a->some);
}

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

/* ---- the table (tag, mode) → fragment: open addressing, lock-free readers ---- */

struct entry { volatile uint64_t key; volatile uint32_t id; volatile uint32_t pad; };   /* pad: landing pad, 0: none yet; read by blob_ibl_miss */
struct table { uint32_t mask, used; struct entry e[]; };
static struct table *volatile table;
void *const cache_table_address = (void *)&table;   /* for threads' SLOT_TABLE */
static struct { struct table *table; uint64_t epoch; } retired[32];
static unsigned n_retired;
enum { KEY_EMPTY = 0, KEY_GONE = 1 };

static inline uint64_t key_of(uint64_t tag, unsigned mode) { return tag | (uint64_t)mode << 48 | 1ull << 63; }
static inline uint32_t hash_of(uint64_t key) { return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32); }

static struct table *
table_new(uint32_t entries)
{
    struct table *n = engine_map(sizeof *n + entries * sizeof(struct entry));

    if (!n)
        return NULL;
    n->mask = entries - 1;
    for (size_t done = 0, size = sizeof *n + entries * sizeof(struct entry); done < size;)
        done += engine_back((uint8_t *)n + done, size - done);      /* hashing will touch every page */
    return n;
}

frag_id
cache_lookup(uint64_t tag, unsigned mode)
{
    struct table *tb = table;
    uint64_t key = key_of(tag, mode);

    for (uint32_t i = hash_of(key);; i++) {
        struct entry *e = &tb->e[i & tb->mask];
        uint64_t k = e->key;
        if (k == key) {
            frag_id id = e->id;
            if (frags[id].tag == tag && frags[id].mode == mode && !(frags[id].flags & FRAG_DEAD))
                return id;
        }
        if (k == KEY_EMPTY)
            return 0;
    }
}

frag_id
cache_find(uint64_t tag, unsigned mode)
{
    uint64_t key = key_of(tag, mode);

    for (uint32_t i = hash_of(key);; i++) {
        const struct entry *e = &table->e[i & table->mask];
        if (e->key == key)
            return e->id;
        if (e->key == KEY_EMPTY)
            return 0;
    }
}

static void
table_put(struct table *tb, uint64_t key, frag_id id)
{
    uint32_t i = hash_of(key);

    while (tb->e[i & tb->mask].key > KEY_GONE)
        i++;
    struct entry *e = &tb->e[i & tb->mask];
    tb->used += e->key == KEY_EMPTY;
    e->id = id;
    e->pad = frags[id].pad;
    __atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
}

static void
table_grow(void)
{
    struct table *old = table, *n;
    uint32_t live = 0;

    for (uint32_t i = 0; i <= old->mask; i++)
        live += old->e[i].key > KEY_GONE;
    if (n_retired == COUNT_OF(retired))
        return;
    n = table_new(live * 3 > old->mask ? (old->mask + 1) * 2 : old->mask + 1);
    if (!n)
        return;                      /* fuller and slower; never wrong while one slot is empty */
    for (uint32_t i = 0; i <= old->mask; i++)
        if (old->e[i].key > KEY_GONE)
            table_put(n, old->e[i].key, old->e[i].id);
    __atomic_store_n(&table, n, __ATOMIC_RELEASE);
    retired[n_retired].table = old;
    retired[n_retired++].epoch = ++cache_epoch;     /* readers without a lock may still be in it */
}

static void
table_insert(frag_id id)
{
    if (table->used * 3 > table->mask * 2)
        table_grow();
    CHECK(table->used < table->mask, "the fragment table has room");
    table_put(table, key_of(frags[id].tag, frags[id].mode), id);
}

static struct entry *
table_find(frag_id id)
{
    struct table *tb = table;
    uint64_t key = key_of(frags[id].tag, frags[id].mode);

    for (uint32_t i = hash_of(key); tb->e[i & tb->mask].key != KEY_EMPTY; i++)
        if (tb->e[i & tb->mask].key == key && tb->e[i & tb->mask].id == id)
            return &tb->e[i & tb->mask];
    return NULL;
}

static void
table_remove(frag_id id)
{
    struct entry *e = table_find(id);

    if (e)
        __atomic_store_n(&e->key, KEY_GONE, __ATOMIC_SEQ_CST);   /* before the threads' tables are looked through; see blob_ibl_miss */
}

/* ---- cache address → fragment: what starts in each 64-byte line ---- */

enum { LINE = 64 };
static frag_id *body_lines, *pad_lines;     /* heads; links are body_line and pad_line of struct fragment */

static void
line_put(uint32_t off, frag_id id, bool pad)
{
    frag_id *head = &(pad ? pad_lines : body_lines)[off / LINE];

    *(pad ? &frags[id].pad_line : &frags[id].body_line) = *head;
    *head = id;
}

static void
line_remove(uint32_t off, frag_id id, bool pad)
{
    frag_id *at = &(pad ? pad_lines : body_lines)[off / LINE];

    while (*at && *at != id)
        at = pad ? &frags[*at].pad_line : &frags[*at].body_line;
    CHECK(*at, "a fragment is on the list of its cache line");
    *at = pad ? frags[id].pad_line : frags[id].body_line;
}

static frag_id
body_at(uint32_t off)
{
    frag_id best = 0;

    for (uint32_t line = off / LINE, back = 0; !best && back <= MAX_CHUNK / LINE; line--, back++) {
        for (frag_id id = body_lines[line]; id; id = frags[id].body_line)
            if (frags[id].body <= off && (!best || frags[id].body > frags[best].body))
                best = id;
        if (!line)
            break;
    }
    return best && off - frags[best].body < frags[best].body_len ? best : 0;
}

static frag_id
pad_at(uint32_t off)
{
    for (uint32_t line = off / LINE, back = 0; back < 3 && line; line--, back++)
        for (frag_id id = pad_lines[line]; id; id = frags[id].pad_line)
            if (off - frags[id].pad < (frags[id].flags & FRAG_PAD_INLINE ? frags[id].body - frags[id].pad : PAD_SIZE))
                return id;
    return 0;
}

frag_id
cache_owner(uint64_t pc, bool *in_pad)
{
    if (!cache_contains(pc))
        return 0;
    uint32_t off = (uint32_t)(pc - (uint64_t)cache_base);
    mutex_lock(&cache_lock);
    frag_id id = body_at(off);
    *in_pad = !id;
    if (!id)
        id = pad_at(off);
    mutex_unlock(&cache_lock);
    return id;
}

/* ---- lists of fragments by source page ---- */

struct page_entry { uint64_t page; frag_id head; uint32_t unused; };   /* page number + 1; 0: empty */
static struct page_entry *pages;
static uint32_t pages_mask, pages_used;

static struct page_entry *
page_find(uint64_t page, bool add)
{
    uint32_t i = hash_of(page);

    for (; pages[i & pages_mask].page; i++)
        if (pages[i & pages_mask].page == page + 1)
            return &pages[i & pages_mask];
    if (!add)
        return NULL;
    if (pages_used * 2 > pages_mask) {
        uint32_t mask = pages_mask * 2 + 1;
        struct page_entry *old = pages, *n = engine_map((mask + 1) * sizeof *n);
        CHECK(n, "memory for the page table of the cache");
        for (uint32_t k = 0; k <= pages_mask; k++)
            if (old[k].page) {
                uint32_t j = hash_of(old[k].page - 1);
                while (n[j & mask].page)
                    j++;
                n[j & mask] = old[k];
            }
        engine_unmap(old, (pages_mask + 1) * sizeof *old);
        pages = n;
        pages_mask = mask;
        return page_find(page, true);
    }
    pages_used++;
    pages[i & pages_mask].page = page + 1;
    return &pages[i & pages_mask];
}

static uint64_t first_page(const struct fragment *f) { return f->tag / PAGE_SIZE; }
static uint64_t last_page(const struct fragment *f) { return (f->tag + MAX(f->app_len, 1) - 1) / PAGE_SIZE; }

static void
pages_add(frag_id id)
{
    struct fragment *f = &frags[id];
    uint64_t page[2] = {first_page(f), last_page(f)};

    for (int k = 0; k < 1 + (page[0] != page[1]); k++) {
        struct page_entry *p = page_find(page[k], true);
        f->page_next[k] = p->head;
        p->head = id;
    }
}

static void
pages_remove(frag_id id)
{
    struct fragment *f = &frags[id];
    uint64_t page[2] = {first_page(f), last_page(f)};

    for (int k = 0; k < 1 + (page[0] != page[1]); k++) {
        struct page_entry *p = page_find(page[k], false);
        CHECK(p, "a live fragment is on the list of its page");
        for (frag_id *at = &p->head; *at; at = &frags[*at].page_next[first_page(&frags[*at]) != page[k]])
            if (*at == id) {
                *at = f->page_next[k];
                break;
            }
    }
}

/* ---- set-up ---- */

bool
cache_init(uint8_t *at, size_t size)
{
    cache_base = at;
    cache_size = (uint32_t)size;
    max_frags = (uint32_t)(size / 64) + 64;
    max_exits = max_frags * 3;
    frags = engine_map(max_frags * sizeof *frags);
    exits = engine_map(max_exits * sizeof *exits);
    body_lines = engine_map(size / LINE * sizeof *body_lines);
    pad_lines = engine_map(size / LINE * sizeof *pad_lines);
    pages_mask = 1023;
    pages = engine_map((pages_mask + 1) * sizeof *pages);
    table = table_new(4096);
    if (!frags || !exits || !body_lines || !pad_lines || !pages || !table)
        return false;
    size_t blob = (size_t)(cache_blob_end - cache_blob);
    memcpy(cache_base, cache_blob, blob);
    if (!have_bmi2)                      /* movzx eax, cx, and a nop, in place of the pext */
        memcpy(cache_base + (blob_ibl_index - cache_blob), "\x0f\xb7\xc1\x0f\x1f\x84\0\0\0\0\0", 11);
    cache_exit_routine = cache_base + (blob_exit - cache_blob);
    cache_ibl_miss = cache_base + (blob_ibl_miss - cache_blob);
    cache_call_routine = cache_base + (blob_call - cache_blob);
    cache_call_window = cache_base + (call_window - cache_blob);
    cache_call_window_end = cache_base + (call_window_end - cache_blob);
    cache_call_abort = cache_base + (call_abort - cache_blob);
    cache_pad_miss = cache_base + (blob_pad_miss - cache_blob);
    cache_ibl_window = cache_base + (ibl_window - cache_blob);
    cache_ibl_window_end = cache_base + (ibl_window_end - cache_blob);
    cache_ibl_out = cache_base + (blob_ibl_out - cache_blob);
    hot.backed = 0;
    hot_start = hot.next = (uint32_t)align_up(blob, 64);
    hot.end = pads.next = (uint32_t)align_down(size / 2, PAGE_SIZE);
    pads.end = cold.next = hot.end + (uint32_t)align_down(size / 16, PAGE_SIZE);
    cold.end = (uint32_t)size;
    pads.backed = pads.next;
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

    if (e->kind != X_LINK || e->linked || !e->jump || (f->flags & (FRAG_DEAD | FRAG_ONCE)) || (frags[e->from].flags & FRAG_DEAD) || e->target != f->tag)
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

static void delete_fragment(frag_id id);

static void
unlink_incoming(frag_id id)
{
    exit_id x;

    while ((x = frags[id].incoming)) {
        frags[id].incoming = exits[x].next_in;
        exits[x].linked = 0;
        if (exits[x].jump)
            patch(exits[x].jump, (uint64_t)cache_at(exits[x].stub));
        else
            delete_fragment(exits[x].from);   /* falls through into this one: no jump to patch, so it goes too */
    }
}

/* ---- indirect branches ---- */

/* The index is `pext target, mask`: which bits of a target matter is decided at run
 * time. It starts with 13 bits from bit 3 (a table of 64 KiB, 16 pages to touch at the
 * start of a thread) and grows with the program. Without BMI2 it is the low 16 bits. */
enum { IBL_FIRST_MASK = 0xfff8, IBL_LAST_MASK = 0x7fff8, IBL_BUDGET = 4096 };
bool have_bmi2;

static inline uint32_t ibl_index(uint64_t mask, uint64_t target) { return (uint32_t)((target & mask) >> __builtin_ctzll(mask)); }

void
ibl_fill(struct thread *t, uint64_t target, uint8_t *landing)
{
    thread_ibl(t)[ibl_index(t->s.ibl_mask, target)].p = landing;
}

static void
ibl_set_mask(struct thread *t, uint64_t mask)
{
    cache_pc *e = thread_ibl(t);

    t->s.ibl_mask = mask;
    t->s.ibl_budget = IBL_BUDGET;
    for (uint64_t i = 0; i <= mask >> __builtin_ctzll(mask); i++)
        e[i].p = cache_ibl_miss;
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

static void
ibl_forget(struct fragment *f)
{
    if (!f->pad)
        return;
    for (struct thread *t = all_threads; t; t = t->next) {
        cache_pc *e = &thread_ibl(t)[ibl_index(t->s.ibl_mask, f->tag)];
        if (e->p == cache_at(f->pad))
            e->p = cache_ibl_miss;
    }
}

/* A pad is: subtract the tag (one instruction for an address of 31 bits, else two);
 * over the way out if zero; the way out; registers back. */
static bool pad_near(uint64_t tag) { return tag <= INT32_MAX; }
static unsigned pad_test(uint64_t tag) { return pad_near(tag) ? 7 : 10 + 4; }
static unsigned pad_hit(uint64_t tag) { return pad_test(tag) + 2 + (pad_near(tag) ? 7 + 5 : 5); }
static unsigned pad_length(uint64_t tag) { return pad_hit(tag) + 18; }

static void
emit_lea_rcx(struct emit *e, uint32_t disp)
{
    emit_bytes(e, "\x48\x8d\x89", 3);                          /* lea rcx, [rcx + disp]   */
    emit_u32(e, disp);
}

/* The landing pad of `tag` at cache offset `off`. rcx: the target; the program's rcx and
 * rdx are in the spill slots; flags are the program's. Returns its length. */
static uint32_t
write_pad(uint32_t off, uint64_t tag)
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

static void
pad_register(frag_id id, uint32_t off)
{
    struct entry *entry = table_find(id);

    frags[id].pad = off;
    if (entry)
        entry->pad = off;
    line_put(off, id, true);
    cache_stats.pads++;
}

uint8_t *
cache_landing(frag_id id)
{
    struct fragment *f = &frags[id];

    if (f->pad)
        return cache_at(f->pad);
    uint32_t off = area_alloc(&pads, PAD_SIZE);
    if (!off)
        return NULL;
    uint8_t *jmp = cache_at(off + write_pad(off, f->tag));
    int32_t d = (int32_t)(cache_at(f->body) - (jmp + 5));
    jmp[0] = 0xe9;
    memcpy(jmp + 1, &d, 4);
    pad_register(id, off);
    return cache_at(off);
}

uint64_t
cache_pad_target(frag_id id, uint64_t pc, uint64_t rcx)
{
    const struct fragment *f = &frags[id];
    uint32_t at = (uint32_t)(pc - (uint64_t)cache_at(f->pad)), hit = pad_hit(f->tag);

    if (at < pad_test(f->tag) || (pad_near(f->tag) && at == hit - 5))
        return rcx;
    return at < hit ? rcx + f->tag : f->tag;
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

static void
apply_relocs(const struct draft *d, const struct fragment *f)
{
    for (unsigned i = 0; i < d->hot.n_reloc; i++) {
        const struct reloc *r = &d->hot.reloc[i];
        uint8_t *at = cache_at(f->body) + r->off;
        uint64_t to = r->target;
        if (r->kind == RELOC_EXIT) {
            struct exit *x = &exits[f->exit0 + r->target];
            x->jump = f->body + r->off;
            to = (uint64_t)cache_at(x->stub);
        } else if (r->kind == RELOC_COLD) {
            to = (uint64_t)cache_at(f->map) - 8 * (d->n_constants - r->target);
        } else if (r->kind == RELOC_HOT) {
            to = (uint64_t)cache_at(f->body) + r->target;
        }
        int64_t disp = (int64_t)(to - (uint64_t)at - r->end);
        CHECK(fits_i32(disp), "a relocated displacement is in reach");
        int32_t d32 = (int32_t)disp;
        memcpy(at, &d32, 4);
    }
}

/* Other threads could be executing the jump that is overlaid, so only while there is one. */
uint32_t
cache_overlay_spot(exit_id x)
{
    struct exit *e = x ? &exits[x] : NULL;

    if (!e || e->kind != X_LINK || !e->lead || thread_count > 1 || e->linked || !e->jump || (frags[e->from].flags & FRAG_DEAD))
        return 0;
    struct fragment *p = &frags[e->from];
    uint32_t end = p->body + p->body_len;
    return e->jump + 4 == end && chunk_round(end) == hot.next ? e->jump - e->lead : 0;
}

uint8_t
cache_phase(const struct draft *d, uint64_t tag)
{
    return (d->spot ? d->spot : d->landing ? pad_length(tag) : 0) & 7;
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

frag_id
cache_commit(struct draft *d, exit_id after)
{
    uint32_t len = emit_off(&d->hot), map_bytes = d->n_map * (uint32_t)sizeof(struct map_entry);
    uint32_t constants = (uint32_t)align_up(d->n_exits * STUB_SIZE, 8), constant_bytes = d->n_constants * 8;
    uint32_t cold_len = constants + constant_bytes + map_bytes;
    frag_id id = frag_alloc();
    exit_id x0 = id ? exits_alloc(d->n_exits) : 0;
    uint32_t cold_off = x0 || !d->n_exits ? area_alloc(&cold, cold_len) : 0;
    uint32_t body = cold_off ? place_body(d, len) : 0;

    if (!body)
        return 0;                        /* the reset that follows takes back what was taken here */
    struct fragment *f = &frags[id];
    *f = (struct fragment){.tag = d->tag, .mode = d->mode, .flags = d->flags, .app_len = d->app_len, .body = body, .body_len = len,
                           .cold = cold_off, .cold_len = cold_len, .exit0 = x0, .n_exits = (uint16_t)d->n_exits, .n_map = (uint16_t)d->n_map};
    f->map = cold_off + constants + constant_bytes;
    memcpy(cache_at(cold_off + constants), d->constant, constant_bytes);
    memcpy(cache_at(f->map), d->map, map_bytes);
    for (unsigned i = 0; i < d->n_exits; i++) {
        exits[x0 + i] = (struct exit){.target = d->exit[i].target, .kind = d->exit[i].kind, .app_off = d->exit[i].app_off, .stub = cold_off + i * STUB_SIZE, .from = id,
                                        .lead = i == d->n_exits - 1 ? d->fall_lead : 0};
        write_stub(cold_off + i * STUB_SIZE, x0 + i);
    }
    memcpy(cache_at(body), d->code, len);
    apply_relocs(d, f);
    if (d->spot)
        overlay(after, id);
    line_put(body, id, false);
    if (!(d->flags & FRAG_ONCE)) {
        pages_add(id);
        table_insert(id);
    }
    if (d->landing) {
        f->flags |= FRAG_PAD_INLINE;
        pad_register(id, body - write_pad(body - pad_length(d->tag), d->tag));
    }
    cache_stats.fragments++;
    cache_stats.live++;
    cache_stats.insns += d->n_insns;
    cache_stats.app_bytes += d->app_len;
    cache_stats.hot_bytes += len;
    cache_stats.cold_bytes += cold_len;
    return id;
}

/* ---- deletion ---- */

static struct { frag_id head, tail; } dying;   /* linked by `incoming`; the epoch stands in page_next */
static bool want_restart;

static void
delete_fragment(frag_id id)
{
    struct fragment *f = &frags[id];

    if (f->flags & FRAG_DEAD)
        return;
    f->flags |= FRAG_DEAD;
    if (!(f->flags & FRAG_ONCE)) {
        table_remove(id);
        pages_remove(id);
    }
    ibl_forget(f);
    tools_fragment_deleted(f->tag, f->mode);
    unlink_incoming(id);
    for (unsigned i = 0; i < f->n_exits; i++)
        unlink_exit(f->exit0 + i);
    f->incoming = 0;
    f->page_next[0] = f->page_next[1] = 0;
    if (dying.tail)
        frags[dying.tail].incoming = id;
    else
        dying.head = id;
    dying.tail = id;
    *(uint64_t *)f->page_next = cache_epoch + 1;     /* the caller moves the epoch once it is done */
    cache_stats.live--;
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

    line_remove(f->body, id, false);
    free_body(f);
    area_free(&cold, f->cold, f->cold_len);
    if (f->pad) {
        line_remove(f->pad, id, true);
        if (!(f->flags & FRAG_PAD_INLINE))
            area_free(&pads, f->pad, PAD_SIZE);
    }
    if (f->n_exits) {
        exits[f->exit0].next_in = free_exits[f->n_exits];
        free_exits[f->n_exits] = f->exit0;
    }
    f->tag = 0;
    f->incoming = free_frag;
    free_frag = id;
}

/* Everything is gone and nobody is inside: start over at the bottom. */
static void
restart(void)
{
    area_restart(&hot, hot_start);
    area_restart(&pads, hot.end);
    area_restart(&cold, pads.end);
    want_restart = false;
}

void
cache_reclaim(void)
{
    uint64_t safe = UINT64_MAX;

    if (!dying.head && !n_retired)
        return;
    for (struct thread *t = all_threads; t; t = t->next)
        safe = MIN(safe, t->safe_epoch);
    for (frag_id id; (id = dying.head) && *(uint64_t *)frags[id].page_next <= safe;) {
        dying.head = frags[id].incoming;
        if (!dying.head)
            dying.tail = 0;
        release(id);
    }
    for (; n_retired && retired[0].epoch <= safe; n_retired--) {
        engine_unmap(retired[0].table, sizeof *table + (retired[0].table->mask + 1ul) * sizeof(struct entry));
        memmove(retired, retired + 1, (n_retired - 1) * sizeof retired[0]);
    }
    if (want_restart && !dying.head && !cache_stats.live)
        restart();
}

bool
cache_has_room(void)
{
    return !want_restart || false;
}

void
cache_reclaim_if_needed(void)
{
    if (LIKELY(!dying.head && !n_retired))
        return;
    mutex_lock(&cache_lock);
    cache_reclaim();
    mutex_unlock(&cache_lock);
}

unsigned
cache_flush_range(uint64_t lo, uint64_t hi)
{
    unsigned n = 0;
    uint64_t from = lo / PAGE_SIZE, to = (hi + PAGE_SIZE - 1) / PAGE_SIZE;
    bool by_page = to - from <= pages_mask;

    for (uint64_t k = 0; k < (by_page ? to - from : pages_mask + 1ull); k++) {
        struct page_entry *p = by_page ? page_find(from + k, false) : &pages[k];
        if (!p || !p->page || p->page - 1 < from || p->page - 1 >= to)
            continue;
        for (frag_id id = p->head, next; id; id = next) {
            struct fragment *f = &frags[id];
            next = f->page_next[first_page(f) != p->page - 1];
            if (f->tag < hi && f->tag + MAX(f->app_len, 1) > lo) {
                delete_fragment(id);
                n++;
                next = p->head;        /* deletion may have taken others along: start over */
            }
        }
    }
    if (n) {
        cache_stats.flushes++;
        cache_epoch++;
    }
    return n;
}

void
cache_reset(void)
{
    for (frag_id id = 1; id < n_frags; id++)
        if (frags[id].tag && !(frags[id].flags & FRAG_DEAD))
            delete_fragment(id);
    cache_epoch++;
    want_restart = true;
    cache_stats.resets++;
}

void
cache_after_fork(void)
{
    mutex_init(&cache_lock);
}
