/* SPDX-License-Identifier: BSD-3-Clause */
/* The names this binary is installed under, and what each stands for. */
#ifndef DRTOOLS_FRONTEND_COMMAND_H
#define DRTOOLS_FRONTEND_COMMAND_H

struct command {
    const char *name;
    unsigned options;         /* FOR_DRRUN or FOR_DRCONFIG */
    const char *tool;         /* the tool it always runs; NULL: none */
    const char *const *usage; /* what follows the name, one form a string; NULL ends */
    const char *purpose;      /* one line, without a full stop */
    const char *description;  /* for its man page */
};

extern const struct command commands[];
extern const unsigned commands_n;

/* By the name it was called by; under an unknown one it is drrun. */
const struct command *command_of(const char *argv0);

#endif
