/* SPDX-License-Identifier: BSD-3-Clause */
/* Looking at a program's ELF header, program headers and interpreter. Refuses
 * what the kernel would refuse, and what it would start only to kill. */
#include "elf_check.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep.h"

enum { PAGE = 4096, PHDRS_SIZE_MAX = 65536 /* the kernel's, fs/binfmt_elf.c */ };

struct file {
    int fd;
    unsigned long long size;
    const char *path;
    struct error *err;
};

static bool
bad(const struct file *f, const char *why)
{
    return error_set(f->err, STATUS_NOT_RUNNABLE, "cannot run %s: %s", f->path, why);
}

static bool
inside(const struct file *f, unsigned long long offset, unsigned long long length)
{
    return offset <= f->size && length <= f->size - offset;
}

static bool
read_at(const struct file *f, void *to, size_t length, unsigned long long offset)
{
    return inside(f, offset, length) && pread(f->fd, to, length, (off_t)offset) == (ssize_t)length;
}

/* Both classes have the machine at the same place. */
static bool
check_machine(const struct file *f, const Elf64_Ehdr *h, bool *i386)
{
    unsigned class = h->e_ident[EI_CLASS];

    if (h->e_ident[EI_DATA] != ELFDATA2LSB)
        return bad(f, "it is a program for a big-endian machine, or damaged");
    *i386 = class == ELFCLASS32 && h->e_machine == EM_386;
    if (*i386 || (class == ELFCLASS64 && h->e_machine == EM_X86_64))
        return true;
    if (class == ELFCLASS32 && h->e_machine == EM_X86_64)
        return bad(f, "it is an x32 program, which is not supported");
    return bad(f,
               keep_printf("it is not a program for x86-64 (ELF class %u, machine %u)", class, h->e_machine));
}

static bool
check_header(const struct file *f, const Elf64_Ehdr *h)
{
    size_t phdrs = (size_t)h->e_phnum * sizeof(Elf64_Phdr);

    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return bad(f, h->e_type == ET_REL    ? "it is an object file that has not been linked"
                      : h->e_type == ET_CORE ? "it is a core dump"
                                             : "it is an ELF file, but not a program");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || phdrs > PHDRS_SIZE_MAX)
        return bad(f, "its ELF header is damaged");
    if (!inside(f, h->e_phoff, phdrs))
        return bad(f, "it is truncated (its program headers lie beyond its end)");
    return true;
}

/* The kernel maps whole pages, so a segment may exceed the file within its last one. */
static bool
check_segment(const struct file *f, const Elf64_Phdr *p)
{
    unsigned long long mapped = (f->size + PAGE - 1) / PAGE * PAGE;

    if (p->p_filesz > p->p_memsz)
        return bad(f, "its program headers are damaged");
    if (p->p_offset > mapped || p->p_filesz > mapped - p->p_offset)
        return bad(f, "it is truncated (a segment lies beyond its end)");
    return true;
}

static bool
check_interpreter(const struct file *f, const Elf64_Phdr *p)
{
    char name[PATH_MAX];
    struct stat st;

    if (p->p_filesz < 2 || p->p_filesz > sizeof name || !read_at(f, name, p->p_filesz, p->p_offset) ||
        name[p->p_filesz - 1])
        return bad(f, "the name of its ELF interpreter is damaged");
    if (stat(name, &st) < 0)
        return bad(f, keep_printf("its ELF interpreter %s: %s", name, strerror(errno)));
    if (!S_ISREG(st.st_mode) || access(name, X_OK) < 0)
        return bad(f, keep_printf("its ELF interpreter %s is not executable", name));
    return true;
}

static bool
check_segments(const struct file *f, const Elf64_Ehdr *h)
{
    bool loads = false;

    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;

        if (!read_at(f, &p, sizeof p, h->e_phoff + i * sizeof p))
            return bad(f, "its program headers cannot be read");
        if (p.p_type == PT_INTERP && !check_interpreter(f, &p))
            return false;
        if (p.p_type != PT_LOAD)
            continue;
        loads = true;
        if (!check_segment(f, &p))
            return false;
    }
    return loads || bad(f, "it has nothing to load");
}

bool
elf_check(int fd, unsigned long long size, const char *path, const char **native, struct error *err)
{
    struct file f = {fd, size, path, err};
    Elf64_Ehdr h = {0};
    bool i386 = false;

    if (size == 0)
        return bad(&f, "it is empty");
    if (!read_at(&f, h.e_ident, SELFMAG, 0) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
        return bad(&f, "it is neither an ELF program nor a script that starts with #!");
    if (!read_at(&f, &h, sizeof(Elf32_Ehdr), 0)) /* the smaller of the two */
        return bad(&f, "it is truncated (its ELF header is incomplete)");
    if (!check_machine(&f, &h, &i386))
        return false;
    if (i386) {
        *native = "it is an i386 program";
        return true;
    }
    if (!read_at(&f, &h, sizeof h, 0))
        return bad(&f, "it is truncated (its ELF header is incomplete)");
    return check_header(&f, &h) && check_segments(&f, &h);
}
