/* Instructions for tests: generated, or from ELF files. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "insn_source.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t rng_state;

void
insn_random_seed(uint64_t seed)
{
    rng_state = seed;
}

/* splitmix64 */
static uint64_t
rng(void)
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

unsigned
insn_random_below(unsigned n)
{
    return (unsigned)((rng() >> 32) * n >> 32);
}

void
insn_generate_random(uint8_t *bytes)
{
    for (unsigned i = 0; i < INSN_SLACK; i += 8) {
        uint64_t v = rng();

        memcpy(bytes + i, &v, 8);
    }
}

static unsigned
put_prefixes(uint8_t *bytes, unsigned n)
{
    static const uint8_t legacy[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    unsigned at = 0;

    while (n-- > 0)
        bytes[at++] = insn_random_below(8) == 0 ? 0x40 | insn_random_below(16)
                                                : legacy[insn_random_below(sizeof legacy)];
    return at;
}

/* The fields of these prefixes that seldom have a defined value by chance:
 * the map number, and vvvv, which must be 15 where there is no second source. */
static void
put_vex(uint8_t *p)
{
    p[0] = 0xc4;
    p[1] = (p[1] & 0xe0) | (1 + insn_random_below(3));
    if (insn_random_below(2))
        p[2] |= 0x78;
}

static void
put_evex(uint8_t *p)
{
    p[0] = 0x62;
    p[1] = (p[1] & 0xf0) | (1 + insn_random_below(6));
    p[2] |= 0x04;
    if (insn_random_below(2))
        p[2] |= 0x78;
    if (insn_random_below(2))
        p[3] |= 0x08;
}

static void
put_xop(uint8_t *p)
{
    p[0] = 0x8f;
    p[1] = (p[1] & 0xe0) | (8 + insn_random_below(3));
}

/* How many prefixes: mostly none or one, now and then too many. */
static unsigned
random_prefix_count(void)
{
    unsigned r = insn_random_below(64);

    return r < 24 ? 0 : r < 48 ? 1 : r < 60 ? 2 : r < 63 ? 3 : insn_random_below(15);
}

void
insn_generate_structured(uint8_t *bytes)
{
    unsigned kind = insn_random_below(20), at;

    insn_generate_random(bytes);
    at = put_prefixes(bytes, random_prefix_count());
    if (kind < 12 && insn_random_below(2))
        bytes[at++] = 0x40 | insn_random_below(16);
    switch (kind) {
    case 0 ... 3: break; /* the one-byte map */
    case 4 ... 7: bytes[at] = 0x0f; break;
    case 8 ... 9: memcpy(bytes + at, "\x0f\x38", 2); break;
    case 10: memcpy(bytes + at, "\x0f\x3a", 2); break;
    case 11: memcpy(bytes + at, "\x0f\x0f", 2); break;
    case 12: bytes[at] = 0xc5; break;
    case 13 ... 14: put_vex(bytes + at); break;
    case 15 ... 18: put_evex(bytes + at); break;
    default: put_xop(bytes + at);
    }
}

struct module_arg {
    void (*fn)(const uint8_t *code, size_t len);
};

static int
each_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    const struct module_arg *a = arg;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

        if (ph->p_type == PT_LOAD && ph->p_flags & PF_X)
            a->fn((const uint8_t *)info->dlpi_addr + ph->p_vaddr, ph->p_filesz);
    }
    return 0;
}

void
insn_each_own_segment(void (*fn)(const uint8_t *code, size_t len))
{
    struct module_arg a = {fn};

    dl_iterate_phdr(each_module, &a);
}

static const uint8_t *
map_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *file = MAP_FAILED;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0)
        file = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        perror(path);
    if (fd >= 0)
        close(fd);
    return file == MAP_FAILED ? NULL : file;
}

bool
insn_each_file_segment(const char *path, void (*fn)(const uint8_t *code, size_t len))
{
    const uint8_t *file = map_file(path);
    const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file;
    const Elf64_Phdr *ph;

    if (!file)
        return false;
    if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_machine != EM_X86_64) {
        fprintf(stderr, "%s: not an ELF file for x86-64\n", path);
        return false;
    }
    ph = (const Elf64_Phdr *)(file + eh->e_phoff);
    for (unsigned i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_X)
            fn(file + ph[i].p_offset, ph[i].p_filesz);
    }
    return true;
}
