/* SPDX-License-Identifier: BSD-3-Clause */
/* Valgrind's command line, for programs that know no other. */
#ifndef DRTOOLS_FRONTEND_VALGRIND_H
#define DRTOOLS_FRONTEND_VALGRIND_H

#include "error.h"
#include "install.h"

/* *words, of Valgrind's options and a program, become drmemory's. False: there is one that drmemory cannot honour. */
bool valgrind_words(const struct install *in, char ***words, struct error *err);

#endif
