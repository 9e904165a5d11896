/* Program addresses to module, offset and exported symbol, for reports of tools
 * that do without the reporter. Reads /proc/self/maps and the module's file. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>

#include "core/tools.h"
#include "linux/memory.h"
#include "linux/sys.h"

/* A module's file, mapped once. */
struct module {
    struct module *next;
    char *path;
    const uint8_t *file;
    uint64_t size;
};
static struct module *modules;
static struct mutex lock;

static struct module *
module_open(const char *path, size_t len)
{
    for (struct module *m = modules; m; m = m->next)
        if (strlen(m->path) == len && memcmp(m->path, path, len) == 0)
            return m;
    struct module *m = engine_map(sizeof *m + len + 1);
    if (!m)
        return NULL;
    m->path = (char *)(m + 1);
    memcpy(m->path, path, len);
    long fd = sys_openat(-100, m->path, 02000000, 0);
    if (fd >= 0) {
        long end = sys3(__NR_lseek, fd, 0, 2), p = end > 0 ? sys_mmap(NULL, (size_t)end, PROT_R, 2, (int)fd, 0) : -1;
        if (!sys_failed(p)) {
            m->file = (const uint8_t *)p;
            m->size = (uint64_t)end;
        }
        sys_close((int)fd);
    }
    m->next = modules;
    modules = m;
    return m;
}

/* Virtual address in the file's own terms of file offset `off`; UINT64_MAX: in no segment. */
static uint64_t
file_to_vaddr(const struct module *m, uint64_t off)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->file;

    if (!m->file || m->size < sizeof *eh || memcmp(eh->e_ident, ELFMAG, 4) != 0 || eh->e_phoff + eh->e_phnum * sizeof(Elf64_Phdr) > m->size)
        return UINT64_MAX;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(m->file + eh->e_phoff);
    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD && off >= PAGE_DOWN(ph[i].p_offset) && off < ph[i].p_offset + ph[i].p_filesz)
            return off - ph[i].p_offset + ph[i].p_vaddr;
    return UINT64_MAX;
}

static uint64_t
lowest_vaddr(const struct module *m)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->file;
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(m->file + eh->e_phoff);

    for (unsigned i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_LOAD)
            return PAGE_DOWN(ph[i].p_vaddr);
    return 0;
}

static void
find_symbol(const struct module *m, uint64_t vaddr, struct dr_location *out)
{
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)m->file;
    const Elf64_Shdr *sh = (const Elf64_Shdr *)(m->file + eh->e_shoff);

    if (!eh->e_shoff || eh->e_shoff + eh->e_shnum * sizeof *sh > m->size)
        return;
    for (unsigned i = 0; i < eh->e_shnum; i++) {
        if ((sh[i].sh_type != SHT_DYNSYM && sh[i].sh_type != SHT_SYMTAB) || sh[i].sh_link >= eh->e_shnum || sh[i].sh_offset + sh[i].sh_size > m->size)
            continue;
        const Elf64_Shdr *str = &sh[sh[i].sh_link];
        const Elf64_Sym *s = (const Elf64_Sym *)(m->file + sh[i].sh_offset);
        for (uint64_t n = sh[i].sh_size / sizeof *s; n--; s++)
            if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF && vaddr - s->st_value < MAX(s->st_size, 1) &&
                s->st_name < str->sh_size && str->sh_offset + str->sh_size <= m->size) {
                out->symbol = (const char *)m->file + str->sh_offset + s->st_name;
                out->symbol_offset = vaddr - s->st_value;
                return;
            }
    }
}

/* The line of /proc/self/maps that holds pc: its file offset there and path. */
static bool
find_line(uint64_t pc, uint64_t *off, char *path, size_t *len)
{
    char buf[4096 + 256];
    size_t have = 0;
    long fd = sys_openat(-100, "/proc/self/maps", 02000000, 0), got;
    bool found = false;

    while (fd >= 0 && !found && (got = sys_read((int)fd, buf + have, sizeof buf - 1 - have)) > 0) {
        have += (size_t)got;
        buf[have] = 0;
        char *s = buf, *nl;
        while (!found && (nl = strchr(s, '\n'))) {
            uint64_t v[3] = {0};
            *nl = 0;
            char *p = s;
            for (int k = 0; k < 3; k++) {        /* lo-hi perms offset */
                for (; (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f'); p++)
                    v[k] = v[k] * 16 + (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
                p += k == 1 ? 6 : 1;
            }
            if (pc >= v[0] && pc < v[1]) {
                *off = v[2] + (pc - v[0]);
                p = strchr(s, '/');
                *len = p ? strlen(p) : 0;
                if (p)
                    memcpy(path, p, *len + 1);
                found = true;
            }
            s = nl + 1;
        }
        have -= (size_t)(s - buf);
        memmove(buf, s, have);
    }
    if (fd >= 0)
        sys_close((int)fd);
    return found && *len;
}

void
locate(uint64_t pc, struct dr_location *out)
{
    char path[4096 + 256];
    uint64_t off = 0, vaddr;
    size_t len;

    *out = (struct dr_location){0};
    mutex_lock(&lock);
    if (find_line(pc, &off, path, &len)) {
        struct module *m = module_open(path, len);
        out->module = m ? m->path : NULL;
        out->offset = off;
        if (m && (vaddr = file_to_vaddr(m, off)) != UINT64_MAX) {
            out->offset = vaddr - lowest_vaddr(m);
            find_symbol(m, vaddr, out);
        }
    }
    mutex_unlock(&lock);
}
