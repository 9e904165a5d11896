/* The checks that run with the program's code.
 *
 * Clean mode: every register is defined, so nothing needs propagating. A load
 * checks that its shadow is zero (addressable and defined), a store too; it
 * costs an address, a compare and a jump never taken. What is not zero goes out of
 * line: a store over undefined memory clears its shadow there and comes back, the rest is
 * for C (slow_access). A load of undefined bits leaves for dirty mode before its
 * instruction has run.
 * Vector mode: vector, mask and x87 registers may be undefined. Instructions that touch one test whether it is, and have C
 * do their step then (vector_step); all others are as in clean mode.
 * Dirty mode: before each instruction C code works out what is defined behind it
 * (propagate.c). A block starts by looking whether any register still is undefined.
 *
 * The address in shadow memory is the program's rotated right by two: that of an address not
 * divisible by four is not canonical, so the check faults; the instruction
 * is then noted and translated anew with a check for any alignment.
 * Invariant: what is emitted before an instruction can run twice without harm, since a signal may come between it and
 *            the instruction.
 * Threads: translation is under the cache lock, so is `now`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "instrument.h"

#include "encode.h"
#include "overread.h"
#include "propagate.h"
#include "stack.h"

enum { DISP_LIMIT = 0x30000000, INLINE_SHADOW = 96, MAX_CHECKED = 8 };
#define SUMMARY_ENTERED (1ull << 63)            /* dirty mode has been entered for an instruction that has not run */

struct instrument_stats instrument_stats;

/* What a thread has of its own. */
struct own {
    struct regstate rs;
    uint64_t old_rsp;           /* before an instruction that moves it by who knows what          */
    uint64_t address_bits;      /* constant: the bits of an address that its shadow's has         */
    uint64_t frame_bits;        /* constant: those that are 0 in the number of shadow bytes of an ordinary frame */
    uint32_t lanes[4][4];       /* constant: lanes_of of 1, 2, 4 and 8 bytes from number 0 … 3 on */
    uint32_t others[2][4];      /* constant: the others of the shadow bytes in which those of 1 and 2 bytes are */
    uint64_t integer_bits;      /* constant: those of summary that dirty mode is for             */
    uint64_t done_at;           /* propagate_step has been done for the instruction there, in clean mode; 0: none */
};
static uint32_t own_slot;

/* What the held register holds while a block is instrumented. */
static struct {
    unsigned holds;             /* value of dr_holds for which the rest is true; 0: nothing is held */
    enum reg t, base;           /* t = base >> 2, rotated …                                       */
    int64_t rsp_then;           /* … of rsp, where it stood so far from its place at the block's start */
    int64_t rsp;                /* where it stands now, if the way is known                       */
    bool pinned;                /* the register that is held must stay so                        */
    bool rsp_lost;              /* the instruction before this one moved rsp by who knows what    */
    uint64_t checked[MAX_CHECKED];      /* operands found addressable and defined, packed, whose registers have not changed since */
    unsigned n_checked;
} now;

/* CPUID leaf 7: EBX bit 8 (SDM volume 2, CPUID). */
bool
instrument_cpu_suffices(void)
{
    uint32_t a = 7, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b >> 8 & 1;
}

bool
instrument_init(void)
{
    own_slot = dr_thread_memory(sizeof(struct own));
    return own_slot && (opt.light || dr_modes(N_MODES));
}

static struct own *own_of(dr_thread *t) { return dr_thread_at(t, own_slot); }
struct regstate *regstate_of(dr_thread *t) { return &own_of(t)->rs; }

static uint32_t lanes_of(unsigned size, unsigned low);

void
instrument_thread(dr_thread *t)
{
    own_of(t)->address_bits = ~3ull;
    own_of(t)->frame_bits = ~0xfffeull;
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned n = 0; n < 4; n++)
            own_of(t)->lanes[n][k] = lanes_of(1u << n, k);
        for (unsigned n = 0; n < 2; n++)
            own_of(t)->others[n][k] = lanes_of(4, 0) * (k + (1u << n) > 4 ? 0x101 : 1) & ~lanes_of(1u << n, k);
    }
    own_of(t)->integer_bits = SUMMARY_INTEGER | SUMMARY_ENTERED;
}

void
mode_update(dr_thread *t)
{
    uint64_t summary = regstate_of(t)->summary;

    if (!opt.light)
        dr_set_mode(t, !summary ? MODE_CLEAN : summary & (SUMMARY_INTEGER | SUMMARY_ENTERED) ? MODE_DIRTY : MODE_VECTOR);
}

/* ---- instructions whose operands are not where they should be ---- */

/* Sets of program addresses, written under a lock and read without. */
enum { SET_BITS = 14, SET_SIZE = 1 << SET_BITS };
struct pc_set { volatile uint64_t pc[SET_SIZE]; unsigned n; };
static struct pc_set odd;               /* has been seen with an address not divisible by four   */
static struct pc_set wild;              /* … that has no shadow at all: C looks at it each time   */
static struct dr_mutex sets_lock;

static volatile uint64_t *
set_slot(struct pc_set *s, uint64_t pc)
{
    uint32_t i = (uint32_t)(pc * 0x9e3779b97f4a7c15ull >> (64 - SET_BITS));

    while (s->pc[i] && s->pc[i] != pc)
        i = (i + 1) & (SET_SIZE - 1);
    return &s->pc[i];
}

static bool set_has(struct pc_set *s, uint64_t pc) { return *set_slot(s, pc) == pc; }

static void
set_add(struct pc_set *s, uint64_t pc)
{
    dr_lock(&sets_lock);
    if (s->n > SET_SIZE / 4 * 3) {      /* too many to remember: each faults once more when it comes again */
        for (unsigned i = 0; i < SET_SIZE; i++)
            s->pc[i] = 0;
        s->n = 0;
    }
    volatile uint64_t *p = set_slot(s, pc);
    s->n += !*p;
    *p = pc;
    dr_unlock(&sets_lock);
}

/* ---- slow accesses ---- */

static void step_out_of_mode(dr_thread *t, const struct step *s, struct regstate *rs, const struct dr_mcontext *mc);

/* An operand, in a word: what an out-of-line call is given. */
union packed {
    struct { uint64_t size : 10, base : 5, index : 5, scale : 4, segment : 2, read : 1, written : 1, stack : 1, unused : 3; int64_t disp : 32; };
    uint64_t word;
};
enum { PACKED_NONE = 31, PACKED_RIP = 30 };

static bool
pack(const struct dr_memory *m, uint64_t pc, uint64_t *out)
{
    union packed p = {.size = m->size, .scale = m->scale, .segment = m->segment, .read = m->read, .written = m->written, .stack = m->stack};
    bool absolute = m->base == REG_NONE && m->index == REG_NONE && m->segment == DR_SEGMENT_NONE;
    int64_t disp = absolute ? (int64_t)((uint64_t)m->disp - pc) : m->disp;

    if (!m->size || m->size > 1023 || m->address32 || m->conditional || m->repeated || m->index_low8 || m->bit_register != REG_NONE || m->vsib ||
        disp != (int32_t)disp)
        return false;
    p.base = absolute ? PACKED_RIP : m->base == REG_NONE ? PACKED_NONE : m->base;
    p.index = m->index == REG_NONE ? PACKED_NONE : m->index;
    p.disp = disp;
    *out = p.word;
    return true;
}

static void
unpack(uint64_t word, uint64_t pc, struct dr_memory *m)
{
    union packed p = {.word = word};

    *m = (struct dr_memory){.size = p.size, .base = p.base >= PACKED_RIP ? REG_NONE : p.base, .index = p.index == PACKED_NONE ? REG_NONE : p.index,
                            .scale = p.scale, .segment = p.segment, .read = p.read, .written = p.written, .stack = p.stack,
                            .bit_register = REG_NONE, .disp = p.base == PACKED_RIP ? (int64_t)(pc + (uint64_t)(int64_t)p.disp) : p.disp};
}

static void
enter_mode(dr_thread *t, enum mode mode)
{
    *(mode == MODE_DIRTY ? &instrument_stats.dirty_entries : &instrument_stats.vector_entries) += 1;
    regstate_of(t)->summary |= SUMMARY_ENTERED;
    dr_set_mode(t, mode);
}

/* Shadow of the addressable bytes of [a, a + n) becomes defined. */
static void
define(uint64_t a, uint64_t n)
{
    uint64_t end = a + n;

    while (a < end) {
        uint64_t bad = shadow_find_unaddressable(a, end - a);
        if (bad > a)
            shadow_set(a, bad - a, SHADOW_DEFINED);
        a = bad + 1;
    }
}

/* Exactly what an access to n bytes at `a` means, in clean mode. True: its instruction must be done in dirty mode. */
static bool
access(const struct dr_mcontext *mc, uint64_t a, uint64_t n, bool read, bool written)
{
    if (read && !written && (partial_load(a, n) || overread_of_interpreter(mc->rip, a, n)))
        return !opt.light;
    if (shadow_find_unaddressable(a, n) != a + n)
        report_unaddressable(mc, written && !read ? ACCESS_IS_WRITE : ACCESS_IS_READ, a, (unsigned)n);
    if (opt.light)
        return false;
    if (read)
        for (uint64_t i = a; (i = shadow_find_not_defined(i, a + n - i)) != a + n; i++)
            if (shadow_get(i) != SHADOW_UNADDRESSABLE)
                return true;
    if (written && !read)
        define(a, n);
    return false;
}

static void
slow_access(uint64_t word, struct dr_mcontext *mc)
{
    uint64_t a[DR_MAX_ADDRESSES];
    struct dr_memory m;

    unpack(word, mc->rip, &m);
    *(m.read ? &instrument_stats.slow_loads : &instrument_stats.slow_stores) += 1;
    unsigned n = dr_memory_addresses(&m, mc, a);
    for (unsigned i = 0; i < n; i++)
        if (access(mc, a[i], m.size, m.read, m.written)) {
            enter_mode(dr_thread_current(), m.size >= 16 ? MODE_VECTOR : MODE_DIRTY);    /* so much goes to a vector register */
            return;
        }
}

/* Does the step in a mode that does not do steps. Should registers come to be undefined that the mode knows nothing of, the
 * instruction goes on in the one that does, where its step is not done again. */
static void
step_out_of_mode(dr_thread *t, const struct step *s, struct regstate *rs, const struct dr_mcontext *mc)
{
    unsigned was = opt.light ? 0 : dr_mode(t);

    rs->summary &= ~SUMMARY_ENTERED;
    propagate_step(s, rs, mc);
    if (opt.light || (was == MODE_CLEAN && !rs->summary))
        return;
    if (was == MODE_VECTOR && !(rs->summary & SUMMARY_INTEGER))
        return;                         /* which it can deal with; the way to clean mode is at blocks' heads */
    mode_update(t);
    if (dr_mode(t) != was)
        own_of(t)->done_at = mc->rip;
}

/* An operand that only C looks at: string instructions, gathers, masks, areas. In clean mode dirty mode's code decides. */
static void
other_access(uint64_t step, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();
    struct regstate *rs = regstate_of(t);

    instrument_stats.slow_others++;
    step_out_of_mode(t, (const struct step *)step, rs, mc);
}

/* In vector mode: the instruction's vector registers, or what it loads, may be undefined. */
static void
vector_step(uint64_t step, struct dr_mcontext *mc)
{
    dr_thread *t = dr_thread_current();

    instrument_stats.slow_vectors++;
    if (own_of(t)->done_at == mc->rip)
        own_of(t)->done_at = 0;
    else
        step_out_of_mode(t, (const struct step *)step, regstate_of(t), mc);
}

static void
dirty_step(uint64_t step, struct dr_mcontext *mc)
{
    struct own *o = own_of(dr_thread_current());
    uint64_t done_at = o->done_at;

    instrument_stats.dirty_steps++;
    o->rs.summary &= ~SUMMARY_ENTERED;
    o->done_at = 0;
    if (done_at != mc->rip)
        propagate_step((const struct step *)step, &o->rs, mc);
}

static void
moved_rsp(uint64_t arg, struct dr_mcontext *mc)
{
    (void)arg;
    stack_moved(own_of(dr_thread_current())->old_rsp, mc->gpr[RSP]);
}

static void
moves_rsp(uint64_t by, struct dr_mcontext *mc)
{
    stack_moved(mc->gpr[RSP], mc->gpr[RSP] + by);
}

static void
leaves(uint64_t arg, struct dr_mcontext *mc)
{
    (void)arg;
    stack_moved(mc->gpr[RSP], mc->gpr[RBP] + 8);
}

/* ---- decoded instructions ---- */

/* Kept by address and bytes, and for good: code that comes and goes at one place with other bytes leaves them behind. */
struct kept { struct kept *next; struct step step; uint8_t length, bytes[15]; };
enum { KEPT_BITS = 16, KEPT_CHUNK = 1 << 16 };
static struct kept **kept;
static uint8_t *kept_free;
static size_t kept_left;

/* Under the cache lock. NULL: not an instruction, or no memory. */
static const struct step *
step_of(const struct dr_insn *in)
{
    if (!kept && !(kept = dr_map(sizeof *kept << KEPT_BITS)))
        return NULL;
    struct kept **at = &kept[in->pc * 0x9e3779b97f4a7c15ull >> (64 - KEPT_BITS)], *k;
    for (k = *at; k; k = k->next)
        if (k->step.pc == in->pc && k->length == in->length && __builtin_memcmp(k->bytes, in->bytes, in->length) == 0)
            return &k->step;
    if (kept_left < sizeof *k) {
        kept_free = dr_map(KEPT_CHUNK);
        kept_left = kept_free ? KEPT_CHUNK : 0;
    }
    if (!kept_left)
        return NULL;
    k = (struct kept *)kept_free;
    if (!step_make(in->bytes, in->length, in->pc, &k->step))
        return NULL;
    kept_free += sizeof *k;
    kept_left -= sizeof *k;
    k->length = in->length;
    __builtin_memcpy(k->bytes, in->bytes, in->length);
    k->next = *at;
    *at = k;
    return &k->step;
}

/* ---- emission: where the shadow of an operand is ---- */

/* Shadow bytes from [t + disp] on. `exact`: the first of them is that of the operand's first byte, which is number `low` of its
 * four; otherwise `low` may be anything. */
struct place { enum reg t; int32_t disp; bool exact; unsigned low; };

static bool
in_reach(int64_t disp)
{
    return disp > -DISP_LIMIT && disp < DISP_LIMIT;
}

static bool
is_based(const struct dr_memory *m)
{
    return m->base != REG_NONE && m->index == REG_NONE && m->segment == DR_SEGMENT_NONE && !m->address32 && m->bit_register == REG_NONE &&
           in_reach(m->disp);
}

/* t = base >> 2 for `base`, and shadow displacements relative to it: what was made for an earlier operand serves again.
 * False: no register. */
static bool
hold_base(dr_block *b, unsigned i, enum reg base, int64_t *disp)
{
    bool have = now.holds && now.holds == dr_holds(b) && now.base == base;

    if (!have) {
        enum reg t = dr_hold_register(b, i, dr_flags_unread(b, i) || now.pinned ? REG_NONE : RCX);
        if (t == REG_NONE)
            return false;
        x_rorx(dr_emit(b), t, base, 2);
        now.holds = dr_holds(b);
        now.t = t;
        now.base = base;
        now.rsp_then = now.rsp;
    }
    if (base == RSP)
        *disp += now.rsp - now.rsp_then;
    return in_reach(*disp);
}

static bool
locate(dr_block *b, unsigned i, const struct dr_memory *m, struct place *p)
{
    struct emit *e = dr_emit(b);
    bool is_odd = set_has(&odd, dr_block_insn(b, i)->pc);
    int64_t disp = m->disp;

    /* A single byte or two of a base not known to be divisible by four must not fault. */
    bool trap = !is_odd && (m->size >= 4 || m->base == RSP || (now.holds && now.holds == dr_holds(b) && now.base == m->base));
    if (is_based(m) && trap && hold_base(b, i, m->base, &disp)) {
        *p = (struct place){.t = now.t, .disp = (int32_t)((int64_t)SHADOW_BASE + (disp >> 2)), .exact = true, .low = (unsigned)disp & 3};
        return true;
    }
    enum reg t = dr_hold_register(b, i, dr_flags_unread(b, i) || now.pinned ? REG_NONE : RCX);
    now.holds = 0;
    if (t == REG_NONE || !dr_emit_address(b, i, m, t))
        return false;
    dr_give_registers(b);
    if (!is_odd && m->size >= 4)
        x_rorx(e, t, t, 2);
    else if (dr_flags_unread(b, i))
        x_shr(e, t, 2);
    else
        x_pext_slot(e, t, own_slot + offsetof(struct own, address_bits));
    *p = (struct place){.t = t, .disp = (int32_t)SHADOW_BASE, .exact = !is_odd && m->size >= 4};
    return true;
}

/* Shadow bytes that hold the operand's, at most. */
static unsigned
shadow_bytes(const struct place *p, unsigned size)
{
    return ((p->exact ? p->low : size < 2 ? 0 : 3) + size + 3) / 4;
}

/* The n shadow bytes from [t + disp] on become v, repeated. */
static void
fill_inline(struct emit *e, enum reg t, int32_t disp, unsigned n, uint8_t v)
{
    uint32_t word = v * 0x01010101u;

    for (unsigned k; n; n -= k, disp += (int32_t)k) {
        k = n >= 8 && v != 0x55 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
        x_mov_shadow(e, k, t, disp, word);
    }
}

/* ---- emission: checks ---- */

/* A store that surely is into the stack's addressable part: its shadow is written unseen. */
static bool
is_own_store(const struct dr_memory *m)
{
    return m->written && !m->read && m->base == RSP && m->index == REG_NONE && m->segment == DR_SEGMENT_NONE && m->disp >= -128 && in_reach(m->disp);
}

/* What a check is for: the operand, and what C makes of it when its shadow is not zero. */
struct check {
    const struct dr_memory *m;
    void (*f)(uint64_t arg, struct dr_mcontext *mc);
    uint64_t arg;
    bool define;                /* the operand is written whole with what is defined, and fills its shadow */
};

static bool
has_side_address(const struct dr_memory *m)
{
    return m->segment == DR_SEGMENT_NONE && !m->address32 && m->disp == (int32_t)m->disp && m->bit_register == REG_NONE;
}

/* lea rcx, [operand]; rcx may be one of its registers. */
static void
side_address(struct emit *s, const struct dr_memory *m)
{
    unsigned base = m->base == REG_NONE ? RBP : m->base, index = m->index == REG_NONE ? RSP : m->index;

    emit_u8(s, (uint8_t)(0x48 | index >> 3 << 1 | base >> 3));
    emit_u8(s, 0x8d);
    emit_u8(s, (uint8_t)((m->base == REG_NONE ? 0 : 0x80) | RCX << 3 | 4));
    emit_u8(s, (uint8_t)((m->scale == 8 ? 3 : m->scale == 4 ? 2 : m->scale == 2 ? 1 : 0) << 6 | (index & 7) << 3 | (base & 7)));
    emit_u32(s, (uint32_t)m->disp);
}

/* Bits of the shadow of `size` bytes from number `low` of four on. */
static uint32_t lanes_of(unsigned size, unsigned low) { return (uint32_t)(((1ull << 2 * size) - 1) << 2 * low); }

/* In the side part: a shadow byte, or two, in which the operand's bits are not alone is not zero. Its own bits decide: they are zero, or a
 * store finds all of them undefined and makes them zero; the rest is for C. Of an operand of two bytes or eight, less than 32 bits. */
static void
exact_small(dr_block *b, const struct place *p, int32_t disp, const struct dr_memory *m)
{
    struct emit *s = dr_side(b);
    bool store = m->written && !m->read;
    uint32_t bits = lanes_of(m->size, p->low), tables = own_slot + (uint32_t)offsetof(struct own, lanes);

    if (p->exact ? store && p->t == RCX : p->t == RCX || !has_side_address(m))
        return;                                      /* rcx cannot serve both */
    if (p->exact) {
        x_test_shadow_i32(s, p->t, disp, bits);
        dr_side_jump_back(b, CC_E);
        if (!store)
            return;
        dr_side_use_rcx(b);
        x_load_shadow(s, 4, RCX, p->t, disp);
        emit_bytes(s, "\xf7\xd1\xf7\xc1", 4);          /* not ecx; test ecx, bits */
        emit_u32(s, bits);
        emit_bytes(s, "\x75", 2);                       /* jnz to the call */
        uint32_t jump = emit_off(s);
        x_lock_and_shadow_i32(s, p->t, disp, ~bits);
        dr_side_jump_back(b, DR_ALWAYS);
        x_here(s, jump);
        return;
    }
    dr_side_use_rcx(b);
    side_address(s, m);
    emit_bytes(s, "\x83\xe1\x03", 3);                   /* and ecx, 3 */
    x_mov_rcx_table(s, tables + (m->size == 8 ? 48 : m->size == 4 ? 32 : m->size == 2 ? 16 : 0));
    x_test_shadow_ecx(s, p->t, disp);
    if (!store) {
        dr_side_jump_back(b, CC_E);
        return;
    }
    emit_bytes(s, "\x74", 2);                           /* jz back */
    uint32_t back = emit_off(s);
    x_load_shadow(s, 4, p->t, p->t, disp);
    x_not(s, p->t);
    x_test_r_ecx(s, p->t);
    emit_bytes(s, "\x75", 2);                           /* jnz to the call */
    uint32_t call = emit_off(s);
    x_mov_r_r(s, p->t, RCX);
    x_mov_r_slot(s, RCX, dr_side_rcx());
    side_address(s, m);
    x_shr(s, RCX, 2);
    x_not(s, p->t);
    x_lock_and_at_rcx(s, p->t, disp);
    x_here(s, back);
    dr_side_jump_back(b, DR_ALWAYS);
    x_here(s, call);
}

/* Whether an operand's lanes lie among others in what a check looks at, and fit one access of four bytes of shadow. */
static bool
is_small(const struct place *p, unsigned size)
{
    return size < 4 ? size != 3 : (size == 4 || size == 8) && (!p->exact || p->low);
}

/* Goes out of line unless the n (1, 2, 4, 8) bytes at the place are zero. */
static void
check_zero(dr_block *b, unsigned i, const struct place *p, unsigned at, unsigned n, const struct check *c)
{
    struct emit *e = dr_emit(b), *s = dr_side(b);
    int32_t disp = p->disp + (int32_t)at;

    if (dr_flags_unread(b, i)) {
        x_cmp_shadow(e, n, p->t, disp, 0);
        dr_side_begin(b, CC_NE);
        if (is_small(p, c->m->size) && at == 0 && (p->exact || n >= shadow_bytes(p, c->m->size)))
            exact_small(b, p, disp, c->m);
        else if (c->define) {                        /* all undefined, and all of it overwritten: defined */
            x_cmp_shadow(s, n, p->t, disp, 0xff);
            emit_u8(s, 0x75);                        /* jne over these two */
            emit_u8(s, 0);
            uint32_t jump = emit_off(s);
            x_mov_shadow(s, n, p->t, disp, 0);
            dr_side_jump_back(b, DR_ALWAYS);
            x_here(s, jump);
        }
        dr_side_call(b, c->f, c->arg);
        return;
    }
    bool own = p->t != RCX;
    if (own)
        DR_CHECK(dr_take_this_register(b, RCX), "rcx can be taken beside a register that is held");
    else
        now.holds = 0;
    x_load_shadow(e, n, RCX, p->t, disp);
    bool alone = p->exact && c->m->size <= 2 && at == 0;
    uint32_t which = 4 * ((c->m->size == 2) * 4 + p->low);
    if (alone)                                       /* its own lanes only */
        x_pext_ecx_slot(e, own_slot + (uint32_t)offsetof(struct own, lanes) + which);
    uint32_t over = x_jrcxz_ahead(e);
    dr_side_begin(b, DR_ALWAYS);
    if (alone && own && is_own_store(c->m)) {        /* no other thread changes what lies beside it on this stack */
        x_load_shadow(s, n, RCX, p->t, disp);
        x_pext_ecx_slot(s, own_slot + (uint32_t)offsetof(struct own, others) + which);
        x_pdep_ecx_slot(s, own_slot + (uint32_t)offsetof(struct own, others) + which);
        x_store_shadow_cl(s, n, p->t, disp);
        dr_side_jump_back(b, DR_ALWAYS);
    } else {
        dr_side_call(b, c->f, c->arg);
    }
    x_here(e, over);
    if (own)
        dr_give_registers(b);
}

static void
check_all_zero(dr_block *b, unsigned i, struct place *p, unsigned bytes, struct check *c)
{
    c->define &= bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    for (unsigned at = 0, n; at < bytes; at += n) {
        n = bytes - at >= 8 ? 8 : bytes - at >= 4 ? 4 : bytes - at >= 2 ? 2 : 1;
        if (at && !dr_flags_unread(b, i) && p->t == RCX && !locate(b, i, c->m, p))   /* the check before has used rcx up */
            return;
        check_zero(b, i, p, at, n, c);
    }
}

static void
check_by_step(dr_block *b, unsigned i, void (*f)(uint64_t, struct dr_mcontext *))
{
    const struct step *s = step_of(dr_block_insn(b, i));

    if (s)
        dr_insert_call(b, f, (uint64_t)s);
}

/* The operand regardless of what is done to it. */
static uint64_t
operand_only(uint64_t word)
{
    union packed p = {.word = word};

    p.read = p.written = p.stack = 0;
    return p.word;
}

/* Whether the block has already checked these bytes. */
static bool
was_checked(uint64_t word)
{
    for (unsigned k = 0; k < now.n_checked; k++)
        if (now.checked[k] == operand_only(word))
            return true;
    return false;
}

static void
note_checked(uint64_t word)
{
    if (now.n_checked == MAX_CHECKED) {
        for (unsigned k = 1; k < MAX_CHECKED; k++)
            now.checked[k - 1] = now.checked[k];
        now.n_checked--;
    }
    now.checked[now.n_checked++] = operand_only(word);
}

/* Those that name a register of `written` are of no use any more, nor are those relative to rip: they are packed by it. */
static void
forget_checked(uint16_t written)
{
    unsigned n = 0;

    for (unsigned k = 0; k < now.n_checked; k++) {
        union packed p = {.word = now.checked[k]};
        bool keep = !(p.base < 16 && written >> p.base & 1) && !(p.index < 16 && written >> p.index & 1) && p.base != PACKED_RIP;
        if (keep)
            now.checked[n++] = now.checked[k];
    }
    now.n_checked = n;
}

static bool
is_for_emitted_code(dr_block *b, unsigned i, const struct dr_memory *m)
{
    uint64_t pc = dr_block_insn(b, i)->pc, word;

    return !set_has(&wild, pc) && m->size <= 64 && pack(m, pc, &word);
}

/* False: this operand is not for emitted code. `step`: of an instruction with vector registers, in vector mode; or NULL. */
static bool
check_operand(dr_block *b, unsigned i, const struct dr_memory *m, const struct step *step)
{
    struct place p;
    uint64_t word;

    if (!is_for_emitted_code(b, i, m))
        return false;
    pack(m, dr_block_insn(b, i)->pc, &word);
    if (was_checked(word))
        return true;
    if (!locate(b, i, m, &p))
        return false;
    note_checked(word);
    unsigned bytes = shadow_bytes(&p, m->size);
    bool store = m->written && !m->read, whole = p.exact && p.low == 0 && m->size % 4 == 0;
    if (is_own_store(m) && whole) {
        fill_inline(dr_emit(b), p.t, p.disp, bytes, 0);
        return true;
    }
    struct check c = {.m = m, .f = slow_access, .arg = word, .define = store && whole};
    if (step) {
        c.f = vector_step;
        c.arg = (uint64_t)step;
    }
    check_all_zero(b, i, &p, bytes, &c);
    return true;
}

/* Goes out of line, for C to do the step, if a register that it touches is undefined. */
static unsigned
test_summary(dr_block *b, const struct step *s, unsigned *call)
{
    unsigned calls = 0;

    for (unsigned half = 0; half < 2; half++) {
        uint32_t bits = (uint32_t)((s->touched & SUMMARY_VECTOR) >> 32 * half);
        if (!bits)
            continue;
        x_test_slot(dr_emit(b), own_slot + (uint32_t)offsetof(struct own, rs.summary) + 4 * half, bits);
        dr_side_begin(b, CC_NE);
        call[calls++] = dr_side_call_over(b, vector_step, (uint64_t)s);
    }
    return calls;
}

/* The same without flags; t: the register that is held. */
static unsigned
look_at_summary(dr_block *b, const struct step *s, enum reg t)
{
    struct emit *e = dr_emit(b);

    DR_CHECK(dr_take_this_register(b, RCX), "rcx can be taken beside a register that is held");
    x_mov_r_slot(e, t, own_slot + offsetof(struct own, rs.summary));
    x_mov_r_i64(e, RCX, (uint64_t)&s->touched);
    x_pext_rcx(e, t);
    uint32_t over = x_jrcxz_ahead(e);
    dr_side_begin(b, DR_ALWAYS);
    unsigned call = dr_side_call_over(b, vector_step, (uint64_t)s);
    x_here(e, over);
    dr_give_registers(b);
    return call;
}

/* In vector mode, an instruction with vector registers: if one of them is undefined, C does its step and the memory operand is not
 * looked at here. */
static void
check_vector_insn(dr_block *b, unsigned i, const struct dr_memory *m, unsigned n, const struct step *s)
{
    unsigned call[2], calls = 0;
    enum reg t = dr_hold_register(b, i, REG_NONE);

    if (t == RCX)
        t = dr_hold_register(b, i, R11);
    if (n > 1 || (n && (m->stack || !is_for_emitted_code(b, i, m))) || t == REG_NONE || t == RCX) {
        dr_insert_call(b, vector_step, (uint64_t)s);
        return;
    }
    now.holds = 0;
    if (dr_flags_unread(b, i))
        calls = test_summary(b, s, call);
    else
        call[calls++] = look_at_summary(b, s, t);
    now.pinned = true;
    if (n)
        check_operand(b, i, m, s);
    now.pinned = false;
    now.holds = 0;
    now.n_checked = 0;
    for (unsigned k = 0; k < calls; k++)
        dr_side_back(b, call[k]);
}

/* ---- emission: the stack ---- */

static uint8_t fresh(void) { return opt.light ? 0 : 0xff; }

/* rsp is about to move by `by`. */
static void
emit_move(dr_block *b, unsigned i, int64_t by, bool returns)
{
    int64_t disp = 0, n = (by < 0 ? -by : by) / 4;

    uint64_t pc = dr_block_insn(b, i)->pc;
    if (by % 4 || n > INLINE_SHADOW || set_has(&odd, pc) || set_has(&wild, pc) || !hold_base(b, i, RSP, &disp)) {
        dr_insert_call(b, moves_rsp, (uint64_t)by);
    } else {
        int64_t from = (int64_t)SHADOW_BASE + ((disp - RED_ZONE) >> 2);
        fill_inline(dr_emit(b), now.t, (int32_t)(by < 0 ? from - n : from), (unsigned)n, by < 0 ? fresh() : 0x55);
        if (returns && !opt.light && n < RED_ZONE / 4)   /* but for the return address, which is yet to be read */
            fill_inline(dr_emit(b), now.t, (int32_t)(from + n), (unsigned)(RED_ZONE / 4 - n), 0xff);
    }
    now.rsp += by;
}

/* leave: what lies between rsp and rbp + 8 goes. A loop over pairs of shadow bytes that leaves flags alone. */
static void
emit_leave(dr_block *b, unsigned i)
{
    struct emit *e = dr_emit(b);
    enum reg t = dr_hold_register(b, i, dr_holds(b) && now.t != RCX ? REG_NONE : R11);

    now.holds = 0;
    if (set_has(&odd, dr_block_insn(b, i)->pc) || t == REG_NONE || t == RCX || !dr_take_this_register(b, RCX)) {
        x_mov_slot_r(e, own_slot + offsetof(struct own, old_rsp), RSP);
        now.rsp_lost = true;
        return;
    }
    x_rorx(e, RCX, RSP, 2);
    x_rorx(e, t, RBP, 2);
    x_not(e, RCX);
    x_lea_sum(e, RCX, RCX, t, 3);                    /* (rbp + 8 - rsp) / 4: shadow bytes */
    x_mov_r_r(e, t, RCX);
    x_pext_slot(e, RCX, own_slot + offsetof(struct own, frame_bits));
    uint32_t usual = x_jrcxz_ahead(e);
    dr_side_begin(b, DR_ALWAYS);                     /* more than 256 KiB, odd or negative */
    x_here(e, usual);
    x_mov_r_r(e, RCX, t);
    x_rorx(e, t, RSP, 2);
    uint32_t top = emit_off(e), out = x_jrcxz_ahead(e);
    x_mov_shadow(e, 2, t, (int32_t)SHADOW_BASE - RED_ZONE / 4, 0x5555);
    x_lea(e, t, t, 2);
    emit_bytes(e, "\x48\x8d\x49\xfe\xeb", 5);       /* lea rcx, [rcx - 2]; jmp top */
    emit_u8(e, (uint8_t)(top - emit_off(e) - 1));
    x_here(e, out);
    dr_side_call(b, leaves, 0);
    dr_give_registers(b);
}

/* How far the instruction moves rsp, if that can be told. */
static bool
rsp_moves_by(const struct dr_insn *in, const struct dr_memory *m, unsigned n, int64_t *by)
{
    const uint8_t *c = in->bytes;
    int32_t v;

    *by = 0;
    if (c[0] == 0x48 && (c[1] == 0x83 || c[1] == 0x81) && (c[2] == 0xec || c[2] == 0xc4)) {      /* sub, add rsp, constant */
        if (c[1] == 0x83)
            v = (int8_t)c[3];
        else
            __builtin_memcpy(&v, c + 3, 4);
        *by = c[2] == 0xec ? -(int64_t)v : v;
        return true;
    }
    if (c[0] == 0x48 && c[1] == 0x8d && (c[2] == 0x64 || c[2] == 0xa4) && c[3] == 0x24) {        /* lea rsp, [rsp + constant] */
        if (c[2] == 0x64)
            v = (int8_t)c[4];
        else
            __builtin_memcpy(&v, c + 4, 4);
        *by = v;
        return true;
    }
    if (c[0] == 0xc9 || c[0] == 0xc8)                /* leave, enter */
        return false;
    bool any = false;
    for (unsigned k = 0; k < n; k++)
        if (m[k].stack) {
            *by += m[k].written ? -(int64_t)m[k].size : m[k].size;
            any = true;
        }
    if (c[0] == 0xc2) {                              /* ret n */
        uint16_t more;
        __builtin_memcpy(&more, c + 1, 2);
        *by += more;
    }
    bool pops_rsp = c[0] == 0x5c || (c[0] == 0x8f && (c[1] & 0xc7) == 0xc4);
    return any && !pops_rsp;
}

static bool
is_return(const struct dr_insn *in)
{
    return in->bytes[0] == 0xc3 || in->bytes[0] == 0xc2 || ((in->bytes[0] == 0xf3 || in->bytes[0] == 0xf2) && in->bytes[1] == 0xc3);
}

static void
emit_stack(dr_block *b, unsigned i, const struct dr_memory *m, unsigned n)
{
    const struct dr_insn *in = dr_block_insn(b, i);
    int64_t by;

    if (!(in->regs_written >> RSP & 1))
        return;
    if (rsp_moves_by(in, m, n, &by)) {
        if (by)
            emit_move(b, i, by, is_return(in));
    } else if (in->bytes[0] == 0xc9) {
        emit_leave(b, i);
    } else {
        x_mov_slot_r(dr_emit(b), own_slot + offsetof(struct own, old_rsp), RSP);
        now.rsp_lost = true;
    }
}

/* ---- a block ---- */

bool
instrument_begin(dr_block *b)
{
    (void)b;
    now.holds = 0;
    now.rsp = 0;
    now.rsp_lost = false;
    now.n_checked = 0;
    return true;
}

/* What the instruction before this one did to the registers that `now` is about. */
static void
catch_up(dr_block *b, unsigned i)
{
    if (!i)
        return;
    const struct dr_insn *last = dr_block_insn(b, i - 1);
    if (now.rsp_lost || last->bytes[0] == 0xc9) {
        if (now.rsp_lost)
            dr_insert_call(b, moved_rsp, 0);
        now.rsp_lost = false;
        now.holds = 0;
    }
    forget_checked(last->regs_written);
    if (now.base != RSP && last->regs_written >> now.base & 1)
        now.holds = 0;
}

/* To a mode that asks for less, if the registers allow. */
static void
emit_way_to_clean(dr_block *b)
{
    struct emit *e = dr_emit(b);

    dr_take_this_register(b, RCX);
    x_mov_r_slot(e, RCX, own_slot + offsetof(struct own, rs.summary));
    uint32_t clean = x_jrcxz_ahead(e);
    if (dr_block_mode(b) == MODE_DIRTY) {
        x_pext_slot(e, RCX, own_slot + offsetof(struct own, integer_bits));
        uint32_t vector = x_jrcxz_ahead(e), stay = x_jmp_ahead(e);
        x_here(e, vector);
        dr_insert_mode_exit(b, MODE_VECTOR);
        x_here(e, stay);
    }
    uint32_t on = x_jmp_ahead(e);
    x_here(e, clean);
    dr_insert_mode_exit(b, MODE_CLEAN);
    x_here(e, on);
    dr_give_registers(b);
}

/* Whether the instruction has anything to do with vector, mask or x87 registers. */
static bool
touches_vectors(const struct step *s)
{
    return s && s->touched & SUMMARY_VECTOR;
}

static bool
block_touches_vectors(dr_block *b)
{
    for (unsigned i = 0; i < dr_block_count(b); i++)
        if (touches_vectors(step_of(dr_block_insn(b, i))))
            return true;
    return false;
}

void
instrument_insn(dr_block *b, unsigned i)
{
    struct dr_memory m[DR_MAX_MEMORY];
    unsigned n = dr_memory_operands(b, i, m), mode = opt.light ? MODE_CLEAN : dr_block_mode(b);
    const struct step *s = mode == MODE_VECTOR ? step_of(dr_block_insn(b, i)) : NULL;
    bool by_step = false;

    catch_up(b, i);
    if (!i && (mode == MODE_DIRTY || (mode == MODE_VECTOR && block_touches_vectors(b))))
        emit_way_to_clean(b);
    if (mode == MODE_DIRTY) {
        check_by_step(b, i, dirty_step);
    } else if (touches_vectors(s)) {
        check_vector_insn(b, i, m, n, s);
    } else {
        for (unsigned k = 0; k < n && !by_step; k++)
            by_step = !check_operand(b, i, &m[k], NULL);
        if (by_step)
            check_by_step(b, i, other_access);
    }
    emit_stack(b, i, m, n);
}

/* ---- faults of the checks ---- */

/* An address that is not divisible by four leads to one that is not canonical, once; one without a shadow leads there again, or into
 * the part of the reservation that is never accessible. */
bool
instrument_fault(struct dr_fault *f)
{
    uint64_t pc = f->mc->rip;
    bool in_hole = f->address >= SHADOW_HOLE_LO && f->address < SHADOW_HOLE_HI;

    instrument_stats.misaligned++;
    set_add(in_hole || set_has(&odd, pc) ? &wild : &odd, pc);
    dr_flush(pc, pc + 1);
    return true;
}

void
instrument_print_stats(void)
{
    const struct instrument_stats *s = &instrument_stats;

    dr_print("drmemory: out of line: %lu loads, %lu stores, %lu with vectors, %lu others; %lu instructions moved to a check for any address\n",
             s->slow_loads, s->slow_stores, s->slow_vectors, s->slow_others, s->misaligned);
    dr_print("drmemory: vector mode entered %lu times, dirty mode %lu times for %lu instructions\n", s->vector_entries, s->dirty_entries,
             s->dirty_steps);
}
