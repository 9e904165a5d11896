/* SPDX-License-Identifier: BSD-3-Clause */
/* The symbolizer: joins debug information, symbol tables and demangling, and
 * remembers what it has answered.
 * Invariant: a module's files stay open from its first lookup on; the memory of
 *            decoded debug information is bounded by the budget, that of
 *            remembered answers by ANSWERS.
 * Threads:   one at a time. */
#include "symbols.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "debug_file.h"
#include "demangle.h"
#include "dwarf.h"
#include "memory.h"
#include "strings.h"
#include "symtab.h"

enum { ANSWERS = 8192, USUAL_MEMORY = 128 << 20 };

struct answer {
    const struct symbol_module *module;
    uint64_t address;
    struct symbol_frame *frames;
    size_t count;
};

struct symbol_module {
    struct symbols *symbols;
    const char *path;
    uint8_t build_id[64];
    size_t build_id_size;
    bool opened;
    enum symbol_quality quality;
    struct elf_file *elf, *debug, *alternate;
    char *debug_path, *alternate_path;
    struct dwarf *dwarf;
    struct symtab *symtab;
};

struct symbols {
    const char *const *debug_roots;
    struct dwarf_budget budget;
    struct strings *strings;
    struct symbol_module **modules;
    size_t module_count, module_room;
    struct answer *answers; /* direct-mapped */
};

static const char *const usual_roots[] = {"/usr/lib/debug", NULL};

struct symbols *
symbols_new(const char *const *debug_roots, size_t memory)
{
    struct symbols *s = memory_zalloc(1, sizeof *s);

    s->debug_roots = debug_roots ? debug_roots : usual_roots;
    s->budget.limit = memory ? memory : USUAL_MEMORY;
    s->strings = strings_new();
    s->answers = memory_zalloc(ANSWERS, sizeof *s->answers);
    return s;
}

static void
free_module(struct symbol_module *m)
{
    dwarf_close(m->dwarf);
    symtab_free(m->symtab);
    elf_close(m->alternate);
    elf_close(m->debug);
    elf_close(m->elf);
    free(m->debug_path);
    free(m->alternate_path);
    free(m);
}

void
symbols_free(struct symbols *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->module_count; i++)
        free_module(s->modules[i]);
    for (size_t i = 0; i < ANSWERS; i++)
        free(s->answers[i].frames);
    free(s->answers);
    free(s->modules);
    strings_free(s->strings);
    free(s);
}

struct symbol_module *
symbols_module(struct symbols *s, const char *path, const void *build_id, size_t build_id_size)
{
    struct symbol_module *m;

    if (build_id_size > sizeof m->build_id)
        build_id_size = sizeof m->build_id;
    path = strings_keep(s->strings, path);
    for (size_t i = 0; i < s->module_count; i++) {
        m = s->modules[i];
        if (m->path == path && m->build_id_size == build_id_size &&
            memcmp(m->build_id, build_id, build_id_size) == 0)
            return m;
    }
    m = memory_zalloc(1, sizeof *m);
    m->symbols = s;
    m->path = path;
    m->build_id_size = build_id_size;
    if (build_id_size)
        memcpy(m->build_id, build_id, build_id_size);
    GROW(s->modules, s->module_count, s->module_room);
    return s->modules[s->module_count++] = m;
}

/* ---- opening ---- */

/* Our own vdso is the program's too, unless a stream is replayed under another kernel: the build-id shows that. */
static struct elf_file *
open_vdso(void)
{
    uint8_t *image = (uint8_t *)getauxval(AT_SYSINFO_EHDR);
    uint64_t sections;
    uint16_t size, count;

    if (!image)
        return NULL;
    memcpy(&sections, image + 40, 8); /* e_shoff: the table ends the image */
    memcpy(&size, image + 58, 2);
    memcpy(&count, image + 60, 2);
    return elf_open_memory(image, sections + (uint64_t)size * count);
}

static bool
is_the_build(struct symbol_module *m, struct elf_file *elf)
{
    struct span id = elf_build_id(elf);

    return m->build_id_size == 0 ||
           (id.size == m->build_id_size && memcmp(id.data, m->build_id, id.size) == 0);
}

/* The module's own file; NULL with the quality set if it is of no use. */
static void
open_module_file(struct symbol_module *m)
{
    m->elf = strcmp(m->path, "[vdso]") == 0 ? open_vdso() : elf_open(m->path);
    if (!m->elf) {
        m->quality = SYMBOLS_GONE;
    } else if (!is_the_build(m, m->elf)) {
        elf_close(m->elf);
        m->elf = NULL;
        m->quality = SYMBOLS_REPLACED;
    }
}

/* A debug file found by build-id serves even where the module is gone. */
static void
open_debug_by_id(struct symbol_module *m)
{
    for (size_t i = 0; m->symbols->debug_roots[i] && !m->debug && m->build_id_size >= 2; i++) {
        char hex[2 * sizeof m->build_id + 1], *path;

        for (size_t b = 0; b < m->build_id_size; b++) {
            hex[2 * b] = "0123456789abcdef"[m->build_id[b] >> 4];
            hex[2 * b + 1] = "0123456789abcdef"[m->build_id[b] & 15];
        }
        hex[2 * m->build_id_size] = 0;
        path = memory_printf("%s/.build-id/%.2s/%s.debug", m->symbols->debug_roots[i], hex, hex + 2);
        m->debug = elf_open(path);
        if (m->debug && is_the_build(m, m->debug)) {
            m->debug_path = path;
            return;
        }
        elf_close(m->debug);
        m->debug = NULL;
        free(path);
    }
}

static void
open_debug(struct symbol_module *m)
{
    const char *const *roots = m->symbols->debug_roots;
    struct elf_file *from = m->elf;
    const char *from_path = m->path;

    if (!m->elf)
        open_debug_by_id(m);
    else if (elf_section(m->elf, ".debug_info").size == 0)
        m->debug = debug_file_open(m->elf, m->path, roots, &m->debug_path);
    if (m->debug) {
        from = m->debug;
        from_path = m->debug_path;
    }
    if (!from)
        return;
    m->alternate = debug_file_open_alternate(from, from_path, roots, &m->alternate_path);
    m->dwarf = dwarf_open(from, m->path, m->alternate, &m->symbols->budget);
}

static enum symbol_quality
judge(const struct symbol_module *m)
{
    uint64_t start;

    if (m->dwarf)
        return SYMBOLS_LINES;
    if (!m->elf && !m->debug)
        return m->quality;
    if (!symtab_is_dynamic_only(m->symtab))
        return SYMBOLS_NAMES;
    return symtab_find(m->symtab, UINT64_MAX / 2, &start) ? SYMBOLS_EXPORTS : SYMBOLS_NONE;
}

static void
open_module(struct symbol_module *m)
{
    if (m->opened)
        return;
    m->opened = true;
    open_module_file(m);
    open_debug(m);
    m->symtab = symtab_read(m->elf, m->debug);
    m->quality = judge(m);
}

enum symbol_quality
symbols_quality(struct symbol_module *m)
{
    open_module(m);
    return m->quality;
}

/* ---- frames ---- */

/* Joins the parts of a path; an absolute part makes those before it void. */
static const char *
join(struct strings *strings, const char *const parts[3])
{
    char path[8192];
    size_t used = 0;

    for (int i = 0; i < 3; i++) {
        size_t size = parts[i] ? strlen(parts[i]) : 0;

        if (size == 0)
            continue;
        if (parts[i][0] == '/')
            used = 0;
        if (used && used < sizeof path)
            path[used++] = '/';
        if (size > sizeof path - used)
            return NULL;
        memcpy(path + used, parts[i], size);
        used += size;
    }
    return used ? strings_keep_n(strings, path, used) : NULL;
}

static void
set_names(struct symbols *s, struct symbol_frame *frame, const char *name)
{
    char *plain;

    if (!name || !*name)
        return;
    frame->linkage = strings_keep(s->strings, name);
    frame->function = frame->signature = frame->linkage;
    if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R'))
        return;
    plain = demangle(name, true);
    frame->signature = strings_keep(s->strings, plain);
    free(plain);
    plain = demangle(name, false);
    frame->function = strings_keep(s->strings, plain);
    free(plain);
}

/* The symbol table knows better than a name without a linkage name, which C++ gives `main` and `extern "C"`. */
static const char *
best_name(const struct symbol_module *m, uint64_t address, const struct dwarf_frame *d)
{
    const char *symbol;
    uint64_t start = 0;

    if (d->function && (d->exact_name || d->inlined || d->function_low == 0))
        return d->function;
    symbol = symtab_find(m->symtab, d->function_low ? d->function_low : address, &start);
    if (!d->function)
        return symbol;
    return symbol && start == d->function_low ? symbol : d->function;
}

static struct symbol_frame *
look_up(struct symbol_module *m, uint64_t address, size_t *count)
{
    struct dwarf_frame raw[DWARF_MAX_FRAMES] = {0};
    struct symbol_frame *frames;
    size_t n = m->dwarf ? dwarf_lookup(m->dwarf, address, raw) : 0;
    uint64_t start;

    if (n == 0 && (n = 1) && !symtab_find(m->symtab, address, &start))
        n = 0;
    frames = memory_zalloc(n, sizeof *frames);
    for (size_t i = 0; i < n; i++) {
        set_names(m->symbols, &frames[i], best_name(m, address, &raw[i]));
        frames[i].file = join(m->symbols->strings, raw[i].parts);
        frames[i].line = raw[i].line;
        frames[i].column = raw[i].column;
        frames[i].inlined = raw[i].inlined;
    }
    *count = n;
    return frames;
}

size_t
symbols_lookup(struct symbol_module *m, uint64_t address, const struct symbol_frame **frames)
{
    uint64_t key = (address ^ (uintptr_t)m) * 0x9e3779b97f4a7c15u;
    struct answer *a = &m->symbols->answers[key >> 51];

    if (a->module != m || a->address != address) {
        open_module(m);
        free(a->frames);
        a->frames = look_up(m, address, &a->count);
        a->module = m;
        a->address = address;
    }
    *frames = a->frames;
    return a->count;
}

/* "__memset_avx2_unaligned" is memset: glibc chooses one of several at run time. */
static char *
without_variant(const char *name)
{
    static const char *const variants[] = {"_avx", "_evex", "_sse", "_ssse3", "_erms", "_generic"};
    size_t size = strcspn(name, "@");

    for (size_t i = 0; name[0] == '_' && name[1] == '_' && i < sizeof variants / sizeof *variants; i++) {
        const char *at = strstr(name, variants[i]);

        if (at && at > name + 2)
            return memory_string_n(name + 2, (size_t)(at - name - 2));
    }
    return memory_string_n(name, size);
}

bool
symbols_called(struct symbol_module *m, uint64_t address, struct symbol_frame *names)
{
    const char *name;
    char *plain;

    open_module(m);
    name = m->symtab ? symtab_called(m->symtab, address) : NULL;
    if (!name)
        return false;
    plain = without_variant(name);
    *names = (struct symbol_frame){0};
    set_names(m->symbols, names, plain);
    free(plain);
    return true;
}
