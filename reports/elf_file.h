/* SPDX-License-Identifier: BSD-3-Clause */
/* A 64-bit little-endian ELF file, mapped: sections (inflated on demand), notes, segments.
 * Damaged files give less, never a crash. */
#ifndef DRTOOLS_REPORTS_ELF_FILE_H
#define DRTOOLS_REPORTS_ELF_FILE_H

#include "cursor.h"

struct elf_file;

/* NULL: cannot be read or is not such a file. */
struct elf_file *elf_open(const char *path);
/* The caller keeps the bytes. */
struct elf_file *elf_open_memory(const void *data, size_t size);
void elf_close(struct elf_file *elf);

/* The section's content, empty if there is none. `.debug_x` also finds a compressed `.zdebug_x`. */
struct span elf_section(struct elf_file *elf, const char *name);
struct span elf_build_id(struct elf_file *elf);
/* CRC-32 of the whole file, as .gnu_debuglink wants it. */
uint32_t elf_crc(const struct elf_file *elf);

struct elf_symbol {
    uint64_t value, size;
    const char *name;
    uint8_t type, binding;
};

/* Calls `each` for the defined symbols of `.symtab` or `.dynsym`; how many there were. */
size_t elf_symbols(struct elf_file *elf, const char *section,
                   void (*each)(void *context, const struct elf_symbol *s), void *context);

#endif
