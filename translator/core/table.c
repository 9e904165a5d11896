/* The table (tag, mode) -> fragment: open addressing, readers without a lock.
 * A key is stored last when an entry is made and first when it goes; a reader
 * without cache_lock checks the fragment it got against what it looked for.
 * A table that was outgrown lives until no reader can be in it.
 * Threads: writers hold cache_lock. blob_ibl_miss in entry.S reads it too. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache_priv.h"
#include "linux/memory.h"

struct entry { volatile uint64_t key; volatile uint32_t id; volatile uint32_t pad; };   /* pad: landing pad, 0: none yet; read by blob_ibl_miss */
struct table { uint32_t mask, used; struct entry e[]; };
static struct table *volatile table;
void *const cache_table_address = (void *)&table;   /* for threads' SLOT_TABLE */
static struct { struct table *table; uint64_t epoch; } retired[32];    /* old tables, until no reader can be in them */
static unsigned n_retired;
enum { KEY_EMPTY = 0, KEY_GONE = 1 };

static inline uint64_t key_of(uint64_t tag, unsigned mode) { return tag | (uint64_t)mode << 48 | 1ull << 63; }

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
            if (frag_get(id)->tag == tag && frag_get(id)->mode == mode && !(frag_get(id)->flags & FRAG_DEAD))
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
    e->pad = frag_get(id)->pad;
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

void
table_insert(frag_id id)
{
    if (table->used * 3 > table->mask * 2)
        table_grow();
    CHECK(table->used < table->mask, "the fragment table has room");
    table_put(table, key_of(frag_get(id)->tag, frag_get(id)->mode), id);
}

static struct entry *
table_find(frag_id id)
{
    struct table *tb = table;
    uint64_t key = key_of(frag_get(id)->tag, frag_get(id)->mode);

    for (uint32_t i = hash_of(key); tb->e[i & tb->mask].key != KEY_EMPTY; i++)
        if (tb->e[i & tb->mask].key == key && tb->e[i & tb->mask].id == id)
            return &tb->e[i & tb->mask];
    return NULL;
}

void
table_remove(frag_id id)
{
    struct entry *e = table_find(id);

    if (e)
        __atomic_store_n(&e->key, KEY_GONE, __ATOMIC_SEQ_CST);   /* before the threads' tables are looked through; see blob_ibl_miss */
}


bool
table_init(void)
{
    return (table = table_new(4096));
}

void
table_set_pad(frag_id id, uint32_t pad)
{
    struct entry *e = table_find(id);

    if (e)
        e->pad = pad;
}

bool table_has_retired(void) { return n_retired; }

void
table_reclaim(uint64_t safe)
{
    for (; n_retired && retired[0].epoch <= safe; n_retired--) {
        engine_unmap(retired[0].table, sizeof *table + (retired[0].table->mask + 1ul) * sizeof(struct entry));
        memmove(retired, retired + 1, (n_retired - 1) * sizeof retired[0]);
    }
}
