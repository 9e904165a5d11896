/* SPDX-License-Identifier: BSD-3-Clause */
/* The symbol index.
 * Invariant: entries are sorted by address and, at one address, worst first; a
 *            symbol without a size ends where the next one starts. */
#include "symtab.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct entry {
    uint64_t low, high;
    uint64_t highest; /* of this and all earlier entries */
    const char *name;
    uint8_t rank;
};

struct symtab {
    struct entry *entries;
    size_t count, room;
    bool dynamic_only;
};

/* Typed before untyped, sized before sizeless, then global, weak, local. */
static uint8_t
rank(const struct elf_symbol *s)
{
    uint8_t binding = s->binding == STB_GLOBAL ? 2 : s->binding == STB_WEAK ? 1 : 0;

    return (uint8_t)((s->type != STT_NOTYPE) << 3 | (s->size != 0) << 2 | binding);
}

static void
add(void *context, const struct elf_symbol *s)
{
    struct symtab *t = context;

    if (s->type != STT_FUNC && s->type != STT_GNU_IFUNC && s->type != STT_NOTYPE)
        return;
    if (s->type == STT_NOTYPE && (s->name[0] == '$' || s->name[0] == '.'))
        return;
    GROW(t->entries, t->count, t->room);
    t->entries[t->count++] = (struct entry){s->value, s->value + s->size, 0, s->name, rank(s)};
}

static int
by_address(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return strcmp(y->name, x->name);
}

static void
close_open_ends(struct symtab *t)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = t->count; i-- > 0;) {
        struct entry *e = &t->entries[i];

        if (i + 1 < t->count && t->entries[i + 1].low != e->low)
            next = t->entries[i + 1].low;
        if (e->high == e->low)
            e->high = next;
    }
    for (size_t i = 0; i < t->count; i++) {
        uint64_t before = i ? t->entries[i - 1].highest : 0;

        t->entries[i].highest = t->entries[i].high > before ? t->entries[i].high : before;
    }
}

struct symtab *
symtab_read(struct elf_file *module, struct elf_file *debug)
{
    struct symtab *t = memory_zalloc(1, sizeof *t);
    size_t count = debug ? elf_symbols(debug, ".symtab", add, t) : 0;

    if (count == 0 && module)
        count = elf_symbols(module, ".symtab", add, t);
    if (count == 0 && module) {
        elf_symbols(module, ".dynsym", add, t);
        t->dynamic_only = true;
    }
    if (t->count)
        qsort(t->entries, t->count, sizeof *t->entries, by_address);
    close_open_ends(t);
    return t;
}

void
symtab_free(struct symtab *t)
{
    if (!t)
        return;
    free(t->entries);
    free(t);
}

bool
symtab_is_dynamic_only(const struct symtab *t)
{
    return t->dynamic_only;
}

const char *
symtab_find(const struct symtab *t, uint64_t address, uint64_t *start)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (t->entries[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && t->entries[low - 1].highest > address) {
        const struct entry *e = &t->entries[--low];

        if (address < e->high) {
            *start = e->low;
            return e->name;
        }
    }
    return NULL;
}

/* Less is better. */
static unsigned
awkwardness(const struct entry *e)
{
    bool mangled = e->name[0] == '_' && e->name[1] == 'Z';

    return (e->rank & 3 ? 0 : 1u << 16) + (e->name[0] == '_' && !mangled ? 1u << 15 : 0) + (unsigned)strcspn(e->name, "@");
}

const char *
symtab_called(const struct symtab *t, uint64_t address)
{
    size_t low = 0, high = t->count;
    const struct entry *best = NULL;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (t->entries[middle].low < address)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < t->count && t->entries[low].low == address; low++)
        if (!best || awkwardness(&t->entries[low]) < awkwardness(best))
            best = &t->entries[low];
    return best ? best->name : NULL;
}
