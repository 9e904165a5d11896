/* The private loader: a self-contained shared object into engine memory.
 * Knows what such objects have: PT_LOAD, the four relocation kinds of x86-64
 * position-independent code, undefined symbols from export.c. No constructors,
 * no thread-local storage, no dependencies: each is refused by name.
 * See the System V gABI, chapter 5, and the x86-64 psABI, section 4.4. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>

#include "core/tools.h"
#include "linux/memory.h"
#include "linux/sys.h"

struct loaded {
    uint8_t *base;
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *gnu_hash, *hash;
    uint32_t n_symbols;
};

enum { MAX_LOADED = 16, MAX_PHDRS = 32 };
static struct loaded all[MAX_LOADED];
static unsigned n_all;

static int
prot_of(uint32_t flags)
{
    return (flags & PF_R ? PROT_R : 0) | (flags & PF_W ? PROT_W : 0) | (flags & PF_X ? PROT_X : 0);
}

/* Number of dynamic symbols: the gABI hash table tells; a GNU one is walked to its last chain. */
static uint32_t
count_symbols(const struct loaded *l)
{
    uint32_t last = 0;

    if (l->hash)
        return l->hash[1];
    if (!l->gnu_hash)
        return 0;
    uint32_t n_buckets = l->gnu_hash[0], first = l->gnu_hash[1], bloom = l->gnu_hash[2];
    const uint32_t *bucket = l->gnu_hash + 4 + bloom * 2, *chain = bucket + n_buckets;
    for (uint32_t i = 0; i < n_buckets; i++)
        last = MAX(last, bucket[i]);
    if (last < first)
        return first;
    while (!(chain[last - first] & 1))
        last++;
    return last + 1;
}

static const char *
relocate(struct loaded *l, const Elf64_Rela *r, size_t bytes)
{
    for (size_t n = bytes / sizeof *r; n--; r++) {
        const Elf64_Sym *s = &l->symbols[ELF64_R_SYM(r->r_info)];
        uint64_t *at = (uint64_t *)(l->base + r->r_offset), value = 0;
        uint32_t type = ELF64_R_TYPE(r->r_info);
        if (type != R_X86_64_RELATIVE && ELF64_R_SYM(r->r_info)) {
            const char *name = l->strings + s->st_name;
            value = s->st_shndx != SHN_UNDEF ? (uint64_t)l->base + s->st_value : (uint64_t)export_find(name);
            if (!value && ELF64_ST_BIND(s->st_info) != STB_WEAK)
                return name;
        }
        switch (type) {
        case R_X86_64_RELATIVE: *at = (uint64_t)l->base + (uint64_t)r->r_addend; break;
        case R_X86_64_GLOB_DAT:
        case R_X86_64_JUMP_SLOT: *at = value; break;
        case R_X86_64_64: *at = value + (uint64_t)r->r_addend; break;
        default: return "an unknown kind of relocation";
        }
    }
    return NULL;
}

static const char *
link_object(struct loaded *l, const Elf64_Dyn *dyn)
{
    const Elf64_Rela *rela = NULL, *plt = NULL;
    size_t rela_size = 0, plt_size = 0;

    for (const Elf64_Dyn *d = dyn; d->d_tag != DT_NULL; d++) {
        uint8_t *p = l->base + d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_SYMTAB: l->symbols = (const Elf64_Sym *)p; break;
        case DT_STRTAB: l->strings = (const char *)p; break;
        case DT_GNU_HASH: l->gnu_hash = (const uint32_t *)p; break;
        case DT_HASH: l->hash = (const uint32_t *)p; break;
        case DT_RELA: rela = (const Elf64_Rela *)p; break;
        case DT_RELASZ: rela_size = d->d_un.d_val; break;
        case DT_JMPREL: plt = (const Elf64_Rela *)p; break;
        case DT_PLTRELSZ: plt_size = d->d_un.d_val; break;
        }
    }
    if (!l->symbols || !l->strings)
        return "it has no dynamic symbols";
    l->n_symbols = count_symbols(l);
    const char *bad = relocate(l, rela, rela_size);
    return bad ? bad : relocate(l, plt, plt_size);
}

static const char *
map_object(int fd, struct loaded *l, const Elf64_Phdr *ph, unsigned n, const Elf64_Dyn **dyn)
{
    uint64_t hi = 0;

    for (unsigned i = 0; i < n; i++)
        if (ph[i].p_type == PT_LOAD)
            hi = MAX(hi, PAGE_UP(ph[i].p_vaddr + ph[i].p_memsz));
    l->base = hi && hi < 1u << 30 ? engine_map(hi) : NULL;
    if (!l->base)
        return "no memory for it";
    for (unsigned i = 0; i < n; i++) {
        uint8_t *at = l->base + ph[i].p_vaddr;
        if (ph[i].p_type == PT_DYNAMIC)
            *dyn = (const Elf64_Dyn *)at;
        if (ph[i].p_type == PT_TLS)
            return "it has thread-local storage";
        if (ph[i].p_type != PT_LOAD)
            continue;
        uint64_t done = 0;
        while (done < ph[i].p_filesz) {
            long r = sys_pread(fd, at + done, ph[i].p_filesz - done, (long)(ph[i].p_offset + done));
            if (r <= 0)
                return "it is truncated";
            done += (uint64_t)r;
        }
    }
    return *dyn ? NULL : "it is not a shared object";
}

static const char *
load(int fd, struct loaded *l)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    const Elf64_Dyn *dyn = NULL;

    if (sys_pread(fd, &eh, sizeof eh, 0) != sizeof eh || memcmp(eh.e_ident, ELFMAG, 4) != 0 || eh.e_type != ET_DYN || eh.e_machine != EM_X86_64 ||
        eh.e_phnum > MAX_PHDRS || eh.e_phentsize != sizeof *ph)
        return "it is not a shared object for this machine";
    if (sys_pread(fd, ph, eh.e_phnum * sizeof *ph, (long)eh.e_phoff) != (long)(eh.e_phnum * sizeof *ph))
        return "it is truncated";
    const char *bad = map_object(fd, l, ph, eh.e_phnum, &dyn);
    if (!bad)
        bad = link_object(l, dyn);
    for (unsigned i = 0; i < eh.e_phnum && !bad; i++)
        if (ph[i].p_type == PT_LOAD)
            sys_mprotect(l->base + PAGE_DOWN(ph[i].p_vaddr), PAGE_UP(ph[i].p_vaddr % PAGE_SIZE + ph[i].p_memsz), prot_of(ph[i].p_flags));
    return bad;
}

struct loaded *
loader_open(const char *path, const char **why)
{
    struct loaded *l = &all[n_all];

    *why = "too many shared objects";
    if (n_all == MAX_LOADED)
        return NULL;
    long fd = sys_openat(-100, path, 02000000, 0);
    *why = fd < 0 ? "it cannot be opened" : load((int)fd, l);
    if (fd >= 0)
        sys_close((int)fd);
    if (*why)
        return NULL;
    n_all++;
    return l;
}

void *
loader_symbol(struct loaded *l, const char *name)
{
    for (uint32_t i = 1; i < l->n_symbols; i++)
        if (l->symbols[i].st_shndx != SHN_UNDEF && strcmp(l->strings + l->symbols[i].st_name, name) == 0)
            return l->base + l->symbols[i].st_value;
    return NULL;
}
