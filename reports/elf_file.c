/* SPDX-License-Identifier: BSD-3-Clause */
/* ELF files, mapped read-only.
 * Invariant: offsets and sizes are checked against the file before use; inflated
 *            sections are owned here and live as long as the file.
 * A file that shrinks while it is mapped raises SIGBUS: the handler puts zero
 * pages there, and zeros are merely bad debug info.
 * Threads:   one at a time. */
#include "elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"

struct section {
    const char *name;
    Elf64_Shdr header;
    uint8_t *inflated;
    size_t inflated_size;
    bool tried;
};

struct elf_file {
    struct span file;
    bool mapped;
    Elf64_Ehdr header;
    struct section *sections;
    size_t section_count;
};

enum { INFLATE_RATIO = 1100, /* zlib cannot do better than 1032 to 1 */ };

static void
on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;

    (void)context;
    if (info->si_code != BUS_ADRERR ||
        mmap((void *)page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        signal(signal_number, SIG_DFL);
}

static void
guard_against_shrinking(void)
{
    static bool done;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

    if (!done)
        sigaction(SIGBUS, &action, NULL);
    done = true;
}

static struct span
map_file(const char *path)
{
    struct span s = {NULL, 0};
    struct stat st;
    int fd;

    /* Asked before opening: to open a device can be to act on it. */
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return s;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return s;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

        if (p != MAP_FAILED)
            s = (struct span){p, (size_t)st.st_size};
    }
    close(fd);
    return s;
}

static struct span
part(struct span s, uint64_t offset, uint64_t size)
{
    if (offset > s.size || size > s.size - offset)
        return (struct span){NULL, 0};
    return (struct span){s.data + offset, size};
}

static bool
read_header(struct elf_file *elf)
{
    if (elf->file.size < sizeof elf->header)
        return false;
    memcpy(&elf->header, elf->file.data, sizeof elf->header);
    return memcmp(elf->header.e_ident, ELFMAG, SELFMAG) == 0 && elf->header.e_ident[EI_CLASS] == ELFCLASS64 &&
           elf->header.e_ident[EI_DATA] == ELFDATA2LSB;
}

static const char *
string_at(struct span strings, uint64_t offset)
{
    struct cursor c = cursor_from(strings, offset);

    return c.bad ? NULL : cursor_string(&c);
}

static void
read_sections(struct elf_file *elf)
{
    const Elf64_Ehdr *h = &elf->header;
    struct span table, names;
    Elf64_Shdr first;
    uint64_t count = h->e_shnum, names_index = h->e_shstrndx;

    table = part(elf->file, h->e_shoff, sizeof first);
    if (!table.data || h->e_shoff == 0 || h->e_shentsize != sizeof first)
        return;
    memcpy(&first, table.data, sizeof first);
    if (count == 0)
        count = first.sh_size; /* more than 65,279 sections */
    if (names_index == SHN_XINDEX)
        names_index = first.sh_link;
    if (count > (elf->file.size - h->e_shoff) / sizeof first)
        return;
    elf->sections = memory_zalloc(count, sizeof *elf->sections);
    elf->section_count = count;
    for (size_t i = 0; i < count; i++)
        memcpy(&elf->sections[i].header, table.data + i * sizeof first, sizeof first);
    if (names_index >= count)
        return;
    names = part(elf->file, elf->sections[names_index].header.sh_offset,
                 elf->sections[names_index].header.sh_size);
    for (size_t i = 0; i < count; i++)
        elf->sections[i].name = string_at(names, elf->sections[i].header.sh_name);
}

static struct elf_file *
open_span(struct span file, bool mapped)
{
    struct elf_file *elf;

    if (!file.data)
        return NULL;
    elf = memory_zalloc(1, sizeof *elf);
    elf->file = file;
    elf->mapped = mapped;
    if (!read_header(elf)) {
        elf_close(elf);
        return NULL;
    }
    read_sections(elf);
    return elf;
}

struct elf_file *
elf_open(const char *path)
{
    guard_against_shrinking();
    return open_span(map_file(path), true);
}

struct elf_file *
elf_open_memory(const void *data, size_t size)
{
    return open_span((struct span){data, size}, false);
}

void
elf_close(struct elf_file *elf)
{
    if (!elf)
        return;
    for (size_t i = 0; i < elf->section_count; i++)
        if (elf->sections[i].inflated)
            munmap(elf->sections[i].inflated, elf->sections[i].inflated_size);
    if (elf->mapped)
        munmap((void *)elf->file.data, elf->file.size);
    free(elf->sections);
    free(elf);
}

/* An anonymous mapping, so that a size that lies costs address space and no memory. */
static void
inflate_into(struct section *s, struct span packed, uint64_t size)
{
    z_stream z = {0};
    int status = Z_OK;
    void *room;

    if (size == 0 || size / INFLATE_RATIO > packed.size || inflateInit(&z) != Z_OK)
        return;
    room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room != MAP_FAILED) {
        size_t in = 0, out = 0;

        while (status == Z_OK) { /* zlib counts in 32 bits */
            size_t in_now = packed.size - in < 1u << 30 ? packed.size - in : 1u << 30;
            size_t out_now = size - out < 1u << 30 ? size - out : 1u << 30;

            z.next_in = (uint8_t *)packed.data + in;
            z.avail_in = in_now;
            z.next_out = (uint8_t *)room + out;
            z.avail_out = out_now;
            status = inflate(&z, Z_NO_FLUSH);
            in += in_now - z.avail_in;
            out += out_now - z.avail_out;
            if (in_now == z.avail_in && out_now == z.avail_out)
                break;
        }
        s->inflated = room;
        s->inflated_size = size; /* what is missing reads as zero */
    }
    inflateEnd(&z);
}

static void
inflate_section(struct section *s, struct span raw)
{
    if (s->tried)
        return;
    s->tried = true;
    if (s->header.sh_flags & SHF_COMPRESSED) {
        Elf64_Chdr c;

        if (raw.size < sizeof c)
            return;
        memcpy(&c, raw.data, sizeof c);
        if (c.ch_type == ELFCOMPRESS_ZLIB)
            inflate_into(s, part(raw, sizeof c, raw.size - sizeof c), c.ch_size);
    } else { /* .zdebug_*: "ZLIB", the size as eight big-endian bytes, the stream */
        uint64_t size = 0;

        if (raw.size < 12 || memcmp(raw.data, "ZLIB", 4) != 0)
            return;
        for (int i = 4; i < 12; i++)
            size = size << 8 | raw.data[i];
        inflate_into(s, part(raw, 12, raw.size - 12), size);
    }
}

static bool
is_zdebug(const char *section, const char *wanted)
{
    return strncmp(wanted, ".debug_", 7) == 0 && strncmp(section, ".zdebug_", 8) == 0 &&
           strcmp(section + 8, wanted + 7) == 0;
}

static struct span
content(struct elf_file *elf, struct section *s)
{
    struct span raw;

    if (s->header.sh_type == SHT_NOBITS)
        return (struct span){NULL, 0};
    raw = part(elf->file, s->header.sh_offset, s->header.sh_size);
    if (!(s->header.sh_flags & SHF_COMPRESSED) && strncmp(s->name, ".zdebug_", 8) != 0)
        return raw;
    inflate_section(s, raw);
    return (struct span){s->inflated, s->inflated ? s->inflated_size : 0};
}

static struct section *
find(struct elf_file *elf, const char *name)
{
    for (size_t i = 0; i < elf->section_count; i++) {
        struct section *s = &elf->sections[i];

        if (s->name && s->header.sh_type != SHT_NOBITS &&
            (strcmp(s->name, name) == 0 || is_zdebug(s->name, name)))
            return s;
    }
    return NULL;
}

struct span
elf_section(struct elf_file *elf, const char *name)
{
    struct section *s = find(elf, name);

    return s ? content(elf, s) : (struct span){NULL, 0};
}

static struct span
build_id_in(struct span notes)
{
    struct cursor c = cursor_from(notes, 0);

    while (!c.bad && cursor_left(&c) >= 12) {
        uint32_t name = cursor_u32(&c), size = cursor_u32(&c), type = cursor_u32(&c);
        const uint8_t *who = c.at;

        cursor_skip(&c, ((uint64_t)name + 3) & ~(uint64_t)3);
        if (!c.bad && type == NT_GNU_BUILD_ID && name == 4 && memcmp(who, "GNU", 4) == 0 &&
            size <= cursor_left(&c))
            return (struct span){c.at, size};
        cursor_skip(&c, ((uint64_t)size + 3) & ~(uint64_t)3);
    }
    return (struct span){NULL, 0};
}

/* Through the sections, or through the segments of a file that has none. */
struct span
elf_build_id(struct elf_file *elf)
{
    struct span id = {NULL, 0};

    for (size_t i = 0; i < elf->section_count && !id.data; i++) {
        const Elf64_Shdr *h = &elf->sections[i].header;

        if (h->sh_type == SHT_NOTE)
            id = build_id_in(part(elf->file, h->sh_offset, h->sh_size));
    }
    for (size_t i = 0; i < elf->header.e_phnum && !id.data; i++) {
        struct span raw = part(elf->file, elf->header.e_phoff + i * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
        Elf64_Phdr p;

        if (!raw.data)
            break;
        memcpy(&p, raw.data, sizeof p);
        if (p.p_type == PT_NOTE)
            id = build_id_in(part(elf->file, p.p_offset, p.p_filesz));
    }
    return id;
}

uint32_t
elf_crc(const struct elf_file *elf)
{
    return (uint32_t)crc32_z(0, elf->file.data, elf->file.size);
}

size_t
elf_symbols(struct elf_file *elf, const char *name, void (*each)(void *context, const struct elf_symbol *s),
            void *context)
{
    struct section *table = find(elf, name);
    struct span symbols, strings = {NULL, 0};
    size_t count = 0;

    if (!table)
        return 0;
    symbols = content(elf, table);
    if (table->header.sh_link < elf->section_count && elf->sections[table->header.sh_link].name)
        strings = content(elf, &elf->sections[table->header.sh_link]);
    for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size; at += sizeof(Elf64_Sym)) {
        struct elf_symbol s;
        Elf64_Sym raw;

        memcpy(&raw, symbols.data + at, sizeof raw);
        if (raw.st_shndx == SHN_UNDEF || raw.st_shndx == SHN_ABS)
            continue;
        /* A symbol of a data section names no code. */
        if (raw.st_shndx < elf->section_count &&
            !(elf->sections[raw.st_shndx].header.sh_flags & SHF_EXECINSTR))
            continue;
        s.name = string_at(strings, raw.st_name);
        if (!s.name || !*s.name)
            continue;
        s.value = raw.st_value;
        s.size = raw.st_size;
        s.type = ELF64_ST_TYPE(raw.st_info);
        s.binding = ELF64_ST_BIND(raw.st_info);
        each(context, &s);
        count++;
    }
    return count;
}
