/* Which object holds an address, and where its call frame information is in
 * memory: looked up when first asked for, forgotten when its memory is mapped
 * anew. Executable ranges without CFI (JIT code) are kept too.
 * Threads: the list is under `lock`, which is taken where a rule is not known yet. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>

#include "linux/memory.h"
#include "linux/modules.h"
#include "unwind/unwind.h"

static struct mutex lock;
static struct cfi_image *images;     /* by address, disjoint */
static unsigned n_images, max_images;

bool
image_executable(uint64_t pc)
{
    struct region r;

    return !(pc >> 47) && regions_find(pc, &r);
}

/* The first image that ends above `a`. */
static unsigned
image_at(uint64_t a)
{
    unsigned lo = 0, hi = n_images;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (images[mid].hi <= a)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void
image_insert(const struct cfi_image *im)
{
    unsigned i = image_at(im->lo);

    if (im->lo >= im->hi || (i < n_images && images[i].lo < im->hi))
        return;
    if (n_images == max_images) {
        unsigned more = max_images ? max_images * 2 : 64;
        struct cfi_image *n = engine_map(more * sizeof *n);
        if (!n)
            return;
        if (images) {
            memcpy(n, images, n_images * sizeof *n);
            engine_unmap(images, max_images * sizeof *n);
        }
        images = n;
        max_images = more;
    }
    memmove(images + i + 1, images + i, (n_images - i) * sizeof *images);
    images[i] = *im;
    n_images++;
}

/* ---- an object's tables ---- */

struct filling { struct cfi_image *im; uint64_t room; bool sorted; };

static void count_entry(const struct cfi_entry *e, void *arg) { (void)e, (void)arg; }

static void
add_entry(const struct cfi_entry *e, void *arg)
{
    struct filling *f = arg;
    struct cfi_entry *x = f->im->index;
    uint64_t i = f->im->n_index;

    if (i == f->room)
        return;
    f->sorted &= !i || x[i - 1].start <= e->start;
    x[i] = *e;
    f->im->n_index++;
}

static void
sift(struct cfi_entry *x, uint64_t i, uint64_t n)
{
    struct cfi_entry e = x[i];

    for (uint64_t child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && x[child].start < x[child + 1].start;
        if (e.start >= x[child].start)
            break;
        x[i] = x[child];
    }
    x[i] = e;
}

static void
sort(struct cfi_entry *x, uint64_t n)
{
    for (uint64_t i = n / 2; i--;)
        sift(x, i, n);
    for (uint64_t i = n; i-- > 1;) {
        struct cfi_entry e = x[0];
        x[0] = x[i];
        x[i] = e;
        sift(x, 0, i);
    }
}

static void
make_index(struct cfi_image *im)
{
    im->hdr = im->frames;
    uint64_t n = cfi_each(im, count_entry, NULL);
    struct filling f = {im, n, true};

    if (!n || !(im->index = engine_map(n * sizeof *im->index)))
        return;
    cfi_each(im, add_entry, &f);
    if (!f.sorted)
        sort(im->index, im->n_index);
}

/* .eh_frame of an object that has no PT_GNU_EH_FRAME: by the sections of its file. */
static void
find_section(struct cfi_image *im, const struct dr_module *m)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->file;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)((const char *)m->file + eh->e_shoff), *names = sh + eh->e_shstrndx;

    if (!eh->e_shoff || eh->e_shoff > m->file_size || eh->e_shnum > (m->file_size - eh->e_shoff) / sizeof *sh || eh->e_shstrndx >= eh->e_shnum)
        return;
    for (unsigned i = 0; i < eh->e_shnum; i++) {
        uint64_t name = names->sh_offset + sh[i].sh_name, at = m->bias + sh[i].sh_addr;
        if ((sh[i].sh_flags & SHF_ALLOC) && name + sizeof ".eh_frame" <= m->file_size &&
            memcmp((const char *)m->file + name, ".eh_frame", sizeof ".eh_frame") == 0 && at >= im->lo && at < im->hi && sh[i].sh_size <= im->hi - at) {
            im->frames = at;
            im->frames_end = at + sh[i].sh_size;
        }
    }
}

struct tables { const struct dr_module *m; struct cfi_image *im; };

static void
tables_find(void *arg)
{
    const struct dr_module *m = ((struct tables *)arg)->m;
    struct cfi_image *im = ((struct tables *)arg)->im;
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->file;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)((const char *)m->file + eh->e_phoff), *hdr = NULL;

    if (m->file_size < sizeof *eh || eh->e_phoff > m->file_size || eh->e_phnum > (m->file_size - eh->e_phoff) / sizeof *ph)
        return;
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_GNU_EH_FRAME)
            hdr = &ph[i];
    uint64_t at = hdr ? m->bias + hdr->p_vaddr : 0;
    if (!hdr || at < im->lo || at >= im->hi || hdr->p_memsz > im->hi - at || !cfi_open(im, at, hdr->p_memsz))
        find_section(im, m);
    if (!im->table && im->frames)
        make_index(im);
}

static void
image_add(uint64_t pc)
{
    struct cfi_image im = {0};
    struct dr_module m;
    struct region r;

    if (module_find(pc, &m)) {
        im.lo = m.start;
        im.hi = m.end;
        if (!dr_try(tables_find, &(struct tables){&m, &im}))     /* the memory or the file has gone meanwhile */
            im.table = im.n_table = im.n_index = 0;
    } else if (regions_find(pc, &r)) {
        im.lo = r.lo;
        im.hi = r.hi;
    }
    image_insert(&im);
}

bool
image_find(uint64_t pc, struct cfi_image *out)
{
    bool found = false;

    if (!image_executable(pc))
        return false;
    mutex_lock(&lock);
    for (unsigned tries = 0; !found && tries < 2; tries++) {
        unsigned i = image_at(pc);
        found = i < n_images && images[i].lo <= pc;
        if (found)
            *out = images[i];
        else if (!tries)
            image_add(pc);
    }
    mutex_unlock(&lock);
    return found;
}

static void
generation_next(void)
{
    if (__atomic_add_fetch(&unwind_generation, 1, __ATOMIC_SEQ_CST) == 0)
        unwind_generation = 1;
}

void
unwind_forget(uint64_t lo, uint64_t hi)
{
    if (!n_images)
        return;
    mutex_lock(&lock);
    unsigned i = image_at(lo), j = i;
    while (j < n_images && images[j].lo < hi)
        j++;                         /* an index stays in memory: a walk may be searching it */
    memmove(images + i, images + j, (n_images - j) * sizeof *images);
    n_images -= j - i;
    if (j > i)
        generation_next();
    mutex_unlock(&lock);
}

void
unwind_after_fork(void)
{
    mutex_init(&lock);
    images = NULL;                   /* another thread may have been changing them */
    n_images = max_images = 0;
    generation_next();
}
