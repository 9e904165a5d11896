/* From program addresses to functions, and the slots of each.
 *
 * A function is the stretch from one function symbol, unwind entry or section of
 * code to the next; in code without a file it is a page. Which function holds an
 * address never changes while the address is mapped: counters rely on it.
 * Threads: functions_lock, which is a leaf. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>

#include "priv.h"

enum { PAGE = 4096, FIRST_INDEX = 1 << 14, MAX_INLINE = 128, MAX_CHUNKS = 1024, PAGE_CHUNKS = 256 };

/* A module, and where its functions begin. */
struct module {
    struct module *next;
    struct dr_module m;
    prof_ref record;
    bool read, gone;
    uint32_t n, room;
    uint64_t *start;                     /* ascending; each once                                     */
    struct prof_function **function;     /* made when first asked for                                */
    uint64_t plt_lo[4], plt_hi[4];
    unsigned n_plt;
};
static struct module *modules;
static struct dr_mutex functions_lock;

/* ---- where functions begin ---- */

static void
add_start(struct module *m, uint64_t a)
{
    if (a < m->m.start || a >= m->m.end)
        return;
    if (m->n == m->room) {
        uint32_t room = m->room ? m->room * 2 : 1024;
        uint64_t *larger = dr_map(room * sizeof *larger);
        if (!larger)
            return;
        for (uint32_t i = 0; i < m->n; i++)
            larger[i] = m->start[i];
        if (m->start)
            dr_unmap(m->start, m->room * sizeof *larger);
        m->start = larger;
        m->room = room;
    }
    m->start[m->n++] = a;
}

static bool
add_symbol(const struct dr_symbol *s, void *arg)
{
    if (s->type == DR_SYMBOL_FUNCTION || s->type == DR_SYMBOL_IFUNC || (s->type == DR_SYMBOL_UNTYPED && s->global))
        add_start(arg, s->address);
    return true;
}

static bool
in_file(const struct module *m, uint64_t offset, uint64_t n)
{
    return m->m.file && offset <= m->m.file_size && n <= m->m.file_size - offset;
}

/* The table of .eh_frame_hdr: pairs of 32-bit offsets from its own address, as linkers write it. */
static void
add_unwind_entries(struct module *m, const Elf64_Phdr *ph)
{
    const uint8_t *p = m->m.file + ph->p_offset;
    uint32_t n;
    int32_t at;

    if (!in_file(m, ph->p_offset, ph->p_filesz) || ph->p_filesz < 12 || p[0] != 1 || p[2] != 0x03 || p[3] != 0x3b)
        return;
    memcpy(&n, p + 8, 4);
    for (uint64_t i = 0; i < n && 12 + 8 * i + 8 <= ph->p_filesz; i++) {
        memcpy(&at, p + 12 + 8 * i, 4);
        add_start(m, m->m.bias + ph->p_vaddr + (uint64_t)(int64_t)at);
    }
}

static void
add_sections(struct module *m, const Elf64_Ehdr *eh)
{
    if (eh->e_shentsize != sizeof(Elf64_Shdr) || !in_file(m, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof(Elf64_Shdr)) || eh->e_shstrndx >= eh->e_shnum)
        return;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)(m->m.file + eh->e_shoff), *names = &sh[eh->e_shstrndx];
    for (unsigned i = 0; i < eh->e_shnum; i++) {
        if (!(sh[i].sh_flags & SHF_EXECINSTR))
            continue;
        uint64_t lo = m->m.bias + sh[i].sh_addr;
        add_start(m, lo);
        add_start(m, lo + sh[i].sh_size);
        if (in_file(m, names->sh_offset + sh[i].sh_name, 5) && memcmp(m->m.file + names->sh_offset + sh[i].sh_name, ".plt", 4) == 0 && m->n_plt < 4) {
            m->plt_lo[m->n_plt] = lo;
            m->plt_hi[m->n_plt++] = lo + sh[i].sh_size;
        }
    }
}

static void
sift(uint64_t *a, uint32_t at, uint32_t n)
{
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && a[child + 1] > a[child])
            child++;
        if (a[at] >= a[child])
            return;
        uint64_t x = a[at];
        a[at] = a[child];
        a[child] = x;
    }
}

static void
sort(uint64_t *a, uint32_t n)
{
    for (uint32_t i = n / 2; i--;)
        sift(a, i, n);
    for (uint32_t left = n; left-- > 1;) {
        uint64_t x = a[0];
        a[0] = a[left];
        a[left] = x;
        sift(a, 0, left);
    }
}

static void
read_module(struct module *m)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->m.file;

    m->read = true;
    add_start(m, m->m.start);
    dr_each_symbol(&m->m, add_symbol, m);
    if (in_file(m, 0, sizeof *eh) && eh->e_phentsize == sizeof(Elf64_Phdr) && in_file(m, eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(Elf64_Phdr))) {
        const Elf64_Phdr *ph = (const Elf64_Phdr *)(m->m.file + eh->e_phoff);
        for (unsigned i = 0; i < eh->e_phnum; i++)
            if (ph[i].p_type == PT_GNU_EH_FRAME)
                add_unwind_entries(m, &ph[i]);
        add_sections(m, eh);
    }
    sort(m->start, m->n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n; i++)
        if (!n || m->start[n - 1] != m->start[i])
            m->start[n++] = m->start[i];
    m->n = n;
    m->function = dr_map(n * sizeof *m->function + 1);
}

void
functions_module_load(const struct dr_module *module)
{
    struct module *m = dr_map(sizeof *m);
    struct prof_module *r = raw_alloc(sizeof *r);

    if (!m || !r)
        return;
    m->m = *module;
    r->path = raw_text(module->path);
    r->id = (uint32_t)module->id;
    r->start = module->start;
    r->end = module->end;
    r->bias = module->bias;
    if (module->build_id && module->build_id_size <= sizeof r->build_id) {
        r->build_id_size = module->build_id_size;
        memcpy(r->build_id, module->build_id, module->build_id_size);
    }
    m->record = ref_of(r);
    dr_lock(&functions_lock);
    r->next = header->modules;
    header->modules = m->record;
    m->next = modules;
    modules = m;
    dr_unlock(&functions_lock);
}

void
functions_module_unload(const struct dr_module *module)
{
    dr_lock(&functions_lock);
    for (struct module *m = modules; m; m = m->next)
        if (m->m.id == module->id)
            m->gone = true;
    dr_unlock(&functions_lock);
}

/* ---- functions ---- */

static struct prof_function *
new_function(const struct module *m, uint64_t start, uint64_t end)
{
    struct prof_function *f = raw_alloc(sizeof *f);
    uint64_t bytes = end - start, guess = bytes / 10 + 4, most = bytes / 2 + 16;

    if (!f)
        return NULL;
    f->module = m ? m->record : 0;
    f->start = start;
    f->end = end;
    f->n_inline = guess < MAX_INLINE ? (uint32_t)guess : MAX_INLINE;
    uint64_t chunks = (most - (f->n_inline < most ? f->n_inline : most)) / PROF_CHUNK_SLOTS + 2;
    if (!m)
        chunks = PAGE_CHUNKS;            /* a compiler at run time may rewrite it again and again */
    f->n_chunks = chunks < MAX_CHUNKS ? (uint32_t)chunks : MAX_CHUNKS;
    for (unsigned i = 0; m && i < m->n_plt; i++)
        if (start >= m->plt_lo[i] && start < m->plt_hi[i])
            f->flags |= PROF_IS_PLT;
    f->next = header->functions;
    header->functions = ref_of(f);
    return f;
}

static struct prof_function *
function_in_module(struct module *m, uint64_t pc)
{
    uint32_t lo = 0, hi;

    if (!m->read)
        read_module(m);
    if (!m->function)
        return NULL;
    for (hi = m->n; hi - lo > 1;) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (m->start[middle] <= pc)
            lo = middle;
        else
            hi = middle;
    }
    if (!m->function[lo])
        m->function[lo] = new_function(m, m->start[lo], lo + 1 < m->n ? m->start[lo + 1] : m->m.end);
    return m->function[lo];
}

/* Pages of code of no file, by their address. */
static struct prof_function **pages;
static uint32_t n_pages, pages_size;

static struct prof_function **
page_place(struct prof_function **table, uint32_t n, uint64_t page)
{
    uint32_t s = (uint32_t)((page >> 12) * 0x9e3779b97f4a7c15ull >> 40) & (n - 1);

    while (table[s] && table[s]->start != page)
        s = (s + 1) & (n - 1);
    return &table[s];
}

static struct prof_function *
function_of_page(uint64_t page)
{
    if (n_pages * 2 >= pages_size) {
        uint32_t n = pages_size ? pages_size * 2 : 1024;
        struct prof_function **larger = dr_map(n * sizeof *larger);
        if (!larger)
            return NULL;
        for (uint32_t i = 0; i < pages_size; i++)
            if (pages[i])
                *page_place(larger, n, pages[i]->start) = pages[i];
        if (pages)
            dr_unmap(pages, pages_size * sizeof *pages);
        pages = larger;
        pages_size = n;
    }
    struct prof_function **p = page_place(pages, pages_size, page);
    if (!*p) {
        *p = new_function(NULL, page, page + PAGE);
        n_pages++;
    }
    return *p;
}

struct prof_function *
function_at(uint64_t pc)
{
    struct prof_function *f;
    struct module *m;

    dr_lock(&functions_lock);
    for (m = modules; m; m = m->next)
        if (!m->gone && pc >= m->m.start && pc < m->m.end)
            break;
    f = m ? function_in_module(m, pc) : function_of_page(pc & ~(uint64_t)(PAGE - 1));
    dr_unlock(&functions_lock);
    return f;
}

/* ---- slots ---- */

static struct prof_slot **slots;
static uint32_t n_slots, slots_size;

static uint32_t
slot_hash(uint64_t pc, uint32_t n)
{
    return (uint32_t)(pc * 0x9e3779b97f4a7c15ull >> 36) & (n - 1);
}

static void
slot_put(struct prof_slot **table, uint32_t n, struct prof_slot *s)
{
    uint32_t h = slot_hash(s->pc, n);

    while (table[h])
        h = (h + 1) & (n - 1);
    table[h] = s;
}

static bool
slots_grow(void)
{
    uint32_t n = slots_size ? slots_size * 2 : FIRST_INDEX;
    struct prof_slot **larger = dr_map(n * sizeof *larger);

    if (!larger)
        return false;
    for (uint32_t i = 0; i < slots_size; i++)
        if (slots[i])
            slot_put(larger, n, slots[i]);
    if (slots)
        dr_unmap(slots, slots_size * sizeof *slots);
    slots = larger;
    slots_size = n;
    return true;
}

static struct prof_slot *
slot_find(const struct prof_function *f, enum prof_slot_kind kind, uint64_t pc, unsigned n)
{
    if (!slots_size)
        return NULL;
    for (uint32_t h = slot_hash(pc, slots_size); slots[h]; h = (h + 1) & (slots_size - 1)) {
        struct prof_slot *s = slots[h];
        if (s->pc == pc && s->kind == kind && s->n == n && s->function == ref_of(f))
            return s;
    }
    return NULL;
}

static struct prof_slot *
slot_make(struct prof_function *f, enum prof_slot_kind kind, uint64_t pc, unsigned n)
{
    if (f->n_slots == f->n_inline + f->n_chunks * PROF_CHUNK_SLOTS || (n_slots * 2 >= slots_size && !slots_grow()))
        return NULL;
    struct prof_slot *s = raw_alloc(offsetof(struct prof_slot, length) + (n < 16 ? 16 : n));
    if (!s)
        return NULL;
    s->function = ref_of(f);
    s->index = f->n_slots++;
    s->kind = (uint8_t)kind;
    s->n = (uint8_t)n;
    s->pc = pc;
    s->next = f->slots;
    f->slots = ref_of(s);
    slot_put(slots, slots_size, s);
    n_slots++;
    return s;
}

struct prof_slot *
slot_for(struct prof_function *f, enum prof_slot_kind kind, uint64_t pc, unsigned n)
{
    dr_lock(&functions_lock);
    struct prof_slot *s = slot_find(f, kind, pc, n);
    if (!s)
        s = slot_make(f, kind, pc, n);
    dr_unlock(&functions_lock);
    return s;
}

struct prof_slot *
slot_of_block(uint64_t pc)
{
    struct prof_function *f = function_at(pc);
    struct prof_slot *found = NULL;

    dr_lock(&functions_lock);
    for (prof_ref r = f ? f->slots : 0; r && !found; r = ((struct prof_slot *)at_ref(r))->next) {
        struct prof_slot *s = at_ref(r);
        if (s->kind == PROF_BLOCK && s->pc == pc && s->counted_at)
            found = s;
    }
    dr_unlock(&functions_lock);
    return found;
}
