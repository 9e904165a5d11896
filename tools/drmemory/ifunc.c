/* Which function an IFUNC resolved to, and by which name a function was called.
 *
 * A resolver is replaced by nothing: before it runs, the place that it returns
 * to is noted, and the block there begins with a look at what it returned. So
 * whoever calls it (the dynamic linker at load or at the first call, dlsym, a
 * static program's start) is seen, and no name of a variant need be known.
 * memcpy and memmove are one function on many CPUs: its name is that which the
 * call site's PLT entry or GOT slot was bound by.
 * Threads: places are only added. See docs/drmemory-strings.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "replace_strings.h"

enum { MAX_SITES = 256, MAX_PENDING = 4, NAMES = 256 };

struct replacement resolvers[MAX_STRINGS];

/* ---- resolvers ---- */

struct pending { uint64_t rsp, site; const struct replaced *resolver; };
struct thread_pending { unsigned n; struct pending p[MAX_PENDING]; };

static uint32_t pending_slot;
static uint64_t sites[MAX_SITES];   /* where resolvers return to: open addressing */
static struct dr_mutex sites_lock;

static struct thread_pending *pending(void) { return dr_thread_at(dr_thread_current(), pending_slot); }

static uint64_t *
site_slot(uint64_t pc)
{
    unsigned i = (unsigned)(pc * 0x9e3779b97f4a7c15ull >> 56);

    for (unsigned k = 0; k < MAX_SITES / 2; k++, i++) {
        uint64_t *s = &sites[i % MAX_SITES], here = __atomic_load_n(s, __ATOMIC_ACQUIRE);
        if (here == pc || !here)
            return s;
    }
    return NULL;
}

/* False: there is no room. */
static bool
site_add(uint64_t pc)
{
    dr_lock(&sites_lock);
    uint64_t *s = site_slot(pc);
    bool is_new = s && *s != pc;
    if (is_new)
        __atomic_store_n(s, pc, __ATOMIC_RELEASE);
    dr_unlock(&sites_lock);
    if (is_new)
        dr_flush(pc, pc + 1);        /* it may have been translated without the look */
    return s != NULL;
}

/* At a resolver's first instruction. */
static bool
resolver_called(uint64_t arg, struct dr_mcontext *mc)
{
    struct thread_pending *t = pending();
    uint64_t site, rsp = mc->gpr[RSP] + 8;

    while (t->n && t->p[t->n - 1].rsp <= rsp)
        t->n--;                      /* one that never returned */
    if (t->n < MAX_PENDING && dr_safe_read(&site, mc->gpr[RSP], 8) && site_add(site))
        t->p[t->n++] = (struct pending){rsp, site, (const struct replaced *)arg};
    return false;
}

static bool
resolver_returned(uint64_t arg, struct dr_mcontext *mc)
{
    struct thread_pending *t = pending();
    uint64_t target = mc->gpr[RAX];
    struct dr_module m;

    if (!t->n || t->p[t->n - 1].rsp != mc->gpr[RSP] || t->p[t->n - 1].site != arg)
        return false;
    const struct replaced *r = t->p[--t->n].resolver;
    if (r->address && dr_module_find(target, &m)) {
        replace_address(target, &strings_table[r->what - resolvers], m.id);
        dr_flush(target, target + 1);
    }
    return false;
}

void
strings_block(dr_block *b)
{
    uint64_t tag = dr_block_tag(b), *s = pending_slot ? site_slot(tag) : NULL;

    if (s && *s == tag)
        dr_insert_function(b, resolver_returned, tag);
}

bool
ifunc_init(void)
{
    for (unsigned i = 0; i < strings_count; i++)
        resolvers[i] = (struct replacement){.name = strings_table[i].name, .shown = strings_table[i].shown, .f = resolver_called, .flags = REPLACE_LIBC};
    pending_slot = dr_thread_memory(sizeof(struct thread_pending));
    return pending_slot != 0;
}

/* ---- names by which functions are called ---- */

/* The GOT slot through which the call before `ret` went: call *slot(%rip), or call of a PLT entry that jumps through it. */
static uint64_t
got_slot(uint64_t ret)
{
    uint8_t c[6], p[16];
    int32_t rel;
    unsigned i = 0;

    if (!dr_safe_read(c, ret - 6, 6))
        return 0;
    __builtin_memcpy(&rel, c + 2, 4);
    if (c[0] == 0xff && c[1] == 0x15)
        return ret + (uint64_t)(int64_t)rel;
    uint64_t plt = ret + (uint64_t)(int64_t)rel;
    if (c[1] != 0xe8 || !dr_safe_read(p, plt, sizeof p))
        return 0;
    if (p[0] == 0xf3 && p[1] == 0x0f && p[2] == 0x1e && p[3] == 0xfa)
        i = 4;                       /* endbr64 */
    i += p[i] == 0xf2;               /* bnd     */
    if (p[i] != 0xff || p[i + 1] != 0x25)
        return 0;
    __builtin_memcpy(&rel, p + i + 2, 4);
    return plt + i + 6 + (uint64_t)(int64_t)rel;
}

struct rela { uint64_t offset, info; int64_t addend; };
struct symbol { uint32_t name; uint8_t info, other; uint16_t section; uint64_t value, size; };
struct section { uint32_t name, type; uint64_t flags, address, offset, size; uint32_t link, info; uint64_t align, entry; };
enum { R_GLOB_DAT = 6, R_JUMP_SLOT = 7, R_IRELATIVE = 37, SHT_RELA = 4, SHF_ALLOC = 2 };

/* n bytes of the module's file. False: it has not as many. */
static bool
file_read(const struct dr_module *m, uint64_t at, void *out, size_t n)
{
    if (at > m->file_size || n > m->file_size - at)
        return false;
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = m->file[at + i];
    return true;
}

static bool
section_read(const struct dr_module *m, unsigned i, struct section *out)
{
    enum { SHOFF = 40, SHNUM = 60 };
    uint64_t at;
    uint16_t n;

    return file_read(m, SHOFF, &at, sizeof at) && file_read(m, SHNUM, &n, sizeof n) && i < n && file_read(m, at + i * sizeof *out, out, sizeof *out);
}

/* In section `s` of relocations. */
static const char *
relocation_name(const struct dr_module *m, const struct section *s, const struct rela *r)
{
    struct section symbols, strings;
    struct symbol sym;
    char name[24];
    uint32_t type = (uint32_t)r->info;

    if (type == R_IRELATIVE) {
        const struct replaced *f = replaced_at(m->bias + (uint64_t)r->addend);
        return f && f->what >= resolvers && f->what < resolvers + strings_count ? f->what->name : NULL;
    }
    if ((type != R_GLOB_DAT && type != R_JUMP_SLOT) || !section_read(m, s->link, &symbols) || !section_read(m, symbols.link, &strings) ||
        !file_read(m, symbols.offset + (r->info >> 32) * sizeof sym, &sym, sizeof sym))
        return NULL;
    for (unsigned n = 0; n < sizeof name && file_read(m, strings.offset + sym.name + n, &name[n], 1); n++)
        if (!name[n]) {
            const struct replacement *w = strings_find(name, n);
            return w ? w->name : NULL;
        }
    return NULL;
}

/* By which name the dynamic linker filled the slot. */
static const char *
slot_name(const struct dr_module *m, uint64_t slot)
{
    struct section s;
    struct rela r;

    for (unsigned i = 0; section_read(m, i, &s); i++)
        for (uint64_t k = 0; s.type == SHT_RELA && (s.flags & SHF_ALLOC) && k < s.size / sizeof r && file_read(m, s.offset + k * sizeof r, &r, sizeof r); k++)
            if (m->bias + r.offset == slot)
                return relocation_name(m, &s, &r);
    return NULL;
}

/* What was found out, by return address; NULL in `name`: that nothing can be. Torn entries do not match: `key` covers the name. */
static struct { uint64_t key; const char *name; } names[NAMES];
static uint64_t name_key(uint64_t ret, const char *name) { return ret ^ (uint64_t)name << 8 ^ 1ull << 63; }

const char *
called_name(const struct dr_mcontext *mc)
{
    struct dr_module m;
    uint64_t ret, slot;

    if (!dr_safe_read(&ret, mc->gpr[RSP], 8))
        return NULL;
    unsigned i = (unsigned)(ret * 0x9e3779b97f4a7c15ull >> 56);
    const char *name = __atomic_load_n(&names[i].name, __ATOMIC_RELAXED);
    if (__atomic_load_n(&names[i].key, __ATOMIC_RELAXED) == name_key(ret, name))
        return name;
    name = NULL;
    if ((slot = got_slot(ret)) && dr_module_find(slot, &m))
        name = slot_name(&m, slot);
    __atomic_store_n(&names[i].name, name, __ATOMIC_RELAXED);
    __atomic_store_n(&names[i].key, name_key(ret, name), __ATOMIC_RELAXED);
    return name;
}

void strings_fork_child(void) { sites_lock.state = 0; }

void
strings_module_unload(const struct dr_module *m)
{
    (void)m;
    for (unsigned i = 0; i < NAMES; i++)
        __atomic_store_n(&names[i].key, 0, __ATOMIC_RELAXED);
}
