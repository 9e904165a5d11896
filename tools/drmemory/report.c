/* What drmemory reports: each error once, however often it happens, and how often.
 *
 * An error is known by its kind and stack, packed into one word, so that two
 * never share an entry. The table is fixed: when it has as many errors as
 * -report_max allows, others are only counted.
 * Counts are sent when they reach a power of two, and where the process may end.
 * Threads: any, in C callbacks. Entries are found without a lock, and made under it; `lock` is held while a record is sent. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drmemory.h"
#include "drtools/record.h"
#include "drtools/syscalls.h"
#include "report.h"

size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

enum { TABLE = 1 << 16, MOST = TABLE / 2, ROOM = 64 << 10, STACK_REACH = 1 << 20 };

/* Bits of a key above the stack's. */
enum { KEY_KIND = 32, KEY_ACCESS = 36, KEY_PLACE = 40, KEY_ARGUMENT = 44, KEY_NUMBER = 48 };

static struct entry { uint64_t key, count; uint32_t number; } *table;
static uint32_t n_errors, scans, nudges;
static uint64_t left_out;           /* happenings of errors beyond -report_max */
static struct dr_mutex lock;
static struct record_writer writer; /* under `lock` */

bool
report_init(void)
{
    table = dr_map(TABLE * sizeof *table);
    writer = (struct record_writer){.bytes = dr_map(ROOM), .size = ROOM};
    return table && writer.bytes;
}

void
report_fork_child(void)
{
    lock.state = 0;
    if (n_errors)
        for (unsigned i = 0; i < TABLE; i++)
            table[i] = (struct entry){0};
    n_errors = scans = nudges = 0;
    left_out = 0;
    writer.used = 0;
}

/* ---- records ---- */

static void
send(void)
{
    if (writer.used)
        dr_record(writer.bytes, writer.used);
    writer.used = 0;
}

static void
begin(enum record_type type)
{
    struct dr_record_stamp s;

    dr_record_stamp(&s);
    record_begin(&writer, type, s.pid, s.tid, s.time);
}

/* A record that finds no room behind others does once they are sent; `put` writes it. */
static void
append(enum record_type type, void (*put)(const void *what), const void *what)
{
    for (int i = 0; i < 2; i++) {
        begin(type);
        put(what);
        if (record_end(&writer))
            return;
        send();
    }
}

static void
put_count(const void *what)
{
    const struct entry *e = what;

    record_put_u32(&writer, e->number);
    record_put_u64(&writer, __atomic_load_n(&e->count, __ATOMIC_RELAXED));
}

static void
put_note(const void *what)
{
    record_put_u8(&writer, NOTE_WARNING);
    record_put_string(&writer, what);
}

static void put_number(const void *what) { record_put_u32(&writer, *(const uint32_t *)what); }

/* system_call: the number of the one that stands above the stack; -1: none. Addresses but the first are return addresses. */
static void
put_stack(enum record_stack_kind kind, stack_id s, int64_t system_call)
{
    const uint64_t *pcs;
    unsigned n = stack_frames(s, &pcs);

    record_put_u8(&writer, (uint8_t)kind);
    record_put_string(&writer, "");
    record_put_u16(&writer, (uint16_t)(n + (system_call >= 0)));
    if (system_call >= 0)
        record_put_frame(&writer, (uint64_t)system_call, FRAME_SYSCALL);
    for (unsigned i = 0; i < n; i++)
        record_put_frame(&writer, pcs[i], i ? 0 : FRAME_EXACT);
}

/* ---- one error ---- */

struct error {
    enum record_error_kind kind;
    enum record_access access;
    enum record_place place;
    uint64_t address, size;
    const char *detail, *note;
    stack_id stack, allocated, freed;
    bool system_call;
    char instruction[96];
    uint64_t number;                /* of the system call */
    int argument;                   /* … and which of its arguments; also what is wrong with a heap call */
    uint32_t as;                    /* its number in the report */
};

static void
put_error(const void *what)
{
    const struct error *e = what;

    record_put_u32(&writer, e->as);
    record_put_u8(&writer, (uint8_t)e->kind);
    record_put_u8(&writer, (uint8_t)e->access);
    record_put_u8(&writer, (uint8_t)e->place);
    record_put_u8(&writer, 0);
    record_put_u64(&writer, e->address);
    record_put_u64(&writer, e->size);
    record_put_string(&writer, e->detail);
    record_put_string(&writer, e->instruction);
    record_put_u16(&writer, e->note ? 1 : 0);
    if (e->note)
        record_put_string(&writer, e->note);
    record_put_u16(&writer, (uint16_t)(1 + !!e->allocated + !!e->freed));
    put_stack(STACK_MAIN, e->stack, e->system_call ? (int64_t)e->number : -1);
    if (e->allocated)
        put_stack(STACK_ALLOCATED, e->allocated, -1);
    if (e->freed)
        put_stack(STACK_FREED, e->freed, -1);
}

static uint64_t
key_of(const struct error *e)
{
    return e->stack | (uint64_t)e->kind << KEY_KIND | (uint64_t)e->access << KEY_ACCESS | (uint64_t)e->place << KEY_PLACE |
           (uint64_t)(e->argument + 1) << KEY_ARGUMENT | (e->system_call ? e->number << KEY_NUMBER : 0);
}

/* The entry of `key`, or a free one: its key is then 0. */
static struct entry *
entry_of(uint64_t key)
{
    uint64_t at = key * 0x9e3779b97f4a7c15ull >> 48;

    for (;; at++) {
        struct entry *e = &table[at % TABLE];
        uint64_t k = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
        if (k == key || !k)
            return e;
    }
}

static void
count_one(struct entry *e)
{
    uint64_t n = __atomic_add_fetch(&e->count, 1, __ATOMIC_RELAXED);

    if (n & (n - 1))
        return;
    dr_lock(&lock);
    append(RECORD_ERROR_COUNT, put_count, e);
    send();
    dr_unlock(&lock);
}

/* True: it is new, and the caller fills in what that takes time for. Else it is counted. */
static bool
is_new(struct error *error)
{
    struct entry *e = entry_of(key_of(error));

    if (e->key) {
        count_one(e);
        return false;
    }
    if (n_errors < opt.report_max && n_errors < MOST)
        return true;
    __atomic_add_fetch(&left_out, 1, __ATOMIC_RELAXED);
    return false;
}

static void
report(struct error *error)
{
    uint64_t key = key_of(error);

    dr_lock(&lock);
    struct entry *e = entry_of(key);
    if (!e->key) {
        error->as = e->number = ++n_errors;
        e->count = 1;
        append(RECORD_ERROR, put_error, error);
        send();
        __atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
        dr_unlock(&lock);
        return;
    }
    dr_unlock(&lock);                /* another thread was faster */
    count_one(e);
}

/* ---- where an address is ---- */

/* Text about `a` and its block; place and stacks go into *e. */
static const char *
describe(struct error *e, const struct heap_block *b, char *text, size_t size)
{
    uint64_t end = b->start + b->size, a = e->address;

    e->allocated = b->allocated;
    e->freed = b->freed;
    if (a < b->start)
        dr_format(text, size, "0x%lx is %lu byte(s) before a block of %lu byte(s) at 0x%lx-0x%lx", a, b->start - a, b->size, b->start, end);
    else if (a >= end)
        dr_format(text, size, "0x%lx is %lu byte(s) beyond the end of a block of %lu byte(s) at 0x%lx-0x%lx", a, a - end, b->size, b->start, end);
    else
        dr_format(text, size, "0x%lx is %lu byte(s) inside a %sblock of %lu byte(s) at 0x%lx-0x%lx", a, a - b->start, b->live ? "" : "freed ", b->size, b->start, end);
    return text;
}

static enum record_place
place_of(uint64_t a, const struct dr_mcontext *mc, bool in_heap, const struct heap_block *b)
{
    if (in_heap)
        return b->live ? PLACE_BEYOND_HEAP : PLACE_FREED;
    return a < mc->gpr[RSP] && mc->gpr[RSP] - a < STACK_REACH ? PLACE_BEYOND_STACK : PLACE_UNKNOWN;
}

/* Not of a replaced function, which has not begun. */
static void
note_instruction(struct error *e, const struct dr_mcontext *mc)
{
    if (!dr_disassemble(mc->rip, e->instruction, sizeof e->instruction) || strcmp(e->instruction, "endbr64") == 0)
        e->instruction[0] = 0;
}

/* ---- what others call ---- */

void
report_unaddressable(const struct dr_mcontext *mc, enum access_kind kind, uint64_t a, unsigned size)
{
    static const uint8_t accesses[] = {[ACCESS_IS_READ] = ACCESS_READ, [ACCESS_IS_WRITE] = ACCESS_WRITE, [ACCESS_IS_JUMP] = ACCESS_JUMP};
    struct heap_block b;
    bool in_heap = heap_find(a, &b);
    struct error e = {.kind = ERROR_UNADDRESSABLE, .access = accesses[kind], .place = place_of(a, mc, in_heap, &b), .address = a, .size = size,
                      .detail = "", .stack = stack_here(mc, opt.callstack_max_frames)};
    char text[160];

    if (!is_new(&e))
        return;
    if (in_heap)
        e.note = describe(&e, &b, text, sizeof text);
    note_instruction(&e, mc);
    report(&e);
}

/* "rax", "xmm3", "eflags": as opposed to a function's name. */
static bool
names_register(const char *s)
{
    static const char first[] = "rexyzks";
    unsigned i = 0;

    while (first[i] && first[i] != s[0])
        i++;
    return (first[i] && strlen(s) <= 5) || strcmp(s, "eflags") == 0;
}

void
report_uninitialized(const struct dr_mcontext *mc, enum uninit_kind kind, const char *detail, uint64_t a, unsigned size)
{
    static const uint8_t accesses[] = {[UNINIT_JUMP] = ACCESS_CONDITION, [UNINIT_ADDRESS] = ACCESS_ADDRESS, [UNINIT_READ] = ACCESS_READ};
    struct error e = {.kind = ERROR_UNINITIALIZED, .access = accesses[kind], .address = a, .size = size,
                      .stack = stack_here(mc, opt.callstack_max_frames)};
    struct heap_block b;
    char text[64], about[160];

    if (!is_new(&e))
        return;
    if (!detail)
        e.detail = a ? "" : kind == UNINIT_JUMP ? "register eflags" : "a register";
    else if (a)
        e.detail = detail;
    else
        dr_format(text, sizeof text, "%s %s", names_register(detail) ? "register" : "an argument of", detail), e.detail = text;
    if (a && heap_find(a, &b))
        e.note = describe(&e, &b, about, sizeof about);
    note_instruction(&e, mc);
    report(&e);
}

void
report_syscall(const struct dr_mcontext *mc, uint64_t nr, int arg, bool undefined, bool write, uint64_t a, uint64_t size)
{
    const struct syscall_info *info = syscall_info((unsigned)nr);
    struct heap_block b;
    bool in_heap = a && !undefined && heap_find(a, &b);
    struct error e = {.kind = undefined ? ERROR_UNINITIALIZED : ERROR_UNADDRESSABLE, .access = ACCESS_SYSCALL,
                      .place = undefined || !a ? PLACE_UNKNOWN : place_of(a, mc, in_heap, &b), .address = a, .size = size,
                      .stack = stack_here(mc, opt.callstack_max_frames), .system_call = true, .number = nr, .argument = arg};
    char text[96], about[160];

    if (!is_new(&e))
        return;
    if (!info)
        dr_format(text, sizeof text, "%lu", nr);
    else if (arg >= 0 && arg < info->nargs && info->arg[arg].name)
        dr_format(text, sizeof text, "%s(%s)", info->name, info->arg[arg].name);
    else
        dr_format(text, sizeof text, "%s", info->name);
    e.detail = text;
    if (in_heap || (a && undefined && heap_find(a, &b)))
        e.note = describe(&e, &b, about, sizeof about);
    else if (!undefined && a)
        e.note = write ? "the system call writes there" : "the system call reads there";
    report(&e);
}

void
report_heap(const struct dr_mcontext *mc, enum heap_fault fault, const char *function, uint64_t a, const char *allocated_by)
{
    static const uint8_t places[] = {[HEAP_INVALID_FREE] = PLACE_NOT_HEAP, [HEAP_DOUBLE_FREE] = PLACE_DOUBLE_FREE, [HEAP_MISMATCH] = PLACE_MISMATCHED,
                                     [HEAP_BAD_SIZE] = PLACE_BAD_SIZE, [HEAP_BAD_ALIGNMENT] = PLACE_BAD_SIZE, [HEAP_REALLOC_ZERO] = PLACE_UNKNOWN,
                                     [HEAP_CORRUPT] = PLACE_UNKNOWN};
    bool warning = fault == HEAP_REALLOC_ZERO || fault == HEAP_CORRUPT, is_size = fault == HEAP_BAD_SIZE || fault == HEAP_BAD_ALIGNMENT;
    struct error e = {.kind = warning ? ERROR_WARNING : ERROR_INVALID_HEAP_ARGUMENT, .place = places[fault], .address = a,
                      .stack = stack_here(mc, opt.callstack_max_frames), .detail = function, .argument = (int)fault};
    struct heap_block b;
    char text[160], about[160];

    if (!is_new(&e))
        return;
    if (fault == HEAP_MISMATCH)
        dr_format(text, sizeof text, "%s\n%s", allocated_by ? allocated_by : "another allocator", function), e.detail = text;
    else if (fault == HEAP_REALLOC_ZERO)
        dr_format(text, sizeof text, "%s with a size of 0: what it does differs between systems", function), e.detail = text;
    else if (fault == HEAP_CORRUPT)
        dr_format(text, sizeof text, "%s finds memory beside a block overwritten", function), e.detail = text;
    if (fault == HEAP_BAD_ALIGNMENT)
        dr_format(about, sizeof about, "an alignment of %lu is none", a), e.note = about;
    else if (fault == HEAP_BAD_SIZE)
        dr_format(about, sizeof about, "as a signed number the size is %ld", (long)a), e.note = about;
    else if (heap_find(a, &b))
        e.note = describe(&e, &b, about, sizeof about);
    if (is_size)
        e.allocated = e.freed = 0;
    report(&e);
}

void
report_overlap(const struct dr_mcontext *mc, const char *function, uint64_t dst, uint64_t src, uint64_t n)
{
    struct error e = {.kind = ERROR_OVERLAP, .address = dst, .size = n, .stack = stack_here(mc, opt.callstack_max_frames)};
    char text[128];

    if (!is_new(&e))
        return;
    dr_format(text, sizeof text, "%s(0x%lx, 0x%lx, %lu)", function, dst, src, n);
    e.detail = text;
    report(&e);
}

/* ---- leaks ---- */

static void
put_leak(const void *what)
{
    const struct leak *l = what;

    record_put_u32(&writer, scans);
    record_put_u8(&writer, (uint8_t)l->kind);
    record_put_u8(&writer, l->is_new ? LEAK_NEW : 0);
    record_put_u64(&writer, l->address);
    record_put_u64(&writer, l->bytes);
    record_put_u64(&writer, l->blocks);
    record_put_u64(&writer, l->indirect_bytes);
    record_put_u64(&writer, l->indirect_blocks);
    record_put_u16(&writer, 1);
    put_stack(STACK_MAIN, l->allocated, -1);
}

void
report_leaks(const struct leak *l, size_t n)
{
    char text[128];

    dr_lock(&lock);
    scans++;
    append(RECORD_LEAK_SCAN, put_number, &scans);
    for (size_t i = 0; i < n && i < opt.report_leak_max; i++)
        append(RECORD_LEAK, put_leak, &l[i]);
    if (n > opt.report_leak_max) {
        dr_format(text, sizeof text, "%lu more places leak than -report_leak_max %u shows", n - opt.report_leak_max, opt.report_leak_max);
        append(RECORD_NOTE, put_note, text);
    }
    send();
    dr_unlock(&lock);
}

/* ---- occasions ---- */

void
report_flush(void)
{
    char text[128];

    dr_lock(&lock);
    for (unsigned i = 0; i < TABLE && n_errors; i++)
        if (table[i].key && table[i].count > 1)
            append(RECORD_ERROR_COUNT, put_count, &table[i]);
    if (left_out) {
        dr_format(text, sizeof text, "%lu time(s) there was an error beyond the first %u different ones (-report_max)", left_out, n_errors);
        append(RECORD_NOTE, put_note, text);
    }
    send();
    dr_unlock(&lock);
}

void
report_nudge(void)
{
    report_flush();
    dr_lock(&lock);
    nudges++;
    append(RECORD_NUDGE, put_number, &nudges);
    send();
    dr_unlock(&lock);
}
