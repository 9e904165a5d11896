/* What the files of the propagation share. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_PROPAGATE_PRIV_H
#define DRTOOLS_PROPAGATE_PRIV_H

#include "drmemory.h"
#include "propagate.h"

/* How definedness flows. a and b are the parameters of step. */
enum rule {
    RULE_OTHER,                     /* any undefined source: the destinations wholly undefined             */
    RULE_NOTHING,                   /* changes nothing we track                                            */
    RULE_DEFINE,                    /* all it writes is defined (cpuid, rdtsc, mov from a segment)         */
    /* integer */
    RULE_MOV, RULE_MOVZX, RULE_MOVSX, RULE_MOVBE, RULE_LEA, RULE_XCHG, RULE_BSWAP,
    RULE_PUSH, RULE_POP, RULE_PUSHF, RULE_POPF, RULE_ENTER, RULE_LEAVE, RULE_CALL, RULE_RET, RULE_JMP,
    RULE_JCC, RULE_LOOP, RULE_JCXZ, RULE_SETCC, RULE_CMOVCC,
    RULE_AND, RULE_OR, RULE_XOR, RULE_TEST, RULE_ANDN, RULE_NOT,
    RULE_ADD, RULE_SUB, RULE_CMP, RULE_ADC, RULE_SBB, RULE_INC, RULE_DEC, RULE_NEG, RULE_ADX, RULE_XADD,
    RULE_CMPXCHG, RULE_CMPXCHG_PAIR,
    RULE_MUL,                       /* a: 1 signed, 2 mulx                                                 */
    RULE_DIV,                       /* a: 1 signed                                                         */
    RULE_SHIFT,                     /* a: enum shift; b: 1 without flags, count of full width (shlx …)     */
    RULE_DOUBLE_SHIFT,              /* a: 0 shld, 1 shrd                                                   */
    RULE_BIT,                       /* a: enum bit_action                                                  */
    RULE_BIT_SCAN,                  /* a: enum bit_scan                                                    */
    RULE_BLS, RULE_BEXTR, RULE_BZHI, RULE_PDEP, RULE_PEXT,
    RULE_SIGN_EXTEND_AX,            /* a: 0 cbw cwde cdqe, 1 cwd cdq cqo                                   */
    RULE_LAHF, RULE_SAHF, RULE_FLAG, /* a: position of the flag made defined, 0xff: cmc                    */
    RULE_XLAT, RULE_CRC32, RULE_SYSCALL,
    RULE_STRING,                    /* a: enum string_op, b: bytes of an element                           */
    RULE_K_LOGIC, RULE_K_NOT, RULE_K_SHIFT, RULE_K_UNPACK, RULE_K_ADD, RULE_K_TEST, /* a: 1 kortest; b: bytes */
    /* vectors; immediates are in step.imm only */
    RULE_V_FIRST,
    RULE_V_MOVE = RULE_V_FIRST,     /* a: bytes at most, 0: all                                            */
    RULE_V_MERGE,                   /* a: bytes of the low element that is merged where the source is a register */
    RULE_V_LOGIC,                   /* a: vpternlog's table                                                */
    RULE_V_TERNARY_LOGIC,
    RULE_V_ADD, RULE_V_SUB,         /* b: bytes of a lane                                                  */
    RULE_V_COMPARE,                 /* a: predicate of vpcmp (0 eq, 6 gt), | 8 unsigned, 0x10: in imm; b: lane */
    RULE_V_TEST_MASK,               /* vptestm; a: 1 vptestnm                                              */
    RULE_V_SHIFT,                   /* a: enum shift | 8: a count for each lane; b: lane                   */
    RULE_V_DOUBLE_SHIFT,            /* a: 1 right, | 8: a count for each lane                              */
    RULE_V_SHUFFLE,                 /* a: enum shuffle; b: lane                                            */
    RULE_V_PACK,                    /* a: 1 to unsigned; b: source lane                                    */
    RULE_V_NARROW,                  /* vpmov?b …; a: 0 truncate, 1 signed, 2 unsigned saturation           */
    RULE_V_WIDEN,                   /* a: 1 sign                                                           */
    RULE_V_MIN_MAX, RULE_V_ABS,
    RULE_V_MOVE_MASK,               /* sign bits to a register; b: lane                                    */
    RULE_V_TO_K, RULE_V_FROM_K,     /* vpmovb2m, vpmovm2b; b: lane                                         */
    RULE_V_LANES,                   /* a: enum lanes; b: lane, 0: by the operands' elements                */
    RULE_V_SCALAR,                  /* low element; a: enum lanes                                          */
    RULE_V_WITHIN,                  /* any undefined bit within b bytes of any source: all b bytes         */
    RULE_V_HORIZONTAL,              /* b: lane                                                             */
    RULE_V_MULTIPLY_EVEN,           /* pmuludq, pmuldq                                                     */
    RULE_V_FP_COMPARE,              /* to a vector, or to a mask (vcmpps, vfpclass); a: 1 scalar           */
    RULE_V_COMPARE_SCALAR,          /* ucomiss: to flags; b: bytes                                         */
    RULE_V_TO_INTEGER,              /* cvtss2si; a: bytes of the source                                    */
    RULE_V_TEST,                    /* ptest; b: 0 all bits, 4 8: sign bits                                */
    RULE_V_COUNT,                   /* vplzcnt (a = 0), vpopcnt (1)                                        */
    RULE_V_GATHER, RULE_V_SCATTER,  /* a: bytes of an element, b: of an index; imm: of the vectors           */
    RULE_V_MASK_MOVE, RULE_V_BYTE_MASK_MOVE,
    RULE_V_COMPRESS, RULE_V_EXPAND, RULE_V_BLEND_MASK,
    RULE_V_STRING,                  /* pcmpistri …; a: 1 explicit length, 2 mask result                    */
    RULE_V_ZERO,                    /* a: 0 vzeroupper, 1 vzeroall                                         */
    RULE_V_ALL,                     /* any undefined source: the destination wholly undefined              */
    /* x87 */
    RULE_X_FIRST,
    RULE_X_LOAD = RULE_X_FIRST,     /* push memory or st(i); a: 1 a constant, 2 converted, 3 packed decimal */
    RULE_X_STORE,                   /* a: 1 converted; b: pops                                             */
    RULE_X_ARITHMETIC,              /* b: pops                                                             */
    RULE_X_UNARY, RULE_X_SIGN,
    RULE_X_TWO,                     /* result replaces st(1) and pops (fpatan)                             */
    RULE_X_KEEP_TWO,                /* st(0) from st(0), st(1) (fprem, fscale)                             */
    RULE_X_SPLIT,                   /* st(0) becomes two (fxtract, fsincos, fptan)                         */
    RULE_X_EXCHANGE, RULE_X_CMOV,
    RULE_X_COMPARE,                 /* a: 1 to eflags, 2 with zero, 3 fxam; b: pops                        */
    RULE_X_STATUS, RULE_X_CONTROL,  /* fnstsw; fnstcw                                                      */
    RULE_X_INIT, RULE_X_FREE,
    RULE_X_ENVIRONMENT,             /* a: 0 fnstenv 1 fldenv 2 fnsave 3 frstor                             */
    RULE_X_FXSAVE, RULE_X_FXRSTOR, RULE_X_XSAVE, RULE_X_XRSTOR,     /* xsave: a: 1 compacted               */
    RULE_X_EMMS,
    RULE_MXCSR,                     /* a: 1 load                                                           */
};

enum shift { SHIFT_SHL, SHIFT_SHR, SHIFT_SAR, SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR };
enum { SHIFT_BY_LANE = 8 };
enum bit_action { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };
enum bit_scan { SCAN_BSF, SCAN_BSR, SCAN_TZCNT, SCAN_LZCNT, SCAN_POPCNT };
enum bls { BLS_I, BLS_R, BLS_MASK };
enum string_op { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_SCAS, STRING_CMPS };
enum lanes { LANES_BINARY, LANES_UNARY, LANES_TERNARY, LANES_FIXUP /* ternary; a scalar's rest is the first source's */ };

enum shuffle {
    SHUFFLE_UNPACK_LOW, SHUFFLE_UNPACK_HIGH, SHUFFLE_PSHUFB, SHUFFLE_PSHUFD, SHUFFLE_PSHUFLW, SHUFFLE_PSHUFHW,
    SHUFFLE_SHUFPS, SHUFFLE_SHUFPD, SHUFFLE_PALIGNR, SHUFFLE_VALIGN, SHUFFLE_BYTES_LEFT, SHUFFLE_BYTES_RIGHT,
    SHUFFLE_PERM_IMM, SHUFFLE_PERM_VAR, SHUFFLE_PERM_TWO, SHUFFLE_PERMI, SHUFFLE_PERM_HALVES, SHUFFLE_LANES128,
    SHUFFLE_INSERT, SHUFFLE_EXTRACT, SHUFFLE_INSERTPS, SHUFFLE_BLEND, SHUFFLE_BLENDV,
    SHUFFLE_IN_LANE_IMM, SHUFFLE_IN_LANE_VAR, SHUFFLE_BROADCAST, SHUFFLE_DUP_EVEN, SHUFFLE_DUP_ODD,
    SHUFFLE_MOVLP, SHUFFLE_MOVHP, SHUFFLE_MOVLHPS, SHUFFLE_MOVHLPS,
};

/* Conditions as numbered in opcodes. */
enum condition { CC_OVERFLOW = 0, CC_BELOW = 2, CC_ZERO = 4, CC_BELOW_EQUAL = 6, CC_SIGN = 8, CC_PARITY = 10, CC_LESS = 12, CC_LESS_EQUAL = 14 };

enum { FLAG_CF = 1, FLAG_PF = 4, FLAG_AF = 0x10, FLAG_ZF = 0x40, FLAG_SF = 0x80, FLAG_DF = 0x400, FLAG_OF = 0x800 };
enum { FLAGS_ARITHMETIC = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF };

/* A value of at most 64 bits, with a 1 in u for each undefined bit. */
struct bits { uint64_t v, u; };

/* The step being propagated. */
struct ctx {
    const struct step *s;
    struct regstate *rs;
    const struct dr_mcontext *mc;
    uint64_t address;               /* of the explicit memory operand                           */
    bool no_shadow;                 /* … which is in a segment whose base is not known          */
    bool partial;                   /* … of which some bytes are not addressable: partial_load  */
    bool stop;                      /* the program's memory cannot be read: it will fault       */
};

/* What the engine has of libc. */
void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

union vector { uint8_t b[64]; uint16_t w[32]; uint32_t d[16]; uint64_t q[8]; };

/* ---- operands (propagate.c). bits_*: definedness, value_*: what the program has there. ---- */
uint64_t low_bits(unsigned n);                              /* n low bits, up to 64             */
uint64_t bits_of(struct ctx *c, unsigned i);                /* general register, memory ≤ 8, mask, immediate */
uint64_t value_of(struct ctx *c, unsigned i);
struct bits get(struct ctx *c, unsigned i);                 /* value 0 if wholly defined bits make it needless: never */
void put(struct ctx *c, unsigned i, uint64_t u);
uint64_t gpr_value(const struct ctx *c, unsigned r, unsigned bytes);
uint64_t gpr_bits(const struct ctx *c, unsigned r, unsigned bytes);
void put_gpr(struct ctx *c, unsigned r, unsigned bytes, unsigned shift, uint64_t u);
void put_flags(struct ctx *c, uint64_t mask, uint64_t u);   /* the flags of mask                */
void put_relations(struct ctx *c, unsigned known);          /* after put_flags                  */
void put_k(struct ctx *c, unsigned r, uint64_t u);
void put_vector(struct ctx *c, unsigned r, unsigned offset, unsigned n, const uint8_t *u);
void put_st(struct ctx *c, unsigned physical, unsigned n, const uint8_t *u);
void put_x87_flags(struct ctx *c, unsigned u);
void put_mxcsr(struct ctx *c, uint32_t u);
void put_memory(struct ctx *c, uint64_t a, unsigned n, const uint8_t *u);
void put_memory_quietly(struct ctx *c, uint64_t a, unsigned n, const uint8_t *u);   /* not undone */
void load_memory_bits(struct ctx *c, uint64_t a, unsigned n, uint8_t *u);
bool load_memory(struct ctx *c, uint64_t a, unsigned n, void *v);
void check_access(struct ctx *c, uint64_t a, uint64_t n, bool write);
void check_stretch(struct ctx *c, uint64_t a, uint64_t n, bool write);
void check_register(struct ctx *c, unsigned r, unsigned bytes);     /* used as an address      */
void undo_all(struct ctx *c);                               /* before registers change wholesale */
uint64_t effective_address(const struct ctx *c, uint64_t index);    /* index: of VSIB, else ignored */
uint64_t segment_base(const struct ctx *c);

/* The CPU's registers: the program's. */
void read_zmm(unsigned r, unsigned bytes, union vector *out);
uint64_t read_k(unsigned r);
bool cpu_has_mask_registers(void);

/* Conditions of jumps, setcc, cmov. */
bool condition_undefined(const struct regstate *rs, uint64_t rflags, unsigned cc);
bool condition_holds(uint64_t rflags, unsigned cc);

/* ---- rules ---- */
/* Where each byte of a shuffle's result comes from: byte 0 … 63 of source 0, 64 … 127 of source 1, 128 … 191 of the
 * destination before; SHUFFLE_ZERO; SHUFFLE_UNKNOWN: its control is undefined. */
enum { SHUFFLE_ZERO = 254, SHUFFLE_UNKNOWN = 255 };
struct shuffle_map { uint8_t from[64]; };
/* bytes: of the result. control, control_bits: of the operand that holds indices, where there is one. */
void shuffle_make(const struct step *s, unsigned bytes, const union vector *control, const union vector *control_bits, struct shuffle_map *m);
void propagate_integer(struct ctx *c);
void propagate_string(struct ctx *c);
void propagate_vector(struct ctx *c);
void propagate_x87(struct ctx *c);
/* Undefined bits of sums and of shifts, which vector lanes have as well. n: bits of the operands. */
uint64_t undefined_sum(struct bits a, struct bits b, struct bits carry);            /* bit n is the carry out */
uint64_t undefined_difference(struct bits a, struct bits b, struct bits borrow);
struct bits shifted(enum shift op, struct bits x, unsigned count, unsigned n);
/* … by a count that may be undefined, taken modulo `modulo` (0: not at all). */
struct bits shifted_by(enum shift op, struct bits x, struct bits count, unsigned n, unsigned modulo);
struct bits joined(struct bits a, struct bits b);
int64_t least(struct bits x, unsigned n), greatest(struct bits x, unsigned n);     /* signed */

/* A jump at s is about to be taken on an undefined condition. True: both ways come to the same. (judge_jump.c) */
bool judge_jump(const struct step *s, const struct regstate *rs, const struct dr_mcontext *mc);

#endif
