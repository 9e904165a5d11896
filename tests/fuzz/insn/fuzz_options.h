/* The fuzzer's command line. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_OPTIONS_H
#define DRTOOLS_FUZZ_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { COMMAND_WORDS_MAX = 64 };

struct options {
    uint64_t seed, start, cases; /* cases 0: as long as `seconds` */
    double seconds, least_coverage;
    char *command[COMMAND_WORDS_MAX + 1]; /* words, NULL-terminated; empty: native */
    char subject[PATH_MAX];
    const char *save;
    int plant, findings, async_every; /* async_every: one batch in so many, 0 = none */
    unsigned without;                 /* WITHOUT_* of generate.h */
    bool coverage, uncovered, replay, no_minimize, print, timeouts, expect_difference, check_plants, is_long,
        near_cache;
};

/* Fills *o; returns the index of the first word that is no option. Exits with
 * a message on wrong usage, and after --help. */
int options_parse(struct options *o, int argc, char **argv);

#endif
