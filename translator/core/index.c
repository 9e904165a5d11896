/* Which fragments are where: lists by line of the code cache (whose body or
 * landing pad is at this cache address?) and by page of the program (whose
 * source bytes are in this range?).
 * Threads: callers hold cache_lock. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache_priv.h"
#include "core/tools.h"
#include "linux/memory.h"

/* ---- by cache address ---- */

enum { LINE = 64, LINE_KINDS = 3 };
static frag_id *lines[LINE_KINDS];          /* heads by enum line_kind; links are line_next of struct fragment */

void
line_put(uint32_t off, frag_id id, enum line_kind kind)
{
    frag_id *head = &lines[kind][off / LINE];

    frag_get(id)->line_next[kind] = *head;
    *head = id;
}

void
line_remove(uint32_t off, frag_id id, enum line_kind kind)
{
    frag_id *at = &lines[kind][off / LINE];

    while (*at && *at != id)
        at = &frag_get(*at)->line_next[kind];
    CHECK(*at, "a fragment is on the list of its cache line");
    *at = frag_get(id)->line_next[kind];
}

/* The fragment whose body, or side part, holds `off`. */
static frag_id
part_at(uint32_t off, enum line_kind kind)
{
    frag_id best = 0;
    uint32_t start = 0, len = 0;

    for (uint32_t line = off / LINE, back = 0; !best && back <= MAX_CHUNK / LINE; line--, back++) {
        for (frag_id id = lines[kind][line]; id; id = frag_get(id)->line_next[kind]) {
            const struct fragment *f = frag_get(id);
            uint32_t at = kind == LINE_SIDE ? f->side : f->body;
            if (at <= off && (!best || at > start)) {
                best = id;
                start = at;
                len = kind == LINE_SIDE ? f->side_len : f->body_len;
            }
        }
        if (!line)
            break;
    }
    return best && off - start < len ? best : 0;
}

static frag_id
pad_at(uint32_t off)
{
    for (uint32_t line = off / LINE, back = 0; back < 3 && line; line--, back++)
        for (frag_id id = lines[LINE_PAD][line]; id; id = frag_get(id)->line_next[LINE_PAD])
            if (off - frag_get(id)->pad < (frag_get(id)->flags & FRAG_PAD_INLINE ? frag_get(id)->body - frag_get(id)->pad : PAD_SIZE))
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
    frag_id id = part_at(off, LINE_BODY);
    if (!id && n_tools)
        id = part_at(off, LINE_SIDE);
    *in_pad = !id;
    if (!id)
        id = pad_at(off);
    mutex_unlock(&cache_lock);
    return id;
}

/* ---- by source page ---- */

struct page_entry { uint64_t page; frag_id head; uint32_t unused; };   /* page number + 1; 0: empty */
static struct page_entry *pages;
static uint32_t pages_mask, pages_used;

static bool has_fragments(const struct page_entry *p) { return p->page && p->head; }

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
        uint32_t used = 0;
        for (uint32_t k = 0; k <= pages_mask; k++)
            used += has_fragments(&pages[k]);
        uint32_t mask = used * 4 > pages_mask ? pages_mask * 2 + 1 : pages_mask;
        struct page_entry *old = pages, *n = engine_map((mask + 1) * sizeof *n);
        CHECK(n, "memory for the page table of the cache");
        for (uint32_t k = 0; k <= pages_mask; k++)
            if (has_fragments(&old[k])) {
                uint32_t j = hash_of(old[k].page - 1);
                while (n[j & mask].page)
                    j++;
                n[j & mask] = old[k];
            }
        engine_unmap(old, (pages_mask + 1) * sizeof *old);
        pages = n;
        pages_mask = mask;
        pages_used = used;
        return page_find(page, true);
    }
    pages_used++;
    pages[i & pages_mask].page = page + 1;
    return &pages[i & pages_mask];
}

static uint64_t first_page(const struct fragment *f) { return f->tag / PAGE_SIZE; }
static uint64_t last_page(const struct fragment *f) { return (f->tag + MAX(f->app_len, 1) - 1) / PAGE_SIZE; }

void
pages_add(frag_id id)
{
    struct fragment *f = frag_get(id);
    uint64_t page[2] = {first_page(f), last_page(f)};

    for (int k = 0; k < 1 + (page[0] != page[1]); k++) {
        struct page_entry *p = page_find(page[k], true);
        f->page_next[k] = p->head;
        p->head = id;
    }
}

void
pages_remove(frag_id id)
{
    struct fragment *f = frag_get(id);
    uint64_t page[2] = {first_page(f), last_page(f)};

    for (int k = 0; k < 1 + (page[0] != page[1]); k++) {
        struct page_entry *p = page_find(page[k], false);
        CHECK(p, "a live fragment is on the list of its page");
        for (frag_id *at = &p->head; *at; at = &frag_get(*at)->page_next[first_page(frag_get(*at)) != page[k]])
            if (*at == id) {
                *at = f->page_next[k];
                break;
            }
    }
}

bool
index_init(size_t cache_bytes)
{
    bool ok = true;

    for (unsigned k = 0; k < LINE_KINDS; k++)
        ok &= (lines[k] = engine_map(cache_bytes / LINE * sizeof *lines[k])) != NULL;
    pages_mask = 1023;
    pages = engine_map((pages_mask + 1) * sizeof *pages);
    return ok && pages;
}

/* The list `p`: fragments of the page that have source bytes in [lo, hi). */
static unsigned
delete_listed(struct page_entry *p, uint64_t lo, uint64_t hi)
{
    unsigned n = 0;

    for (frag_id id = p->head, next; id; id = next) {
        struct fragment *f = frag_get(id);
        next = f->page_next[first_page(f) != p->page - 1];
        if (f->tag < hi && f->tag + MAX(f->app_len, 1) > lo) {
            fragment_delete(id);
            n++;
            next = p->head;          /* deletion may have taken others along: start over */
        }
    }
    return n;
}

unsigned
index_delete_range(uint64_t lo, uint64_t hi)
{
    uint64_t from = lo / PAGE_SIZE, to = (hi + PAGE_SIZE - 1) / PAGE_SIZE;
    bool by_page = to - from <= pages_mask;
    unsigned n = 0;

    for (uint64_t k = 0; k < (by_page ? to - from : pages_mask + 1ull); k++) {
        struct page_entry *p = by_page ? page_find(from + k, false) : &pages[k];
        if (p && p->page && p->page - 1 >= from && p->page - 1 < to)
            n += delete_listed(p, lo, hi);
    }
    return n;
}
