/* Leaks: which blocks the program can still reach.
 *
 * Other threads stopped, every aligned word of the roots (registers, and all writable
 * memory that is not the heap's: stacks, globals, TLS) that is addressable and defined is
 * looked up as a pointer; blocks found are searched in turn. What a chain of
 * pointers to starts of blocks leads to is reachable, what needs a pointer
 * into the middle of one is possibly lost, unless the place is one that a compiler or library
 * makes on its own (is_start_in_disguise). The rest is lost: a block that no other
 * lost block leads to is the leader of those it leads to, which are lost indirectly.
 * Invariant: a block on the mark stack has its level already; its memory is searched once a level.
 * Threads: one scan at a time; `lock` is held with the others stopped.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "leak.h"

#include "drtools/record.h"
#include "heap.h"

enum level { UNREACHED, POSSIBLE, REACHABLE, INDIRECT, DEFINITE };
enum { PAGE = 4096 };

static struct dr_mutex lock;
static struct leak_counts last_counts;

static uint64_t n_blocks, heap_slots;           /* numbers of blocks are below n_blocks; of the heap's, below heap_slots */
static uint8_t *levels;                         /* by number */
static uint32_t *leader;                        /* by number: of a lost block, the one that leads to it; itself: none does */
static uint64_t *stack, stack_size, stack_used; /* of block starts, with the level in the low bits */
static bool out_of_memory;

/* ---- the mark stack ---- */

static void
push(uint64_t start, enum level level)
{
    enum { FIRST = 1 << 16 };

    if (stack_used == stack_size) {
        uint64_t size = stack_size ? stack_size * 2 : FIRST, *more = dr_map(size * sizeof *more);
        if (!more) {
            out_of_memory = true;
            return;
        }
        if (stack) {
            __builtin_memcpy(more, stack, stack_size * sizeof *more);
            dr_unmap(stack, stack_size * sizeof *stack);
        }
        stack = more;
        stack_size = size;
    }
    stack[stack_used++] = start << 3 | level;
}

/* ---- pointers ---- */

static bool
target_of(uint64_t a, struct heap_target *t)
{
    return (n_blocks > heap_slots && pool_target(a, t)) || heap_target(a, t);
}

static uint64_t
word_at(uint64_t a)
{
    uint64_t w = 0;

    return dr_safe_read(&w, a, sizeof w) ? w : 0;
}

/* Does p look like the address of a C++ virtual table: in a module, full of pointers into modules' code? */
static bool
is_vtable(uint64_t p)
{
    struct dr_module m;
    struct dr_segment s;
    uint64_t f;

    if (p % 8 || !dr_module_find(p, &m) || !(f = word_at(p)) || !dr_module_find(f, &m))
        return false;
    for (unsigned i = 0; i < m.n_segments; i++)
        if (dr_module_segment(&m, i, &s) && s.executable && f >= s.lo && f < s.hi)
            return true;
    return false;
}

/* A string behind its length, the room for it and a byte of flags, ended by a zero: those of redis (sds), and of who took its library over. */
static bool
is_counted_string(uint64_t a, const struct heap_target *t)
{
    uint64_t off = a - t->start, n = 0, room = 0;
    uint8_t head[17], end;

    if (off > sizeof head || !off || !dr_safe_read(head, t->start, off))
        return false;
    unsigned flags = head[off - 1], width = flags & 7 ? 1u << ((flags & 7) - 1) : 0;
    if ((flags & 7) > 4 || off != 2 * width + 1)
        return false;
    __builtin_memcpy(&n, head, width);
    __builtin_memcpy(&room, head + width, width);
    if (!width)
        n = room = flags >> 3;
    return n <= room && room < t->size && off + room + 1 <= t->size && dr_safe_read(&end, a + n, 1) && !end;
}

/* Did the dynamic linker ask for the block? It aligns some of its tables within what malloc gave it, and keeps the start in the table itself. */
static bool
is_of_linker(const struct heap_target *t)
{
    struct dr_module m = {.size = sizeof m};
    struct heap_block b;
    const uint64_t *pcs;

    return heap_find(t->start, &b) && stack_frames(b.allocated, &pcs) > 1 && dr_module_find(pcs[1] - 1, &m) && m.is_interpreter;
}

/* Is a, inside block t, where its owner keeps a pointer to although the block starts before? */
static bool
is_start_in_disguise(uint64_t a, const struct heap_target *t)
{
    uint64_t off = a - t->start, first = word_at(t->start);

    if (off == 8 && first == t->size - 8)                               /* its length stands in front, as sqlite does */
        return true;
    if (off == 8 && first && t->size > 8 && (t->size - 8) % first == 0 && first <= t->size - 8)     /* new T[first], T with a destructor */
        return true;
    if (off == 16 && t->size % 16 == 0 && first == t->size / 16 - 2)    /* a thread's dtv of glibc */
        return true;
    if (off == 1 && t->size == 24)                                      /* a node of tsearch: the low bit is its colour */
        return true;
    if (off == 24 && t->size > 24 && word_at(t->start + 8) + 25 == t->size && first <= t->size - 25)    /* std::string that counts references */
        return true;
    if (off <= 17 && is_counted_string(a, t))
        return true;
    if (off % 8 == 0 && t->size - off >= 8 && is_vtable(first) && is_vtable(word_at(a)))
        return true;
    return off % 8 == 0 && is_of_linker(t);             /* a base class further on */
}

/* A word that holds `a` was found by a chain of pointers of `level`. */
static void
follow(uint64_t a, enum level level)
{
    struct heap_target t;

    if (!target_of(a, &t) || levels[t.number] >= level)
        return;
    if (a != t.start && level == REACHABLE && !is_start_in_disguise(a, &t))
        level = POSSIBLE;
    if (levels[t.number] >= level)
        return;
    levels[t.number] = (uint8_t)level;
    push(t.start, level);
}

/* Lost block `from` holds a pointer to a: what it leads to is lost because `from`'s leader is. */
static uint64_t current, n_indirect;

static void
follow_lost(uint64_t a)
{
    struct heap_target t;

    if (!target_of(a, &t) || t.number == current)
        return;
    if (levels[t.number] == UNREACHED) {
        push(t.start, UNREACHED);
    } else if (levels[t.number] != DEFINITE) {
        return;
    }
    levels[t.number] = INDIRECT;
    n_indirect++;
    leader[t.number] = (uint32_t)current;
}

static uint64_t heap_lo, heap_hi;               /* all blocks are in here */

static bool
defined(uint64_t a)
{
    return opt.leaks_only || !shadow_covers(a) || *(volatile uint16_t *)shadow_at(a) == 0;
}

/* Words of [a, a + n), at multiples of 8. Memory that cannot be read holds none. */
static void
search(uint64_t a, uint64_t n, enum level level)
{
    uint64_t end = (a + n) & ~7ull, words[PAGE / 8];

    for (a = (a + 7) & ~7ull; a < end;) {
        uint64_t part = PAGE - a % PAGE < end - a ? PAGE - a % PAGE : end - a;
        if (!dr_safe_read(words, a, part)) {
            a += part;
            continue;
        }
        for (uint64_t i = 0; i < part / 8; i++) {
            uint64_t w = words[i];
            if (w - heap_lo >= heap_hi - heap_lo || !defined(a + i * 8))
                continue;
            if (level == UNREACHED)
                follow_lost(w);
            else
                follow(w, level);
        }
        a += part;
    }
}

static void
drain(void)
{
    struct heap_target t;

    while (stack_used) {
        uint64_t e = stack[--stack_used];
        enum level level = e & 7;
        if (target_of(e >> 3, &t) && (level == UNREACHED || levels[t.number] == level))
            search(t.start, t.size, level);
    }
}

/* ---- roots ---- */

static void
search_registers(dr_thread *t, void *arg)
{
    struct dr_mcontext mc;

    (void)arg;
    if (dr_thread_context(t, &mc))
        for (unsigned i = 0; i < 16; i++)
            if (mc.gpr[i] - heap_lo < heap_hi - heap_lo)
                follow(mc.gpr[i], REACHABLE);
}

/* Where stacks that are in use begin: what lies below is no root, nor is it undefined where there is no shadow. */
static struct { uint64_t rsp[4096]; unsigned n; } tops;

static void
note_stack(dr_thread *t, void *arg)
{
    struct dr_mcontext mc;

    (void)arg;
    if (tops.n < sizeof tops.rsp / sizeof *tops.rsp && dr_thread_context(t, &mc))
        tops.rsp[tops.n++] = mc.gpr[RSP];
}

static uint64_t
stack_in_use(uint64_t lo, uint64_t hi)
{
    enum { RED_ZONE = 128 };
    uint64_t from = hi;

    for (unsigned i = 0; i < tops.n; i++)
        if (tops.rsp[i] > lo && tops.rsp[i] <= hi && tops.rsp[i] - RED_ZONE < from)
            from = tops.rsp[i] - RED_ZONE;
    return from == hi || from < lo ? lo : from;
}

static bool
all_unaddressable(uint64_t a, uint64_t n)
{
    return !opt.leaks_only && shadow_covers(a) && shadow_find_other(a, n, SHADOW_UNADDRESSABLE) == a + n;
}

static void
search_pages(uint64_t lo, uint64_t hi, void *arg)
{
    (void)arg;
    for (uint64_t next; lo < hi; lo = next) {
        next = (lo | (PAGE - 1)) + 1;
        if (next > hi)
            next = hi;
        if (heap_owns(lo)) {
            next = (lo | (HEAP_UNIT - 1)) + 1;
            continue;
        }
        if (!all_unaddressable(lo, next - lo))
            search(lo, next - lo, REACHABLE);
    }
}

/* Pages that the program has never touched hold nothing, and there may be terabytes of them. */
static void
search_root(uint64_t lo, uint64_t hi)
{
    if (!dr_each_touched(lo, hi, search_pages, NULL))
        search_pages(lo, hi, NULL);
}

static bool
starts(const char *s, const char *with)
{
    while (*with && *s == *with)
        s++, with++;
    return !*with;
}

/* Devices may act when they are read. */
static bool
is_device(const char *name)
{
    return name && starts(name, "/dev/") && !starts(name, "/dev/shm/") && !starts(name, "/dev/zero");
}

static bool
search_region(const struct dr_region *r, void *arg)
{
    (void)arg;
    if (r->readable && (r->writable || !r->name) && !is_device(r->name))
        search_root(opt.leaks_only ? stack_in_use(r->lo, r->hi) : r->lo, r->hi);
    return true;
}

/* Data that is read-only once relocated (RELRO): its region does not tell that it was written. */
static void
search_module(const struct dr_module *m, void *arg)
{
    struct dr_segment s;

    (void)arg;
    for (unsigned i = 0; i < m->n_segments; i++)
        if (dr_module_segment(m, i, &s) && s.writable)
            search_root(s.lo, s.hi);
}

/* ---- before and after ---- */

static void
widen(uint64_t lo, uint64_t hi)
{
    if (lo < heap_lo)
        heap_lo = lo;
    if (hi > heap_hi)
        heap_hi = hi;
}

static void
pool_bounds(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    (void)number, (void)seen, (void)arg;
    widen(b->start, b->start + b->size + 1);
}

/* A block of the heap from which the program cuts blocks of its own counts as memory, not as a block. */
static void
hide_outer(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    struct heap_target t;

    (void)number, (void)seen, (void)arg;
    if (heap_target(b->start, &t))
        levels[t.number] = REACHABLE;
}

static uint64_t
leader_of(uint64_t number)
{
    uint64_t at = number, next;

    while (levels[at] == INDIRECT && (next = leader[at]) != at)
        at = next;
    for (uint64_t i = number; i != at; i = next) {
        next = leader[i];
        leader[i] = (uint32_t)at;
    }
    return at;
}

static void
find_lost(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    (void)seen, (void)arg;
    if (levels[number] != UNREACHED)
        return;
    levels[number] = DEFINITE;
    leader[number] = (uint32_t)number;
    current = number;
    search(b->start, b->size, UNREACHED);
    drain();
}

/* ---- groups: blocks of one kind from one place ---- */

static struct leak *groups;
static uint32_t n_groups, groups_size, *group_index, index_mask;
static uint32_t *group_of_leader;               /* by number: of a lost block, its group + 1 */

static uint64_t group_hash(int kind, stack_id s, bool is_new) { return ((uint64_t)s * 8 + (uint64_t)kind * 2 + is_new) * 0x9e3779b97f4a7c15ull >> 24; }

static bool
index_grow(void)
{
    uint32_t size = index_mask ? (index_mask + 1) * 2 : 1024, *more = dr_map(size * sizeof *more);
    struct leak *larger = dr_map(size * sizeof *larger);

    if (!more || !larger)
        return false;
    for (uint32_t k = 0; k < n_groups; k++) {
        uint32_t i = (uint32_t)group_hash(groups[k].kind, groups[k].allocated, groups[k].is_new);
        larger[k] = groups[k];
        while (more[i & (size - 1)])
            i++;
        more[i & (size - 1)] = k + 1;
    }
    if (groups) {
        dr_unmap(groups, groups_size * sizeof *groups);
        dr_unmap(group_index, (index_mask + 1ul) * sizeof *group_index);
    }
    groups = larger;
    group_index = more;
    groups_size = size;
    index_mask = size - 1;
    return true;
}

static bool is_of(const struct leak *g, int kind, const struct heap_block *b, bool is_new) { return g->kind == kind && g->allocated == b->allocated && g->is_new == is_new; }

/* NULL: no memory. */
static struct leak *
group(int kind, const struct heap_block *b, bool is_new)
{
    static uint32_t last;           /* neighbours often come from one place */

    if (last < n_groups && is_of(&groups[last], kind, b, is_new))
        return &groups[last];
    if (n_groups * 2 >= groups_size && !index_grow())
        return NULL;
    uint32_t i = (uint32_t)group_hash(kind, b->allocated, is_new);
    for (; group_index[i & index_mask]; i++) {
        last = group_index[i & index_mask] - 1;
        if (is_of(&groups[last], kind, b, is_new))
            return &groups[last];
    }
    groups[n_groups] = (struct leak){.kind = kind, .address = b->start, .allocated = b->allocated, .is_new = is_new};
    group_index[i & index_mask] = ++n_groups;
    return &groups[n_groups - 1];
}

static void
count(unsigned kind, uint64_t bytes)
{
    last_counts.bytes[kind] += bytes;
    last_counts.blocks[kind]++;
}

/* All but the indirectly lost, which belong to groups made here. */
static void
sum_up(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    static const int kinds[] = {[POSSIBLE] = LEAK_POSSIBLE, [REACHABLE] = LEAK_REACHABLE, [DEFINITE] = LEAK_DEFINITE};
    enum level level = levels[number];

    (void)arg;
    if (level == INDIRECT)
        return;
    struct leak *g = group(kinds[level], b, !*seen);
    *seen = true;
    count(level == DEFINITE ? 0 : level == POSSIBLE ? 1 : 2, b->size);
    if (!g)
        return;
    g->bytes += b->size;
    g->blocks++;
    if (level == DEFINITE)
        group_of_leader[number] = (uint32_t)(g - groups) + 1;
}

static void
sum_up_indirect(uint64_t number, const struct heap_block *b, bool *seen, void *arg)
{
    (void)arg;
    if (levels[number] != INDIRECT)
        return;
    *seen = true;
    count(0, b->size);
    uint32_t g = group_of_leader[leader_of(number)];
    if (g) {
        groups[g - 1].indirect_bytes += b->size;
        groups[g - 1].indirect_blocks++;
    }
}

static void
each_block(void (*f)(uint64_t number, const struct heap_block *b, bool *seen, void *arg))
{
    heap_each_numbered(f, NULL);
    pool_each(f, NULL);
}

/* Lost ones first, then by size. */
static bool
comes_before(const struct leak *a, const struct leak *b)
{
    uint64_t x = a->bytes + a->indirect_bytes, y = b->bytes + b->indirect_bytes;

    return a->kind != b->kind ? a->kind < b->kind : x != y ? x > y : a->address < b->address;
}

static void
sort_groups(void)
{
    for (uint32_t gap = n_groups / 2; gap; gap /= 2)
        for (uint32_t i = gap; i < n_groups; i++) {
            struct leak g = groups[i];
            uint32_t k = i;
            for (; k >= gap && comes_before(&g, &groups[k - gap]); k -= gap)
                groups[k] = groups[k - gap];
            groups[k] = g;
        }
}

/* ---- the scan ---- */

static bool
begin(void)
{
    heap_slots = heap_number();
    n_blocks = heap_slots + pool_number(heap_slots);
    last_counts = (struct leak_counts){0};
    heap_lo = ~0ull;
    heap_hi = 0;
    tops.n = 0;
    n_indirect = 0;
    out_of_memory = false;
    if (n_blocks >= UINT32_MAX)
        return false;
    levels = dr_map(n_blocks + 1);
    leader = dr_map((n_blocks + 1) * sizeof *leader);
    group_of_leader = dr_map((n_blocks + 1) * sizeof *group_of_leader);
    return levels && leader && group_of_leader;
}

static void
end(void)
{
    if (levels)
        dr_unmap(levels, n_blocks + 1);
    if (leader)
        dr_unmap(leader, (n_blocks + 1) * sizeof *leader);
    if (group_of_leader)
        dr_unmap(group_of_leader, (n_blocks + 1) * sizeof *group_of_leader);
    if (stack)
        dr_unmap(stack, stack_size * sizeof *stack);
    levels = NULL;
    leader = group_of_leader = NULL;
    stack = NULL;
    stack_size = stack_used = 0;
}

/* False: it cannot be told what the roots are. */
static bool
mark_all(void)
{
    uint64_t lo, hi;

    heap_bounds(&lo, &hi);
    widen(lo, hi);
    pool_each(pool_bounds, NULL);
    if (heap_hi <= heap_lo)
        heap_hi = heap_lo = 0;
    pool_each(hide_outer, NULL);
    dr_each_thread(search_registers, NULL);
    if (opt.leaks_only)
        dr_each_thread(note_stack, NULL);
    if (!dr_each_region(search_region, NULL))
        return false;
    dr_each_module(search_module, NULL);
    drain();
    each_block(find_lost);
    return true;
}

/* Stops the others before it takes the lock: who waits for a lock cannot be stopped. */
void
leak_scan(enum leak_occasion why)
{
    (void)why;
    dr_suspend_others();
    dr_lock(&lock);
    bool complete = begin(), known = complete && mark_all();
    if (known) {
        each_block(sum_up);
        if (n_indirect)
            each_block(sum_up_indirect);
        sort_groups();
    }
    end();
    complete &= !out_of_memory;
    struct leak *found = groups;
    uint32_t n = n_groups, room = groups_size;
    groups = NULL;
    n_groups = groups_size = 0;
    if (group_index)
        dr_unmap(group_index, (index_mask + 1ul) * sizeof *group_index);
    group_index = NULL;
    index_mask = 0;
    dr_unlock(&lock);
    dr_resume_others();
    if (complete && !known)
        dr_print("drmemory: no leak scan: there is no /proc, or the program filters system calls\n");
    else if (!complete)
        dr_print("drmemory: no memory for the leak scan: it is not complete\n");
    report_leaks(found, n);
    if (found)
        dr_unmap(found, room * sizeof *found);
}

void
leak_counts(struct leak_counts *out)
{
    dr_lock(&lock);
    *out = last_counts;
    dr_unlock(&lock);
}

void leak_fork_child(void) { lock.state = 0; }
