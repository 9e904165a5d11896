/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a module's debug information is kept when it is not in the module. */
#ifndef DRTOOLS_REPORTS_DEBUG_FILE_H
#define DRTOOLS_REPORTS_DEBUG_FILE_H

#include "elf_file.h"

/* `roots` is NULL-terminated; `/usr/lib/debug` is the usual one. *found gets the file's path, to be freed.
 * NULL: there is none, or what is there belongs to another build. */
struct elf_file *debug_file_open(struct elf_file *module, const char *module_path, const char *const *roots,
                                 char **found);
/* The file that .gnu_debugaltlink of `debug` names (dwz). */
struct elf_file *debug_file_open_alternate(struct elf_file *debug, const char *debug_path,
                                           const char *const *roots, char **found);

#endif
