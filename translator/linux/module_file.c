/* ELF files of modules (System V gABI, chapters 4 and 5), read where they are mapped.
 * Whatever a file says is checked against its size before it is believed.
 * Threads: a file is complete before it is on the list, and never changes. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/module_file.h"

#include <elf.h>
#include <linux/stat.h>

#include "linux/memory.h"
#include "linux/sys.h"
#include "util/heap.h"

static struct module_file *files;

/* n things of `each` bytes at file offset `at`. NULL: they are not all in the file. */
static const void *
at_offset(const struct module_file *f, uint64_t at, uint64_t n, size_t each)
{
    return at <= f->size && n <= (f->size - at) / each ? f->image + at : NULL;
}

/* ---- program headers ---- */

static void
find_build_id(struct module_file *f, const Elf64_Phdr *p)
{
    const uint8_t *notes = at_offset(f, p->p_offset, p->p_filesz, 1);
    uint64_t align = p->p_align == 8 ? 8 : 4;

    for (uint64_t at = 0, left; notes && !f->build_id && (left = p->p_filesz - at) >= sizeof(Elf64_Nhdr);) {
        const Elf64_Nhdr *n = (const Elf64_Nhdr *)(notes + at);
        uint64_t name = align_up(sizeof *n, 4), desc = align_up(name + n->n_namesz, align), end = desc + n->n_descsz;
        if (end > left)
            return;
        if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && memcmp(notes + at + name, "GNU", 4) == 0) {
            f->build_id = notes + at + desc;
            f->build_id_size = n->n_descsz;
        }
        at += align_up(end, align);
        if (at > p->p_filesz)
            return;
    }
}

static bool
segment_is_sound(const Elf64_Phdr *p)
{
    return p->p_memsz && p->p_filesz <= p->p_memsz && p->p_vaddr < 1ull << 47 && p->p_memsz < 1ull << 47;
}

static bool
read_program_headers(struct module_file *f)
{
    const Elf64_Ehdr *eh = at_offset(f, 0, 1, sizeof *eh);
    const Elf64_Phdr *ph;

    if (!eh || memcmp(eh->e_ident, ELFMAG, 4) != 0 || eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64 ||
        eh->e_phentsize != sizeof *ph || !(ph = at_offset(f, eh->e_phoff, eh->e_phnum, sizeof *ph)))
        return false;
    f->segment = heap_alloc(eh->e_phnum * sizeof *f->segment);
    f->lo = UINT64_MAX;
    for (unsigned i = 0; i < eh->e_phnum && f->segment; i++) {
        const Elf64_Phdr *p = &ph[i];
        if (p->p_type == PT_NOTE)
            find_build_id(f, p);
        if (p->p_type != PT_LOAD || !segment_is_sound(p))
            continue;
        f->segment[f->n_segments++] = (struct file_segment){
            p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz,
            (uint8_t)((p->p_flags & PF_R ? PROT_R : 0) | (p->p_flags & PF_W ? PROT_W : 0) | (p->p_flags & PF_X ? PROT_X : 0))};
        f->lo = MIN(f->lo, PAGE_DOWN(p->p_vaddr));
        f->hi = MAX(f->hi, PAGE_UP(p->p_vaddr + p->p_memsz));
    }
    return f->n_segments;
}

/* ---- files ---- */

static struct module_file *
file_new(const char *path)
{
    size_t n = strlen(path) + 1;
    struct module_file *f = heap_alloc(sizeof *f + n);

    if (f)
        memcpy(f->path, path, n);
    return f;
}

/* The list, if it is sound. */
static const struct module_file *
file_finish(struct module_file *f)
{
    if (!f->image || !read_program_headers(f)) {
        if (f->image && f->dev)
            engine_unmap((void *)f->image, f->size);
        heap_free(f->segment);
        heap_free(f);
        return NULL;
    }
    f->next = files;
    files = f;
    return f;
}

const struct module_file *
module_file_open(int fd)
{
    char link[32], path[4096], magic[4];
    struct statx st;

    if (sys_pread(fd, magic, 4, 0) != 4 || memcmp(magic, ELFMAG, 4) != 0 ||
        sys_failed(sys6(__NR_statx, fd, (long)"", 0x1000 /* AT_EMPTY_PATH */, STATX_BASIC_STATS, (long)&st, 0)))
        return NULL;
    uint64_t dev = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor | 1ull << 63;
    for (struct module_file *f = files; f; f = f->next)
        if (f->ino == st.stx_ino && f->dev == dev && f->size == st.stx_size && f->mtime[0] == (uint64_t)st.stx_mtime.tv_sec &&
            f->mtime[1] == st.stx_mtime.tv_nsec)
            return f;
    format(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = sys3(__NR_readlink, (long)link, (long)path, sizeof path - 1);
    path[MAX(n, 0)] = 0;
    struct module_file *f = file_new(path);
    if (!f)
        return NULL;
    f->dev = dev;
    f->ino = st.stx_ino;
    f->mtime[0] = (uint64_t)st.stx_mtime.tv_sec;
    f->mtime[1] = st.stx_mtime.tv_nsec;
    f->size = st.stx_size;
    f->image = engine_map_file(fd, f->size);
    return file_finish(f);
}

const struct module_file *
module_file_in_memory(const uint8_t *image, const char *path)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)image;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(image + eh->e_phoff);
    struct module_file *f = file_new(path);

    if (!f)
        return NULL;
    f->image = image;
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD)
            f->size = MAX(f->size, PAGE_UP(ph[i].p_vaddr + ph[i].p_memsz));
    return file_finish(f);
}

/* ---- symbols ---- */

static const Elf64_Shdr *
section(const struct module_file *f, unsigned i)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)f->image;
    const Elf64_Shdr *sh = at_offset(f, eh->e_shoff, eh->e_shnum, sizeof *sh);

    return sh && eh->e_shoff && eh->e_shentsize == sizeof *sh && i < eh->e_shnum ? sh + i : NULL;
}

/* Versions of the symbols of dynamic section `table`: a bit says that no plain name finds it. */
static const uint16_t *
versions_of(const struct module_file *f, unsigned table, uint64_t n)
{
    const Elf64_Shdr *sh;

    for (unsigned i = 0; (sh = section(f, i)); i++)
        if (sh->sh_type == SHT_GNU_versym && sh->sh_link == table && sh->sh_size / 2 >= n)
            return at_offset(f, sh->sh_offset, n, 2);
    return NULL;
}

static bool
is_wanted(const Elf64_Sym *s)
{
    unsigned type = ELF64_ST_TYPE(s->st_info);

    return s->st_shndx != SHN_UNDEF && s->st_shndx != SHN_ABS &&
           (type == STT_FUNC || type == STT_OBJECT || type == STT_GNU_IFUNC || (type == STT_NOTYPE && ELF64_ST_BIND(s->st_info) != STB_LOCAL));
}

/* False: `use` has enough. */
static bool
table_symbols(const struct module_file *f, unsigned table, bool (*use)(const struct file_symbol *s, void *arg), void *arg)
{
    enum { HIDDEN = 0x8000 };
    const Elf64_Shdr *sh = section(f, table), *str = section(f, sh->sh_link);
    uint64_t n = sh->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *s = at_offset(f, sh->sh_offset, n, sizeof *s);
    const char *names = str ? at_offset(f, str->sh_offset, str->sh_size, 1) : NULL;
    const uint16_t *version = sh->sh_type == SHT_DYNSYM ? versions_of(f, table, n) : NULL;

    if (!s || !names || !str->sh_size || names[str->sh_size - 1])
        return true;
    for (uint64_t i = 0; i < n; i++, s++) {
        if (s->st_name >= str->sh_size || !is_wanted(s))
            continue;
        struct file_symbol out = {names + s->st_name, s->st_value, s->st_size, ELF64_ST_TYPE(s->st_info), ELF64_ST_BIND(s->st_info),
                                  sh->sh_type == SHT_DYNSYM, version && (version[i] & HIDDEN)};
        if (!use(&out, arg))
            return false;
    }
    return true;
}

void
module_file_symbols(const struct module_file *f, bool (*use)(const struct file_symbol *s, void *arg), void *arg)
{
    static const uint32_t kinds[] = {SHT_DYNSYM, SHT_SYMTAB};
    const Elf64_Shdr *sh;

    for (unsigned k = 0; k < COUNT_OF(kinds); k++)
        for (unsigned i = 0; (sh = section(f, i)); i++)
            if (sh->sh_type == kinds[k] && !table_symbols(f, i, use, arg))
                return;
}
