/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_SYSCALLS_H
#define DRTOOLS_DRMEMORY_SYSCALLS_H

#include "drmemory.h"

bool syscalls_init(void);
void syscalls_before(struct dr_syscall *s);
void syscalls_after(struct dr_syscall *s);

#endif
