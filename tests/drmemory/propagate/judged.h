/* Functions whose jumps are judged: compiled by several compilers at several levels. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_JUDGED_H
#define DRTOOLS_TESTS_JUDGED_H

struct item {
    char valid;                     /* says whether the rest was set */
    char kind;
    short rank;
    int value;
    long key;
    struct item *next;
};

struct judged {
    const char *name;
    int (*run)(struct item *items, int n);
};

#endif
