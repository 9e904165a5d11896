/* SPDX-License-Identifier: BSD-3-Clause */
/* Is a file an ELF program that the engine or at least the kernel can run? */
#ifndef DRTOOLS_FRONTEND_ELF_CHECK_H
#define DRTOOLS_FRONTEND_ELF_CHECK_H

#include "error.h"

/* `path` is for messages. `*native` is set for programs only the kernel can run. */
bool elf_check(int fd, unsigned long long size, const char *path, const char **native, struct error *err);

#endif
