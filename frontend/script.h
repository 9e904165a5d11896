/* SPDX-License-Identifier: BSD-3-Clause */
/* The `#!` line, read as the kernel reads it (fs/binfmt_script.c). */
#ifndef DRTOOLS_FRONTEND_SCRIPT_H
#define DRTOOLS_FRONTEND_SCRIPT_H

enum { SCRIPT_DEPTH_MAX = 5 }; /* scripts that interpret scripts, before the kernel says ELOOP */

enum script { SCRIPT_NOT, SCRIPT_BAD, SCRIPT_GOOD };

/* Good: `*interpreter` is the path after `#!`. */
enum script script_interpreter(int fd, const char **interpreter);

#endif
