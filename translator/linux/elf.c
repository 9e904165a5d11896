/* ELF images into memory (System V gABI, chapter 5; Linux fs/binfmt_elf.c for
 * what it leaves open: zeroing, bss, the stack's executable bit). */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/elf.h"

#include <elf.h>

#include "linux/memory.h"
#include "linux/sys.h"

enum { MAX_PHDRS = 64, FIXED_PRIVATE = 0x12, FIXED_PRIVATE_ANON = 0x32, NOREPLACE = 0x100000 };

static const char *
read_headers(int fd, Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
    if (sys_pread(fd, eh, sizeof *eh, 0) != sizeof *eh || memcmp(eh->e_ident, ELFMAG, 4) != 0)
        return "not an ELF file";
    if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
        return "not for this machine";
    if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
        return "not an executable";
    if (eh->e_phentsize != sizeof *ph || !eh->e_phnum || eh->e_phnum > MAX_PHDRS)
        return "bad program headers";
    long n = (long)(eh->e_phnum * sizeof *ph);
    return sys_pread(fd, ph, (size_t)n, (long)eh->e_phoff) == n ? NULL : "truncated program headers";
}

static const char *
read_interp(int fd, const Elf64_Phdr *p, struct image *im)
{
    if (p->p_filesz < 2 || p->p_filesz > sizeof im->interp)
        return "bad interpreter path";
    if (sys_pread(fd, im->interp, p->p_filesz, (long)p->p_offset) != (long)p->p_filesz || im->interp[p->p_filesz - 1])
        return "bad interpreter path";
    return NULL;
}

const char *
elf_probe(int fd, struct image *im, uint64_t *span, uint64_t *align)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    const char *bad = read_headers(fd, &eh, ph);
    uint64_t lo = UINT64_MAX, hi = 0;

    memset(im, 0, sizeof *im);
    *align = PAGE_SIZE;
    for (unsigned i = 0; !bad && i < eh.e_phnum; i++) {
        if (ph[i].p_type == PT_INTERP)
            bad = read_interp(fd, &ph[i], im);
        if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
            continue;
        if (ph[i].p_filesz > ph[i].p_memsz || ph[i].p_vaddr + ph[i].p_memsz < ph[i].p_vaddr || ph[i].p_vaddr + ph[i].p_memsz > 1ull << 47)
            return "bad segment";
        lo = MIN(lo, PAGE_DOWN(ph[i].p_vaddr));
        hi = MAX(hi, PAGE_UP(ph[i].p_vaddr + ph[i].p_memsz));
        if (ph[i].p_align > *align && !(ph[i].p_align & (ph[i].p_align - 1)))
            *align = ph[i].p_align;
    }
    if (!bad && lo >= hi)
        bad = "no loadable segment";
    if (bad)
        return bad;
    im->lo = lo;
    im->hi = hi;
    im->pie = eh.e_type == ET_DYN;
    *span = hi - lo;
    return NULL;
}

static int
prot_of(const Elf64_Phdr *p)
{
    return (p->p_flags & PF_R ? PROT_R : 0) | (p->p_flags & PF_W ? PROT_W : 0) | (p->p_flags & PF_X ? PROT_X : 0);
}

static const char *
map_segment(int fd, const Elf64_Phdr *p, uint64_t base, bool replace)
{
    uint64_t at = base + PAGE_DOWN(p->p_vaddr), file_end = base + p->p_vaddr + p->p_filesz, mem_end = base + p->p_vaddr + p->p_memsz;
    int prot = prot_of(p), flags = replace ? 0 : NOREPLACE;
    uint64_t zero_from = PAGE_UP(file_end);

    if (p->p_filesz) {
        uint64_t skew = p->p_vaddr % PAGE_SIZE;
        long r = sys_mmap((void *)at, p->p_filesz + skew, prot, FIXED_PRIVATE | flags, fd, (long)(p->p_offset - skew));
        if (sys_failed(r))
            return "its segments cannot be mapped where they belong";
        if (p->p_memsz > p->p_filesz && (prot & PROT_W))
            memset((void *)file_end, 0, MIN(zero_from, PAGE_UP(mem_end)) - file_end);
    } else {
        zero_from = at;
    }
    if (PAGE_UP(mem_end) > zero_from) {
        long r = sys_mmap((void *)zero_from, PAGE_UP(mem_end) - zero_from, prot, FIXED_PRIVATE_ANON | flags, -1, 0);
        if (sys_failed(r))
            return "no memory for its data";
    }
    if (prot & PROT_X)
        regions_set(at, PAGE_UP(mem_end), prot, 0);
    return NULL;
}

static void
note_segment(const Elf64_Phdr *p, struct image *im)
{
    uint64_t lo = im->base + p->p_vaddr, file_end = lo + p->p_filesz;

    if (p->p_flags & PF_X) {
        im->code_lo = im->code_lo ? MIN(im->code_lo, lo) : lo;
        im->code_hi = MAX(im->code_hi, file_end);
    }
    im->data_lo = MAX(im->data_lo, lo);
    im->data_hi = MAX(im->data_hi, file_end);
    im->brk = MAX(im->brk, lo + p->p_memsz);
}

const char *
elf_map(int fd, uint64_t at, struct image *im)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[MAX_PHDRS];
    uint64_t span, align, lo;
    const char *bad = elf_probe(fd, im, &span, &align);

    if (bad || (bad = read_headers(fd, &eh, ph)))
        return bad;
    lo = im->lo;
    if (im->pie) {
        /* Hold the whole range first, so that segments and the holes between them stay together. */
        long r = sys_mmap((void *)at, span + (at ? 0 : align), 0, 0x4022 | (at ? NOREPLACE : 0), -1, 0);
        if (sys_failed(r))
            return "no address space for it";
        uint64_t want = align_up((uint64_t)r, align);
        if (!at) {
            if (want > (uint64_t)r)
                sys_munmap((void *)r, want - (uint64_t)r);
            if (align > want - (uint64_t)r)
                sys_munmap((void *)(want + span), align - (want - (uint64_t)r));
        }
        im->base = want - lo;
    }
    for (unsigned i = 0; i < eh.e_phnum && !bad; i++) {
        if (ph[i].p_type == PT_GNU_STACK)
            im->exec_stack = ph[i].p_flags & PF_X;
        if (ph[i].p_type == PT_PHDR)
            im->phdr = im->base + ph[i].p_vaddr;
        if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
            continue;
        bad = map_segment(fd, &ph[i], im->base, im->pie);
        note_segment(&ph[i], im);
        if (!im->phdr && ph[i].p_offset <= eh.e_phoff && eh.e_phoff < ph[i].p_offset + ph[i].p_filesz)
            im->phdr = im->base + ph[i].p_vaddr + eh.e_phoff - ph[i].p_offset;
    }
    /* Holes of a PIE are the kernel's again, as after its own exec. */
    uint64_t hole = im->base + lo;
    for (unsigned i = 0; i < eh.e_phnum && im->pie; i++)
        if (ph[i].p_type == PT_LOAD && ph[i].p_memsz) {
            uint64_t from = im->base + PAGE_DOWN(ph[i].p_vaddr);
            if (from > hole)
                sys_munmap((void *)hole, from - hole);
            hole = MAX(hole, im->base + PAGE_UP(ph[i].p_vaddr + ph[i].p_memsz));
        }
    im->lo += im->base;
    im->hi += im->base;
    im->entry = im->base + eh.e_entry;
    im->phnum = eh.e_phnum;
    return bad;
}
