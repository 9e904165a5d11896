/* What each instruction reads and writes: one row an opcode, or one a ModRM.reg
 * value where the opcode is a group. An absent row is zero, which means
 * unknown: every register read and written, memory too.
 * Only scan_effects.c includes this.
 * See Intel SDM volume 2, appendix A, for the operand codes that the names
 * follow: E is ModRM.rm, G is ModRM.reg, B is VEX.vvvv, M is E if it is memory. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_X86_EFFECTS_TABLES_H
#define DRTOOLS_TRANSLATOR_X86_EFFECTS_TABLES_H

#include "scan.h"

/* Operands. E, G and B mean general-purpose registers; a row of a vector
 * instruction names only those of its operands that are such, or memory. */
enum {
    G_R = 0x01, G_W = 0x02, G_RW = G_R | G_W,
    R_R = 0x04, R_W = 0x08,                      /* E, if it is a register */
    M_R = 0x10, M_W = 0x20, M_RW = M_R | M_W,
    B_R = 0x40, B_W = 0x80,
    E_R = R_R | M_R, E_W = R_W | M_W, E_RW = E_R | E_W,
};

/* Operand sizes. VL is the vector length: 16, 32 or 64. */
enum size {
    S_NONE,     /* unknown, varies, or no such operand                             */
    S_B, S_W, S_D, S_Q, S_X, S_T, S_64,          /* 1, 2, 4, 8, 16, 10, 64          */
    S_V,        /* 4; 2 with 66; 8 with REX.W                                      */
    S_Y,        /* 4; 8 with REX.W or VEX.W                                        */
    S_MOVSXD,   /* 4; with 66 processors differ                                    */
    S_P,        /* what the stack takes: 8; 2 with 66                              */
    S_SREG,     /* memory: 2; register: as S_V                                     */
    S_B_D,      /* memory: 1; register: 4                                          */
    S_W_D,      /* memory: 2; register: 4                                          */
    S_ENV,      /* x87 environment: 28; 14 with 66                                 */
    S_STATE,    /* x87 state: 108; 94 with 66                                      */
    S_VSIB,     /* the index is a vector                                           */
    S_VL, S_VL_2, S_VL_4, S_VL_8,                /* VL and its fractions            */
    S_MX,       /* MMX 8, otherwise VL                                             */
    S_MX_4,     /* MMX 4, otherwise VL                                             */
    S_MX_X,     /* MMX 8, otherwise 16                                             */
    S_PS,       /* by the mandatory prefix none, 66, F3, F2: VL, VL, 4, 8          */
    S_COMI,     /* likewise: 4, 8, 4, 8                                            */
    S_DUP,      /* likewise: 8, 8, VL, VL except that 16 is 8                      */
    S_CVT,      /* likewise: VL/2, VL, 4, 8                                        */
    S_CVT_DQ,   /* likewise: -, VL, VL/2, VL                                       */
    S_CVT_SI,   /* likewise: 8, 16, 4, 8                                           */
    S_SCALAR,   /* 4; 8 with VEX.W                                                 */
    S_PAIR,     /* 8; 16 with REX.W                                                */
};

/* Implicit operands. */
enum implicit {
    I_UNKNOWN,  /* everything */
    I_NONE,
    I_AX_R, I_AX_W, I_AX_RW,
    I_CX_R, I_CX_W, I_CX_RW, I_DX_R,
    I_PUSH, I_POP, I_LEAVE, I_ENTER, I_XLAT,
    I_LOAD_AX, I_LOAD_AL, I_STORE_AX,
    I_MUL, I_DIV, I_CWD,
    I_IN_AL, I_IN_AX, I_OUT,
    I_MOVS, I_CMPS, I_STOS, I_LODS_B, I_LODS, I_SCAS, I_INS, I_OUTS,
    I_SYSCALL, I_CPUID, I_RDTSC, I_RDTSCP, I_RDMSR, I_WRMSR, I_XSAVE,
    I_CMPXCHG8B, I_MONITOR, I_MWAIT, I_MWAITX, I_PCMPESTRI, I_AX_DX_R,
    I_STORE_DI, I_STORE_AT_AX, I_STORE,
    I_GROUP,    /* `ops` numbers the group whose row for ModRM.reg replaces this one */
};

enum {
    AX = 1 << 0, CX = 1 << 1, DX = 1 << 2, BX = 1 << 3, SP = 1 << 4, BP = 1 << 5, SI = 1 << 6, DI = 1 << 7,
    R11 = 1 << 11, ANY = 0xffff,
};

struct implicit_sets {
    uint16_t reads, writes;
    uint8_t mem;              /* M_R, M_W */
};

/* clang-format off */
/* A written register that keeps some of its bits is read too. */
static const struct implicit_sets implicit_sets[] = {
    [I_UNKNOWN]     = { ANY, ANY, M_RW },
    [I_NONE]        = { 0, 0, 0 },
    [I_AX_R]        = { AX, 0, 0 },
    [I_AX_W]        = { 0, AX, 0 },
    [I_AX_RW]       = { AX, AX, 0 },
    [I_CX_R]        = { CX, 0, 0 },
    [I_CX_W]        = { 0, CX, 0 },
    [I_CX_RW]       = { CX, CX, 0 },
    [I_DX_R]        = { DX, 0, 0 },
    [I_PUSH]        = { SP, SP, M_W },
    [I_POP]         = { SP, SP, M_R },
    [I_LEAVE]       = { SP | BP, SP | BP, M_R },
    [I_ENTER]       = { SP | BP, SP | BP, M_RW },
    [I_XLAT]        = { AX | BX, AX, M_R },
    [I_LOAD_AX]     = { 0, AX, M_R },
    [I_LOAD_AL]     = { AX, AX, M_R },
    [I_STORE_AX]    = { AX, 0, M_W },
    [I_MUL]         = { AX, AX | DX, 0 },
    [I_DIV]         = { AX | DX, AX | DX, 0 },
    [I_CWD]         = { AX, DX, 0 },
    [I_IN_AL]       = { AX | DX, AX, 0 },
    [I_IN_AX]       = { DX, AX, 0 },
    [I_OUT]         = { AX | DX, 0, 0 },
    [I_MOVS]        = { SI | DI, SI | DI, M_RW },
    [I_CMPS]        = { SI | DI, SI | DI, M_R },
    [I_STOS]        = { AX | DI, DI, M_W },
    [I_LODS_B]      = { AX | SI, AX | SI, M_R },
    [I_LODS]        = { SI, AX | SI, M_R },
    [I_SCAS]        = { AX | DI, DI, M_R },
    [I_INS]         = { DX | DI, DI, M_W },
    [I_OUTS]        = { DX | SI, SI, M_R },
    [I_SYSCALL]     = { ANY, AX | CX | R11, M_RW },
    [I_CPUID]       = { AX | CX, AX | BX | CX | DX, 0 },
    [I_RDTSC]       = { 0, AX | DX, 0 },
    [I_RDTSCP]      = { 0, AX | CX | DX, 0 },
    [I_RDMSR]       = { CX, AX | DX, 0 },
    [I_WRMSR]       = { AX | CX | DX, 0, 0 },
    [I_XSAVE]       = { AX | DX, 0, 0 },
    [I_CMPXCHG8B]   = { AX | BX | CX | DX, AX | DX, 0 },
    [I_MONITOR]     = { AX | CX | DX, 0, 0 },
    [I_MWAIT]       = { AX | CX, 0, 0 },
    [I_MWAITX]      = { AX | BX | CX, 0, 0 },
    [I_PCMPESTRI]   = { AX | DX, CX, 0 },
    [I_AX_DX_R]     = { AX | DX, 0, 0 },
    [I_STORE_DI]    = { DI, 0, M_RW },    /* a masked store keeps what it does not write */
    [I_STORE_AT_AX] = { AX, 0, M_W },
    [I_STORE]       = { 0, 0, M_W },
};

struct effect_row {
    uint8_t ops;
    uint8_t rm_size;     /* enum size of E or M */
    uint8_t reg_size;    /* enum size of G      */
    uint8_t implicit;
};

enum effect_group { EG1_B, EG1_V, EG2_B, EG2_V, EG3_B, EG3_V, EG4, EG5, EG8, EG11_B, EG11_V, EFFECT_GROUPS };

#define ROW(ops, rm, reg)          { ops, rm, reg, I_NONE }
#define IMPLICIT(i)                { 0, 0, 0, i }
#define BOTH(ops, rm, reg, i)      { ops, rm, reg, i }
#define NOTHING                    { 0, 0, 0, I_NONE }
#define UNKNOWN                    { 0, 0, 0, I_UNKNOWN }
#define IN_GROUP(g)                { g, 0, 0, I_GROUP }
#define LOAD(size)                 { M_R, size, 0, I_NONE }    /* of a vector or x87 register */
#define STORE(size)                { M_W, size, 0, I_NONE }

/* add or adc sbb and sub xor, cmp */
#define EG1(size) { [0 ... 6] = ROW(E_RW, size, 0), [7] = ROW(E_R, size, 0) }
/* test test not neg, mul imul div idiv */
#define EG3(size, mul, div) { \
    [0 ... 1] = ROW(E_R, size, 0), [2 ... 3] = ROW(E_RW, size, 0), \
    [4 ... 5] = BOTH(E_R, size, 0, mul), [6 ... 7] = BOTH(E_R, size, 0, div) }

static const struct effect_row effect_groups[EFFECT_GROUPS][8] = {
    [EG1_B] = EG1(S_B),
    [EG1_V] = EG1(S_V),
    [EG2_B] = { [0 ... 7] = ROW(E_RW, S_B, 0) },
    [EG2_V] = { [0 ... 7] = ROW(E_RW, S_V, 0) },
    [EG3_B] = EG3(S_B, I_AX_RW, I_AX_RW),
    [EG3_V] = EG3(S_V, I_MUL, I_DIV),
    [EG4] = { [0 ... 1] = ROW(E_RW, S_B, 0) },                     /* inc, dec */
    [EG5] = {
        [0 ... 1] = ROW(E_RW, S_V, 0),                             /* inc, dec */
        [2] = BOTH(E_R, S_Q, 0, I_PUSH),                           /* call     */
        [4] = ROW(E_R, S_Q, 0),                                    /* jmp      */
        [6] = BOTH(E_R, S_P, 0, I_PUSH),                           /* push     */
    },
    [EG8] = { [4] = ROW(E_R, S_V, 0), [5 ... 7] = ROW(E_RW, S_V, 0) },    /* bt, bts, btr, btc by imm8 */
    [EG11_B] = { [0] = ROW(E_W, S_B, 0), [7] = IMPLICIT(I_AX_RW) },       /* mov; xabort */
    [EG11_V] = { [0] = ROW(E_W, S_V, 0), [7] = IMPLICIT(I_AX_RW) },       /* mov; xbegin */
};

/* add, or …: E,G  G,E  al,ib  rax,iz */
#define ALU(base) \
    [base] = ROW(E_RW | G_R, S_B, S_B), [base + 1] = ROW(E_RW | G_R, S_V, S_V), \
    [base + 2] = ROW(G_RW | E_R, S_B, S_B), [base + 3] = ROW(G_RW | E_R, S_V, S_V), \
    [base + 4 ... base + 5] = IMPLICIT(I_AX_RW)

static const struct effect_row effects_one_byte[256] = {
    ALU(0x00), ALU(0x08), ALU(0x10), ALU(0x18), ALU(0x20), ALU(0x28), ALU(0x30),
    [0x38] = ROW(E_R | G_R, S_B, S_B),                             /* cmp */
    [0x39] = ROW(E_R | G_R, S_V, S_V),
    [0x3a] = ROW(E_R | G_R, S_B, S_B),
    [0x3b] = ROW(E_R | G_R, S_V, S_V),
    [0x3c ... 0x3d] = IMPLICIT(I_AX_R),
    [0x50 ... 0x57] = IMPLICIT(I_PUSH),                            /* and the register in the opcode */
    [0x58 ... 0x5f] = IMPLICIT(I_POP),
    [0x63] = ROW(G_W | E_R, S_MOVSXD, S_V),                             /* movsxd */
    [0x68] = IMPLICIT(I_PUSH),
    [0x69] = ROW(G_W | E_R, S_V, S_V),                             /* imul */
    [0x6a] = IMPLICIT(I_PUSH),
    [0x6b] = ROW(G_W | E_R, S_V, S_V),
    [0x6c ... 0x6d] = IMPLICIT(I_INS),
    [0x6e ... 0x6f] = IMPLICIT(I_OUTS),
    [0x70 ... 0x7f] = NOTHING,                                     /* jcc */
    [0x80] = IN_GROUP(EG1_B),
    [0x81] = IN_GROUP(EG1_V),
    [0x83] = IN_GROUP(EG1_V),
    [0x84] = ROW(E_R | G_R, S_B, S_B),                             /* test */
    [0x85] = ROW(E_R | G_R, S_V, S_V),
    [0x86] = ROW(E_RW | G_RW, S_B, S_B),                           /* xchg */
    [0x87] = ROW(E_RW | G_RW, S_V, S_V),
    [0x88] = ROW(E_W | G_R, S_B, S_B),                             /* mov */
    [0x89] = ROW(E_W | G_R, S_V, S_V),
    [0x8a] = ROW(G_W | E_R, S_B, S_B),
    [0x8b] = ROW(G_W | E_R, S_V, S_V),
    [0x8c] = ROW(E_W, S_SREG, 0),                                  /* mov E, sreg */
    [0x8d] = ROW(G_W, 0, S_V),                                     /* lea */
    [0x8e] = ROW(E_R, S_W_D, 0),                                   /* mov sreg, E */
    [0x8f] = BOTH(E_W, S_P, 0, I_POP),
    [0x90 ... 0x97] = IMPLICIT(I_AX_RW),                           /* xchg; 90 without REX.B is nop */
    [0x98] = IMPLICIT(I_AX_RW),                                    /* cbw, cwde, cdqe */
    [0x99] = IMPLICIT(I_CWD),
    [0x9b] = NOTHING,
    [0x9c] = IMPLICIT(I_PUSH),
    [0x9d] = IMPLICIT(I_POP),
    [0x9e] = IMPLICIT(I_AX_R),                                     /* sahf */
    [0x9f] = IMPLICIT(I_AX_RW),                                    /* lahf */
    [0xa0] = IMPLICIT(I_LOAD_AL),
    [0xa1] = IMPLICIT(I_LOAD_AX),
    [0xa2 ... 0xa3] = IMPLICIT(I_STORE_AX),
    [0xa4 ... 0xa5] = IMPLICIT(I_MOVS),
    [0xa6 ... 0xa7] = IMPLICIT(I_CMPS),
    [0xa8 ... 0xa9] = IMPLICIT(I_AX_R),
    [0xaa ... 0xab] = IMPLICIT(I_STOS),
    [0xac] = IMPLICIT(I_LODS_B),
    [0xad] = IMPLICIT(I_LODS),
    [0xae ... 0xaf] = IMPLICIT(I_SCAS),
    [0xb0 ... 0xbf] = NOTHING,                                     /* mov to the register in the opcode */
    [0xc0] = IN_GROUP(EG2_B),
    [0xc1] = IN_GROUP(EG2_V),
    [0xc2 ... 0xc3] = IMPLICIT(I_POP),
    [0xc6] = IN_GROUP(EG11_B),
    [0xc7] = IN_GROUP(EG11_V),
    [0xc8] = IMPLICIT(I_ENTER),
    [0xc9] = IMPLICIT(I_LEAVE),
    [0xd0] = IN_GROUP(EG2_B),
    [0xd1] = IN_GROUP(EG2_V),
    [0xd2] = BOTH(E_RW, S_B, 0, I_CX_R),
    [0xd3] = BOTH(E_RW, S_V, 0, I_CX_R),
    [0xd7] = IMPLICIT(I_XLAT),
    [0xe0 ... 0xe2] = IMPLICIT(I_CX_RW),                           /* loop */
    [0xe3] = IMPLICIT(I_CX_R),
    [0xe4] = IMPLICIT(I_AX_RW),                                    /* in al, ib */
    [0xe5] = IMPLICIT(I_AX_W),
    [0xe6 ... 0xe7] = IMPLICIT(I_AX_R),
    [0xe8] = IMPLICIT(I_PUSH),
    [0xe9] = NOTHING,
    [0xeb] = NOTHING,
    [0xec] = IMPLICIT(I_IN_AL),
    [0xed] = IMPLICIT(I_IN_AX),
    [0xee ... 0xef] = IMPLICIT(I_OUT),
    [0xf4 ... 0xf5] = NOTHING,                                     /* hlt, cmc */
    [0xf6] = IN_GROUP(EG3_B),
    [0xf7] = IN_GROUP(EG3_V),
    [0xf8 ... 0xfd] = NOTHING,                                     /* clc ... std */
    [0xfe] = IN_GROUP(EG4),
    [0xff] = IN_GROUP(EG5),
};

/* x87 instructions with a memory operand, by opcode (d8 first) and ModRM.reg. */
static const struct effect_row effects_x87[8][8] = {
    { [0 ... 7] = LOAD(S_D) },
    { LOAD(S_D), UNKNOWN, STORE(S_D), STORE(S_D), LOAD(S_ENV), LOAD(S_W), STORE(S_ENV), STORE(S_W) },
    { [0 ... 7] = LOAD(S_D) },
    { LOAD(S_D), STORE(S_D), STORE(S_D), STORE(S_D), UNKNOWN, LOAD(S_T), UNKNOWN, STORE(S_T) },
    { [0 ... 7] = LOAD(S_Q) },
    { LOAD(S_Q), STORE(S_Q), STORE(S_Q), STORE(S_Q), LOAD(S_STATE), UNKNOWN, STORE(S_STATE), STORE(S_W) },
    { [0 ... 7] = LOAD(S_W) },
    { LOAD(S_W), STORE(S_W), STORE(S_W), STORE(S_W), LOAD(S_T), LOAD(S_Q), STORE(S_T), STORE(S_Q) },
};

/* 0f: the general instructions. SSE's rows are in effects_vector. */
static const struct effect_row effects_0f[256] = {
    [0x02 ... 0x03] = ROW(G_RW | E_R, S_W_D, S_V),                 /* lar, lsl: may not write */
    [0x05] = IMPLICIT(I_SYSCALL),
    [0x06] = NOTHING,
    [0x08 ... 0x09] = NOTHING,                                     /* invd, wbinvd */
    [0x0d ... 0x0f] = NOTHING,                                     /* prefetchw, femms; 3DNow is odd */
    [0x18 ... 0x19] = NOTHING,                                     /* prefetch, nop */
    [0x1a ... 0x1b] = ROW(R_R | M_RW, S_NONE, 0),                  /* MPX, or nop */
    [0x1c ... 0x1f] = NOTHING,
    [0x20 ... 0x21] = ROW(R_W, S_Q, 0),                            /* mov from cr, dr */
    [0x22 ... 0x23] = ROW(R_R, S_Q, 0),
    [0x30] = IMPLICIT(I_WRMSR),
    [0x31] = IMPLICIT(I_RDTSC),
    [0x32 ... 0x33] = IMPLICIT(I_RDMSR),                           /* rdmsr, rdpmc */
    [0x40 ... 0x4f] = ROW(G_RW | E_R, S_V, S_V),                   /* cmovcc */
    [0x77] = NOTHING,                                              /* emms */
    [0x78] = ROW(E_W | G_R, S_Q, S_Q),                             /* vmread */
    [0x79] = ROW(E_R | G_R, S_Q, S_Q),                             /* vmwrite */
    [0x80 ... 0x8f] = NOTHING,                                     /* jcc */
    [0x90 ... 0x9f] = ROW(E_W, S_B, 0),                            /* setcc */
    [0xa0] = IMPLICIT(I_PUSH),
    [0xa1] = IMPLICIT(I_POP),
    [0xa2] = IMPLICIT(I_CPUID),
    [0xa3] = ROW(E_R | G_R, S_NONE, S_V),                          /* bt: G/8 is added to the address */
    [0xa4] = ROW(E_RW | G_R, S_V, S_V),                            /* shld */
    [0xa5] = BOTH(E_RW | G_R, S_V, S_V, I_CX_R),
    [0xa8] = IMPLICIT(I_PUSH),
    [0xa9] = IMPLICIT(I_POP),
    [0xab] = ROW(E_RW | G_R, S_NONE, S_V),                         /* bts */
    [0xac] = ROW(E_RW | G_R, S_V, S_V),                            /* shrd */
    [0xad] = BOTH(E_RW | G_R, S_V, S_V, I_CX_R),
    [0xaf] = ROW(G_RW | E_R, S_V, S_V),                            /* imul */
    [0xb0] = BOTH(E_RW | G_R, S_B, S_B, I_AX_RW),                  /* cmpxchg */
    [0xb1] = BOTH(E_RW | G_R, S_V, S_V, I_AX_RW),
    [0xb2] = ROW(G_W | M_R, S_NONE, S_V),                          /* lss */
    [0xb3] = ROW(E_RW | G_R, S_NONE, S_V),                         /* btr */
    [0xb4 ... 0xb5] = ROW(G_W | M_R, S_NONE, S_V),                 /* lfs, lgs */
    [0xb6] = ROW(G_W | E_R, S_B, S_V),                             /* movzx */
    [0xb7] = ROW(G_W | E_R, S_W, S_V),
    [0xb8] = ROW(G_W | E_R, S_V, S_V),                             /* popcnt */
    [0xba] = IN_GROUP(EG8),
    [0xbb] = ROW(E_RW | G_R, S_NONE, S_V),                         /* btc */
    [0xbc ... 0xbd] = ROW(G_RW | E_R, S_V, S_V),                   /* bsf, bsr; tzcnt may be bsf */
    [0xbe] = ROW(G_W | E_R, S_B, S_V),                             /* movsx */
    [0xbf] = ROW(G_W | E_R, S_W, S_V),
    [0xc0] = ROW(E_RW | G_RW, S_B, S_B),                           /* xadd */
    [0xc1] = ROW(E_RW | G_RW, S_V, S_V),
    [0xc3] = ROW(M_W | G_R, S_Y, S_Y),                             /* movnti */
    [0xc8 ... 0xcf] = NOTHING,                                     /* bswap of the register in the opcode */
};

/* SSE, VEX and EVEX in maps 1 to 3, where they agree. */
static const struct effect_row effects_vector[3][256] = {
    {   /* 0f */
        [0x10] = LOAD(S_PS),
        [0x11] = STORE(S_PS),
        [0x12] = LOAD(S_DUP),
        [0x13] = STORE(S_Q),
        [0x14 ... 0x15] = LOAD(S_VL),
        [0x16] = LOAD(S_DUP),
        [0x17] = STORE(S_Q),
        [0x28] = LOAD(S_VL),
        [0x29] = STORE(S_VL),
        [0x2a] = LOAD(S_Q),                                        /* F3, F2: odd */
        [0x2b] = STORE(S_PS),
        [0x2c ... 0x2d] = LOAD(S_CVT_SI),                          /* F3, F2: odd */
        [0x2e ... 0x2f] = LOAD(S_COMI),
        [0x50] = ROW(G_W, 0, S_D),                                 /* movmskps */
        [0x51 ... 0x53] = LOAD(S_PS),
        [0x54 ... 0x57] = LOAD(S_VL),
        [0x58 ... 0x59] = LOAD(S_PS),
        [0x5a] = LOAD(S_CVT),
        [0x5b] = LOAD(S_VL),
        [0x5c ... 0x5f] = LOAD(S_PS),
        [0x60 ... 0x62] = LOAD(S_MX_4),
        [0x63 ... 0x6b] = LOAD(S_MX),
        [0x6c ... 0x6d] = LOAD(S_VL),
        [0x6e] = ROW(E_R, S_Y, 0),                                 /* movd, movq */
        [0x6f ... 0x76] = LOAD(S_MX),
        [0x78 ... 0x7b] = LOAD(S_NONE),                            /* EVEX conversions; F3, F2: odd */
        [0x7c ... 0x7d] = LOAD(S_VL),
        [0x7e] = ROW(E_W, S_Y, 0),                                 /* movd, movq; F3: odd */
        [0x7f] = STORE(S_MX),
        [0xc2] = LOAD(S_PS),
        [0xc4] = ROW(E_R, S_W_D, 0),                               /* pinsrw */
        [0xc5] = ROW(G_W, 0, S_D),                                 /* pextrw */
        [0xc6] = LOAD(S_VL),
        [0xd0] = LOAD(S_VL),
        [0xd1 ... 0xd3] = LOAD(S_MX_X),                            /* shifts by an xmm register */
        [0xd4 ... 0xd5] = LOAD(S_MX),
        [0xd6] = STORE(S_Q),
        [0xd7] = ROW(G_W, 0, S_D),                                 /* pmovmskb */
        [0xd8 ... 0xe0] = LOAD(S_MX),
        [0xe1 ... 0xe2] = LOAD(S_MX_X),
        [0xe3 ... 0xe5] = LOAD(S_MX),
        [0xe6] = LOAD(S_CVT_DQ),
        [0xe7] = STORE(S_MX),
        [0xe8 ... 0xef] = LOAD(S_MX),
        [0xf0] = LOAD(S_VL),                                       /* lddqu */
        [0xf1 ... 0xf3] = LOAD(S_MX_X),
        [0xf4 ... 0xf6] = LOAD(S_MX),
        [0xf7] = IMPLICIT(I_STORE_DI),                             /* maskmovq */
        [0xf8 ... 0xfe] = LOAD(S_MX),
    },
    {   /* 0f 38 */
        [0x00 ... 0x0b] = LOAD(S_MX),
        [0x0c ... 0x12] = LOAD(S_VL),
        [0x13] = LOAD(S_VL_2),                                     /* vcvtph2ps */
        [0x14 ... 0x17] = LOAD(S_VL),
        [0x18] = LOAD(S_D),                                        /* broadcasts */
        [0x19] = LOAD(S_Q),
        [0x1a] = LOAD(S_X),
        [0x1b] = LOAD(S_NONE),
        [0x1c ... 0x1e] = LOAD(S_MX),
        [0x1f] = LOAD(S_VL),
        [0x20] = LOAD(S_VL_2),                                     /* pmovsx */
        [0x21] = LOAD(S_VL_4),
        [0x22] = LOAD(S_VL_8),
        [0x23] = LOAD(S_VL_2),
        [0x24] = LOAD(S_VL_4),
        [0x25] = LOAD(S_VL_2),
        [0x26 ... 0x2b] = LOAD(S_VL),
        [0x2c ... 0x2d] = LOAD(S_NONE),                            /* vmaskmov: only the masked elements */
        [0x2e ... 0x2f] = ROW(M_RW, S_NONE, 0),
        [0x30] = LOAD(S_VL_2),                                     /* pmovzx */
        [0x31] = LOAD(S_VL_4),
        [0x32] = LOAD(S_VL_8),
        [0x33] = LOAD(S_VL_2),
        [0x34] = LOAD(S_VL_4),
        [0x35] = LOAD(S_VL_2),
        [0x36 ... 0x41] = LOAD(S_VL),
        [0x42 ... 0x44] = LOAD(S_NONE),
        [0x45 ... 0x47] = LOAD(S_VL),
        [0x4c ... 0x4f] = LOAD(S_NONE),
        [0x50 ... 0x57] = LOAD(S_VL),
        [0x58] = LOAD(S_D),
        [0x59] = LOAD(S_Q),
        [0x5a] = LOAD(S_X),
        [0x5b ... 0x62] = LOAD(S_NONE),
        [0x63] = ROW(M_RW, S_NONE, 0),                             /* vpcompress */
        [0x64 ... 0x66] = LOAD(S_NONE),
        [0x68] = LOAD(S_NONE),
        [0x70 ... 0x73] = LOAD(S_NONE),
        [0x75 ... 0x77] = LOAD(S_NONE),
        [0x78] = LOAD(S_B),
        [0x79] = LOAD(S_W),
        [0x7a ... 0x7c] = ROW(R_R, 0, 0),                          /* vpbroadcast from a register */
        [0x7d ... 0x7f] = LOAD(S_NONE),
        [0x83] = LOAD(S_NONE),
        [0x88 ... 0x89] = LOAD(S_NONE),
        [0x8a ... 0x8b] = ROW(M_RW, S_NONE, 0),                    /* vcompress */
        [0x8c ... 0x8d] = LOAD(S_NONE),
        [0x8e] = ROW(M_RW, S_NONE, 0),                             /* vpmaskmov */
        [0x8f] = LOAD(S_NONE),
        [0x90 ... 0x93] = LOAD(S_VSIB),                            /* gather */
        [0x96 ... 0x98] = LOAD(S_VL),                              /* fused multiply and add */
        [0x99] = LOAD(S_SCALAR),
        [0x9a] = LOAD(S_VL),
        [0x9b] = LOAD(S_SCALAR),
        [0x9c] = LOAD(S_VL),
        [0x9d] = LOAD(S_SCALAR),
        [0x9e] = LOAD(S_VL),
        [0x9f] = LOAD(S_SCALAR),
        [0xa0 ... 0xa3] = ROW(M_RW, S_VSIB, 0),                    /* scatter */
        [0xa6 ... 0xa8] = LOAD(S_VL),
        [0xa9] = LOAD(S_SCALAR),
        [0xaa] = LOAD(S_VL),
        [0xab] = LOAD(S_SCALAR),
        [0xac] = LOAD(S_VL),
        [0xad] = LOAD(S_SCALAR),
        [0xae] = LOAD(S_VL),
        [0xaf] = LOAD(S_SCALAR),
        [0xb4 ... 0xb8] = LOAD(S_VL),
        [0xb9] = LOAD(S_SCALAR),
        [0xba] = LOAD(S_VL),
        [0xbb] = LOAD(S_SCALAR),
        [0xbc] = LOAD(S_VL),
        [0xbd] = LOAD(S_SCALAR),
        [0xbe] = LOAD(S_VL),
        [0xbf] = LOAD(S_SCALAR),
        [0xc4] = LOAD(S_NONE),
        [0xc6 ... 0xc7] = ROW(M_RW, S_VSIB, 0),                    /* prefetching gather, scatter */
        [0xc8 ... 0xcf] = LOAD(S_VL),
        [0xdb ... 0xdf] = LOAD(S_VL),
    },
    {   /* 0f 3a */
        [0x00 ... 0x06] = LOAD(S_VL),
        [0x08 ... 0x09] = LOAD(S_VL),
        [0x0a] = LOAD(S_D),
        [0x0b] = LOAD(S_Q),
        [0x0c ... 0x0e] = LOAD(S_VL),
        [0x0f] = LOAD(S_MX),
        [0x14] = ROW(E_W, S_B_D, 0),                               /* pextrb ... extractps */
        [0x15] = ROW(E_W, S_W_D, 0),
        [0x16] = ROW(E_W, S_Y, 0),
        [0x17] = ROW(E_W, S_D, 0),
        [0x18] = LOAD(S_X),
        [0x19] = STORE(S_X),                                       /* vextractf128 */
        [0x1a] = LOAD(S_NONE),
        [0x1b] = STORE(S_NONE),
        [0x1d] = STORE(S_VL_2),                                    /* vcvtps2ph */
        [0x1e ... 0x1f] = LOAD(S_NONE),
        [0x20] = ROW(E_R, S_B_D, 0),                               /* pinsrb */
        [0x21] = LOAD(S_D),
        [0x22] = ROW(E_R, S_Y, 0),                                 /* pinsrd */
        [0x23 ... 0x27] = LOAD(S_NONE),
        [0x30 ... 0x33] = NOTHING,                                 /* kshift */
        [0x38] = LOAD(S_X),
        [0x39] = STORE(S_X),                                       /* vextracti128 */
        [0x3a] = LOAD(S_NONE),
        [0x3b] = STORE(S_NONE),
        [0x3e ... 0x3f] = LOAD(S_NONE),
        [0x40 ... 0x42] = LOAD(S_VL),
        [0x43] = LOAD(S_NONE),
        [0x44] = LOAD(S_VL),
        [0x46] = LOAD(S_VL),
        [0x48 ... 0x4c] = LOAD(S_VL),
        [0x50 ... 0x57] = LOAD(S_NONE),
        [0x5c ... 0x5f] = LOAD(S_VL),
        [0x60] = BOTH(M_R, S_X, 0, I_AX_DX_R),                     /* pcmpestrm */
        [0x61] = BOTH(M_R, S_X, 0, I_PCMPESTRI),
        [0x62] = LOAD(S_X),
        [0x63] = BOTH(M_R, S_X, 0, I_CX_W),                        /* pcmpistri */
        [0x66 ... 0x67] = LOAD(S_NONE),
        [0x68 ... 0x69] = LOAD(S_VL),                              /* FMA4 */
        [0x6a] = LOAD(S_D),
        [0x6b] = LOAD(S_Q),
        [0x6c ... 0x6d] = LOAD(S_VL),
        [0x6e] = LOAD(S_D),
        [0x6f] = LOAD(S_Q),
        [0x70 ... 0x73] = LOAD(S_NONE),
        [0x78 ... 0x79] = LOAD(S_VL),
        [0x7a] = LOAD(S_D),
        [0x7b] = LOAD(S_Q),
        [0x7c ... 0x7d] = LOAD(S_VL),
        [0x7e] = LOAD(S_D),
        [0x7f] = LOAD(S_Q),
        [0xc2] = LOAD(S_NONE),
        [0xcc] = LOAD(S_X),
        [0xce ... 0xcf] = LOAD(S_VL),
        [0xdf] = LOAD(S_X),
    },
};

/* clang-format on */

#endif
