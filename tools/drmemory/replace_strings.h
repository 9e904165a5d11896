/* The C library's string functions, replaced by ones that know the shadow; and which of them an address is. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_REPLACE_STRINGS_H
#define DRTOOLS_DRMEMORY_REPLACE_STRINGS_H

#include "replace.h"

/* Registers the replacements of what the options ask for. In init, after replace_init. False: no memory. */
bool strings_init(void);
/* For replace.c: what symbol `s` of the C library's is replaced by; w: found by its name, or NULL. NULL: nothing. */
const struct replacement *strings_meant(const struct replacement *w, const struct dr_symbol *s);
/* For replace.c: inserts what block b needs if an IFUNC's resolver returns to it. */
void strings_block(dr_block *b);
void strings_module_unload(const struct dr_module *m);
void strings_fork_child(void);

/* ---- between strings.c and ifunc.c ---- */

enum { MAX_STRINGS = 128 };
extern const struct replacement strings_table[];
extern const unsigned strings_count;
const struct replacement *strings_find(const char *name, unsigned length);

/* ifunc.c: stands for the resolver of what is at the same place in strings_table. */
extern struct replacement resolvers[MAX_STRINGS];
bool ifunc_init(void);
/* The name by which the caller of the function at mc->rip called it, or NULL: it cannot be told. */
const char *called_name(const struct dr_mcontext *mc);

#endif
