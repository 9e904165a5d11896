/* Functions of the program whose place is taken by ones of ours: found by symbol as modules are loaded, known by address. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_DRMEMORY_REPLACE_H
#define DRTOOLS_DRMEMORY_REPLACE_H

#include "drmemory.h"

/* One function that can be replaced. */
struct replacement {
    const char *name;               /* its symbol                                           */
    const char *shown;              /* its name in reports; NULL: the symbol                */
    /* Instead of it, in a clean call at its first instruction; arg: the struct replaced. True: done. False: its own code runs. */
    bool (*f)(uint64_t arg, struct dr_mcontext *mc);
    uint8_t family;                 /* enum heap_family                                     */
    uint8_t flags;
};
enum {
    REPLACE_OPERATOR = 1,           /* of C++: replaced where it is the C++ library's, not the program's own */
    REPLACE_PREFIXED = 2,           /* also by the name with an allocator's prefix          */
    REPLACE_ONLY_PREFIXED = 4,      /* only so                                              */
    REPLACE_ALLOCATES = 8,          /* a module that defines it is an allocator             */
    REPLACE_EXTRA = 16,             /* only in an allocator                                 */
    REPLACE_LIBC = 32,              /* only in the C library: strings.c knows which         */
};

/* Such a function of a module. Valid until the process ends. */
struct replaced {
    uint64_t address;               /* 0: its module is gone                                */
    const struct replacement *what;
    uint64_t module;                /* its id                                               */
    uint8_t family;                 /* of `what`, or HEAP_MIXED                             */
    bool several;                   /* it may be called by names that mean other functions  */
    bool has_own_blocks;            /* its allocator has other ways to give blocks out, so that one not ours may be its */
};

bool replace_init(void);
/* From now on symbols named in table[0 … n) are looked for in every module that is loaded. In init. */
void replace_register(const struct replacement *table, size_t n);
/* The function at `address` as well, whatever its symbol (what an IFUNC resolved to). False: no memory. */
bool replace_address(uint64_t address, const struct replacement *what, uint64_t module);

/* NULL: no such function. */
const struct replaced *replaced_at(uint64_t address);

void replace_module_load(const struct dr_module *m);
void replace_module_unload(const struct dr_module *m);
void replace_fork_child(void);

/* rax holds what a replaced function returned: defined. */
void replace_result(struct dr_mcontext *mc, uint64_t value);

/* The program has C++ operators of its own, which we leave alone: new and malloc cannot be told apart for sure. */
extern bool replace_mixed_operators;

/* malloc.c */
bool malloc_init(void);

#endif
