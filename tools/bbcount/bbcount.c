/* bbcount: how often each basic block of the program ran.
 *
 * Each thread has an array of counters, one a block, reachable in one
 * instruction; a block adds 1 to its own where flags are dead, if such a place
 * exists in it. Instructions are counts times block lengths. Exact: where a
 * fault or signal cuts a block short, block_cut sets the numbers right.
 * Threads: counters are their thread's own; the table of blocks and the sums
 * are under `lock`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { MAX_BLOCKS = 1 << 22, FIRST_INDEX = 1 << 13, DEFAULT_TOP = 10, MAX_TOP = 1000 };

struct block { uint64_t tag; uint32_t n_insns, counted_at; };     /* the counter is raised before instruction counted_at */

/* Corrections of one thread for blocks that were cut short. */
struct cuts { int64_t blocks, insns; };

static struct dr_mutex lock;
static struct block *blocks;
static uint64_t *sums;              /* counts of threads that ended */
static uint32_t *index_of;          /* open addressing: tag → number + 1; at least twice as large as n_blocks */
static uint32_t index_size;
static uint32_t n_blocks;
static uint32_t counters, corrections;     /* offsets of thread memory */
static struct { uint64_t blocks, insns; } total;

static const char *json_path;
static uint64_t top = DEFAULT_TOP;

struct thread_line { struct thread_line *next; int tid; uint64_t blocks, insns; };
static struct thread_line *threads, **threads_end = &threads;

/* ---- options ---- */

static bool
same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool
number(const char *s, uint64_t *out)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || v > MAX_TOP)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    *out = v;
    return v <= MAX_TOP;
}

static bool
init(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        if (same(argv[i], "-json") && i + 1 < argc) {
            json_path = argv[++i];
        } else if (same(argv[i], "-top") && i + 1 < argc && number(argv[i + 1], &top)) {
            i++;
        } else {
            dr_print("bbcount: bad option or value: %s (known: -json FILE, -top N with N up to %d)\n", argv[i], MAX_TOP);
            return false;
        }
    }
    counters = dr_thread_memory(MAX_BLOCKS * sizeof(uint64_t));
    corrections = dr_thread_memory(sizeof(struct cuts));
    blocks = dr_map(MAX_BLOCKS * sizeof *blocks);
    sums = dr_map(MAX_BLOCKS * sizeof *sums);
    index_of = dr_map(FIRST_INDEX * sizeof *index_of);
    index_size = FIRST_INDEX;
    if (!counters || !corrections || !blocks || !sums || !index_of) {
        dr_print("bbcount: no memory for its counters (address-space limit?)\n");
        return false;
    }
    return true;
}

/* ---- blocks ---- */

static uint32_t
slot_of(uint64_t tag)
{
    return (uint32_t)((tag * 0x9e3779b97f4a7c15ull) >> 40) & (index_size - 1);
}

static uint32_t next_slot(uint32_t s) { return (s + 1) & (index_size - 1); }

/* Number of the block at `tag` with n instructions, or of the last one known there; UINT32_MAX: none. */
static uint32_t
find(uint64_t tag, uint32_t n)
{
    uint32_t last = UINT32_MAX;

    for (uint32_t s = slot_of(tag); index_of[s]; s = next_slot(s)) {
        uint32_t k = index_of[s] - 1;
        if (blocks[k].tag == tag && (blocks[k].n_insns == n || !n))
            last = k;
    }
    return last;
}

static void
index_put(uint32_t number)
{
    uint32_t s = slot_of(blocks[number].tag);

    while (index_of[s])
        s = next_slot(s);
    index_of[s] = number + 1;
}

/* Small tables for small programs: each page of one costs its first touch. */
static void
index_grow(void)
{
    uint32_t *larger = dr_map(2ul * index_size * sizeof *larger);

    DR_CHECK(larger, "bbcount has memory for the program's blocks");
    dr_unmap(index_of, index_size * sizeof *index_of);
    index_of = larger;
    index_size *= 2;
    for (uint32_t i = 0; i < n_blocks; i++)
        index_put(i);
}

static uint32_t
add(uint64_t tag, uint32_t n, uint32_t counted_at)
{
    DR_CHECK(n_blocks < MAX_BLOCKS, "bbcount has room for the program's blocks");
    if (n_blocks * 2 >= index_size)
        index_grow();
    blocks[n_blocks] = (struct block){tag, n, counted_at};
    index_put(n_blocks);
    return n_blocks++;
}

/* Block under translation; the engine translates one at a time. */
static struct { uint32_t number, counted_at; } now;

static bool
block_begin(dr_block *b)
{
    uint32_t n = dr_block_count(b), at = 0;

    while (at < n && !dr_flags_dead(b, at))
        at++;
    now.counted_at = at < n ? at : 0;
    dr_lock(&lock);
    now.number = find(dr_block_tag(b), n);
    if (now.number == UINT32_MAX || blocks[now.number].counted_at != now.counted_at)
        now.number = add(dr_block_tag(b), n, now.counted_at);
    dr_unlock(&lock);
    return true;
}

static void
block_insn(dr_block *b, unsigned i)
{
    if (i == now.counted_at)
        dr_insert_add(b, i, counters + now.number * (uint32_t)sizeof(uint64_t), 1);
}

static void
block_cut(const struct dr_cut *c)
{
    struct cuts *fix = dr_thread_at(c->thread, corrections);

    dr_lock(&lock);
    uint32_t k = find(c->tag, 0);
    struct block *b = &blocks[k];
    if (k != UINT32_MAX && c->done < b->n_insns) {
        bool counted = c->done > b->counted_at || (c->done == b->counted_at && c->inserted);
        if (counted) {
            fix->insns -= (int64_t)(b->n_insns - c->done);
            fix->blocks -= c->done == 0;
        } else {
            fix->insns += c->done;
            fix->blocks += c->done > 0;
        }
    }
    dr_unlock(&lock);
}

/* ---- sums ---- */

static void
thread_exit(dr_thread *t)
{
    uint64_t *c = dr_thread_at(t, counters), executed = 0, insns = 0;
    struct cuts *fix = dr_thread_at(t, corrections);
    struct thread_line *line = dr_map(sizeof *line);

    dr_lock(&lock);
    for (uint32_t i = 0; i < n_blocks; i++) {
        sums[i] += c[i];
        executed += c[i];
        insns += c[i] * blocks[i].n_insns;
    }
    executed += (uint64_t)fix->blocks;
    insns += (uint64_t)fix->insns;
    total.blocks += executed;
    total.insns += insns;
    if (line) {
        *line = (struct thread_line){.tid = dr_thread_id(t), .blocks = executed, .insns = insns};
        *threads_end = line;
        threads_end = &line->next;
    }
    dr_unlock(&lock);
}

static void
fork_child(dr_thread *t)
{
    uint64_t *c = dr_thread_at(t, counters);
    struct cuts *fix = dr_thread_at(t, corrections);

    lock.state = 0;
    for (uint32_t i = 0; i < n_blocks; i++)
        c[i] = sums[i] = 0;
    *fix = (struct cuts){0};
    total.blocks = total.insns = 0;
    threads = NULL;
    threads_end = &threads;
}

/* ---- the report ---- */

/* Same tag, other length or place of the counter: one line. */
static uint64_t
merge_tags(void)
{
    uint64_t distinct = 0;

    for (uint32_t i = 0; i < n_blocks; i++) {
        uint32_t first = i;
        for (uint32_t s = slot_of(blocks[i].tag); index_of[s]; s = next_slot(s))
            if (blocks[index_of[s] - 1].tag == blocks[i].tag && index_of[s] - 1 < first)
                first = index_of[s] - 1;
        if (first != i) {
            sums[first] += sums[i];
            sums[i] = 0;
        }
    }
    for (uint32_t i = 0; i < n_blocks; i++)
        distinct += sums[i] > 0;
    return distinct;
}

/* The hottest not yet taken; ties by address. */
static uint32_t
hottest(void)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < n_blocks; i++)
        if (sums[i] && (best == UINT32_MAX || sums[i] > sums[best] || (sums[i] == sums[best] && blocks[i].tag < blocks[best].tag)))
            best = i;
    return best;
}

struct out { int fd; bool failed; };

static void
emit_text(struct out *o, const char *s, size_t n)
{
    if (!o->failed && !dr_write(o->fd, s, n))
        o->failed = true;
}
#define OUT(o, ...) do { char l_[4400]; size_t n_ = dr_format(l_, sizeof l_, __VA_ARGS__); emit_text(o, l_, n_ < sizeof l_ ? n_ : sizeof l_ - 1); } while (0)

static void
json_string(struct out *o, const char *s)
{
    OUT(o, "\"");
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            OUT(o, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            OUT(o, "\\u%04x", (unsigned)(unsigned char)*s);
        else
            OUT(o, "%c", *s);
    OUT(o, "\"");
}

static void
json_block(struct out *o, const struct block *b, uint64_t count, const struct dr_location *where, bool first)
{
    OUT(o, "%s\n  {\"address\": \"0x%lx\", \"count\": %lu, \"instructions\": %u, \"module\": ", first ? "" : ",", b->tag, count, b->n_insns);
    json_string(o, where->module ? where->module : "");
    OUT(o, ", \"offset\": \"0x%lx\", \"symbol\": ", where->offset);
    json_string(o, where->symbol ? where->symbol : "");
    OUT(o, ", \"symbol_offset\": %lu}", where->symbol_offset);
}

static const char *
base_name(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

static void
text_block(const struct block *b, uint64_t count, const struct dr_location *where)
{
    if (!where->module)
        dr_print("%14lu %7u  0x%lx\n", count, b->n_insns, b->tag);
    else if (where->symbol)
        dr_print("%14lu %7u  %s+0x%lx  %s+0x%lx\n", count, b->n_insns, base_name(where->module), where->offset, where->symbol, where->symbol_offset);
    else
        dr_print("%14lu %7u  %s+0x%lx\n", count, b->n_insns, base_name(where->module), where->offset);
}

static void
json_head(struct out *o, uint64_t distinct)
{
    OUT(o, "{\"schema\": 1, \"tool\": \"bbcount\", \"program\": ");
    json_string(o, dr_program());
    OUT(o, ",\n \"blocks\": %lu, \"instructions\": %lu, \"distinct_blocks\": %lu,\n \"threads\": [", total.blocks, total.insns, distinct);
    for (struct thread_line *t = threads; t; t = t->next)
        OUT(o, "%s{\"tid\": %d, \"blocks\": %lu, \"instructions\": %lu}", t == threads ? "" : ", ", t->tid, t->blocks, t->insns);
    OUT(o, "],\n \"hottest\": [");
}

static void
text_head(uint64_t distinct)
{
    dr_print("bbcount: %s\n", dr_program());
    dr_print("%14lu basic blocks executed, %lu distinct\n%14lu instructions\n", total.blocks, distinct, total.insns);
    for (struct thread_line *t = threads; t && threads->next; t = t->next)
        dr_print("%14lu blocks %lu instructions in thread %d\n", t->blocks, t->insns, t->tid);
    if (top)
        dr_print("the hottest:\n         count  length  where\n");
}

static void
report(void)
{
    struct out json = {.fd = -1};
    if (dr_quiet() && !json_path)
        return;
    uint64_t distinct = merge_tags();

    if (json_path && (json.fd = dr_create(json_path)) < 0)
        dr_print("bbcount: cannot create %s (error %d)\n", json_path, -json.fd);
    if (!dr_quiet())
        text_head(distinct);
    if (json.fd >= 0)
        json_head(&json, distinct);
    for (uint64_t i = 0; i < top; i++) {
        struct dr_location where;
        uint32_t k = hottest();
        if (k == UINT32_MAX)
            break;
        dr_locate(blocks[k].tag, &where);
        if (!dr_quiet())
            text_block(&blocks[k], sums[k], &where);
        if (json.fd >= 0)
            json_block(&json, &blocks[k], sums[k], &where, i == 0);
        sums[k] = 0;
    }
    if (json.fd >= 0) {
        OUT(&json, "]}\n");
        dr_close(json.fd);
        if (json.failed)
            dr_print("bbcount: cannot write all of %s\n", json_path);
    }
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "bbcount",
    .init = init,
    .exit = report,
    .thread_exit = thread_exit,
    .fork_child = fork_child,
    .block_begin = block_begin,
    .block_insn = block_insn,
    .block_cut = block_cut,
};
