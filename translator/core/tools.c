/* Tools: the list of them, their callbacks in order, and the calls they make
 * about blocks and threads.
 * Threads: the list is fixed before the program starts. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/tools.h"

#include "core/engine.h"
#include "linux/abi.h"
#include "linux/memory.h"
#include "linux/sys.h"

enum { MAX_TOOLS = 8, MAX_TOOL_ARGS = 64 };

static const struct dr_tool *tools[MAX_TOOLS];
unsigned n_tools;
bool tools_want_cuts, tools_want_syscalls, tools_want_signals;
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
tools_fork_child(struct thread *t)
{
    mutex_init(&ends_lock);
    EACH(i)
        if (HAS(i, fork_child))
            tools[i]->fork_child(t);
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
}

void
tools_fragment_deleted(uint64_t tag, unsigned mode)
{
    EACH(i)
        if (HAS(i, fragment_deleted))
            tools[i]->fragment_deleted(tag, mode);
}

/* ---- blocks ---- */

void
tools_block_begin(struct dr_block *b)
{
    b->wanted = 0;
    EACH(i)
        if (HAS(i, block_begin) && tools[i]->block_begin(b) && HAS(i, block_insn))
            b->wanted |= 1u << i;
}

void
tools_insert(struct dr_block *b, unsigned index)
{
    b->at = index;
    EACH(i)
        if (b->wanted >> i & 1) {
            b->tool = i;
            tools[i]->block_insn(b, index);
            dr_give_registers(b);
        }
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
    s->pc = b->draft->tag;
    for (unsigned i = 0; i < index; i++)
        s->pc += b->insn[i].len;
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
    for (unsigned i = index; i < b->n; i++) {
        const struct dr_insn *s = dr_block_insn(b, i);
        if ((s->flags_read & FLAGS_ARITH) || s->reads_memory || s->writes_memory || !insn_cannot_fault(&b->insn[i]))
            return false;
        if ((s->flags_written & FLAGS_ARITH) == FLAGS_ARITH)
            return true;
    }
    return false;
}

/* ---- inserting ---- */

/* Notes that what is emitted from here on comes before, or after, the effect of the current tool's code. */
static void
map_before(dr_block *b)
{
    draft_map_inserted(b->draft, b->n_taken, n_tools - b->tool);
}
static void
map_after(dr_block *b)
{
    draft_map_inserted(b->draft, b->n_taken, n_tools - b->tool - 1);
}

static const uint32_t spill_slot[3] = {SLOT_SPILL0, SLOT_SPILL1, SLOT_SPILL2};

enum reg
dr_take_register(dr_block *b, unsigned index)
{
    static const uint8_t choice[] = {RCX, RDX, RAX};    /* the order of the spill slots */

    (void)index;
    if (b->n_taken == COUNT_OF(choice))
        return REG_NONE;
    enum reg r = choice[b->n_taken];
    x_mov_slot_r(&b->draft->hot, spill_slot[b->n_taken], r);
    b->taken[b->n_taken++] = (uint8_t)r;
    map_before(b);
    return r;
}

void
dr_give_registers(dr_block *b)
{
    while (b->n_taken) {
        b->n_taken--;
        x_mov_r_slot(&b->draft->hot, b->taken[b->n_taken], spill_slot[b->n_taken]);
        map_after(b);
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
    for (unsigned k = 0; k < 3; k++)
        dr_take_register(b, b->at);
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
    b->n_taken = 0;                                       /* the routine has put everything back */
    map_after(b);
}

void
dr_insert_mode_exit(dr_block *b, unsigned mode)
{
    struct emit *e = &b->draft->hot;

    DR_CHECK(mode < n_modes && mode != b->draft->mode, "dr_insert_mode_exit is given another mode, of those of dr_modes");
    for (unsigned k = b->n_taken; k--;) {
        x_mov_r_slot(e, b->taken[k], spill_slot[k]);
        draft_map_inserted(b->draft, k, n_tools - b->tool);
    }
    x_mov_slot_u32(e, SLOT_KEY + 4, mode << 16 | 1u << 31);
    x_mov_slot_u32(e, SLOT_IBL_MODE, (ibl_slot(mode) - SLOT_IBL) / 8);
    x_align_patch(e, 1);
    x_jmp_exit(e, draft_mode_exit(b->draft, mode));
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
