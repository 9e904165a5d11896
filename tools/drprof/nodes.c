/* The tree of calling contexts, one for each thread, in the raw file.
 *
 * Bounded: recursion opens new contexts only so deep, the less the more the
 * function has (limit_of_level); beyond that, a call leads back to the nearest context of
 * the same function above. With very many contexts, or without memory for more,
 * a function has one context for all further ones (PROF_ELSEWHERE).
 * Threads: a thread adds to its own tree; others only read counts. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "priv.h"

enum { FEW = 32, SOME = 256, MANY = 4096, TOO_MANY = 1 << 22 };

static unsigned
limit_of_level(const struct prof_function *f)
{
    return f->n_recursive < FEW ? 64 : f->n_recursive < SOME ? 8 : f->n_recursive < MANY ? 2 : 0;
}

/* ---- looking up children ---- */

static uint32_t
hash_of(const struct context *c, prof_ref parent, prof_ref site, uint64_t entry_not)
{
    uint64_t h = (entry_not ^ (uint64_t)parent << 32 ^ (uint64_t)site << 16) * 0x9e3779b97f4a7c15ull;

    return (uint32_t)(h >> 32) & (c->index_size - 1);
}

static void
index_put(struct context *c, const struct prof_node *n)
{
    uint32_t h = hash_of(c, n->parent, n->site, n->entry_not);

    while (c->index[h])
        h = (h + 1) & (c->index_size - 1);
    c->index[h] = ref_of(n);
}

/* False: no memory. */
static bool
index_room(struct context *c)
{
    const struct prof_node *n;
    uint32_t size = c->index_size ? c->index_size * 2 : 1024;

    if (2 * (c->nodes + 1) < c->index_size)
        return true;
    prof_ref *larger = dr_map(size * sizeof *larger);
    if (!larger)
        return false;
    if (c->index)
        dr_unmap(c->index, c->index_size * sizeof *larger);
    c->index = larger;
    c->index_size = size;
    for (prof_ref r = c->thread->nodes; r; r = n->next) {
        n = at_ref(r);
        index_put(c, n);
    }
    return true;
}

static struct prof_node *
child_of(const struct context *c, const struct prof_node *from, prof_ref f, prof_ref site, enum prof_node_kind kind, uint64_t target)
{
    if (!c->index_size)
        return NULL;
    for (uint32_t h = hash_of(c, ref_of(from), site, ~target); c->index[h]; h = (h + 1) & (c->index_size - 1)) {
        struct prof_node *n = at_ref(c->index[h]);
        if (n->parent == ref_of(from) && n->site == site && n->entry_not == ~target && n->kind == kind && n->function == f)
            return n;
    }
    return NULL;
}

static struct prof_node *
node_new(struct context *c, struct prof_function *f, struct prof_node *parent, const struct prof_slot *site, enum prof_node_kind kind, uint64_t target)
{
    struct prof_node *n = index_room(c) ? raw_alloc(sizeof *n + (f ? 8ul * (f->n_inline + f->n_chunks) : 0)) : NULL;

    if (!n)
        return NULL;
    n->entry_not = ~target;
    n->function = ref_of(f);
    n->parent = ref_of(parent);
    n->site = ref_of(site);
    n->kind = (uint8_t)kind;
    n->next = c->thread->nodes;
    c->thread->nodes = ref_of(n);
    index_put(c, n);
    c->nodes++;
    return n;
}

/* The nearest node above, `n` included, that is of f. */
static struct prof_node *
above(struct prof_node *n, prof_ref f)
{
    while (n && n->function != f)
        n = at_ref(n->parent);
    return n;
}

/* Within one activation: n itself or what jumped to it is of f. */
static struct prof_node *
same_activation(struct prof_node *n, prof_ref f)
{
    for (; n; n = at_ref(n->parent)) {
        if (n->function == f)
            return n;
        if (n->kind != PROF_JUMPED && n->kind != PROF_LANDED)
            break;
    }
    return NULL;
}

static struct prof_node *
node_elsewhere(struct context *c, struct prof_function *f)
{
    struct prof_node *root = at_ref(c->thread->root), *n = child_of(c, root, ref_of(f), 0, PROF_ELSEWHERE, f->start);

    return n ? n : node_new(c, f, root, NULL, PROF_ELSEWHERE, f->start);
}

struct prof_node *
node_enter(struct context *c, struct prof_node *from, const struct prof_slot *site, enum prof_node_kind kind, uint64_t target)
{
    struct prof_function *f = function_at(target);
    struct prof_node *n;

    if (!f)
        return NULL;
    if (kind == PROF_JUMPED || kind == PROF_LANDED) {
        n = same_activation(from, ref_of(f));
        if (n)
            return n;
    }
    n = child_of(c, from, ref_of(f), ref_of(site), kind, target);
    if (n)
        return n;
    struct prof_node *same = above(from, ref_of(f));
    if (same && same->level >= limit_of_level(f))
        return same;
    if (c->nodes >= TOO_MANY)
        return node_elsewhere(c, f);
    n = node_new(c, f, from, site, kind, target);
    if (n && same) {
        n->level = (uint16_t)(same->level + 1);
        f->n_recursive++;                /* threads may miss some of each other's */
    }
    return n;
}

uint64_t *
node_place(struct prof_node *n, const struct prof_slot *s)
{
    const struct prof_function *f = at_ref(s->function);
    uint64_t *place = (uint64_t *)((uint8_t *)n + node_offset(f, s->index));

    if (!in_chunk(f, s->index))
        return place;
    if (!*place)
        *place = (uint64_t)raw_alloc(8 * PROF_CHUNK_SLOTS);
    return *place ? (uint64_t *)(*place + chunk_offset(f, s->index)) : NULL;
}

/* ---- threads ---- */

bool
context_start(dr_thread *t)
{
    struct context *c = context_of(t);
    struct prof_thread *p = raw_alloc(sizeof *p);

    *c = (struct context){.thread = p, .top = FRAMES_BYTES};
    if (!p)
        return false;
    p->tid = (uint32_t)dr_thread_id(t);
    c->now = node_new(c, NULL, NULL, NULL, PROF_ROOT, 0);
    if (!c->now)
        return false;
    p->root = ref_of(c->now);
    dr_lock(&lock);
    p->next = header->threads;
    header->threads = ref_of(p);
    dr_unlock(&lock);
    c->started = true;
    return true;
}

static void
zero_slot(struct prof_node *n, const struct prof_slot *s)
{
    const struct prof_function *f = at_ref(s->function);

    if (s->kind != PROF_BLOCK)
        return;
    if (!in_chunk(f, s->index) || *(uint64_t *)((uint8_t *)n + node_offset(f, s->index)))
        *node_place(n, s) = 0;
}

static void
zero_thread(const struct prof_thread *p)
{
    struct prof_node *n;

    for (prof_ref r = p->nodes; r; r = n->next) {
        n = at_ref(r);
        n->calls = 0;
        const struct prof_function *f = at_ref(n->function);
        const struct prof_slot *s;
        for (prof_ref k = f ? f->slots : 0; k; k = s->next) {
            s = at_ref(k);
            zero_slot(n, s);
        }
    }
}

void
context_zero(void)
{
    const struct prof_thread *p;

    dr_lock(&lock);
    for (prof_ref r = header->threads; r; r = p->next) {
        p = at_ref(r);
        zero_thread(p);
    }
    dr_unlock(&lock);
}

/* The tree goes on, from zero; the other threads' are the parent's business. */
void
context_fork_child(dr_thread *t)
{
    struct context *c = context_of(t);

    lock.state = 0;
    header->threads = ref_of(c->thread);
    c->thread->next = 0;
    c->thread->tid = (uint32_t)dr_thread_id(t);
    context_zero();
}
