/* SPDX-License-Identifier: BSD-3-Clause */
/* What is generated, when drtools is built, from the tables of commands and
 * options. All of it goes to standard output. */
#ifndef DRTOOLS_FRONTEND_DOCUMENTS_H
#define DRTOOLS_FRONTEND_DOCUMENTS_H

#include "command.h"

void man_page_print(const struct command *cmd);
/* Reads the template completion.bash from standard input. */
void bash_completion_print(void);

#endif
