/* A case while it is being made and minimized: instructions with labels, so
 * that some can be dropped and the rest laid out again.
 * Threads: none shared; a recipe is plain data and is copied by assignment. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_RECIPE_H
#define DRTOOLS_FUZZ_RECIPE_H

#include "protocol.h"

#include <stdbool.h>

enum fix {
    FIX_NONE,
    FIX_REL8, /* displacement to the item `target` */
    FIX_REL16,
    FIX_REL32,
    FIX_REL32_TO,  /* displacement to `address` */
    FIX_RIP,       /* RIP-relative operand: `address` */
    FIX_RIP_LABEL, /* RIP-relative operand: item `target` + `addend` */
    FIX_ABS32,     /* the address of item `target` */
    FIX_ABS64,
};

struct item {
    uint8_t bytes[15], len;
    uint8_t fix, fix_off;
    bool dropped;
    int8_t addend;
    int16_t target; /* an item; the last one is the exit */
    int16_t ahead;  /* while generating: elements ahead, 0 = `target` counts */
    int32_t form;   /* the row it stands for, -1: preparation */
    uint16_t kind;  /* MARK_* */
    uint16_t group; /* dropped together */
    uint64_t address;
};

struct recipe_poke {
    uint64_t addr, value;
    int16_t target, ahead; /* target >= 0: value + the item's address */
    uint16_t group;
};

enum { ITEMS_MAX = MARKS_MAX - 1 };

struct recipe {
    uint64_t id;
    uint8_t zone, install, entry, fault_action, fault_limit;
    uint32_t reps, components, code_off;
    int nitems, npokes;
    uint16_t ngroups;
    bool at_end; /* ends where its mapping ends: code_off does not count */
    bool async;  /* straight code, for a case with an interval timer */
    struct item item[ITEMS_MAX];
    struct recipe_poke poke[POKES_MAX];
    struct cpu_state start;
};

/* Where the zones are; only the far one is ever moved, before the first case. */
extern uint64_t zone_base[ZONE_COUNT];

/* Offset of its code place within a zone. */
uint32_t recipe_place(const struct recipe *r);

/* Lays out the code. False: it does not fit. */
bool recipe_layout(const struct recipe *r, struct insn_case *c);

#endif
