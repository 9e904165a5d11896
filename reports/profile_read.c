/* SPDX-License-Identifier: BSD-3-Clause */
/* From a raw profile (drtools/profile.h) to a symbolized one. A file cut short or damaged gives less, never a crash. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "drtools/profile.h"
#include "memory.h"
#include "profile.h"
#include "symbols.h"

/* A module or function of the file, with what it became; sorted by reference. */
struct known { prof_ref ref; uint32_t index; };

struct reader {
    const uint8_t *data;
    uint64_t size;
    const struct prof_header *h;
    struct profile *p;
    struct symbols *symbols;
    struct symbol_module **module;       /* by index */
    struct known *modules, *functions;
    size_t n_modules, n_functions, modules_room, functions_room;
    size_t room_modules, room_functions, room_locations, room_nodes, room_blocks, room_threads;
    uint32_t *location_hash, *address_hash, *child_hash;     /* of indices + 1 */
    size_t location_slots, address_slots, child_slots;
    struct { uint64_t pc; uint32_t location; } *addresses;
    size_t n_addresses, addresses_room;
    struct { prof_ref ref; uint32_t node; } *nodes;          /* open hash by reference */
    size_t node_slots, n_nodes;
    uint64_t steps;                      /* left: a damaged list may be a circle */
};

static const void *
at(struct reader *r, prof_ref ref, size_t size)
{
    uint64_t offset = (uint64_t)ref << 4;

    if (!ref || offset > r->size || size > r->size - offset || !r->steps)
        return NULL;
    r->steps--;
    return r->data + offset;
}

static const char *
text_at(struct reader *r, prof_ref ref)
{
    const char *s = at(r, ref, 1);

    if (!s || !memchr(s, 0, r->size - ((uint64_t)ref << 4)))
        return "";
    return strings_keep(r->p->strings, s);
}

/* ---- hashes of indices ---- */

static uint64_t
mix(uint64_t a, uint64_t b)
{
    a = (a ^ b) * 0x9e3779b97f4a7c15ull;
    return a ^ a >> 29;
}

/* Makes room for one more among n; true if the table is new and empty. */
static bool
hash_room(uint32_t **table, size_t *slots, size_t n)
{
    if (2 * (n + 1) < *slots)
        return false;
    *slots = *slots ? *slots * 2 : 1024;
    free(*table);
    *table = memory_zalloc(*slots, sizeof **table);
    return true;
}

/* ---- modules ---- */

static void
read_modules(struct reader *r)
{
    struct profile *p = r->p;
    const struct prof_module *m;
    prof_ref *list = NULL;
    size_t n = 0, room = 0;

    for (prof_ref ref = r->h->modules; (m = at(r, ref, sizeof *m)); ref = m->next) {
        GROW(list, n, room);
        list[n++] = ref;
    }
    while (n) {                          /* the last one loaded comes first in the file */
        m = at(r, list[--n], sizeof *m);
        if (!m)
            break;
        GROW(p->modules, p->n_modules, r->room_modules);
        r->module = realloc(r->module, (p->n_modules + 1) * sizeof *r->module);
        if (!r->module)
            abort();
        struct profile_module *to = &p->modules[p->n_modules];
        *to = (struct profile_module){.path = text_at(r, m->path), .start = m->start, .end = m->end, .bias = m->bias};
        size_t id = m->build_id_size <= sizeof m->build_id ? m->build_id_size : 0;
        r->module[p->n_modules] = symbols_module(r->symbols, to->path, m->build_id, id);
        GROW(r->modules, r->n_modules, r->modules_room);
        r->modules[r->n_modules++] = (struct known){list[n], (uint32_t)p->n_modules++};
    }
    free(list);
}

static int by_ref(const void *a, const void *b)
{
    prof_ref x = ((const struct known *)a)->ref, y = ((const struct known *)b)->ref;
    return x < y ? -1 : x > y;
}

static uint32_t
index_of(const struct known *list, size_t n, prof_ref ref)
{
    struct known key = {.ref = ref};
    const struct known *k = n ? bsearch(&key, list, n, sizeof *list, by_ref) : NULL;

    return k ? k->index : PROFILE_NONE;
}

/* ---- locations ---- */

static const char *
nameless(struct reader *r, uint32_t module, uint64_t address)
{
    char text[512];

    if (module == PROFILE_NONE)
        snprintf(text, sizeof text, "[code at 0x%llx]", (unsigned long long)(address & ~4095ull));
    else
        snprintf(text, sizeof text, "%.400s+0x%llx", profile_base_name(r->p->modules[module].path), (unsigned long long)address);
    return strings_keep(r->p->strings, text);
}

static bool
same_frames(const struct profile_location *l, uint32_t module, const struct profile_frame *frame, size_t n)
{
    if (l->module != module || l->n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (l->frame[i].function != frame[i].function || l->frame[i].file != frame[i].file || l->frame[i].line != frame[i].line)
            return false;
    return true;
}

static uint64_t
frames_hash(uint32_t module, const struct profile_frame *frame, size_t n)
{
    uint64_t h = module;

    for (size_t i = 0; i < n; i++)
        h = mix(mix(h, (uintptr_t)frame[i].function), (uintptr_t)frame[i].file ^ frame[i].line);
    return h;
}

static void
location_put(struct reader *r, uint32_t i)
{
    const struct profile_location *l = &r->p->locations[i];
    size_t s = frames_hash(l->module, l->frame, l->n) & (r->location_slots - 1);

    while (r->location_hash[s])
        s = (s + 1) & (r->location_slots - 1);
    r->location_hash[s] = i + 1;
}

static uint32_t
location_of_frames(struct reader *r, uint32_t module, uint64_t address, const struct profile_frame *frame, size_t n)
{
    struct profile *p = r->p;

    if (hash_room(&r->location_hash, &r->location_slots, p->n_locations))
        for (uint32_t i = 0; i < p->n_locations; i++)
            location_put(r, i);
    for (size_t s = frames_hash(module, frame, n) & (r->location_slots - 1); r->location_hash[s]; s = (s + 1) & (r->location_slots - 1))
        if (same_frames(&p->locations[r->location_hash[s] - 1], module, frame, n))
            return r->location_hash[s] - 1;
    GROW(p->locations, p->n_locations, r->room_locations);
    p->locations[p->n_locations] = (struct profile_location){.module = module, .n = (uint32_t)n, .address = address,
                                                             .frame = memory_copy(frame, n * sizeof *frame)};
    location_put(r, (uint32_t)p->n_locations);
    return (uint32_t)p->n_locations++;
}

static uint32_t
symbolize(struct reader *r, uint32_t module, uint64_t pc, uint64_t nameless_at)
{
    enum { MAX = 64 };
    struct profile_frame frame[MAX];
    const struct symbol_frame *f = NULL;
    uint64_t address = module == PROFILE_NONE ? pc : pc - r->p->modules[module].bias;
    size_t n = module == PROFILE_NONE ? 0 : symbols_lookup(r->module[module], address, &f);

    n = n < MAX ? n : MAX;
    for (size_t i = 0; i < n; i++) {
        const char *name = f[i].function ? f[i].function : NULL;
        frame[i].function = name ? strings_keep(r->p->strings, name) : nameless(r, module, nameless_at);
        frame[i].file = strings_keep(r->p->strings, f[i].file);
        frame[i].line = f[i].file ? f[i].line : 0;
    }
    if (!n)
        frame[n++] = (struct profile_frame){.function = nameless(r, module, nameless_at)};
    return location_of_frames(r, module, address, frame, n);
}

static void
address_put(struct reader *r, uint32_t i)
{
    size_t s = mix(r->addresses[i].pc, 0) & (r->address_slots - 1);

    while (r->address_hash[s])
        s = (s + 1) & (r->address_slots - 1);
    r->address_hash[s] = i + 1;
}

static uint64_t
in_file(struct reader *r, uint32_t module, uint64_t pc)
{
    return module == PROFILE_NONE ? pc : pc - r->p->modules[module].bias;
}

/* Location of the instruction at pc, in function f of the raw file. */
static uint32_t
location_at(struct reader *r, const struct prof_function *f, uint32_t module, uint64_t pc)
{
    if (hash_room(&r->address_hash, &r->address_slots, r->n_addresses))
        for (uint32_t i = 0; i < r->n_addresses; i++)
            address_put(r, i);
    uint64_t key = mix(pc, module) | 1;
    for (size_t s = mix(key, 0) & (r->address_slots - 1); r->address_hash[s]; s = (s + 1) & (r->address_slots - 1))
        if (r->addresses[r->address_hash[s] - 1].pc == key)
            return r->addresses[r->address_hash[s] - 1].location;
    GROW(r->addresses, r->n_addresses, r->addresses_room);
    uint32_t location = symbolize(r, module, pc, in_file(r, module, f->start));
    r->addresses[r->n_addresses].pc = key;
    r->addresses[r->n_addresses].location = location;
    address_put(r, (uint32_t)r->n_addresses++);
    return location;
}

/* ---- functions ---- */

static int
compare_names(const void *a, const void *b, void *context)
{
    const struct profile_function *f = ((const struct profile *)context)->functions, *x = &f[*(const uint32_t *)a], *y = &f[*(const uint32_t *)b];

    return x->name < y->name ? -1 : x->name > y->name ? 1 : x->module < y->module ? -1 : x->module > y->module ? 1 : 0;
}

static uint32_t module_of(struct reader *r, const struct prof_function *f) { return index_of(r->modules, r->n_modules, f->module); }

static bool
was_entered(struct reader *r, const struct prof_function *f)
{
    const struct prof_slot *s;

    for (prof_ref ref = f->slots; (s = at(r, ref, sizeof *s)); ref = s->next)
        if (s->kind == PROF_BLOCK)
            return true;
    return false;
}

static void
read_functions(struct reader *r)
{
    const struct prof_function *f;

    for (prof_ref ref = r->h->functions; (f = at(r, ref, sizeof *f)); ref = f->next) {
        uint32_t module = module_of(r, f);
        GROW(r->p->functions, r->p->n_functions, r->room_functions);
        struct profile_function to = {.module = module, .plt = f->flags & PROF_IS_PLT, .address = in_file(r, module, f->start)};
        if (was_entered(r, f)) {
            uint32_t l = location_at(r, f, module, f->start);
            const struct profile_frame *frame = &r->p->locations[l].frame[r->p->locations[l].n - 1];
            to.name = frame->function;
            to.file = frame->file;
            to.line = frame->line;
        } else {
            to.name = nameless(r, module, to.address);
        }
        r->p->functions[r->p->n_functions] = to;
        GROW(r->functions, r->n_functions, r->functions_room);
        r->functions[r->n_functions++] = (struct known){ref, (uint32_t)r->p->n_functions++};
    }
    qsort(r->functions, r->n_functions, sizeof *r->functions, by_ref);
}

/* Stretches of the raw file that are parts of one function (a cold part, an unwind entry in the middle) become one. */
static void
join_functions(struct reader *r)
{
    struct profile *p = r->p;
    uint32_t *order = memory_zalloc(p->n_functions + 1, sizeof *order), *now = memory_zalloc(p->n_functions + 1, sizeof *now);
    size_t n = 0;

    for (uint32_t i = 0; i < p->n_functions; i++)
        order[i] = i;
    qsort_r(order, p->n_functions, sizeof *order, compare_names, p);
    for (size_t i = 0; i < p->n_functions; i++) {
        bool first = i == 0 || compare_names(&order[i], &order[i - 1], p) != 0;
        uint32_t head = first ? order[i] : now[order[i - 1]];
        now[order[i]] = head;
        if (p->functions[order[i]].address < p->functions[head].address) {
            p->functions[head].address = p->functions[order[i]].address;
            p->functions[head].line = p->functions[order[i]].line;
        }
    }
    uint32_t *place = memory_zalloc(p->n_functions + 1, sizeof *place);
    for (uint32_t i = 0; i < p->n_functions; i++)
        if (now[i] == i) {
            place[i] = (uint32_t)n;
            p->functions[n++] = p->functions[i];
        }
    for (size_t i = 0; i < r->n_functions; i++)
        r->functions[i].index = place[now[r->functions[i].index]];
    p->n_functions = n;
    free(order);
    free(now);
    free(place);
}

/* ---- the tree ---- */

static uint64_t child_key(uint32_t parent, uint32_t function, uint32_t site) { return mix(mix(parent, function), site); }

static void
child_put(struct reader *r, uint32_t i)
{
    const struct profile_node *n = &r->p->nodes[i];
    size_t s = child_key(n->parent, n->function, n->site) & (r->child_slots - 1);

    while (r->child_hash[s])
        s = (s + 1) & (r->child_slots - 1);
    r->child_hash[s] = i + 1;
}

/* The child of `parent` for a function called at a site: one for all threads. */
static uint32_t
child(struct reader *r, uint32_t parent, uint32_t function, uint32_t site, bool inside)
{
    struct profile *p = r->p;

    if (hash_room(&r->child_hash, &r->child_slots, p->n_nodes))
        for (uint32_t i = 1; i < p->n_nodes; i++)
            child_put(r, i);
    for (size_t s = child_key(parent, function, site) & (r->child_slots - 1); r->child_hash[s]; s = (s + 1) & (r->child_slots - 1)) {
        const struct profile_node *n = &p->nodes[r->child_hash[s] - 1];
        if (n->parent == parent && n->function == function && n->site == site)
            return r->child_hash[s] - 1;
    }
    GROW(p->nodes, p->n_nodes, r->room_nodes);
    uint32_t i = (uint32_t)p->n_nodes++;
    p->nodes[i] = (struct profile_node){.parent = parent, .child = PROFILE_NONE, .sibling = p->nodes[parent].child, .function = function, .site = site, .inside = inside};
    p->nodes[parent].child = i;
    child_put(r, i);
    return i;
}

static void
add_cost(struct profile *p, uint32_t node, uint32_t location, uint64_t count)
{
    struct profile_node *n = &p->nodes[node];

    n->self += count;
    p->locations[location].self += count;
    if (n->n_costs && n->cost[n->n_costs - 1].location == location) {
        n->cost[n->n_costs - 1].count += count;
        return;
    }
    GROW(n->cost, n->n_costs, n->room);
    n->cost[n->n_costs++] = (struct profile_cost){location, count};
}

static int
by_location(const void *a, const void *b)
{
    uint32_t x = ((const struct profile_cost *)a)->location, y = ((const struct profile_cost *)b)->location;
    return x < y ? -1 : x > y;
}

static void
join_costs(struct profile_node *n)
{
    size_t to = 0;

    if (n->n_costs)
        qsort(n->cost, n->n_costs, sizeof *n->cost, by_location);
    for (size_t i = 0; i < n->n_costs; i++)
        if (to && n->cost[to - 1].location == n->cost[i].location)
            n->cost[to - 1].count += n->cost[i].count;
        else
            n->cost[to++] = n->cost[i];
    n->n_costs = to;
}

static uint64_t
slot_value(struct reader *r, const struct prof_node *n, const struct prof_function *f, uint32_t index)
{
    uint64_t place = index < f->n_inline ? index : f->n_inline + (index - f->n_inline) / PROF_CHUNK_SLOTS;
    uint64_t offset = (uint64_t)((const uint8_t *)&n->slot[place] - r->data), value;

    if (offset + 8 > r->size)
        return 0;
    memcpy(&value, r->data + offset, 8);
    if (index < f->n_inline)
        return value;
    offset = value - r->h->base + 8 * ((index - f->n_inline) % PROF_CHUNK_SLOTS);
    if (!value || offset > r->size - 8)
        return 0;
    memcpy(&value, r->data + offset, 8);
    return value;
}

/* The node of the profile that a node of the raw file has become. */
static uint32_t *
node_place(struct reader *r, prof_ref ref)
{
    size_t s = mix(ref, 1) & (r->node_slots - 1);

    while (r->nodes[s].ref && r->nodes[s].ref != ref)
        s = (s + 1) & (r->node_slots - 1);
    r->nodes[s].ref = ref;
    return &r->nodes[s].node;
}

static uint32_t
site_location(struct reader *r, const struct prof_node *n)
{
    const struct prof_slot *s = at(r, n->site, sizeof *s);
    const struct prof_function *f = s ? at(r, s->function, sizeof *f) : NULL;

    return f ? location_at(r, f, module_of(r, f), s->pc) : PROFILE_NONE;
}

static bool is_jump(const struct prof_node *n) { return n->kind == PROF_JUMPED || n->kind == PROF_LANDED; }

/* The node for `n`, whose parent has its own already: a new one, or the parent's if that is the same function gone
 * on elsewhere, or code that only leads on to another function. */
static uint32_t
convert_node(struct reader *r, const struct prof_node *n, uint32_t parent)
{
    uint32_t function = index_of(r->functions, r->n_functions, n->function);
    const struct profile_node *up = &r->p->nodes[parent];

    if (function == PROFILE_NONE)
        return parent;
    if (is_jump(n) && up->function == function)
        return parent;
    if (r->p->functions[function].plt && parent)
        return parent;
    const struct prof_node *from = at(r, n->parent, sizeof *from);
    uint32_t through = from ? index_of(r->functions, r->n_functions, from->function) : PROFILE_NONE;
    bool through_plt = through != PROFILE_NONE && r->p->functions[through].plt && is_jump(n);
    uint32_t site = site_location(r, through_plt ? from : n);
    uint32_t i = child(r, parent, function, site, is_jump(n) && !through_plt);
    r->p->nodes[i].calls += n->calls;
    r->p->functions[function].calls += n->calls;
    return i;
}

/* The nodes of a thread in the order of their making: parents first. */
static prof_ref *
thread_nodes(struct reader *r, const struct prof_thread *t, size_t *n)
{
    const struct prof_node *node;
    prof_ref *list = NULL;
    size_t room = 0;

    *n = 0;
    for (prof_ref ref = t->nodes; (node = at(r, ref, sizeof *node)); ref = node->next) {
        GROW(list, *n, room);
        list[(*n)++] = ref;
    }
    for (size_t i = 0; i < *n / 2; i++) {
        prof_ref x = list[i];
        list[i] = list[*n - 1 - i];
        list[*n - 1 - i] = x;
    }
    return list;
}

struct block_count { prof_ref slot; uint64_t count; };

/* Costs of the instructions of a block. What a PLT entry costs is its caller's. */
static void
count_block(struct reader *r, const struct prof_function *f, const struct prof_slot *s, uint32_t node, const struct prof_node *n, uint64_t count)
{
    uint32_t module = module_of(r, f), plt_site = PROFILE_NONE;
    const uint8_t *length = (const uint8_t *)s + offsetof(struct prof_slot, length);
    uint64_t pc = s->pc;

    if (f->flags & PROF_IS_PLT)
        plt_site = site_location(r, n);
    for (unsigned i = 0; i < s->n && length + i < r->data + r->size; pc += length[i++])
        add_cost(r->p, node, plt_site != PROFILE_NONE ? plt_site : location_at(r, f, module, pc), count);
}

static uint64_t
count_node(struct reader *r, const struct prof_node *n, uint32_t node, uint64_t *by_slot)
{
    const struct prof_function *f = at(r, n->function, sizeof *f);
    const struct prof_slot *s;
    uint64_t total = 0;

    for (prof_ref ref = f ? f->slots : 0; (s = at(r, ref, sizeof *s)); ref = s->next) {
        uint64_t count = s->kind == PROF_BLOCK ? slot_value(r, n, f, s->index) : 0;
        if (!count)
            continue;
        count_block(r, f, s, node, n, count);
        by_slot[ref] += count;
        total += count * s->n;
    }
    return total;
}

static void
read_thread(struct reader *r, const struct prof_thread *t, uint64_t *by_slot)
{
    struct profile *p = r->p;
    uint64_t total = 0;
    size_t n;
    prof_ref *list = thread_nodes(r, t, &n);

    for (r->node_slots = 64; r->node_slots < 2 * n; r->node_slots *= 2)
        ;
    r->nodes = memory_zalloc(r->node_slots, sizeof *r->nodes);
    for (size_t i = 0; i < n; i++) {
        const struct prof_node *node = at(r, list[i], sizeof *node);
        if (!node)
            break;
        uint32_t parent = node->parent ? *node_place(r, node->parent) : 0;
        uint32_t as = node->kind == PROF_ROOT ? 0 : convert_node(r, node, parent);
        *node_place(r, list[i]) = as;
        total += count_node(r, node, as, by_slot);
    }
    GROW(p->threads, p->n_threads, r->room_threads);
    p->threads[p->n_threads++] = (struct profile_thread){.tid = t->tid, .total = total};
    free(r->nodes);
    free(list);
}

static void
read_blocks(struct reader *r, const uint64_t *by_slot)
{
    struct profile *p = r->p;
    const struct prof_function *f;
    const struct prof_slot *s;

    for (prof_ref fr = r->h->functions; (f = at(r, fr, sizeof *f)); fr = f->next)
        for (prof_ref ref = f->slots; (s = at(r, ref, sizeof *s)); ref = s->next)
            if (by_slot[ref]) {
                uint32_t module = module_of(r, f);
                GROW(p->blocks, p->n_blocks, r->room_blocks);
                p->blocks[p->n_blocks++] = (struct profile_block){.module = module, .address = in_file(r, module, s->pc), .n = s->n, .count = by_slot[ref]};
            }
}

/* ---- sums ---- */

/* Children come behind their parents. */
static void
sum_up(struct profile *p)
{
    for (size_t i = p->n_nodes; i--;) {
        struct profile_node *n = &p->nodes[i];
        join_costs(n);
        n->inclusive += n->self;
        if (i)
            p->nodes[n->parent].inclusive += n->inclusive;
        if (n->function != PROFILE_NONE)
            p->functions[n->function].self += n->self;
    }
    p->total = p->nodes[0].inclusive;
    for (uint32_t i = 0; p->n_nodes && i != PROFILE_NONE;) {
        struct profile_node *n = &p->nodes[i];
        if (n->function != PROFILE_NONE && p->functions[n->function].on_path++ == 0)
            p->functions[n->function].inclusive += n->inclusive;
        if (n->child != PROFILE_NONE) {
            i = n->child;
            continue;
        }
        for (;; i = p->nodes[i].parent) {
            if (p->nodes[i].function != PROFILE_NONE)
                p->functions[p->nodes[i].function].on_path--;
            if (i == 0 || p->nodes[i].sibling != PROFILE_NONE)
                break;
        }
        i = i == 0 ? PROFILE_NONE : p->nodes[i].sibling;
    }
}

static void
read_all(struct reader *r)
{
    struct profile *p = r->p;
    const struct prof_thread *t;
    uint64_t *by_slot = memory_zalloc(r->size / 16 + 1, sizeof *by_slot);

    p->command = text_at(r, r->h->command);
    p->unit = "instructions";
    p->pid = r->h->pid;
    p->parent = r->h->parent;
    p->part = r->h->part;
    p->ended = r->h->flags & PROF_ENDED;
    p->truncated = r->h->flags & PROF_TRUNCATED;
    read_modules(r);
    qsort(r->modules, r->n_modules, sizeof *r->modules, by_ref);
    read_functions(r);
    join_functions(r);
    GROW(p->nodes, p->n_nodes, r->room_nodes);
    p->nodes[p->n_nodes++] = (struct profile_node){.parent = PROFILE_NONE, .child = PROFILE_NONE, .sibling = PROFILE_NONE, .function = PROFILE_NONE, .site = PROFILE_NONE};
    for (prof_ref ref = r->h->threads; (t = at(r, ref, sizeof *t)); ref = t->next)
        read_thread(r, t, by_slot);
    read_blocks(r, by_slot);
    sum_up(p);
    free(by_slot);
}

struct profile *
profile_read(const char *path, const char **why)
{
    struct reader r = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0) {
        *why = strerror(errno);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    r.size = (uint64_t)st.st_size;
    void *map = r.size >= sizeof *r.h ? mmap(NULL, r.size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0) : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED || memcmp(map, PROF_MAGIC, 8) != 0) {
        *why = "it is no raw profile of this version of drprof";
        if (map != MAP_FAILED)
            munmap(map, r.size);
        return NULL;
    }
    uint64_t mapped = r.size;
    r.data = map;
    r.h = map;
    if (r.h->used < r.size)
        r.size = r.h->used;
    r.steps = r.size * 64;
    r.p = memory_zalloc(1, sizeof *r.p);
    r.p->strings = strings_new();
    r.symbols = symbols_new(NULL, 0);
    read_all(&r);
    symbols_free(r.symbols);
    munmap(map, mapped);
    free(r.module);
    free(r.modules);
    free(r.functions);
    free(r.location_hash);
    free(r.address_hash);
    free(r.child_hash);
    free(r.addresses);
    return r.p;
}
