/* The program's modules, for tools.
 *
 * A module is made when an executable segment of an ELF file is mapped; where its
 * other segments are, or will be, follows from the file's program headers. It is gone
 * when all that was mapped to be executed goes. (Programs lay huge pages over a part of their
 * text: the rest, and the module, stay.)
 * Look-up: a sorted array of segments, under a sequence lock: `seq` is odd while the
 * array changes, and who reads meanwhile reads again. Arrays that were outgrown and files are
 * never given back, so that a reader finds memory wherever it looks.
 * Threads: changes under `lock`; tools are called without it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/modules.h"

#include "core/engine.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "util/heap.h"

struct module {
    struct module *next;
    const struct module_file *file;
    uint64_t id, bias, code_lo, code_hi;     /* code: as far as it is mapped to be executed */
    int kind;                                /* enum first_module, or -1                    */
    bool leaving;                            /* tools are being told                        */
};

struct entry { uint64_t lo, hi; struct module *m; };
struct array { unsigned n, max; struct entry e[]; };

static struct mutex lock;
static struct module *modules, *first[3];
static struct array *array;
static volatile uint32_t seq;
static uint64_t last_id;

/* ---- the array ---- */

static void
change_begin(void)
{
    seq++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void
change_end(void)
{
    __atomic_store_n(&seq, seq + 1, __ATOMIC_RELEASE);
}

/* The first entry that ends above `a`. */
static unsigned
entry_at(const struct array *a, uint64_t at)
{
    unsigned lo = 0, hi = MIN(a->n, a->max);

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (a->e[mid].hi <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool
array_has_room(unsigned more)
{
    unsigned max = array ? array->max * 2 : 500;

    if (array && array->n + more <= array->max)
        return true;
    struct array *a = engine_map(sizeof *a + max * sizeof *a->e);
    if (!a)
        return false;
    a->max = max;
    if (array) {
        a->n = array->n;
        memcpy(a->e, array->e, array->n * sizeof *a->e);
    }
    __atomic_store_n(&array, a, __ATOMIC_RELEASE);
    return true;
}

static void
entries_remove(unsigned i, unsigned n)
{
    memmove(array->e + i, array->e + i + n, (array->n - i - n) * sizeof *array->e);
    array->n -= n;
}

/* What lay there is no longer mapped. */
static void
entry_put(uint64_t lo, uint64_t hi, struct module *m)
{
    unsigned i = entry_at(array, lo), n = 0;

    while (i + n < array->n && array->e[i + n].lo < hi)
        n++;
    entries_remove(i, n);
    memmove(array->e + i + 1, array->e + i, (array->n++ - i) * sizeof *array->e);
    array->e[i] = (struct entry){lo, hi, m};
}

static bool
segments_put(struct module *m)
{
    const struct module_file *f = m->file;

    if (!array_has_room(f->n_segments))
        return false;
    change_begin();
    for (unsigned i = 0; i < f->n_segments; i++)
        entry_put(PAGE_DOWN(m->bias + f->segment[i].vaddr), PAGE_UP(m->bias + f->segment[i].vaddr + f->segment[i].size), m);
    change_end();
    return true;
}

static void
segments_remove(const struct module *m)
{
    change_begin();
    for (unsigned i = array->n; i--;)
        if (array->e[i].m == m)
            entries_remove(i, 1);
    change_end();
}

/* ---- modules ---- */

static void
describe(const struct module *m, struct dr_module *out)
{
    const struct module_file *f = m->file;

    *out = (struct dr_module){.size = sizeof *out, .id = m->id, .start = m->bias + f->lo, .end = m->bias + f->hi, .bias = m->bias,
                              .path = f->path, .build_id = f->build_id, .build_id_size = f->build_id_size,
                              .is_program = m->kind == MODULE_PROGRAM, .is_interpreter = m->kind == MODULE_INTERPRETER,
                              .is_vdso = m->kind == MODULE_VDSO, .n_segments = f->n_segments, .file = f->image, .file_size = f->size, .handle = f};
}

static struct module *
module_add(const struct module_file *f, uint64_t bias, int kind)
{
    struct module *m = heap_alloc(sizeof *m);

    if (!m)
        return NULL;
    *m = (struct module){.next = modules, .file = f, .id = ++last_id, .bias = bias, .code_lo = UINT64_MAX, .kind = kind};
    if (!segments_put(m)) {
        heap_free(m);
        return NULL;
    }
    modules = m;
    return m;
}

static void
code_is_at(struct module *m, uint64_t lo, uint64_t hi)
{
    m->code_lo = MIN(m->code_lo, lo);
    m->code_hi = MAX(m->code_hi, hi);
}

/* ---- those that are there at the start ---- */

static void
note(enum first_module which, const struct module_file *f, uint64_t bias)
{
    struct module *m = f ? module_add(f, bias, which) : NULL;

    for (unsigned i = 0; m && i < f->n_segments; i++)
        if (f->segment[i].prot & PROT_X)
            code_is_at(m, PAGE_DOWN(bias + f->segment[i].vaddr), PAGE_UP(bias + f->segment[i].vaddr + f->segment[i].size));
    first[which] = m;
}

void
module_note_file(enum first_module which, int fd, uint64_t bias)
{
    note(which, module_file_open(fd), bias);
}

void
module_note_vdso(const uint8_t *image)
{
    const struct module_file *f = module_file_in_memory(image, "[vdso]");

    note(MODULE_VDSO, f, f ? (uint64_t)image - f->lo : 0);
}

void
modules_start(void)
{
    struct dr_module d;

    for (unsigned i = 0; i < COUNT_OF(first); i++)
        if (first[i]) {
            describe(first[i], &d);
            tools_module(&d, true);
        }
}

/* ---- those that come and go ---- */

/* How far `offset` in the file is from the address that it gets. An executable segment is preferred: two may share a page of the file. */
static uint64_t
bias_of(const struct module_file *f, uint64_t at, uint64_t offset, uint64_t *n)
{
    const struct file_segment *best = NULL;

    for (unsigned i = 0; i < f->n_segments; i++) {
        const struct file_segment *s = &f->segment[i];
        if (offset >= PAGE_DOWN(s->offset) && offset < PAGE_UP(s->offset + s->file_size) && (!best || (s->prot & PROT_X)))
            best = s;
    }
    if (!best)
        return at - offset;          /* the file as it is */
    *n = MIN(*n, PAGE_UP(best->vaddr + best->size) - PAGE_DOWN(best->vaddr));
    return at - (best->vaddr + (offset - best->offset));
}

void
module_mapped(uint64_t at, uint64_t n, int fd, uint64_t offset)
{
    struct module *m = NULL, *o;
    struct dr_module d;

    if (!n_tools || engine_confined())
        return;
    n = PAGE_UP(n);
    mutex_lock(&lock);
    const struct module_file *f = module_file_open(fd);
    if (f) {
        uint64_t bias = bias_of(f, at, offset, &n);
        for (o = modules; o && (o->file != f || o->bias != bias || o->leaving); o = o->next)
            ;
        if (!o && (o = m = module_add(f, bias, -1)))
            describe(m, &d);
        if (o)
            code_is_at(o, at, at + n);
    }
    mutex_unlock(&lock);
    if (m)
        tools_module(&d, true);
}

static bool
any_in(uint64_t lo, uint64_t hi)
{
    bool any;

    for (;;) {
        uint32_t s = __atomic_load_n(&seq, __ATOMIC_ACQUIRE);
        const struct array *a = __atomic_load_n(&array, __ATOMIC_ACQUIRE);
        unsigned i = a ? entry_at(a, lo) : 0;
        any = a && i < MIN(a->n, a->max) && a->e[i].lo < hi;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(s & 1) && s == seq)
            return any;
        __builtin_ia32_pause();
    }
}

/* One whose code is all in [lo, hi), taken for leaving. */
static struct module *
leaving(uint64_t lo, uint64_t hi, struct dr_module *d)
{
    struct module *m;

    mutex_lock(&lock);
    for (m = modules; m && (m->leaving || m->code_lo < lo || m->code_hi > hi); m = m->next)
        ;
    if (m) {
        m->leaving = true;
        describe(m, d);
    }
    mutex_unlock(&lock);
    return m;
}

static void
module_remove(struct module *gone)
{
    mutex_lock(&lock);
    segments_remove(gone);
    for (struct module **at = &modules; *at; at = &(*at)->next)
        if (*at == gone) {
            *at = gone->next;
            break;
        }
    heap_free(gone);                 /* its memory stays the heap's: who reads it now reads again */
    mutex_unlock(&lock);
}

void
modules_unmapped(uint64_t lo, uint64_t n)
{
    uint64_t hi = lo + PAGE_UP(n);
    struct dr_module d;
    struct module *m;

    if (!n_tools || !any_in(lo, hi))
        return;
    while ((m = leaving(lo, hi, &d))) {
        tools_module(&d, false);
        module_remove(m);
    }
}

/* ---- look-up ---- */

bool
module_find(uint64_t pc, struct dr_module *out)
{
    bool found;

    for (;;) {
        uint32_t s = __atomic_load_n(&seq, __ATOMIC_ACQUIRE);
        const struct array *a = __atomic_load_n(&array, __ATOMIC_ACQUIRE);
        unsigned i = a ? entry_at(a, pc) : 0;
        struct module m = {0};
        found = a && i < MIN(a->n, a->max) && a->e[i].lo <= pc;
        if (found)
            m = *a->e[i].m;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(s & 1) && s == seq) {
            if (found)
                describe(&m, out);
            return found;
        }
        __builtin_ia32_pause();
    }
}

void modules_lock_for_fork(void) { mutex_lock(&lock); }

void
modules_unlock_after_fork(bool child)
{
    if (child)
        mutex_init(&lock);
    else
        mutex_unlock(&lock);
}

/* ---- the tool API ---- */

bool
dr_module_lookup(uint64_t pc, struct dr_module *out, size_t size)
{
    struct dr_module m;

    if (!module_find(pc, &m))
        return false;
    m.size = MIN(size, sizeof m);
    memcpy(out, &m, m.size);
    return true;
}

void
dr_each_module(void (*f)(const struct dr_module *m, void *arg), void *arg)
{
    struct dr_module d;
    uint64_t done = 0;

    for (;;) {                       /* in the order of ids; `f` is called without the lock */
        struct module *next = NULL;
        mutex_lock(&lock);
        for (struct module *m = modules; m; m = m->next)
            if (m->id > done && (!next || m->id < next->id))
                next = m;
        if (next)
            describe(next, &d);
        mutex_unlock(&lock);
        if (!next)
            return;
        done = d.id;
        f(&d, arg);
    }
}

bool
dr_module_segment(const struct dr_module *m, unsigned i, struct dr_segment *out)
{
    const struct module_file *f = m->handle;

    if (i >= f->n_segments)
        return false;
    const struct file_segment *s = &f->segment[i];
    *out = (struct dr_segment){.lo = m->bias + s->vaddr, .hi = m->bias + s->vaddr + s->size, .offset = s->offset, .file_size = s->file_size,
                               .readable = s->prot & PROT_R, .writable = s->prot & PROT_W, .executable = s->prot & PROT_X};
    return true;
}

struct each { const struct dr_module *m; bool (*f)(const struct dr_symbol *s, void *arg); void *arg; };

static bool
each_symbol(const struct file_symbol *s, void *arg)
{
    const struct each *e = arg;
    struct dr_symbol out = {.size = sizeof out, .name = s->name, .address = e->m->bias + s->vaddr, .bytes = s->size,
                            .type = (enum dr_symbol_type)s->type, .global = s->binding != 0, .dynamic = s->dynamic, .old_version = s->hidden_version};

    return e->f(&out, e->arg);
}

void
dr_each_symbol(const struct dr_module *m, bool (*f)(const struct dr_symbol *s, void *arg), void *arg)
{
    struct each e = {m, f, arg};

    module_file_symbols(m->handle, each_symbol, &e);
}

struct wanted { const char *name; uint64_t vaddr; bool found; };

static bool
is_wanted(const struct file_symbol *s, void *arg)
{
    struct wanted *w = arg;

    if (s->name[0] != w->name[0] || strcmp(s->name, w->name) != 0)
        return true;
    if (!w->found || !s->hidden_version)
        w->vaddr = s->vaddr;
    w->found = true;
    return s->hidden_version;        /* go on: the current version may follow */
}

uint64_t
dr_symbol_address(const struct dr_module *m, const char *name)
{
    struct wanted w = {.name = name};

    module_file_symbols(m->handle, is_wanted, &w);
    return w.found ? m->bias + w.vaddr : 0;
}
