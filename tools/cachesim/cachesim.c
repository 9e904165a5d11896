/* cachesim: simulates the caches under the running program.
 *
 * Every instruction is a fetch of its bytes, every memory operand a reference. With LRU, emitted code has each
 * thread's L1 caches in the thread's own memory and decides their hits (emit.c); what misses L1 comes here. Other
 * configurations come here with every instruction. Executions are counted by block, misses by instruction.
 * A core whose only thread it is has its L1 in that thread's memory; once it has two, all its references come here
 * (the emitted code's ways are left empty).
 * See docs/cachesim.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cachesim.h"

#include "common/rep.h"

enum { MAX_BLOCKS = 1 << 20, CHUNK = 1 << 12, MAX_CHUNKS = 1 << 12, FIRST_INDEX = 1 << 14, MAX_CODE_LINES = 1 << 22, MAX_L1_WORDS = 1 << 15 };

struct sim sim;
struct sim_config config = {
    .cores = 4,
    .l1i = {32 << 10, 8, 64, POLICY_LRU}, .l1d = {32 << 10, 8, 64, POLICY_LRU}, .l2 = {0, 8, 64, POLICY_LRU}, .ll = {8 << 20, 16, 64, POLICY_LRU},
    .itlb = {0, 32, 4096, POLICY_LRU}, .dtlb = {0, 32, 4096, POLICY_LRU}, .tlb2 = {0, 4, 4096, POLICY_LRU}, .seed = 1,
};
bool fast;
struct core_totals totals[SIM_MAX_CORES];
uint32_t slot_cpu, slot_l1i, slot_l1d, slot_blocks, slot_address, slot_line;
uint64_t refs_seen, warmup_refs, skip_refs, sim_refs = UINT64_MAX;
struct dr_mutex lock;
const char *cachegrind_path, *json_path, *counts_path;
unsigned report_top = 10;

uint32_t n_blocks, n_insns;
struct block *blocks;
uint64_t *executed;
static uint32_t n_operands, n_fetch_sites;
static uint8_t *chunks[3][MAX_CHUNKS];
static uint32_t *index_of, index_size;                     /* hash of tags: block number + 1 */
static bool several;                 /* there is, or was, a second thread */
static struct { unsigned threads; bool shared, kept; } cores[SIM_MAX_CORES];   /* kept: sim.core's L1 hold what the last thread left */

/* ---- tables that grow ---- */

static void *
slot_of_table(unsigned table, uint32_t i, size_t size)
{
    uint8_t **c = &chunks[table][i / CHUNK];

    DR_CHECK(i / CHUNK < MAX_CHUNKS, "cachesim has room for the program's instructions");
    if (!*c)
        *c = dr_map(CHUNK * size);
    DR_CHECK(*c, "cachesim has memory for the program's instructions");
    return *c + i % CHUNK * size;
}

struct insn *insn_at(uint32_t i) { return slot_of_table(0, i, sizeof(struct insn)); }
struct dr_memory *operand_at(uint32_t i) { return slot_of_table(1, i, sizeof(struct dr_memory)); }
struct fetch_site *fetch_site_at(uint32_t i) { return slot_of_table(2, i, sizeof(struct fetch_site)); }

uint32_t
new_fetch_site(const struct fetch_site *f)
{
    *fetch_site_at(n_fetch_sites) = *f;
    return n_fetch_sites++;
}

/* Lines of code by number, so that emitted code can compare with an immediate. */
static uint64_t *code_lines;
static uint32_t n_code_lines;

uint32_t
code_line_id(uint64_t line)
{
    uint32_t s = (uint32_t)((line * 0x9e3779b97f4a7c15ull) >> 40) & (MAX_CODE_LINES - 1);

    for (; code_lines[s]; s = (s + 1) & (MAX_CODE_LINES - 1))
        if (code_lines[s] == line + 1)
            return s;
    DR_CHECK(++n_code_lines < MAX_CODE_LINES, "cachesim has numbers for the lines of code");
    code_lines[s] = line + 1;
    return s;
}

static struct cpu *cpu_of(dr_thread *t) { return dr_thread_at(t, slot_cpu); }

/* ---- blocks ---- */

static uint32_t
find_block(uint64_t tag, uint32_t n, uint32_t checksum)
{
    for (uint32_t s = (uint32_t)((tag * 0x9e3779b97f4a7c15ull) >> 40) & (index_size - 1); index_of[s]; s = (s + 1) & (index_size - 1)) {
        const struct block *k = &blocks[index_of[s] - 1];
        if (k->tag == tag && (!n || (k->n == n && k->checksum == checksum)))
            return index_of[s] - 1;
    }
    return UINT32_MAX;
}

static void
index_put(uint32_t number)
{
    uint32_t s = (uint32_t)((blocks[number].tag * 0x9e3779b97f4a7c15ull) >> 40) & (index_size - 1);

    while (index_of[s])
        s = (s + 1) & (index_size - 1);
    index_of[s] = number + 1;
}

static void
index_grow(void)
{
    uint32_t *larger = dr_map(2ul * index_size * sizeof *larger);

    DR_CHECK(larger, "cachesim has memory for the program's blocks");
    dr_unmap(index_of, index_size * sizeof *index_of);
    index_of = larger;
    index_size *= 2;
    for (uint32_t i = 0; i < n_blocks; i++)
        index_put(i);
}

/* An operand that is read and written is one read: the line is there by then. */
static void
describe(dr_block *b, unsigned i, struct insn *in)
{
    struct dr_memory m[DR_MAX_MEMORY];

    in->n_ops = (uint8_t)dr_memory_operands(b, i, m);
    in->first_op = n_operands;
    for (unsigned k = 0; k < in->n_ops; k++) {
        *operand_at(n_operands++) = m[k];
        if (m[k].vsib || m[k].repeated)
            in->varies = true;
        else if (m[k].read)
            in->reads++;
        else
            in->writes++;
    }
}

/* Bytes by which a push or pop moves rsp; 0 for others. */
static int
stack_step(const struct insn *in)
{
    const struct dr_memory *m = operand_at(in->first_op);

    return !m->stack || m->base != RSP ? 0 : m->written ? -(int)m->size : m->size;
}

static bool
can_be_grouped(const struct insn *in)
{
    const struct dr_memory *m = operand_at(in->first_op);

    return in->n_ops == 1 && !m->vsib && !m->conditional && !m->repeated && !m->address32 && m->base != REG_NONE && m->bit_register == REG_NONE;
}

/* The instructions from `first` on whose only references are at constant distances from its own, all within `line` bytes: the
 * registers of the address are not written in between, but for rsp by pushes and pops. */
static void
find_group(dr_block *b, unsigned first, uint32_t number, unsigned line)
{
    struct insn *head = insn_at(number);
    const struct dr_memory *m = operand_at(head->first_op), *o;
    int64_t low = 0, high = m->size;
    int moved = 0;

    if (!can_be_grouped(head) || head->group_member || m->size > line)
        return;
    head->group_n = 1;
    for (unsigned i = first, n = dr_block_count(b); i + 1 < n; i++) {
        struct insn *in = insn_at(number + i - first), *next = insn_at(number + i + 1 - first);
        uint16_t address = (uint16_t)(1u << m->base | (m->index != REG_NONE ? 1u << m->index : 0));
        int step = in->n_ops ? stack_step(in) : 0;
        uint64_t line_of = in->pc + in->length - 1;

        if (m->base == RSP && step)
            address &= (uint16_t)~(1u << RSP), moved += step;
        if (dr_block_insn(b, i)->regs_written & address || (line_of ^ (next->pc + next->length - 1)) / line)
            return;
        if (!next->n_ops) {
            head->group_n++;
            continue;
        }
        o = operand_at(next->first_op);
        if (!can_be_grouped(next) || o->base != m->base || o->index != m->index || o->scale != m->scale || o->segment != m->segment || o->index_low8)
            return;
        int64_t at = o->disp + moved - m->disp, l = at < low ? at : low, h = at + o->size > high ? at + o->size : high;
        if (h - l > line)
            return;
        low = l;
        high = h;
        next->group_member = true;
        next->group_at = (int8_t)at;
        head->group_n = (uint8_t)(i + 2 - first);
        head->group_span = (uint8_t)(high - low);
        head->group_first = (int8_t)low;
    }
}

static uint32_t
add_block(dr_block *b, uint32_t checksum)
{
    uint32_t n = dr_block_count(b), number = n_blocks++;

    DR_CHECK(number < MAX_BLOCKS, "cachesim has room for the program's blocks");
    if (number * 2 >= index_size)
        index_grow();
    blocks[number] = (struct block){dr_block_tag(b), n, n_insns, checksum};
    for (uint32_t i = 0; i < n; i++) {
        const struct dr_insn *d = dr_block_insn(b, i);
        struct insn *in = insn_at(n_insns++);
        *in = (struct insn){.pc = d->pc, .length = d->length, .block = number};
        describe(b, i, in);
    }
    for (uint32_t i = 0; fast && i < n; i++)
        find_group(b, i, blocks[number].first_insn + i, config.l1d.line < 64 ? config.l1d.line : 64);
    index_put(number);
    return number;
}

static uint32_t
checksum_of(dr_block *b)
{
    uint32_t sum = 1;

    for (uint32_t i = 0; i < dr_block_count(b); i++) {
        const struct dr_insn *d = dr_block_insn(b, i);
        for (unsigned k = 0; k < d->length; k++)
            sum = sum * 31 + d->bytes[k];
    }
    return sum;
}

static uint32_t block_now;           /* under translation; the engine translates one at a time */

static bool
block_begin(dr_block *b)
{
    uint32_t checksum = checksum_of(b);

    dr_lock(&lock);
    block_now = find_block(dr_block_tag(b), dr_block_count(b), checksum);
    if (block_now == UINT32_MAX)
        block_now = add_block(b, checksum);
    dr_unlock(&lock);
    instrument_begin(b);
    return true;
}

static void block_insn(dr_block *b, unsigned i) { instrument(b, i, block_now); }

/* The newest block with that tag: its older versions are gone. */
static void
block_cut(const struct dr_cut *c)
{
    if (c->done == 0 && !c->inserted)
        return;
    dr_lock(&lock);
    uint32_t k = find_block(c->tag, 0, 0);
    if (k != UINT32_MAX && c->done < blocks[k].n)
        insn_at(blocks[k].first_insn + c->done)->cut++;
    for (uint32_t i = c->done; fast && k != UINT32_MAX && i < blocks[k].n; i++) {
        struct core_totals *now = &cpu_of(c->thread)->totals;
        const struct insn *in = insn_at(blocks[k].first_insn + i);
        now->fetches--;
        now->reads -= in->reads;
        now->writes -= in->writes;
    }
    dr_unlock(&lock);
}

/* ---- references that come here ---- */

static void
keep(struct cache *to, const struct cache *from, bool code)
{
    for (size_t i = 0; i < (size_t)from->sets * from->ways; i++)
        to->tags[i] = from->tags[i] == CACHE_EMPTY ? CACHE_EMPTY : code ? code_lines[from->tags[i]] - 1 : from->tags[i] >> from->line_bits;
}

/* The thread's L1 into sim.core. Lock held. */
static void
give_up_l1(struct cpu *cpu)
{
    struct sim_core *k = &sim.core[cpu->core];

    keep(&k->l1i, &cpu->l1i, true);
    keep(&k->l1d, &cpu->l1d, false);
    cache_clear(&cpu->l1i);
    cache_clear(&cpu->l1d);
    cpu->shared = true;
}

static void
take_l1(struct cpu *cpu)
{
    struct sim_core *k = &sim.core[cpu->core];

    for (size_t i = 0; i < (size_t)k->l1i.sets * k->l1i.ways; i++)
        cpu->l1i.tags[i] = k->l1i.tags[i] == CACHE_EMPTY ? CACHE_EMPTY : code_line_id(k->l1i.tags[i]);
    for (size_t i = 0; i < (size_t)k->l1d.sets * k->l1d.ways; i++)
        cpu->l1d.tags[i] = k->l1d.tags[i] == CACHE_EMPTY ? CACHE_EMPTY : k->l1d.tags[i] << k->l1d.line_bits;
}

/* Is the reference just made counted? */
static bool
counts_now(void)
{
    return refs_seen > skip_refs + warmup_refs && refs_seen - skip_refs - warmup_refs <= sim_refs;
}

static void
count(struct cpu *cpu, struct insn *in, enum count l1, unsigned result)
{
    enum count last = l1 + 1;

    if (result & SIM_L1_MISS) {
        in->missed[l1]++;
        cpu->totals.missed[l1]++;
        cpu->totals.l2[l1 != I1_MISS] += !!(result & SIM_L2_MISS);
    }
    if (result & SIM_LL_MISS) {
        in->missed[last]++;
        cpu->totals.missed[last]++;
    }
    cpu->totals.invalidated += !!(result & SIM_INVALIDATED);
    cpu->totals.prefetched += !!(result & SIM_PREFETCHED);
    if (result & SIM_TLB_MISS)
        (*(l1 == I1_MISS ? &cpu->totals.itlb : &cpu->totals.dtlb))++;
    cpu->totals.tlb2 += !!(result & SIM_TLB2_MISS);
}

/* The first thread does without until it makes another. */
static bool
lock_if_several(void)
{
    if (__builtin_expect(!several, 1))
        return false;
    dr_lock(&lock);
    return true;
}

static void
unlock_if(bool locked)
{
    if (locked)
        dr_unlock(&lock);
}

static void
count_data(struct cpu *cpu, struct insn *in, bool write)
{
    ++*(write ? &in->written : &in->read);
    ++*(write ? &cpu->totals.writes : &cpu->totals.reads);
}

static void
look_for_company(struct cpu *cpu)
{
    if (__builtin_expect(cores[cpu->core].shared, 0) && !cpu->shared) {
        dr_lock(&lock);
        give_up_l1(cpu);
        dr_unlock(&lock);
    }
}

/* One data reference. */
static void
refer(struct cpu *cpu, struct insn *in, uint64_t a, uint32_t n, bool write)
{
    enum count kind = write ? D1_WRITE_MISS : D1_READ_MISS;
    bool all = true;
    unsigned r = SIM_L1_MISS;
    uint64_t victim;

    if (!fast || cpu->shared) {
        dr_lock(&lock);
        if (fast || ++refs_seen > skip_refs)
            r = sim_data(&sim, cpu->core, a, n, write);
        if (!fast && counts_now())
            count_data(cpu, in, write);
        if (fast || counts_now())
            count(cpu, in, kind, r);
        dr_unlock(&lock);
        return;
    }
    for (uint64_t line = cache_line_of(&cpu->l1d, a), last = cache_line_of(&cpu->l1d, a + (n ? n - 1 : 0)); line <= last; line++)
        all &= cache_ref(&cpu->l1d, cache_set_of(&cpu->l1d, line), line << cpu->l1d.line_bits, &victim);
    if (all)
        return;
    bool locked = lock_if_several();
    r = sim_below(&sim, cpu->core, a, n);
    count(cpu, in, kind, r);
    unlock_if(locked);
}

/* All elements of a string instruction, element by element. */
static void
refer_string(struct cpu *cpu, struct insn *in, const struct dr_mcontext *mc)
{
    struct dr_memory m[2] = {*operand_at(in->first_op), {0}};
    uint64_t a[2][DR_MAX_ADDRESSES], n;
    int64_t step = mc->rflags & 0x400 ? -(int64_t)m[0].size : m[0].size;

    if (in->n_ops > 1)
        m[1] = *operand_at(in->first_op + 1);
    for (unsigned i = 0; i < in->n_ops; i++)
        dr_memory_addresses(&m[i], mc, a[i]);
    n = rep_elements(in->pc, in->length, m, in->n_ops, mc);
    for (uint64_t k = 0; k < n; k++)
        for (unsigned i = 0; i < in->n_ops; i++) {
            if (fast)
                count_data(cpu, in, m[i].written);
            refer(cpu, in, a[i][0] + (uint64_t)step * k, m[i].size, m[i].written);
        }
}

static void
refer_operand(struct cpu *cpu, struct insn *in, unsigned k, const struct dr_mcontext *mc)
{
    const struct dr_memory *m = operand_at(in->first_op + k);
    uint64_t a[DR_MAX_ADDRESSES];
    unsigned n;

    if (m->repeated) {
        if (k == 0)
            refer_string(cpu, in, mc);
        return;
    }
    n = dr_memory_addresses(m, mc, a);
    for (unsigned i = 0; i < n; i++) {
        if (m->vsib && fast)
            count_data(cpu, in, !m->read);
        refer(cpu, in, a[i], m->size, !m->read);
    }
}

/* The references of a group, the first of which is to `a`. */
static void
refer_group(struct cpu *cpu, uint32_t number, uint64_t a)
{
    const struct insn *head = insn_at(number);

    for (unsigned i = 0; i < head->group_n; i++) {
        struct insn *in = insn_at(number + i);
        if (in->n_ops) {
            const struct dr_memory *m = operand_at(in->first_op);
            refer(cpu, in, a + (uint64_t)(int64_t)(i ? in->group_at : 0), m->size, !m->read);
        }
    }
}

void
data_missed(uint64_t arg, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    struct cpu *cpu = cpu_of(t);
    uint32_t number = (uint32_t)(arg >> OPERAND_BITS);
    struct insn *in = insn_at(number);
    uint64_t a = *(uint64_t *)dr_thread_at(t, slot_address);

    (void)mc;
    look_for_company(cpu);
    if (in->group_span) {
        refer_group(cpu, number, a - (uint64_t)(int64_t)in->group_first);
    } else {
        const struct dr_memory *m = operand_at(in->first_op + (arg & ((1 << OPERAND_BITS) - 1)));
        refer(cpu, in, a, m->size, !m->read);
    }
}

void
data_refers(uint64_t arg, struct dr_mcontext *mc)
{
    struct cpu *cpu = cpu_of(dr_thread_current());
    uint32_t number = (uint32_t)(arg >> OPERAND_BITS);
    struct insn *in = insn_at(number);
    uint64_t a[DR_MAX_ADDRESSES];

    look_for_company(cpu);
    if (in->group_span) {
        dr_memory_addresses(operand_at(in->first_op), mc, a);
        refer_group(cpu, number, a[0]);
    } else {
        refer_operand(cpu, in, arg & ((1 << OPERAND_BITS) - 1), mc);
    }
}

void
fetch_missed(uint64_t site, struct dr_mcontext *mc)
{
    struct cpu *cpu = cpu_of(dr_thread_current());
    const struct fetch_site *f = fetch_site_at((uint32_t)site);
    struct insn *in = insn_at(f->insn);
    bool all = true;
    uint64_t victim;

    (void)mc;
    look_for_company(cpu);
    if (cpu->shared) {
        dr_lock(&lock);
        count(cpu, in, I1_MISS, sim_fetch(&sim, cpu->core, in->pc, in->length));
        dr_unlock(&lock);
        return;
    }
    for (unsigned i = 0; i < f->n; i++)
        all &= cache_ref(&cpu->l1i, cache_set_of(&cpu->l1i, f->line[i]), f->id[i], &victim);
    if (all)
        return;
    bool locked = lock_if_several();
    count(cpu, in, I1_MISS, sim_below(&sim, cpu->core, in->pc, in->length));
    unlock_if(locked);
}

/* One instruction, where nothing is decided by emitted code. */
void
insn_executes(uint64_t number, struct dr_mcontext *mc)
{
    struct cpu *cpu = cpu_of(dr_thread_current());
    struct insn *in = insn_at((uint32_t)number);

    dr_lock(&lock);
    if (++refs_seen > skip_refs) {
        unsigned r = sim_fetch(&sim, cpu->core, in->pc, in->length);
        if (counts_now()) {
            in->fetched++;
            cpu->totals.fetches++;
            count(cpu, in, I1_MISS, r);
        }
    }
    dr_unlock(&lock);
    for (unsigned k = 0; k < in->n_ops; k++)
        refer_operand(cpu, in, k, mc);
}

/* ---- threads ---- */

static unsigned
least_busy_core(void)
{
    unsigned best = 0;

    for (unsigned k = 1; k < config.cores; k++)
        if (cores[k].threads < cores[best].threads)
            best = k;
    return best;
}

static void
thread_start(dr_thread *t)
{
    struct cpu *cpu = cpu_of(t);
    struct cache_config tiny = {0};

    dr_lock(&lock);
    cpu->core = least_busy_core();
    cache_init(&cpu->l1i, fast ? &config.l1i : &tiny, dr_thread_at(t, slot_l1i), 1);
    cache_init(&cpu->l1d, fast ? &config.l1d : &tiny, dr_thread_at(t, slot_l1d), 1);
    totals[cpu->core].threads++;
    if (cores[cpu->core].threads++)
        cores[cpu->core].shared = true;
    cpu->shared = cores[cpu->core].shared;
    if (fast && !cpu->shared && cores[cpu->core].kept)
        take_l1(cpu);
    dr_unlock(&lock);
}

static void
add_totals(struct core_totals *to, const struct core_totals *t)
{
    for (unsigned i = 0; i < N_COUNTS; i++)
        to->missed[i] += t->missed[i];
    to->l2[0] += t->l2[0];
    to->l2[1] += t->l2[1];
    to->invalidated += t->invalidated;
    to->prefetched += t->prefetched;
    to->itlb += t->itlb;
    to->dtlb += t->dtlb;
    to->tlb2 += t->tlb2;
    to->fetches += t->fetches;
    to->reads += t->reads;
    to->writes += t->writes;
}

static void
thread_exit(dr_thread *t)
{
    struct cpu *cpu = cpu_of(t);
    uint64_t *c = dr_thread_at(t, slot_blocks);

    dr_lock(&lock);
    for (uint32_t i = 0; i < n_blocks; i++) {
        executed[i] += c[i];
        for (uint32_t k = 0; fast && c[i] && k < blocks[i].n; k++) {
            const struct insn *in = insn_at(blocks[i].first_insn + k);
            cpu->totals.fetches += c[i];
            cpu->totals.reads += c[i] * in->reads;
            cpu->totals.writes += c[i] * in->writes;
        }
    }
    add_totals(&totals[cpu->core], &cpu->totals);
    if (fast && !cpu->shared)
        give_up_l1(cpu);
    cores[cpu->core].kept = true;
    if (!--cores[cpu->core].threads)
        cores[cpu->core].shared = false;
    dr_unlock(&lock);
}

static uint64_t *sim_memory;

/* The child begins with cold caches and counts of its own. */
static void
fork_child(dr_thread *t)
{
    uint64_t *c = dr_thread_at(t, slot_blocks);

    lock.state = 0;
    for (uint32_t i = 0; i < n_blocks; i++)
        c[i] = executed[i] = 0;
    for (uint32_t i = 0; i < n_insns; i++) {
        struct insn *in = insn_at(i);
        in->cut = in->fetched = in->read = in->written = 0;
        for (unsigned k = 0; k < N_COUNTS; k++)
            in->missed[k] = 0;
    }
    for (unsigned k = 0; k < config.cores; k++) {
        totals[k] = (struct core_totals){0};
        cores[k].threads = 0;
        cores[k].shared = cores[k].kept = false;
    }
    refs_seen = 0;
    several = false;
    sim_init(&sim, &config, sim_memory);
    *cpu_of(t) = (struct cpu){0};
    thread_start(t);
}

/* clone with CLONE_VM, clone3, vfork: before there is another thread. */
static void
syscall_pre(struct dr_syscall *s)
{
    if ((s->number == 56 && s->arg[0] & 0x100) || s->number == 435 || s->number == 58)
        several = true;
}

/* ---- options ---- */

static bool
parse_number(const char *s, bool size, uint64_t *out)
{
    uint64_t v = 0;

    if (!s || !*s)
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (v > UINT64_MAX / 16)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    if (size && *s) {
        unsigned shift = *s == 'K' || *s == 'k' ? 10 : *s == 'M' || *s == 'm' ? 20 : *s == 'G' || *s == 'g' ? 30 : 0;
        if (!shift || v > UINT64_MAX >> shift)
            return false;
        v <<= shift;
        s++;
    }
    *out = v;
    return !*s;
}

static bool
parse_policy(const char *s, enum policy *out)
{
    static const char *const names[] = {[POLICY_LRU] = "LRU", [POLICY_FIFO] = "FIFO", [POLICY_RANDOM] = "RANDOM", [POLICY_PLRU] = "PLRU"};

    for (unsigned i = 0; s && i < sizeof names / sizeof *names; i++) {
        const char *a = s, *n = names[i];
        while (*a && (*a & ~0x20) == *n)
            a++, n++;
        if (!*a && !*n) {
            *out = (enum policy)i;
            return true;
        }
    }
    return false;
}

static uint64_t o_cores = 4, o_line = 64, o_i_assoc = 8, o_d_assoc = 8, o_l2_assoc = 8, o_ll_assoc = 16, o_seed = 1, o_top = 10, o_page = 4096,
                o_itlb, o_dtlb, o_tlb2;
static const struct { const char *name; bool size; uint64_t *value; } numbers[] = {
    {"cores", false, &o_cores}, {"line_size", true, &o_line}, {"L1I_size", true, &config.l1i.size}, {"L1D_size", true, &config.l1d.size},
    {"L2_size", true, &config.l2.size}, {"LL_size", true, &config.ll.size}, {"L1I_assoc", false, &o_i_assoc}, {"L1D_assoc", false, &o_d_assoc},
    {"L2_assoc", false, &o_l2_assoc}, {"LL_assoc", false, &o_ll_assoc}, {"seed", false, &o_seed}, {"report_top", false, &o_top},
    {"page_size", true, &o_page}, {"TLB_L1I_entries", false, &o_itlb}, {"TLB_L1D_entries", false, &o_dtlb}, {"TLB_L2_entries", false, &o_tlb2},
    {"warmup_refs", false, &warmup_refs}, {"skip_refs", false, &skip_refs}, {"sim_refs", false, &sim_refs},
};

static bool equal(const char *a, const char *b) { return strcmp(a, b) == 0; }

static bool
parse_option(const char *name, const char *value, bool *used_value)
{
    enum policy policy;

    *used_value = true;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (equal(name, numbers[i].name))
            return parse_number(value, numbers[i].size, numbers[i].value);
    if (equal(name, "replace_policy")) {
        if (!parse_policy(value, &policy))
            return false;
        config.l1i.policy = config.l1d.policy = config.l2.policy = config.ll.policy = policy;
        return true;
    }
    if (equal(name, "data_prefetcher")) {
        config.prefetch = value && equal(value, "nextline");
        return config.prefetch || (value && equal(value, "none"));
    }
    if (equal(name, "cachegrind"))
        return (cachegrind_path = value);
    if (equal(name, "json"))
        return (json_path = value);
    if (equal(name, "counts"))
        return (counts_path = value);
    *used_value = false;
    if (equal(name, "coherence"))
        return config.coherence = true;
    return false;
}

static bool
check_cache(const char *name, struct cache_config *c, uint64_t assoc, uint64_t line)
{
    const char *fault;

    c->assoc = (uint32_t)assoc;
    c->line = (uint32_t)line;
    fault = assoc > 1 << 20 || line > 1 << 30 ? "the number is too large" : cache_config_fault(c);
    if (fault)
        dr_print("cachesim: %s: %s\n", name, fault);
    return !fault;
}

static bool
check_config(void)
{
    if (!o_cores || o_cores > SIM_MAX_CORES) {
        dr_print("cachesim: -cores is 1 to %d\n", SIM_MAX_CORES);
        return false;
    }
    config.cores = (unsigned)o_cores;
    config.seed = o_seed;
    report_top = (unsigned)(o_top > 1000 ? 1000 : o_top);
    if (!config.l1i.size || !config.l1d.size || !config.ll.size) {
        dr_print("cachesim: L1I, L1D and LL have a size\n");
        return false;
    }
    config.itlb.size = o_itlb * o_page;
    config.dtlb.size = o_dtlb * o_page;
    config.tlb2.size = o_tlb2 * o_page;
    return check_cache("L1I", &config.l1i, o_i_assoc, o_line) && check_cache("L1D", &config.l1d, o_d_assoc, o_line) &&
           check_cache("L2", &config.l2, o_l2_assoc, o_line) && check_cache("LL", &config.ll, o_ll_assoc, o_line) &&
           check_cache("TLB_L1I", &config.itlb, o_itlb ? o_itlb : 1, o_page) && check_cache("TLB_L1D", &config.dtlb, o_dtlb ? o_dtlb : 1, o_page) &&
           check_cache("TLB_L2", &config.tlb2, o_tlb2 < 4 ? 1 : 4, o_page);
}

static bool
allocate(void)
{
    size_t words;

    fast = config.l1i.policy == POLICY_LRU && !config.prefetch && !config.coherence && !config.itlb.size && !config.dtlb.size && !warmup_refs &&
           !skip_refs && sim_refs == UINT64_MAX && cache_words(&config.l1i) <= MAX_L1_WORDS && cache_words(&config.l1d) <= MAX_L1_WORDS;
    slot_cpu = dr_thread_memory(sizeof(struct cpu));
    slot_address = dr_thread_memory(8);
    slot_line = dr_thread_memory(8);
    slot_l1i = dr_thread_memory(fast ? cache_words(&config.l1i) * 8 : 8);
    slot_l1d = dr_thread_memory(fast ? cache_words(&config.l1d) * 8 : 8);
    slot_blocks = dr_thread_memory(MAX_BLOCKS * sizeof(uint64_t));
    blocks = dr_map(MAX_BLOCKS * sizeof *blocks);
    executed = dr_map(MAX_BLOCKS * sizeof *executed);
    index_of = dr_map(FIRST_INDEX * sizeof *index_of);
    index_size = FIRST_INDEX;
    code_lines = dr_map(MAX_CODE_LINES * sizeof *code_lines);
    words = sim_words(&config);
    sim_memory = words < 1ul << 28 ? dr_map(words * sizeof *sim_memory) : NULL;
    return slot_cpu && slot_address && slot_line && slot_l1i && slot_l1d && slot_blocks && blocks && executed && index_of && code_lines && sim_memory;
}

static bool
init(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        bool used = false;
        const char *name = argv[i];
        while (*name == '-')
            name++;
        if (!parse_option(name, argv[i + 1], &used)) {
            dr_print("cachesim: bad option %s%s%s\n", argv[i], used && argv[i + 1] ? " " : "", used && argv[i + 1] ? argv[i + 1] : "");
            return false;
        }
        i += used;
    }
    if (!check_config())
        return false;
    if (!allocate()) {
        dr_print("cachesim: no memory for its caches and counters (address-space limit?)\n");
        return false;
    }
    sim_init(&sim, &config, sim_memory);
    return true;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "cachesim",
    .init = init,
    .exit = report_all,
    .thread_start = thread_start,
    .thread_exit = thread_exit,
    .fork_child = fork_child,
    .block_begin = block_begin,
    .block_insn = block_insn,
    .block_cut = block_cut,
    .syscall_pre = syscall_pre,
};
