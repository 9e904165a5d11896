/* SPDX-License-Identifier: BSD-3-Clause */
/* Function symbols of an ELF file, sorted for lookup by address. */
#ifndef DRTOOLS_REPORTS_SYMTAB_H
#define DRTOOLS_REPORTS_SYMTAB_H

#include "elf_file.h"

struct symtab;

/* From `.symtab` of `debug` or `module`, or `.dynsym` of `module`; `debug` may be NULL. Names stay the files'. */
struct symtab *symtab_read(struct elf_file *module, struct elf_file *debug);
void symtab_free(struct symtab *t);
bool symtab_is_dynamic_only(const struct symtab *t);
/* The function symbol that holds `address`; *start gets its address. NULL: none. */
const char *symtab_find(const struct symtab *t, uint64_t address, uint64_t *start);

/* Of the functions that begin at `address`, the name that programs call one by: global before local, without leading
 * underscores, short. NULL: none begins there. */
const char *symtab_called(const struct symtab *t, uint64_t address);

#endif
