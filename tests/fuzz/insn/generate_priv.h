/* Shared by the generator's parts: the case being made, and the making of one
 * instruction. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_GENERATE_PRIV_H
#define DRTOOLS_FUZZ_GENERATE_PRIV_H

#include "generate.h"
#include "rng.h"

enum { ELEMENTS_MAX = 40 };

/* General registers with a known value: instructions that would write them are
 * avoided, and where that cannot be they get their value back afterwards. */
struct making {
    const struct generator *g;
    struct rng rng;
    struct recipe *r;
    uint64_t zone;                      /* base */
    uint16_t pinned;                    /* bitmap */
    uint16_t forbidden;                 /* must not even be written implicitly */
    uint16_t touched;                   /* written by what prepares an instruction */
    uint64_t value[16];                 /* of pinned registers */
    int pointer[2], low_pointer, index; /* which registers; low_pointer: below 4 GiB */
    bool faulty;                        /* some operands are to fault */
    bool no_flow;                       /* straight code only */
    bool quiet;                         /* no faults at all */
    bool modifies, saves_state; /* the case has code that writes code; that saves x87 or extended state */
    uint16_t group;
    int element_start[ELEMENTS_MAX + 1], nelements;
    bool ended; /* a terminal instruction was emitted */
};

/* One instruction, decoded, before it is appended. */
struct instance {
    uint32_t form;
    uint8_t bytes[15], len;
    size_t disp_off;
    uint64_t target; /* address of its memory operand; 0: not known */
    bool riprel, wild;
    struct fields fields;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

/* What a rule asks for before the instance is built. */
struct wish {
    uint64_t target; /* where memory operands shall point, 0 = anywhere */
    bool aligned64;
    bool plain_address; /* no wild, no segment, no 67 */
};

enum rule_flags {
    RULE_FLOW = 1,           /* control transfer */
    RULE_ENDS = 2,           /* ends the case more often than not */
    RULE_FAULTS = 4,         /* always faults */
    RULE_STACK = 8,          /* moves or trusts rsp */
    RULE_INTERRUPTIBLE = 16, /* may be interrupted half-way: not in async cases */
};

/* Emits what comes before; false rejects the instance. */
typedef bool prepare_fn(struct making *m, struct instance *x);
typedef void wish_fn(struct making *m, struct wish *w);

struct rule {
    uint16_t mnemonic;
    uint8_t flags;
    const char *excluded;
    wish_fn *wish;
    prepare_fn *prepare;
};
const struct rule *rule_of(const struct form *f); /* NULL: nothing special */

bool form_saves_state(const struct form *f);

/* ---- the start of a case ---- */
enum { COMPONENTS_ALL = 0xe7 };

void start_case(struct making *m, const struct generator *g, uint64_t index, struct recipe *r);
void choose_settings(struct making *m);
void start_registers(struct making *m);
void start_vectors(struct making *m);

/* ---- items ---- */
struct item *add_item(struct making *m, const void *bytes, size_t len, uint16_t kind);
void add_mov(struct making *m, int reg, uint64_t value);              /* shortest mov reg, imm */
void add_load(struct making *m, int reg, uint64_t address);           /* mov reg, [rip+...] */
void add_lea_label(struct making *m, int reg, int target, int ahead); /* lea reg, [label] */
void add_push_reg(struct making *m, int reg);
void add_push_imm(struct making *m, int32_t v);
void add_poke(struct making *m, uint64_t addr, uint64_t value, int target, int ahead);
void repin(struct making *m, uint16_t written);
int free_register(struct making *m, uint16_t avoid); /* neither pinned nor in `avoid` */
int pick_ahead(struct making *m);
uint64_t pick_target(struct making *m, size_t size, ZydisElementType type);
uint64_t interesting(struct rng *r);
int gpr_number(ZydisRegister reg);
uint16_t gprs_written(const struct instance *x);
uint16_t gprs_read(const struct instance *x);
bool narrow_branch(const struct making *m, const struct instance *x); /* its target is cut to 16 bits */
const ZydisDecodedOperand *memory_operand(const struct instance *x);
uint64_t data_address(struct making *m, uint32_t area);
bool in_data(uint64_t address, size_t size); /* in writable data of some zone */

/* Builds, prepares and appends an instance of the form. False: none was found. */
bool emit_form(struct making *m, uint32_t form);

#endif
