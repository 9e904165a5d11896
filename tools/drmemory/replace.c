/* Replaced functions: which symbols of the program's modules are replaced, and where they are.
 *
 * Every symbol of a module is looked up in a hash of the names that tools/drmemory
 * registered; those found go into a hash by address, which block_begin asks.
 * A C++ operator of the program's own keeps its code, as does then the C++
 * library's, which calls the program's: what it does may be part of what the program does.
 * Threads: both tables are under `lock`, taken inside the engine's cache lock
 * by replace_block. Entries are never freed: translated code refers to them.
 * See docs/drmemory-heap.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "replace.h"

#include "heap.h"
#include "instrument.h"
#include "overread.h"
#include "replace_strings.h"

enum { MAX_NAME = 64, NAMES = 1 << 10, FIRST_FUNCTIONS = 1 << 9, CHUNK = 256 };

struct name { const struct replacement *what; uint32_t length, hash; };

static struct name names[NAMES];    /* open addressing */
static unsigned n_names;

static struct dr_mutex lock;
static struct replaced **functions; /* open addressing, by address */
static uint32_t functions_size, n_functions;
static struct replaced *chunk;
static unsigned chunk_left;

bool replace_mixed_operators;
static bool own_operators;          /* of the program's, that the C++ library calls */

/* ---- names ---- */

static const char *const prefixes[] = {"je_", "tc_", "__libc_"};

static uint32_t
hash_of(const char *s, uint32_t *length)
{
    uint32_t h = 2166136261u, n = 0;

    for (; s[n] && n < MAX_NAME; n++)
        h = (h ^ (uint8_t)s[n]) * 16777619u;
    *length = n;
    return h;
}

static bool
same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static bool
starts(const char *s, const char *prefix)
{
    while (*prefix && *s == *prefix)
        s++, prefix++;
    return !*prefix;
}

static const struct replacement *
find_name(const char *s)
{
    uint32_t length, h = hash_of(s, &length);

    for (uint32_t i = h; names[i % NAMES].what; i++) {
        const struct name *n = &names[i % NAMES];
        if (n->hash == h && n->length == length && same(n->what->name, s))
            return n->what;
    }
    return NULL;
}

void
replace_register(const struct replacement *table, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t length, h = hash_of(table[k].name, &length), i = h;
        DR_CHECK(length < MAX_NAME && ++n_names < NAMES / 2, "room for the names of replaced functions");
        while (names[i % NAMES].what)
            i++;
        names[i % NAMES] = (struct name){&table[k], length, h};
    }
}

/* What symbol `s` is replaced by; *prefixed: it has an allocator's prefix. */
static const struct replacement *
match(const char *s, bool *prefixed)
{
    const struct replacement *w = find_name(s);

    *prefixed = false;
    if (w && (w->flags & REPLACE_ONLY_PREFIXED))
        w = NULL;
    for (unsigned i = 0; !w && i < sizeof prefixes / sizeof *prefixes; i++)
        if (starts(s, prefixes[i])) {
            const char *rest = s;
            for (const char *p = prefixes[i]; *p; p++)
                rest++;
            w = find_name(rest);
            if (w && !(w->flags & REPLACE_PREFIXED))
                w = NULL;
            *prefixed = w && i < 2;
        }
    return w;
}

/* ---- addresses ---- */

static uint32_t slot_of(uint64_t a) { return (uint32_t)(a * 0x9e3779b97f4a7c15ull >> 40); }

static struct replaced *
find(uint64_t a)
{
    for (uint32_t i = slot_of(a); functions; i++) {
        struct replaced *r = functions[i & (functions_size - 1)];
        if (!r || r->address == a)
            return r;
    }
    return NULL;
}

static void
put(struct replaced *r)
{
    uint32_t i = slot_of(r->address);

    while (functions[i & (functions_size - 1)])
        i++;
    functions[i & (functions_size - 1)] = r;
}

/* Room for one more; those of modules that are gone are dropped. */
static bool
functions_grow(void)
{
    uint32_t old = functions_size, size = old ? old * 2 : FIRST_FUNCTIONS;
    struct replaced **was = functions, **more;

    if (old && n_functions * 2 < old)
        return true;
    more = dr_map(size * sizeof *more);
    if (!more)
        return false;
    functions = more;
    functions_size = size;
    n_functions = 0;
    for (uint32_t i = 0; i < old; i++)
        if (was[i] && was[i]->address) {
            put(was[i]);
            n_functions++;
        }
    if (was)
        dr_unmap(was, old * sizeof *was);
    return true;
}

static bool
add(uint64_t address, const struct replacement *w, uint64_t module, bool has_own_blocks)
{
    bool done = true;

    dr_lock(&lock);
    struct replaced *r = find(address);
    if (r) {                        /* by another name: an alias, perhaps one that serves several families */
        if (r->what->f == w->f && r->family != w->family)
            r->family = HEAP_MIXED;
        r->several |= r->what != w;
        goto out;
    }
    if (!chunk_left && (chunk = dr_map(CHUNK * sizeof *chunk)))
        chunk_left = CHUNK;
    done = chunk_left && functions_grow();
    if (!done)
        goto out;
    r = chunk++;
    chunk_left--;
    *r = (struct replaced){.address = address, .what = w, .module = module, .family = w->family, .has_own_blocks = has_own_blocks};
    put(r);
    n_functions++;
out:
    dr_unlock(&lock);
    return done;
}

bool
replace_address(uint64_t address, const struct replacement *w, uint64_t module)
{
    bool done = add(address, w, module, false);
    struct replaced *r;

    dr_lock(&lock);
    if ((r = find(address)))
        r->several = true;          /* the next one may resolve to it, too */
    dr_unlock(&lock);
    return done;
}

/* ---- modules ---- */

struct scan {
    const struct dr_module *m;
    bool is_static;                 /* a program without an interpreter: its names are in .symtab only */
    bool is_libc, is_cxx, allocates, has_operators, has_new_handler;
};

static const char *
base_name(const char *path)
{
    const char *base = path;

    for (; *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

static bool
has_interpreter(const struct dr_module *m)
{
    enum { PHOFF = 32, PHENTSIZE = 54, PHNUM = 56, PT_INTERP = 3 };
    uint64_t phoff;
    uint16_t size, n;
    uint32_t type;

    if (m->file_size < 64)
        return false;
    __builtin_memcpy(&phoff, m->file + PHOFF, 8);
    __builtin_memcpy(&size, m->file + PHENTSIZE, 2);
    __builtin_memcpy(&n, m->file + PHNUM, 2);
    for (; n && phoff + 4 <= m->file_size; n--, phoff += size) {
        __builtin_memcpy(&type, m->file + phoff, 4);
        if (type == PT_INTERP)
            return true;
    }
    return false;
}

/* May symbol `s` be the one that the program means by its name? */
static bool
is_meant(const struct scan *c, const struct dr_symbol *s, bool prefixed)
{
    bool function = s->type == DR_SYMBOL_FUNCTION || s->type == DR_SYMBOL_UNTYPED;

    return function && s->address && (s->dynamic || (s->global && (c->is_static || prefixed)));
}

static bool
look(const struct dr_symbol *s, void *arg)
{
    struct scan *c = arg;
    bool prefixed;
    const struct replacement *w = match(s->name, &prefixed);

    if (c->is_static && same(s->name, "_ZSt15get_new_handlerv"))
        c->has_new_handler = true;
    if (w && !(w->flags & REPLACE_LIBC) && is_meant(c, s, prefixed)) {
        c->allocates |= (w->flags & REPLACE_ALLOCATES) && !prefixed;
        c->has_operators |= (w->flags & REPLACE_OPERATOR) != 0;
    }
    return true;
}

static bool
take(const struct dr_symbol *s, void *arg)
{
    struct scan *c = arg;
    bool prefixed;
    const struct replacement *w = match(s->name, &prefixed);

    if (!w || (w->flags & REPLACE_LIBC)) {
        if ((c->is_libc || c->is_static) && s->address && (w = strings_meant(w, s)))
            add(s->address, w, c->m->id, false);
        return true;
    }
    if (!is_meant(c, s, prefixed))
        return true;
    if ((w->flags & REPLACE_OPERATOR) ? c->is_cxx : prefixed || c->allocates || !(w->flags & REPLACE_EXTRA))
        add(s->address, w, c->m->id, prefixed || !(c->is_libc || c->is_static));
    return true;
}

void
replace_module_load(const struct dr_module *m)
{
    const char *base = base_name(m->path);
    struct scan c = {.m = m, .is_static = m->is_program && !has_interpreter(m)};

    overread_module_load(m);
    c.is_libc = starts(base, "libc.") || starts(base, "libc-") || starts(base, "ld-musl");
    if (m->is_vdso || (m->is_interpreter && !c.is_libc))     /* glibc's ld.so has functions of its own for its own use */
        return;
    bool library = starts(base, "libstdc++") || starts(base, "libc++");
    dr_each_symbol(m, look, &c);
    /* A static program's operators are the library's if they know of new handlers. */
    c.is_cxx = (library && !own_operators) || (c.allocates && !c.is_static) || (c.is_static && c.has_new_handler);
    if (c.has_operators && !c.is_cxx && !library) {
        own_operators = true;
        replace_mixed_operators = true;
    }
    dr_each_symbol(m, take, &c);
}

void
replace_module_unload(const struct dr_module *m)
{
    dr_lock(&lock);
    for (uint32_t i = 0; i < functions_size; i++)
        if (functions[i] && functions[i]->module == m->id)
            functions[i]->address = 0;
    dr_unlock(&lock);
    strings_module_unload(m);
}

void
replace_fork_child(void)
{
    lock.state = 0;
    strings_fork_child();
}

bool replace_init(void) { return functions_grow(); }

/* ---- blocks ---- */

const struct replaced *
replaced_at(uint64_t address)
{
    dr_lock(&lock);
    const struct replaced *r = find(address);
    dr_unlock(&lock);
    return r;
}

bool
replace_block(dr_block *b)
{
    const struct replaced *r = replaced_at(dr_block_tag(b));

    if (r)
        dr_insert_function(b, r->what->f, (uint64_t)r);
    else
        strings_block(b);
    return r != NULL;
}

void
replace_result(struct dr_mcontext *mc, uint64_t value)
{
    struct regstate *rs = regstate_of(dr_thread_current());

    mc->gpr[RAX] = value;
    rs->gpr[RAX] = 0;
    rs->summary &= ~(1ull << (SUMMARY_GPR + RAX));
}
