/* A subject process, native or below a command, and the files shared with it.
 * Threads: one. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_PEER_H
#define DRTOOLS_FUZZ_PEER_H

#include "protocol.h"

#include <stdbool.h>
#include <sys/types.h>

struct peer {
    const char *name;    /* "native", "engine": for messages */
    const char *subject; /* path of the subject */
    char **command;      /* words before it, NULL-terminated; NULL = none */
    int plant;
    bool in_trial;     /* while minimizing: stderr goes nowhere, hangs are given up sooner */
    bool fixed_layout; /* without address space randomization */
    int cases_fd, results_fd;
    struct case_file *cases; /* shared by all peers */
    struct result_file *results;
    pid_t pid; /* 0: not running */
    int to, from;
    char death[96]; /* how it died or hung, when peer_wait says so */
};

/* Creates the case file. Exits with a message if that fails. */
struct case_file *cases_create(int *fd);

/* Sets up a peer; peer_start runs it. */
void peer_init(struct peer *p, const char *name, const char *subject, char **command, struct case_file *cases,
               int cases_fd);
/* Starts the process if it does not run. False: it could not map its memory or did not start; see death. */
bool peer_start(struct peer *p);
void peer_stop(struct peer *p);

/* Runs `count` cases of a slot. */
void peer_send(struct peer *p, uint32_t slot, uint32_t count);
/* Waits for them. False: the process died or hung at case results->current; it is gone then. */
bool peer_wait(struct peer *p);

#endif
