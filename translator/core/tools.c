/* Tools: the list of them, their callbacks in order, and the calls they make
 * about blocks and threads.
 * Threads: the list is fixed before the program starts. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/tools.h"

#include "core/engine.h"
#include "core/records.h"
#include "linux/abi.h"
#include "linux/memory.h"
#include "linux/sys.h"

enum { MAX_TOOLS = 8, MAX_TOOL_ARGS = 64 };

static const struct dr_tool *tools[MAX_TOOLS];
unsigned n_tools;
bool tools_want_cuts, tools_want_syscalls, tools_want_signals, tools_want_requests;
static bool initializing;

#define EACH(i) for (unsigned i = 0; i < n_tools; i++)
/* Callback `f` of tool `i`, if its structure is large enough to have it. */
#define HAS(i, f) (offsetof(struct dr_tool, f) < tools[i]->size && tools[i]->f)

static void
tool_load(const char *path, int argc, const char *const *argv)
{
    const char *why = "";
    struct loaded *l = loader_open(path, &why);

    if (!l)
        start_failed(2, "cannot load the tool %s: %s", path, why);
    const struct dr_tool *tool = loader_symbol(l, "dr_tool");
    if (!tool || tool->api != DR_API_VERSION)
        start_failed(2, "%s is not a tool for this version of drtools", path);
    if (n_tools == MAX_TOOLS)
        start_failed(2, "more than %d tools", MAX_TOOLS);
    tools[n_tools++] = tool;
    unsigned i = n_tools - 1;
    if (HAS(i, init) && !tool->init(argc, argv))
        sys_exit_group(2);
    tools_want_cuts |= HAS(i, block_cut);
    tools_want_syscalls |= HAS(i, syscall_pre) || HAS(i, syscall_post);
    tools_want_signals |= HAS(i, signal);
    tools_want_requests |= HAS(i, client_request);
}

void
tools_start(void)
{
    const char *key, *value, *path = NULL, *argv[MAX_TOOL_ARGS + 1];
    int argc = 0;

    initializing = true;
    for (unsigned i = 0;; i++) {
        bool more = options_pair(i, &key, &value);
        if (path && (!more || strcmp(key, "tool") == 0)) {
            argv[argc] = NULL;
            tool_load(path, argc, argv);
            path = NULL;
        }
        if (!more)
            break;
        if (strcmp(key, "tool") == 0) {
            path = argv[0] = value;
            argc = 1;
        } else if (strcmp(key, "toolarg") == 0) {
            if (argc == MAX_TOOL_ARGS)
                start_failed(2, "too many options for the tool %s", path);
            argv[argc++] = value;
        }
    }
    initializing = false;
}

void
tools_thread_start(struct thread *t)
{
    EACH(i)
        if (HAS(i, thread_start))
            tools[i]->thread_start(t);
}

/* Held while tools are told of an end: those of threads that end beside the process come before its own, or not at all. */
static struct mutex ends_lock;

static void
thread_left(struct thread *t)
{
    if (t->left)
        return;
    t->left = true;
    for (unsigned i = n_tools; i--;)
        if (HAS(i, thread_exit))
            tools[i]->thread_exit(t);
}

void
tools_thread_exit(struct thread *t)
{
    mutex_lock(&ends_lock);
    thread_left(t);
    mutex_unlock(&ends_lock);
}

void
tools_fork(struct thread *t, bool begins)
{
    for (unsigned i = 0; i < n_tools; i++) {
        unsigned k = begins ? i : n_tools - 1 - i;
        if (begins && HAS(k, fork_begin))
            tools[k]->fork_begin(t);
        if (!begins && HAS(k, fork_end))
            tools[k]->fork_end(t);
    }
}

void
tools_fork_child(struct thread *t)
{
    mutex_init(&ends_lock);
    control_after_fork(t);
    EACH(i)
        if (HAS(i, fork_child))
            tools[i]->fork_child(t);
}

void
tools_exec(struct thread *t)
{
    EACH(i)
        if (HAS(i, exec))
            tools[i]->exec(t);
}

void
tools_exit(void)
{
    mutex_lock(&ends_lock);              /* for good */
    mutex_lock(&threads_lock);
    for (struct thread *o = all_threads; o; o = o->next)
        thread_left(o);
    mutex_unlock(&threads_lock);
    for (unsigned i = n_tools; i--;)
        if (HAS(i, exit))
            tools[i]->exit();
#ifdef DRTOOLS_DCHECK
    uint64_t bytes, pieces = heap_of_tools(&bytes);
    if (pieces)
        print_err("drtools: tools have not freed %lu allocations of %lu bytes\n", pieces, bytes);
#endif
}

void
tools_module(const struct dr_module *m, bool loaded)
{
    if (loaded)
        records_module(m, true);
    EACH(i) {
        if (loaded && HAS(i, module_load))
            tools[i]->module_load(m);
        if (!loaded && HAS(i, module_unload))
            tools[i]->module_unload(m);
    }
    if (!loaded)
        records_module(m, false);
}

bool
tools_client_request(struct thread *t, const uint64_t args[6], uint64_t *result)
{
    EACH(i)
        if (HAS(i, client_request) && tools[i]->client_request(t, args, result))
            return true;
    return false;
}

void
tools_nudge(struct thread *t, uint64_t arg)
{
    EACH(i)
        if (HAS(i, nudge))
            tools[i]->nudge(t, arg);
}

void
tools_fragment_deleted(uint64_t tag, unsigned mode)
{
    EACH(i)
        if (HAS(i, fragment_deleted))
            tools[i]->fragment_deleted(tag, mode);
}

/* ---- blocks ---- */

static void map_before(dr_block *b);

/* With a memory operand, explicit or not, as far as faults go. */
static bool
touches_memory(const struct insn *in)
{
    bool address_only = in->enc == ENC_LEGACY && ((in->map == 0 && in->opcode == 0x8d) || (in->map == 1 && in->opcode == 0x1f));

    return in->shape & (SHAPE_MEM | SHAPE_MOFFS | SHAPE_STRING | SHAPE_STACK) && !address_only;
}

/* Backwards: before an instruction flags are dead if it sets them all, or leaves them alone and they are dead behind it. */
static void
find_dead_flags(dr_block *b)
{
    bool dead = false;

    memset(b->flags_dead, 0, sizeof b->flags_dead);
    for (unsigned i = b->n; i--;) {
        const struct insn *in = &b->insn[i];
        if ((in->flags_read & FLAGS_ARITH) || touches_memory(in) || !insn_cannot_fault(in))
            dead = false;
        else if ((in->flags_written & FLAGS_ARITH) == FLAGS_ARITH)
            dead = true;
        b->flags_dead[i / 64] |= (uint64_t)dead << (i % 64);
    }
}

void
tools_block_begin(struct dr_block *b)
{
    uint16_t off = 0;

    for (unsigned i = 0; i < b->n; off += b->insn[i++].len)
        b->off[i] = off;
    find_dead_flags(b);
    b->spilled = 0;
    b->wanted = 0;
    b->holds = 0;
    b->has_uses = b->has_unread = false;
    EACH(i)
        if (HAS(i, block_begin) && tools[i]->block_begin(b) && HAS(i, block_insn))
            b->wanted |= 1u << i;
}

static void
find_uses(dr_block *b)
{
    struct effects fx;

    for (unsigned i = 0; !b->has_uses && i < b->n; i++) {
        scan_effects((const uint8_t *)b->draft->tag + b->off[i], &b->insn[i], &fx);
        b->uses[i] = fx.reads | fx.writes;
        b->kills[i] = fx.writes & ~fx.reads;
    }
    b->has_uses = true;
}

/* Registers that an instruction reads or writes; those whose old value it surely discards. */
static uint16_t uses_of(dr_block *b, unsigned index) { find_uses(b); return b->uses[index]; }
static uint16_t kills_of(dr_block *b, unsigned index) { find_uses(b); return b->kills[index]; }

static void
release_held(dr_block *b)
{
    struct draft *d = b->draft;

    if (d->held == REG_NONE)
        return;
    map_before(b);
    x_mov_r_slot(&d->hot, d->held, SLOT_HOLD);
    d->held = REG_NONE;
    map_before(b);
}

void
tools_insert(struct dr_block *b, unsigned index, bool last)
{
    struct draft *d = b->draft;

    b->at = index;
    if (d->held_dead) {              /* the last instruction has given it its new value */
        d->held = REG_NONE;
        d->held_dead = false;
    }
    bool conflict = d->held != REG_NONE && uses_of(b, index) >> d->held & 1, dies = conflict && kills_of(b, index) >> d->held & 1 && !last;
    if (conflict && !dies)
        release_held(b);
    EACH(i)
        if (b->wanted >> i & 1) {
            b->tool = i;
            b->inserted = false;
            map_before(b);
            tools[i]->block_insn(b, index);
            dr_give_registers(b);
        }
    if (last)
        release_held(b);
    else if (d->held != REG_NONE && kills_of(b, index) >> d->held & 1)
        d->held_dead = true;
}

void
tools_block_cut(struct thread *t, uint64_t tag, unsigned mode, uint64_t pc, unsigned uninserted)
{
    struct dr_cut c = {.size = sizeof c, .thread = t, .tag = tag, .mode = mode};
    uint8_t bytes[INSN_MAX_LEN + 1];
    struct insn in;

    if (!tools_want_cuts)
        return;
    for (uint64_t at = tag; at < pc; at += in.len, c.done++) {
        size_t n = INSN_MAX_LEN;
        while (n && !safe_read(bytes, at, n))
            n--;
        if (!scan_insn(bytes, n, &in))
            break;
    }
    EACH(i) {
        c.inserted = i + uninserted < n_tools;
        if (HAS(i, block_cut))
            tools[i]->block_cut(&c);
    }
}

uint64_t dr_block_tag(const dr_block *b) { return b->draft->tag; }
unsigned dr_block_mode(const dr_block *b) { return b->draft->mode; }
unsigned dr_block_count(const dr_block *b) { return b->n; }
struct emit *dr_emit(dr_block *b) { return &b->draft->hot; }

const struct dr_insn *
dr_block_insn(dr_block *b, unsigned index)
{
    struct dr_insn *s = &b->seen[index];
    const struct insn *in = &b->insn[index];
    struct effects fx;

    DR_CHECK(index < b->n, "an instruction of the block is asked for");
    if (b->is_seen[index])
        return s;
    s->pc = b->draft->tag + b->off[index];
    s->bytes = (const uint8_t *)s->pc;
    scan_effects(s->bytes, in, &fx);
    s->length = in->len;
    s->branch = in->cls >= INSN_JCC && in->cls <= INSN_FAR;
    s->system_call = in->cls == INSN_SYSCALL;
    s->reads_memory = fx.mem_read;
    s->writes_memory = fx.mem_written;
    s->regs_read = fx.reads;
    s->regs_written = fx.writes;
    s->flags_read = in->flags_read;
    s->flags_written = in->flags_written;
    b->is_seen[index] = true;
    return s;
}

bool
dr_flags_dead(dr_block *b, unsigned index)
{
    return index < b->n && (b->flags_dead[index / 64] >> (index % 64) & 1);
}

/* Whether code from pc on surely overwrites the arithmetic flags in `live` before reading one of them, as far as a short look shows. */
static bool
flags_overwritten(const dr_block *b, uint64_t pc, uint16_t live)
{
    struct insn in;

    for (unsigned i = 0; i < 10 && pc >= b->code_lo && pc < b->code_hi; i++) {
        if (!scan_insn((const uint8_t *)pc, MIN(b->code_hi - pc, 64ul), &in))
            break;
        if (in.flags_read & live || in.cls == INSN_INVALID)
            break;
        live &= (uint16_t)~in.flags_written;
        if (!live)
            return true;
        if (in.cls == INSN_JMP || in.cls == INSN_CALL)
            pc += in.len + (uint64_t)in.imm;
        else if (in.cls == INSN_PLAIN)
            pc += in.len;
        else
            break;
    }
    return false;
}

/* Behind the block's last instruction. */
static bool
flags_unread_behind(const dr_block *b)
{
    const struct insn *last = &b->insn[b->n - 1];
    uint64_t next = b->draft->tag + b->off[b->n - 1] + last->len;

    switch (last->cls) {
    case INSN_JMP:
    case INSN_CALL:
        return flags_overwritten(b, next + (uint64_t)last->imm, FLAGS_ARITH);
    case INSN_JCC:
        return flags_overwritten(b, next + (uint64_t)last->imm, FLAGS_ARITH) && flags_overwritten(b, next, FLAGS_ARITH);
    case INSN_PLAIN:
        return flags_overwritten(b, next, FLAGS_ARITH);
    default:
        return false;
    }
}

bool
dr_flags_unread(dr_block *b, unsigned index)
{
    if (!b->has_unread) {
        uint16_t live = flags_unread_behind(b) ? 0 : FLAGS_ARITH;
        b->has_unread = true;
        memset(b->flags_unread, 0, sizeof b->flags_unread);
        for (unsigned i = b->n; i--;) {
            live = (uint16_t)((live & ~b->insn[i].flags_written) | (b->insn[i].flags_read & FLAGS_ARITH));
            b->flags_unread[i / 64] |= (uint64_t)!live << (i % 64);
        }
    }
    return index < b->n && (b->flags_unread[index / 64] >> (index % 64) & 1);
}

/* ---- inserting ---- */

/* Notes that what is emitted from here on comes before, or after, the effect of the current tool's code. */
static unsigned uninserted(const dr_block *b) { return n_tools - b->tool - b->inserted; }

static void
map_before(dr_block *b)
{
    draft_map_inserted(b->draft, b->spilled, b->scratch, uninserted(b));
}
static void
map_after(dr_block *b)
{
    draft_map_inserted(b->draft, b->spilled, b->scratch, n_tools - b->tool - 1);
}

static uint16_t
registers_taken(const dr_block *b)
{
    return (uint16_t)((b->spilled & MAP_RCX ? 1u << RCX : 0) | (b->spilled & MAP_RDX ? 1u << RDX : 0) | (b->spilled & MAP_SCRATCH ? 1u << b->scratch : 0));
}

static void
spill(dr_block *b, enum reg r, uint8_t how, uint32_t slot)
{
    x_mov_slot_r(&b->draft->hot, slot, r);
    b->spilled |= how;
    if (how == MAP_SCRATCH)
        b->scratch = (uint8_t)r;
    map_before(b);
}

bool
dr_take_this_register(dr_block *b, enum reg r)
{
    if (r == RSP || r > R15 || registers_taken(b) >> r & 1 || r == (enum reg)b->draft->held)
        return false;
    if (r == RCX)
        spill(b, r, MAP_RCX, SLOT_SPILL0);
    else if (r == RDX)
        spill(b, r, MAP_RDX, SLOT_SPILL1);
    else if (!(b->spilled & MAP_SCRATCH))
        spill(b, r, MAP_SCRATCH, SLOT_SPILL2);
    else
        return false;
    return true;
}

/* The register that the block reads last, or overwrites before: its value has the time to come back from its slot. */
static enum reg
register_read_last(dr_block *b, unsigned index)
{
    uint16_t left = (uint16_t)~(1u << RSP | 1u << RCX | 1u << RDX), dead = 0;
    struct effects fx;

    if (b->draft->held != REG_NONE)
        left &= (uint16_t)~(1u << b->draft->held);
    for (unsigned i = index; i < b->n && i < index + 12; i++) {
        scan_effects((const uint8_t *)b->draft->tag + b->off[i], &b->insn[i], &fx);
        dead |= (uint16_t)(fx.writes & ~fx.reads & left);
        uint16_t rest = (uint16_t)(left & (~fx.reads | dead));
        if (!rest)
            break;
        left = rest;
    }
    return (enum reg)__builtin_ctz(dead & left ? dead & left : left);
}

enum reg
dr_take_register(dr_block *b, unsigned index)
{
    if (!(b->spilled & MAP_SCRATCH)) {
        enum reg r = register_read_last(b, index);
        return dr_take_this_register(b, r) ? r : REG_NONE;
    }
    return dr_take_this_register(b, RCX) ? RCX : dr_take_this_register(b, RDX) ? RDX : REG_NONE;
}

static void
put_back_in(dr_block *b, struct emit *e)
{
    if (b->spilled & MAP_SCRATCH)
        x_mov_r_slot(e, b->scratch, SLOT_SPILL2);
    if (b->spilled & MAP_RDX)
        x_mov_r_slot(e, RDX, SLOT_SPILL1);
    if (b->spilled & MAP_RCX)
        x_mov_r_slot(e, RCX, SLOT_SPILL0);
}

static void put_back(dr_block *b) { put_back_in(b, &b->draft->hot); }
void dr_side_give_registers(dr_block *b) { put_back_in(b, &b->draft->side); }

void
dr_inserted(dr_block *b)
{
    b->inserted = true;
    map_before(b);
}

void
dr_give_registers(dr_block *b)
{
    put_back(b);                     /* a register read twice from its slot is the same: the note may stay until the last */
    if (b->spilled) {
        b->spilled = 0;
        map_after(b);
    }
}

enum { HOLD_FOR = 6 };

/* `preferred`, or anything if the instruction uses it. One that the block overwrites before reading it, though not at once, never
 * comes back from its slot; otherwise one used last of all, not the same in every block: in a loop, each time
 * round waits for the one before as long as a load takes to see the store. */
static enum reg
register_to_hold(dr_block *b, unsigned index, enum reg preferred)
{
    uint16_t left = (uint16_t)~(1u << RSP | uses_of(b, index));

    if (preferred != REG_NONE && left >> preferred & 1)
        return preferred;
    if (!left)
        return REG_NONE;
    for (unsigned i = index + 1; i < b->n; i++) {
        uint16_t killed = left & b->kills[i], rest = left & (uint16_t)~b->uses[i];
        if (killed && (i >= index + HOLD_FOR || i + 2 >= b->n))
            return (enum reg)__builtin_ctz(killed);
        if (!rest)
            break;
        left = rest;
    }
    for (unsigned skip = (unsigned)(b->draft->tag * 0x9e3779b97f4a7c15ull >> 60); skip && left & (left - 1); skip--)
        left &= (uint16_t)(left - 1);
    return (enum reg)__builtin_ctz(left);
}

enum reg
dr_hold_register(dr_block *b, unsigned index, enum reg preferred)
{
    struct draft *d = b->draft;

    if (d->held != REG_NONE && b->hold_tool != b->tool)
        return REG_NONE;
    if (d->held != REG_NONE && (preferred == REG_NONE || d->held == preferred || uses_of(b, index) >> preferred & 1))
        return d->held;
    release_held(b);
    enum reg r = register_to_hold(b, index, preferred);
    if (r == REG_NONE || registers_taken(b) >> r & 1)
        return REG_NONE;
    map_before(b);
    x_mov_slot_r(&d->hot, SLOT_HOLD, r);
    d->held = (uint8_t)r;
    b->hold_tool = (uint8_t)b->tool;
    b->holds++;
    map_before(b);
    return r;
}

unsigned dr_holds(const dr_block *b) { return b->draft->held == REG_NONE ? 0 : b->holds; }

/* ---- out of line ---- */

struct emit *dr_side(dr_block *b) { return &b->draft->side; }

void
dr_side_begin(dr_block *b, uint8_t cc)
{
    struct emit *e = &b->draft->hot;

    map_before(b);
    if (cc == DR_ALWAYS)
        emit_u8(e, 0xe9);
    else {
        emit_u8(e, 0x0f);
        emit_u8(e, (uint8_t)(0x80 | cc));
    }
    emit_pc32(e, RELOC_SIDE, emit_off(&b->draft->side), 0);
    b->side_rcx = false;
    draft_map_side(b->draft, b->spilled, b->scratch, uninserted(b));
}

void
dr_side_jump_back(dr_block *b, uint8_t cc)
{
    struct emit *s = &b->draft->side;

    if (b->side_rcx)
        x_mov_r_slot(s, RCX, SLOT_SPILL0);               /* if the jump is not taken, it is in both places */
    if (cc == DR_ALWAYS)
        emit_u8(s, 0xe9);
    else {
        emit_u8(s, 0x0f);
        emit_u8(s, (uint8_t)(0x80 | cc));
    }
    emit_pc32(s, RELOC_HOT, emit_off(&b->draft->hot), 0);
}

void
dr_side_take_rcx(dr_block *b)
{
    DR_CHECK(!(b->spilled & MAP_RCX), "dr_side_take_rcx finds rcx not taken");
    x_mov_slot_r(&b->draft->side, SLOT_SPILL0, RCX);
    draft_map_side(b->draft, b->spilled | MAP_RCX, b->scratch, n_tools - b->tool);
}

void
dr_side_give_rcx(dr_block *b)
{
    x_mov_r_slot(&b->draft->side, RCX, SLOT_SPILL0);
    draft_map_side(b->draft, b->spilled, b->scratch, n_tools - b->tool);
}

void
dr_side_use_rcx(dr_block *b)
{
    if (b->spilled & MAP_RCX)
        return;
    dr_side_take_rcx(b);
    b->side_rcx = true;
}

uint32_t dr_side_rcx(void) { return SLOT_SPILL0; }

unsigned
dr_side_call_over(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg)
{
    struct draft *d = b->draft;
    struct emit *s = &d->side;
    struct side_call c = {.f = f, .arg = arg, .pc = d->tag + d->app_now, .held = d->held};

    if (b->spilled & MAP_SCRATCH)
        x_mov_r_slot(s, b->scratch, SLOT_SPILL2);
    if (b->spilled & MAP_RDX)
        x_mov_r_slot(s, RDX, SLOT_SPILL1);
    if (!(b->spilled & MAP_RCX) && !b->side_rcx)
        x_mov_slot_r(s, SLOT_SPILL0, RCX);
    b->side_rcx = false;                                 /* the call brings it back */
    draft_map_side(d, MAP_RCX, 0, uninserted(b));
    emit_bytes(s, "\x48\x8d\x0d\x05\0\0\0", 7);                   /* lea rcx, [behind the jump] */
    emit_u8(s, 0xe9);
    emit_pc32(s, RELOC_PC32, (uint64_t)cache_side_routine, 0);
    emit_bytes(s, &c, offsetof(struct side_call, back));
    unsigned call = s->n_reloc;
    emit_pc32(s, RELOC_HOT, emit_off(&d->hot), 0);
    emit_bytes(s, &c.held, sizeof c - offsetof(struct side_call, held));
    return call;
}

void
dr_side_back(dr_block *b, unsigned call)
{
    if (!b->draft->side.overflow)
        b->draft->side.reloc[call].target = emit_off(&b->draft->hot);
}

void
dr_side_call(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg)
{
    dr_side_call_over(b, f, arg);
}

void
tools_side_call(const struct side_call *c, struct thread *t)
{
    struct dr_mcontext *mc = (struct dr_mcontext *)&t->s.mc;
    uint64_t own = 0;

    t->s.call_back = (uint64_t)&c->held + (uint64_t)(int64_t)c->back;
    t->s.call = (void (*)(uint64_t, struct mcontext *))c->f;
    mc->rip = c->pc;
    if (c->held != REG_NONE) {
        own = mc->gpr[c->held];
        mc->gpr[c->held] = t->s.hold;
    }
    c->f(c->arg, mc);
    if (c->held != REG_NONE) {
        t->s.hold = mc->gpr[c->held];
        mc->gpr[c->held] = own;
    }
}

void
dr_insert_add(dr_block *b, unsigned index, uint32_t slot, int32_t n)
{
    struct emit *e = &b->draft->hot;

    if (dr_flags_dead(b, index)) {
        x_add_slot_i32(e, slot, n);
        map_after(b);
        return;
    }
    enum reg r = dr_take_register(b, index);
    DR_CHECK(r != REG_NONE, "a register is free for dr_insert_add");
    x_mov_r_slot(e, r, slot);
    x_lea_add(e, r, n);
    x_mov_slot_r(e, slot, r);
    map_after(b);
    dr_give_registers(b);
}

void
dr_insert_call(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg)
{
    struct emit *e = &b->draft->hot;

    dr_give_registers(b);
    release_held(b);
    dr_take_this_register(b, RCX);
    dr_take_this_register(b, RDX);
    dr_take_this_register(b, RAX);
    x_mov_r_i64(e, RAX, (uint64_t)f);
    x_mov_slot_r(e, SLOT_CALL, RAX);
    x_mov_r_i64(e, RAX, arg);
    x_mov_slot_r(e, SLOT_CALL_ARG, RAX);
    x_mov_r_i64(e, RAX, dr_block_insn(b, b->at)->pc);
    x_mov_slot_r(e, SLOT_RIP, RAX);
    emit_bytes(e, "\x48\x8d\x05", 3);                     /* lea rax, [where the routine comes back to] */
    emit_pc32(e, RELOC_HOT, emit_off(e) + 4 + 9 + 9 + 5, 0);
    x_mov_slot_r(e, SLOT_CALL_BACK, RAX);
    x_mov_r_slot(e, RDX, SLOT_SPILL1);
    emit_u8(e, 0xe9);
    emit_pc32(e, RELOC_PC32, (uint64_t)cache_call_routine, 0);
    b->spilled = 0;                                       /* the routine has put everything back */
    map_after(b);
}

/* Called in place of a replaced function, at its first instruction. */
static void
call_function(uint64_t arg, struct dr_mcontext *mc)
{
    struct thread *t = thread_self();
    uint64_t back;

    if (!safe_read(&back, mc->gpr[RSP], sizeof back) || !t->s.function(arg, (struct mcontext *)mc))
        return;
    mc->rip = back;
    mc->gpr[RSP] += 8;
    t->s.returns = 1;
}

void
dr_insert_function(dr_block *b, bool (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg)
{
    struct emit *e = &b->draft->hot;

    dr_give_registers(b);
    release_held(b);
    dr_take_this_register(b, RAX);
    x_mov_r_i64(e, RAX, (uint64_t)f);
    x_mov_slot_r(e, SLOT_FUNCTION, RAX);
    dr_give_registers(b);
    dr_insert_call(b, call_function, arg);
}

void
dr_insert_mode_exit(dr_block *b, unsigned mode)
{
    struct emit *e = &b->draft->hot;
    uint8_t held = b->draft->held;

    DR_CHECK(mode < n_modes && mode != b->draft->mode, "dr_insert_mode_exit is given another mode, of those of dr_modes");
    put_back(b);
    if (held != REG_NONE)
        x_mov_r_slot(e, held, SLOT_HOLD);
    b->draft->held = REG_NONE;
    draft_map_inserted(b->draft, 0, 0, n_tools - b->tool);
    x_mov_slot_u32(e, SLOT_KEY + 4, mode << 16 | 1u << 31);
    x_mov_slot_u32(e, SLOT_IBL_MODE, (ibl_slot(mode) - SLOT_IBL) / 8);
    x_align_patch(e, 1);
    x_jmp_exit(e, draft_mode_exit(b->draft, mode));
    b->draft->held = held;
    map_before(b);
}

/* ---- modes ---- */

bool
dr_modes(unsigned n)
{
    if (!initializing || n_modes > 1 || n < 2 || n > DR_MAX_MODES)
        return false;
    mode_tables = dr_thread_memory((n - 1) * IBL_MAX_ENTRIES * 8ul);
    if (mode_tables)
        n_modes = n;
    return mode_tables;
}

unsigned dr_mode(const dr_thread *t) { return thread_mode(t); }

void
dr_set_mode(dr_thread *t, unsigned mode)
{
    DR_CHECK(t == thread_self() && mode < n_modes, "dr_set_mode is called by the thread itself, with a mode of those of dr_modes");
    if (mode == thread_mode(t))
        return;
    thread_set_mode(t, mode);
    if (t->s.call)
        t->s.pending = 1;            /* leaves the block as the call returns */
}

void
dr_redirect(dr_thread *t)
{
    DR_CHECK(t == thread_self() && t->s.call, "dr_redirect is called in a clean call");
    t->s.pending = 1;
}

/* ---- threads ---- */

uint32_t tools_thread_bytes;

uint32_t
dr_thread_memory(size_t bytes)
{
    if (!initializing || bytes > (256u << 20) || tools_thread_bytes + bytes > (512u << 20))
        return 0;
    uint32_t at = SLOT_TOOLS + tools_thread_bytes;
    tools_thread_bytes += (uint32_t)align_up(bytes, 64);
    return at;
}

void *dr_thread_at(dr_thread *t, uint32_t slot) { return (uint8_t *)t + slot; }
int dr_thread_id(const dr_thread *t) { return t->tid; }
int dr_process_id(void) { return (int)sys0(__NR_getpid); }
dr_thread *dr_thread_current(void) { return thread_self(); }

/* ---- system calls ---- */

static const uint8_t call_reg[7] = {RAX, RDI, RSI, RDX, R10, R8, R9};

bool
tools_syscall_pre(struct thread *t, struct tool_call *c)
{
    struct dr_syscall s = {.size = sizeof s, .thread = t, .mc = (struct dr_mcontext *)&t->s.mc};

    for (unsigned k = 0; k < 7; k++)
        c->program[k] = t->s.mc.gpr[call_reg[k]];
    s.number = c->program[0];
    memcpy(s.arg, c->program + 1, sizeof s.arg);
    EACH(i)
        if (HAS(i, syscall_pre) && !s.skip)
            tools[i]->syscall_pre(&s);
    c->made[0] = s.number;
    memcpy(c->made + 1, s.arg, sizeof s.arg);
    c->result = s.result;
    for (unsigned k = 0; k < 7; k++)
        t->s.mc.gpr[call_reg[k]] = c->made[k];
    return s.skip;
}

void
tools_syscall_post(struct thread *t, const struct tool_call *c, bool done)
{
    struct dr_syscall s = {.size = sizeof s, .thread = t, .number = c->made[0], .mc = (struct dr_mcontext *)&t->s.mc};
    uint64_t *g = t->s.mc.gpr;

    for (unsigned k = done; k < 7; k++)
        if (c->made[k] != c->program[k])
            g[call_reg[k]] = c->program[k];
    if (!done)
        return;
    memcpy(s.arg, c->made + 1, sizeof s.arg);
    s.result = (int64_t)g[RAX];
    EACH(i)
        if (HAS(i, syscall_post)) {
            tools[i]->syscall_post(&s);
            g[RAX] = (uint64_t)s.result;
        }
}

/* ---- signals ---- */

void
tools_signal_frame(struct thread *t, uint64_t lo, uint64_t hi)
{
    EACH(i)
        if (HAS(i, signal_frame))
            tools[i]->signal_frame(t, lo, hi);
}

bool
tools_fault(struct thread *t, struct mcontext *m, const struct ksiginfo *info)
{
    struct dr_fault f = {.size = sizeof f, .thread = t, .signal = info->signo, .address = info->fault.addr, .mc = (struct dr_mcontext *)m};
    bool dealt = false;

    EACH(i)
        if (HAS(i, fault) && !dealt)
            dealt = tools[i]->fault(&f);
    return dealt;
}

enum dr_signal_action
tools_signal(struct thread *t, struct ksiginfo *info, bool fault, struct mcontext *m)
{
    struct dr_signal s = {.size = sizeof s, .thread = t, .number = info->signo, .info = info, .fault = fault, .mc = (struct dr_mcontext *)m};
    enum dr_signal_action a = DR_SIGNAL_DELIVER;

    EACH(i)
        if (HAS(i, signal) && a == DR_SIGNAL_DELIVER)
            a = tools[i]->signal(&s);
    return a;
}
