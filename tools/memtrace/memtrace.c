/* memtrace: a trace of every memory reference and every instruction.
 *
 * A block is described once: its instructions' bytes, and for each operand a constant address or a constant distance from
 * a slot. A slot is a register's value, or an address that has no register of its own, at one place in the block; what later
 * operands reach from the same register, unchanged or changed by a known amount, needs none. At run time a block leaves
 * its number and its slots' values in the thread's buffer. C encodes and compresses full buffers (file.c).
 * String instructions, gathers and scatters call C, which puts down what they access.
 * See docs/memtrace.md and docs/memtrace-format.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "memtrace.h"

#include "common/gs.h"
#include "common/rep.h"

enum { FIRST_INDEX = 1 << 14, MAX_BLOCK_SLOTS = 250, NO_SLOT = 0xffff };

struct block *blocks;
uint32_t n_blocks, n_slots;
uint8_t *slot_kinds;
uint32_t slot_tracer, slot_off, slot_end, slot_buffer;
struct dr_mutex lock;
static uint32_t *index_of, index_size;
static const char *outdir = ".";

/* ---- blocks, by tag ---- */

static uint32_t hash(uint64_t tag) { return (uint32_t)((tag * 0x9e3779b97f4a7c15ull) >> 40) & (index_size - 1); }

static uint32_t
find_block(uint64_t tag, uint32_t n, uint32_t checksum)
{
    for (uint32_t s = hash(tag); index_of[s]; s = (s + 1) & (index_size - 1)) {
        const struct block *k = &blocks[index_of[s] - 1];
        if (k->tag == tag && k->n == n && k->checksum == checksum)
            return index_of[s] - 1;
    }
    return UINT32_MAX;
}

static void
index_put(uint32_t number)
{
    uint32_t s = hash(blocks[number].tag);

    while (index_of[s])
        s = (s + 1) & (index_size - 1);
    index_of[s] = number + 1;
}

static void
index_grow(void)
{
    uint32_t *larger = dr_map(2ul * index_size * sizeof *larger);

    DR_CHECK(larger, "memtrace has memory for the program's blocks");
    dr_unmap(index_of, index_size * sizeof *index_of);
    index_of = larger;
    index_size *= 2;
    for (uint32_t i = 0; i < n_blocks; i++)
        index_put(i);
}

/* ---- what is known of registers within a block ---- */

struct known { uint16_t slot; int64_t delta; };            /* register = slot's value + delta; NO_SLOT: nothing */

/* An operand as instrumentation and dictionary see it. */
struct operand { struct dr_memory m; enum trace_operand_kind kind; uint16_t slot; bool takes; /* its value goes into the slot here */ int64_t value; };
struct described { uint8_t n; struct operand op[DR_MAX_MEMORY]; };

/* The block under translation; the engine translates one at a time. */
static struct {
    uint32_t number;
    uint8_t n_slots, kinds[MAX_BLOCK_SLOTS];
    bool full;                           /* no slot left: the rest are lists                            */
    struct described insn[96];
    unsigned loaded;                     /* the held register that has the record's end; 0: none        */
} now;

static bool is_list(const struct dr_memory *m) { return m->vsib; }
static bool is_plain(const struct dr_memory *m) { return m->index == REG_NONE && !m->segment && !m->address32 && m->bit_register == REG_NONE; }

static bool
same_address(const struct dr_memory *a, const struct dr_memory *b)
{
    return a->base == b->base && a->index == b->index && a->scale == b->scale && a->segment == b->segment && a->address32 == b->address32 &&
           a->index_low8 == b->index_low8 && a->bit_register == REG_NONE && b->bit_register == REG_NONE;
}

static uint16_t
new_slot(uint8_t kind)
{
    if (now.n_slots == MAX_BLOCK_SLOTS)
        return NO_SLOT;
    now.kinds[now.n_slots] = kind;
    return now.n_slots++;
}

/* Addresses with an index, a segment … : the last one of the block, as long as its registers stay. */
struct complex { struct dr_memory m; uint16_t slot; };

static void
place(struct operand *o, struct known *r, struct complex *c)
{
    struct dr_memory *m = &o->m;

    if (m->repeated || is_list(m)) {
        o->kind = m->repeated ? TRACE_OPERAND_STRING : TRACE_OPERAND_LIST;
        return;
    }
    if (m->base == REG_NONE && is_plain(m)) {
        o->kind = TRACE_OPERAND_CONSTANT;
        o->value = m->disp;
        return;
    }
    o->kind = TRACE_OPERAND_SLOT;
    if (is_plain(m)) {
        if (r[m->base].slot == NO_SLOT) {
            r[m->base] = (struct known){new_slot(m->base == RSP ? TRACE_SLOT_STACK : TRACE_SLOT_PLAIN), 0};
            o->takes = true;
        }
        o->slot = r[m->base].slot;
        o->value = r[m->base].delta + m->disp;
    } else if (c->slot != NO_SLOT && same_address(&c->m, m)) {
        o->slot = c->slot;
        o->value = m->disp - c->m.disp;
    } else {
        *c = (struct complex){*m, new_slot(TRACE_SLOT_PLAIN)};
        o->slot = c->slot;
        o->takes = true;
    }
    if (o->slot == NO_SLOT)
        o->kind = TRACE_OPERAND_LIST;
}

/* 64-bit `lea r, [b + disp]`, `mov r, s`, `add` and `sub r, imm`: what they say of the register they write. */
static bool
follows(const struct dr_insn *in, const struct known *r, enum reg *to, struct known *value)
{
    const uint8_t *p = in->bytes;
    unsigned rex = p[0], op = p[1], modrm = p[2], mod = modrm >> 6, reg = (modrm >> 3 & 7) | (rex & 4) << 1, rm = (modrm & 7) | (rex & 1) << 3;
    int64_t imm;

    if ((rex & 0xf8) != 0x48 || in->length < 3)
        return false;
    if (mod == 3 && (op == 0x89 || op == 0x8b)) {
        *to = op == 0x89 ? rm : reg;
        *value = r[op == 0x89 ? reg : rm];
        return true;
    }
    if (mod == 3 && (op == 0x83 || op == 0x81) && ((modrm & 0x38) == 0 || (modrm & 0x38) == 0x28)) {
        int32_t v32 = 0;
        if (op == 0x83)
            imm = (int8_t)p[3];
        else
            memcpy(&v32, p + 3, 4), imm = v32;
        *to = rm;
        *value = r[rm];
        value->delta += modrm & 0x28 ? -imm : imm;
        return true;
    }
    if (op == 0x8d && mod && mod != 3 && (modrm & 7) != 4) {
        int32_t v32 = 0;
        if (mod == 1)
            imm = (int8_t)p[3];
        else
            memcpy(&v32, p + 3, 4), imm = v32;
        *to = reg;
        *value = r[rm];
        value->delta += imm;
        return true;
    }
    return false;
}

/* Of instructions with a stack operand: all but pop rsp and enter. */
static bool
moves_rsp_plainly(const struct dr_insn *in)
{
    unsigned i = 0;
    bool rex_b = false;

    while (in->bytes[i] == 0x66 || (in->bytes[i] & 0xf0) == 0x40)
        rex_b = in->bytes[i++] & 1 && in->bytes[i - 1] != 0x66;
    return in->bytes[i] != 0xc8 && (in->bytes[i] != 0x5c || rex_b);
}

static void
after(dr_block *b, unsigned i, struct known *r, struct complex *c)
{
    const struct dr_insn *in = dr_block_insn(b, i);
    const struct described *d = &now.insn[i];
    struct known rsp = r[RSP], value;
    enum reg to = REG_NONE;
    bool known = follows(in, r, &to, &value), stack = false;

    for (unsigned k = 0; k < d->n; k++) {
        const struct dr_memory *m = &d->op[k].m;
        if (m->stack && m->base == RSP) {
            rsp.delta += m->written ? -(int64_t)m->size : m->size;
            stack = true;
        }
    }
    for (unsigned k = 0; k < 16; k++)
        if (in->regs_written >> k & 1) {
            if (c->slot != NO_SLOT && (c->m.base == k || c->m.index == k || c->m.bit_register == k))
                c->slot = NO_SLOT;
            r[k].slot = NO_SLOT;
        }
    if (known)
        r[to] = value;
    else if (stack && moves_rsp_plainly(in))
        r[RSP] = rsp;
}

/* ---- the dictionary ---- */

static void
describe(dr_block *b)
{
    struct known r[16];
    struct complex c = {.slot = NO_SLOT};

    now.n_slots = 0;
    for (unsigned k = 0; k < 16; k++)
        r[k] = (struct known){NO_SLOT, 0};
    for (unsigned i = 0; i < dr_block_count(b); i++) {
        struct dr_memory m[DR_MAX_MEMORY];
        struct described *d = &now.insn[i];
        d->n = (uint8_t)dr_memory_operands(b, i, m);
        for (unsigned k = 0; k < d->n; k++) {
            d->op[k] = (struct operand){.m = m[k]};
            place(&d->op[k], r, &c);
        }
        after(b, i, r, &c);
    }
}

static uint8_t *
put_operand(uint8_t *p, const struct operand *o)
{
    *p++ = (uint8_t)((o->m.read ? TRACE_READ : 0) | (o->m.written ? TRACE_WRITE : 0) | o->kind << 2);
    p = put_varint(p, o->m.size);
    if (o->kind == TRACE_OPERAND_SLOT)
        p = put_varint(p, o->slot);
    if (o->kind == TRACE_OPERAND_SLOT || o->kind == TRACE_OPERAND_CONSTANT)
        p = put_varint(p, zigzag((uint64_t)o->value));
    return p;
}

static void
add_block(dr_block *b, uint32_t checksum)
{
    static uint8_t entry[96 * (32 + DR_MAX_MEMORY * 24)];
    uint8_t *p = entry;
    uint32_t n = dr_block_count(b);

    DR_CHECK(n_blocks < MAX_BLOCKS && n_slots + now.n_slots < MAX_SLOTS, "memtrace has room for the program's blocks");
    if (n_blocks * 2 >= index_size)
        index_grow();
    now.number = n_blocks++;
    blocks[now.number] = (struct block){dr_block_tag(b), n, checksum, n_slots, now.n_slots, 0, NULL};
    p = put_varint(p, now.number);
    p = put_varint(p, dr_block_tag(b));
    p = put_varint(p, n);
    p = put_varint(p, now.n_slots);
    for (unsigned k = 0; k < now.n_slots; k++)
        *p++ = slot_kinds[n_slots++] = now.kinds[k];
    for (unsigned i = 0; i < n; i++) {
        const struct dr_insn *in = dr_block_insn(b, i);
        *p++ = in->length;
        memcpy(p, in->bytes, in->length);
        p += in->length;
        *p++ = now.insn[i].n;
        for (unsigned k = 0; k < now.insn[i].n; k++)
            p = put_operand(p, &now.insn[i].op[k]);
    }
    blocks[now.number].entry = dr_alloc((size_t)(p - entry));
    blocks[now.number].entry_size = (uint32_t)(p - entry);
    DR_CHECK(blocks[now.number].entry, "memtrace has memory for the program's blocks");
    memcpy(blocks[now.number].entry, entry, (size_t)(p - entry));
    dictionary_add(entry, (size_t)(p - entry));
    index_put(now.number);
}

static bool
block_begin(dr_block *b)
{
    uint32_t checksum = 1;

    for (uint32_t i = 0; i < dr_block_count(b); i++) {
        const struct dr_insn *in = dr_block_insn(b, i);
        for (unsigned k = 0; k < in->length; k++)
            checksum = checksum * 31 + in->bytes[k];
    }
    describe(b);
    now.loaded = 0;
    dr_lock(&lock);
    now.number = find_block(dr_block_tag(b), dr_block_count(b), checksum);
    if (now.number == UINT32_MAX)
        add_block(b, checksum);
    dr_unlock(&lock);
    return true;
}

/* ---- emission ---- */

static uint32_t record_size(void) { return 4 + 8u * now.n_slots; }

static void
buffer_full(uint64_t arg, struct dr_mcontext *mc)
{
    (void)arg, (void)mc;
    trace_flush(dr_thread_current());
}

/* Before the block's first instruction: room for its record. */
static void
emit_check(dr_block *b)
{
    struct emit *e = dr_emit(b);
    uint32_t over;

    if (dr_flags_unread(b, 0)) {
        x_gs(e, false, 0x81, 7, REG_NONE, slot_off);         /* cmp dword gs:[off], BUFFER */
        emit_u32(e, BUFFER);
        dr_side_begin(b, 3 /* not below */);
        dr_side_call(b, buffer_full, 0);
        return;
    }
    dr_take_this_register(b, RCX);
    emit_bytes(e, "\x65\x0f\xb7\x0c\x25", 5);                /* movzx ecx, word gs:[off + 2]: 0 below 64 KiB */
    emit_u32(e, slot_off + 2);
    over = x_jrcxz_ahead(e);
    dr_side_begin(b, DR_ALWAYS);
    x_here(e, over);
    dr_side_call(b, buffer_full, 0);
    dr_give_registers(b);
}
_Static_assert(BUFFER == 1 << 16, "emit_check looks at the upper half of `off`");

static void
begin_in_c(uint64_t number, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    uint32_t *off = dr_thread_at(t, slot_off), n = (uint32_t)number;

    (void)mc;
    memcpy((uint8_t *)dr_thread_at(t, slot_buffer) + *off, &n, 4);
    *off += 4 + 8u * blocks[number].n_slots;
    *(uint32_t *)dr_thread_at(t, slot_end) = *off;
}

static void
emit_begin(dr_block *b)
{
    struct emit *e = dr_emit(b);
    enum reg h;

    emit_check(b);
    h = dr_hold_register(b, 0, REG_NONE);
    if (h == REG_NONE) {
        dr_insert_call(b, begin_in_c, now.number);
        return;
    }
    x_gs(e, false, 0x8b, h, REG_NONE, slot_off);             /* mov h32, gs:[off] */
    x_gs(e, false, 0xc7, 0, h, slot_buffer);                 /* mov dword gs:[h + buffer], number */
    emit_u32(e, now.number);
    x_lea_add(e, h, (int32_t)record_size());
    x_gs(e, false, 0x89, h, REG_NONE, slot_off);
    x_gs(e, false, 0x89, h, REG_NONE, slot_end);
    now.loaded = dr_holds(b);
}

/* Where slot k of the current record is, from the record's end. */
static uint32_t slot_at(unsigned k) { return slot_buffer - 8u * (now.n_slots - k); }

static void
take_in_c(uint64_t arg, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    const struct dr_memory *m = (const struct dr_memory *)(arg & 0xffffffffffff);
    uint32_t end = *(uint32_t *)dr_thread_at(t, slot_end), from_end = 8 * (uint32_t)(arg >> 48);
    uint64_t a[DR_MAX_ADDRESSES], v;

    dr_memory_addresses(m, mc, a);
    v = is_plain(m) ? mc->gpr[m->base] : a[0];
    memcpy((uint8_t *)dr_thread_at(t, slot_buffer) + end - from_end, &v, 8);
}

static const struct dr_memory *
keep_operand(const struct dr_memory *m)
{
    struct dr_memory *kept = dr_alloc(sizeof *kept);

    DR_CHECK(kept, "memtrace has memory for the program's operands");
    *kept = *m;
    return kept;
}

/* The operand's slot gets its value: the base register, or the address. */
static void
emit_take(dr_block *b, unsigned index, const struct operand *o)
{
    struct emit *e = dr_emit(b);
    enum reg h = dr_hold_register(b, index, REG_NONE), r = o->m.base;
    bool plain = is_plain(&o->m);

    if (!plain && h != REG_NONE)
        dr_take_this_register(b, r = h == RCX ? RDX : RCX);
    if (h == REG_NONE || (!plain && !dr_emit_address(b, index, &o->m, r))) {
        now.loaded = 0;
        dr_insert_call(b, take_in_c, (uint64_t)keep_operand(&o->m) | (uint64_t)(now.n_slots - o->slot) << 48);
        return;
    }
    if (now.loaded != dr_holds(b)) {
        x_gs(e, false, 0x8b, h, REG_NONE, slot_end);
        now.loaded = dr_holds(b);
    }
    x_gs(e, true, 0x89, r, h, slot_at(o->slot));
    dr_give_registers(b);
}

/* ---- operands that C puts down ---- */

struct extra_site { uint64_t pc; uint8_t length, n; struct dr_memory m[2]; bool string; };

static void
put_extra(dr_thread *t, const uint64_t *v, uint32_t n)
{
    uint32_t *off = dr_thread_at(t, slot_off), head[2] = {RAW_EXTRA, n};
    uint8_t *p = (uint8_t *)dr_thread_at(t, slot_buffer) + *off;

    memcpy(p, head, 8);
    memcpy(p + 8, v, 8 * n);
    *off += 8 + 8 * n;
}

static void
extra(uint64_t arg, struct dr_mcontext *mc)
{
    const struct extra_site *s = (const struct extra_site *)arg;
    uint64_t v[DR_MAX_ADDRESSES];
    dr_thread *t = dr_thread_current();

    for (unsigned i = 0; i < s->n; i++) {
        unsigned n = dr_memory_addresses(&s->m[i], mc, v);
        if (s->string) {
            v[1] = v[0];
            v[0] = rep_elements(s->pc, s->length, s->m, s->n, mc) | (mc->rflags & 0x400 ? 1ull << 63 : 0);
            n = 2;
        }
        put_extra(t, v, n);
    }
}

static void
emit_extra(dr_block *b, unsigned index, const struct described *d)
{
    const struct dr_insn *in = dr_block_insn(b, index);
    struct extra_site *s = dr_alloc(sizeof *s);

    DR_CHECK(s, "memtrace has memory for the program's operands");
    *s = (struct extra_site){.pc = in->pc, .length = in->length};
    for (unsigned k = 0; k < d->n; k++)
        if (d->op[k].kind >= TRACE_OPERAND_STRING && s->n < 2) {
            s->m[s->n++] = d->op[k].m;
            s->string |= d->op[k].kind == TRACE_OPERAND_STRING;
        }
    now.loaded = 0;
    dr_insert_call(b, extra, (uint64_t)s);
}

static void
block_insn(dr_block *b, unsigned i)
{
    const struct described *d = &now.insn[i];
    bool extras = false;

    if (i == 0)
        emit_begin(b);
    for (unsigned k = 0; k < d->n; k++) {
        if (d->op[k].takes)
            emit_take(b, i, &d->op[k]);
        extras |= d->op[k].kind >= TRACE_OPERAND_STRING;
    }
    if (extras)
        emit_extra(b, i, d);
}

/* ---- events ---- */

static void
put_marker(dr_thread *t, uint32_t kind, uint64_t value)
{
    uint32_t *off = dr_thread_at(t, slot_off), head[2] = {RAW_MARKER, kind};
    uint8_t *p;

    if (*off >= BUFFER)
        trace_flush(t);
    p = (uint8_t *)dr_thread_at(t, slot_buffer) + *off;
    memcpy(p, head, 8);
    memcpy(p + 8, &value, 8);
    *off += 16;
}

static void
block_cut(const struct dr_cut *c)
{
    uint32_t *off = dr_thread_at(c->thread, slot_off), head[2] = {RAW_CUT, c->done};

    if (c->done == 0 && !c->inserted)
        return;
    memcpy((uint8_t *)dr_thread_at(c->thread, slot_buffer) + *off, head, 8);
    *off += 8;
}

static void syscall_pre(struct dr_syscall *s) { put_marker(s->thread, TRACE_MARKER_SYSCALL, s->number); }

static enum dr_signal_action
signal(struct dr_signal *s)
{
    put_marker(s->thread, TRACE_MARKER_SIGNAL, (uint64_t)s->number);
    return DR_SIGNAL_DELIVER;
}

static void
thread_start(dr_thread *t)
{
    struct tracer *k = dr_thread_at(t, slot_tracer);

    if (!encoder_new(k))
        dr_print("memtrace: no memory to trace thread %d\n", dr_thread_id(t));
    put_marker(t, TRACE_MARKER_THREAD_START, (uint64_t)dr_thread_id(t));
}

static void
thread_exit(dr_thread *t)
{
    put_marker(t, TRACE_MARKER_THREAD_EXIT, (uint64_t)dr_thread_id(t));
    trace_flush(t);
    encoder_free(dr_thread_at(t, slot_tracer));
}

static void each_module(const struct dr_module *m, void *arg) { (void)arg; trace_module(m); }

/* The child has a trace of its own, which begins with what is known of the program; its parent's handle is not its. */
static void
fork_child(dr_thread *t)
{
    uint32_t *off = dr_thread_at(t, slot_off);

    lock.state = 0;
    *off = 0;
    trace_open(outdir);
    dr_each_module(each_module, NULL);
    for (uint32_t i = 0; i < n_blocks; i++)                  /* it goes on with the parent's translations */
        dictionary_add(blocks[i].entry, blocks[i].entry_size);
    put_marker(t, TRACE_MARKER_THREAD_START, (uint64_t)dr_thread_id(t));
}

/* ---- options ---- */

static bool
parse_number(const char *s, uint64_t *out)
{
    uint64_t v = 0;

    if (!s || *s < '0' || *s > '9')
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (v > UINT64_MAX / 16)
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
    }
    unsigned shift = *s == 'K' ? 10 : *s == 'M' ? 20 : *s == 'G' ? 30 : 0;
    if (shift && v <= UINT64_MAX >> shift)
        v <<= shift, s++;
    *out = v;
    return !*s;
}

static bool
parse_option(const char *name, const char *value)
{
    if (strcmp(name, "outdir") == 0)
        return (outdir = value);
    if (strcmp(name, "max_trace_size") == 0)
        return parse_number(value, &max_size);
    if (strcmp(name, "trace_after_instrs") == 0)
        return parse_number(value, &after_instrs);
    if (strcmp(name, "trace_for_instrs") == 0)
        return parse_number(value, &for_instrs);
    return false;
}

static bool
init(int argc, const char *const *argv)
{
    for (int i = 1; i < argc; i += 2) {
        const char *name = argv[i];
        while (*name == '-')
            name++;
        if (!parse_option(name, argv[i + 1])) {
            dr_print("memtrace: bad option %s%s%s\n", argv[i], argv[i + 1] ? " " : "", argv[i + 1] ? argv[i + 1] : "");
            return false;
        }
    }
    slot_tracer = dr_thread_memory(sizeof(struct tracer));
    slot_off = dr_thread_memory(4);
    slot_end = dr_thread_memory(4);
    slot_buffer = dr_thread_memory(BUFFER + MARGIN);
    blocks = dr_map(MAX_BLOCKS * sizeof *blocks);
    slot_kinds = dr_map(MAX_SLOTS);
    index_of = dr_map(FIRST_INDEX * sizeof *index_of);
    index_size = FIRST_INDEX;
    if (!slot_tracer || !slot_off || !slot_end || !slot_buffer || !blocks || !slot_kinds || !index_of) {
        dr_print("memtrace: no memory for its buffers (address-space limit?)\n");
        return false;
    }
    deflate_prepare();
    return trace_open(outdir);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool),
    .api = DR_API_VERSION,
    .name = "memtrace",
    .init = init,
    .exit = trace_close,
    .thread_start = thread_start,
    .thread_exit = thread_exit,
    .fork_child = fork_child,
    .block_begin = block_begin,
    .block_insn = block_insn,
    .block_cut = block_cut,
    .syscall_pre = syscall_pre,
    .signal = signal,
    .module_load = trace_module,
};
