/* Stand-ins for the shadow memory and the reports that the propagation calls. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TESTS_DOUBLES_H
#define DRTOOLS_TESTS_DOUBLES_H

#include "drmemory.h"
#include "propagate.h"

/* The memory that tests use, with unmapped pages around it. */
#define ARENA 0x20000000ull
enum { ARENA_SIZE = 0x1000 };
extern uint8_t arena_bits[ARENA_SIZE];          /* undefined bits   */
extern uint8_t arena_closed[ARENA_SIZE];        /* not addressable  */

/* What was reported since reports_clear. */
struct reports {
    unsigned unaddressable, uninitialized;
    uint64_t address;                           /* of the first unaddressable access */
    unsigned size;
    bool write;
    enum uninit_kind kind;
};
extern struct reports reports;

/* Memory outside of the arena is there, and defined. */
extern bool rest_is_open;

bool arena_has(uint64_t a, uint64_t n);
void reports_clear(void);

#endif
