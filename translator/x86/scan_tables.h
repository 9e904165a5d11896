/* What the scanner knows of each opcode: one row an opcode, or one a ModRM.reg
 * value where the opcode is a group. An absent row is zero: a plain instruction
 * without ModRM, immediate or flags; no table leaves out a row it does not mean.
 * Only scan.c includes this.
 * See Intel SDM volume 2, appendix A (opcode maps), and AMD APM volume 3,
 * appendix A. Where they differ, scan.c says which is followed. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_X86_SCAN_TABLES_H
#define DRTOOLS_TRANSLATOR_X86_SCAN_TABLES_H

#include "scan.h"

/* The low three bits of a form: which immediates follow. */
enum {
    IMM_NONE,
    IMM_B,     /* 1 byte                                               */
    IMM_W,     /* 2 bytes, an unsigned count: ret, retf                */
    IMM_Z,     /* 4 bytes, 2 with 66, 4 with REX.W                     */
    IMM_V,     /* 4 bytes, 2 with 66, 8 with REX.W: mov r, imm64       */
    IMM_D,     /* 4 bytes whatever the prefixes: near branches         */
    IMM_BB,    /* 1 byte and 1 byte: extrq, insertq                    */
    IMM_WB,    /* 2 bytes (unsigned) and 1 byte: enter                 */
    IMM_KIND = 7,
};

/* The rest of a form. */
enum {
    FORM_GROUP = 0x08,     /* `cls` numbers the group whose row for ModRM.reg replaces this one */
    FORM_ODD = 0x10,       /* odd_one() completes it                                            */
    FORM_MODRM = 0x20,
    FORM_MOD3 = 0x40,      /* ModRM names registers whatever its mod says: mov cr, mov dr       */
    FORM_ESCAPE = 0x80,    /* a prefix, or a byte that may lead to another table                */
    FORM_PREFIX = FORM_ESCAPE | FORM_MOD3,    /* `cls` holds the PFX_ bits and `shape` the enum insn_seg */

    M = FORM_MODRM,
    MB = FORM_MODRM | IMM_B,
    MZ = FORM_MODRM | IMM_Z,
    MG = FORM_MODRM | FORM_GROUP,
    MO = FORM_MODRM | FORM_ODD,
};

/* What happens to the arithmetic flags: an index into flag_effects. */
enum flag_effect {
    FX_NONE,
    FX_ALL,       /* writes all six                                         */
    FX_CARRY,     /* adc, sbb: reads CF, writes all six                     */
    FX_INC,       /* writes all but CF                                      */
    FX_ROT,       /* rol, ror: write CF and OF                              */
    FX_RCL,       /* rcl, rcr: read CF, write CF and OF                     */
    FX_R_CF,      /* rcl, rcr by a count that may be zero                   */
    FX_BT,        /* writes CF; ZF stays, the others are undefined          */
    FX_W_CF,
    FX_CMC,
    FX_W_ZF,
    FX_R_DF,
    FX_W_DF,
    FX_CMPS,      /* cmps, scas: read DF, write all six                     */
    FX_ADOX,
    FX_LAHF,      /* reads all but OF                                       */
    FX_SAHF,      /* writes all but OF                                      */
    FX_FCOMI,     /* writes ZF, PF, CF                                      */
    FX_R_ANY,     /* the flags register is stored somewhere                 */
    FX_W_ANY,
    /* Conditions, in the order of a condition code's upper three bits. */
    FX_CC_O, FX_CC_B, FX_CC_Z, FX_CC_BE, FX_CC_S, FX_CC_P, FX_CC_L, FX_CC_LE,
};

struct flag_sets {
    uint16_t read, written;
};

/* clang-format off */
static const struct flag_sets flag_effects[] = {
    [FX_NONE]  = { 0, 0 },
    [FX_ALL]   = { 0, FLAGS_ARITH },
    [FX_CARRY] = { FLAG_CF, FLAGS_ARITH },
    [FX_INC]   = { 0, FLAGS_ARITH & ~FLAG_CF },
    [FX_ROT]   = { 0, FLAG_CF | FLAG_OF },
    [FX_RCL]   = { FLAG_CF, FLAG_CF | FLAG_OF },
    [FX_R_CF]  = { FLAG_CF, 0 },
    [FX_BT]    = { 0, FLAGS_ARITH & ~FLAG_ZF },
    [FX_W_CF]  = { 0, FLAG_CF },
    [FX_CMC]   = { FLAG_CF, FLAG_CF },
    [FX_W_ZF]  = { 0, FLAG_ZF },
    [FX_R_DF]  = { FLAG_DF, 0 },
    [FX_W_DF]  = { 0, FLAG_DF },
    [FX_CMPS]  = { FLAG_DF, FLAGS_ARITH },
    [FX_ADOX]  = { FLAG_OF, FLAG_OF },
    [FX_LAHF]  = { FLAGS_ARITH & ~FLAG_OF, 0 },
    [FX_SAHF]  = { 0, FLAGS_ARITH & ~FLAG_OF },
    [FX_FCOMI] = { 0, FLAG_ZF | FLAG_PF | FLAG_CF },
    [FX_R_ANY] = { FLAGS_ARITH | FLAG_DF, 0 },
    [FX_W_ANY] = { 0, FLAGS_ARITH | FLAG_DF },
    [FX_CC_O]  = { FLAG_OF, 0 },
    [FX_CC_B]  = { FLAG_CF, 0 },
    [FX_CC_Z]  = { FLAG_ZF, 0 },
    [FX_CC_BE] = { FLAG_CF | FLAG_ZF, 0 },
    [FX_CC_S]  = { FLAG_SF, 0 },
    [FX_CC_P]  = { FLAG_PF, 0 },
    [FX_CC_L]  = { FLAG_SF | FLAG_OF, 0 },
    [FX_CC_LE] = { FLAG_ZF | FLAG_SF | FLAG_OF, 0 },
};

struct op {
    uint8_t form;     /* FORM_* and IMM_*                                */
    uint8_t cls;      /* enum insn_class; or a group's number, or PFX_*  */
    uint8_t shape;    /* SHAPE_STRING, SHAPE_STACK, SHAPE_MOFFS          */
    uint8_t flags;    /* enum flag_effect                                */
};

enum group {
    G1,               /* 80-83: add or adc sbb and sub xor cmp           */
    G1_Z,             /* 81                                              */
    G2_IMM, G2_ONE, G2_CL,
    G3_B, G3_Z,       /* f6, f7                                          */
    G4, G5,           /* fe, ff                                          */
    G8,               /* 0f ba                                           */
    G11_B, G11_Z,     /* c6, c7                                          */
    GROUP_COUNT,
};

#define INVALID    { 0, INSN_INVALID, 0, 0 }
#define INVALID_M  { M, INSN_INVALID, 0, 0 }
#define ESCAPE     { FORM_ESCAPE, 0, 0, 0 }
#define PREFIX(pfx, seg)   { FORM_PREFIX, pfx, seg, 0 }
#define GROUP(g)   { MG, g, 0, 0 }
#define PLAIN(form, fx)    { form, INSN_PLAIN, 0, fx }
#define STACK(form, cls)   { form, cls, SHAPE_STACK, 0 }
#define STRING(fx)         { FORM_ODD, INSN_PLAIN, SHAPE_STRING, fx }

static const struct op groups[GROUP_COUNT][8] = {
    [G1] = {
        PLAIN(MB, FX_ALL), PLAIN(MB, FX_ALL), PLAIN(MB, FX_CARRY), PLAIN(MB, FX_CARRY),
        PLAIN(MB, FX_ALL), PLAIN(MB, FX_ALL), PLAIN(MB, FX_ALL), PLAIN(MB, FX_ALL),
    },
    [G1_Z] = {
        PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_CARRY), PLAIN(MZ, FX_CARRY),
        PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_ALL),
    },
    /* rol ror rcl rcr shl shr sal sar. A count of zero writes nothing: FORM_ODD looks at it. */
    [G2_IMM] = {
        PLAIN(MB | FORM_ODD, FX_ROT), PLAIN(MB | FORM_ODD, FX_ROT),
        PLAIN(MB | FORM_ODD, FX_RCL), PLAIN(MB | FORM_ODD, FX_RCL),
        PLAIN(MB | FORM_ODD, FX_ALL), PLAIN(MB | FORM_ODD, FX_ALL),
        PLAIN(MB | FORM_ODD, FX_ALL), PLAIN(MB | FORM_ODD, FX_ALL),
    },
    [G2_ONE] = {
        PLAIN(M, FX_ROT), PLAIN(M, FX_ROT), PLAIN(M, FX_RCL), PLAIN(M, FX_RCL),
        PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL),
    },
    [G2_CL] = {
        PLAIN(M, FX_NONE), PLAIN(M, FX_NONE), PLAIN(M, FX_R_CF), PLAIN(M, FX_R_CF),
        PLAIN(M, FX_NONE), PLAIN(M, FX_NONE), PLAIN(M, FX_NONE), PLAIN(M, FX_NONE),
    },
    /* test test not neg mul imul div idiv */
    [G3_B] = {
        PLAIN(MB, FX_ALL), PLAIN(MB, FX_ALL), PLAIN(M, FX_NONE), PLAIN(M, FX_ALL),
        PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL),
    },
    [G3_Z] = {
        PLAIN(MZ, FX_ALL), PLAIN(MZ, FX_ALL), PLAIN(M, FX_NONE), PLAIN(M, FX_ALL),
        PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL), PLAIN(M, FX_ALL),
    },
    /* inc dec */
    [G4] = {
        PLAIN(M, FX_INC), PLAIN(M, FX_INC), INVALID_M, INVALID_M,
        INVALID_M, INVALID_M, INVALID_M, INVALID_M,
    },
    /* inc dec call callf jmp jmpf push - */
    [G5] = {
        PLAIN(M, FX_INC), PLAIN(M, FX_INC),
        STACK(M, INSN_CALL_IND), STACK(MO, INSN_FAR),
        { M, INSN_JMP_IND, 0, 0 }, { MO, INSN_FAR, 0, 0 },
        STACK(M, INSN_PLAIN), INVALID_M,
    },
    /* - - - - bt bts btr btc */
    [G8] = {
        INVALID_M, INVALID_M, INVALID_M, INVALID_M,
        PLAIN(MB, FX_BT), PLAIN(MB, FX_BT), PLAIN(MB, FX_BT), PLAIN(MB, FX_BT),
    },
    /* mov - - - - - - xabort/xbegin */
    [G11_B] = {
        PLAIN(MB, FX_NONE), INVALID_M, INVALID_M, INVALID_M,
        INVALID_M, INVALID_M, INVALID_M, PLAIN(MB | FORM_ODD, FX_NONE),
    },
    [G11_Z] = {
        PLAIN(MZ, FX_NONE), INVALID_M, INVALID_M, INVALID_M,
        INVALID_M, INVALID_M, INVALID_M, { MZ | FORM_ODD, INSN_XBEGIN, 0, FX_NONE },
    },
};

/* The six forms of add, or, adc …: r/m,r  r,r/m  al,ib  rax,iz. */
#define ALU(base, fx) \
    [base] = PLAIN(M, fx), [base + 1] = PLAIN(M, fx), \
    [base + 2] = PLAIN(M, fx), [base + 3] = PLAIN(M, fx), \
    [base + 4] = PLAIN(IMM_B, fx), [base + 5] = PLAIN(IMM_Z, fx)

/* Two opcodes for each pair of condition codes. */
#define CONDITIONS(base, form, cls) \
    [base + 0x0 ... base + 0x1] = { form, cls, 0, FX_CC_O },  \
    [base + 0x2 ... base + 0x3] = { form, cls, 0, FX_CC_B },  \
    [base + 0x4 ... base + 0x5] = { form, cls, 0, FX_CC_Z },  \
    [base + 0x6 ... base + 0x7] = { form, cls, 0, FX_CC_BE }, \
    [base + 0x8 ... base + 0x9] = { form, cls, 0, FX_CC_S },  \
    [base + 0xa ... base + 0xb] = { form, cls, 0, FX_CC_P },  \
    [base + 0xc ... base + 0xd] = { form, cls, 0, FX_CC_L },  \
    [base + 0xe ... base + 0xf] = { form, cls, 0, FX_CC_LE }

static const struct op one_byte[256] = {
    ALU(0x00, FX_ALL),                            /* add */
    [0x06 ... 0x07] = INVALID,
    ALU(0x08, FX_ALL),                            /* or  */
    [0x0e] = INVALID,
    [0x0f] = ESCAPE,
    ALU(0x10, FX_CARRY),                          /* adc */
    [0x16 ... 0x17] = INVALID,
    ALU(0x18, FX_CARRY),                          /* sbb */
    [0x1e ... 0x1f] = INVALID,
    ALU(0x20, FX_ALL),                            /* and */
    [0x26] = PREFIX(0, SEG_OTHER),                /* es  */
    [0x27] = INVALID,
    ALU(0x28, FX_ALL),                            /* sub */
    [0x2e] = PREFIX(0, SEG_OTHER),                /* cs  */
    [0x2f] = INVALID,
    ALU(0x30, FX_ALL),                            /* xor */
    [0x36] = PREFIX(0, SEG_OTHER),                /* ss  */
    [0x37] = INVALID,
    ALU(0x38, FX_ALL),                            /* cmp */
    [0x3e] = PREFIX(0, SEG_OTHER),                /* ds  */
    [0x3f] = INVALID,
    [0x40 ... 0x4f] = PREFIX(0, 0),               /* rex */
    [0x50 ... 0x5f] = STACK(0, INSN_PLAIN),       /* push, pop */
    [0x60 ... 0x61] = INVALID,
    [0x62] = ESCAPE,                              /* evex */
    [0x63] = PLAIN(M, FX_NONE),                   /* movsxd */
    [0x64] = PREFIX(0, SEG_FS),
    [0x65] = PREFIX(0, SEG_GS),
    [0x66] = PREFIX(PFX_66, 0),
    [0x67] = PREFIX(PFX_67, 0),
    [0x68] = STACK(IMM_Z, INSN_PLAIN),            /* push */
    [0x69] = PLAIN(MZ, FX_ALL),                   /* imul */
    [0x6a] = STACK(IMM_B, INSN_PLAIN),            /* push */
    [0x6b] = PLAIN(MB, FX_ALL),                   /* imul */
    [0x6c ... 0x6f] = STRING(FX_R_DF),            /* ins, outs */
    CONDITIONS(0x70, IMM_B, INSN_JCC),
    [0x80] = GROUP(G1),
    [0x81] = GROUP(G1_Z),
    [0x82] = INVALID,
    [0x83] = GROUP(G1),
    [0x84 ... 0x85] = PLAIN(M, FX_ALL),           /* test */
    [0x86 ... 0x8b] = PLAIN(M, FX_NONE),          /* xchg, mov */
    [0x8c] = PLAIN(MO, FX_NONE),                  /* mov r/m, sreg */
    [0x8d] = PLAIN(MO, FX_NONE),                  /* lea */
    [0x8e] = { MO, INSN_SEGLOAD, 0, FX_NONE },    /* mov sreg, r/m */
    [0x8f] = { MO | FORM_ESCAPE, INSN_PLAIN, SHAPE_STACK, FX_NONE },    /* pop, or XOP */
    [0x90 ... 0x99] = PLAIN(0, FX_NONE),          /* xchg, cbw, cwd */
    [0x9a] = INVALID,
    [0x9b] = PLAIN(0, FX_NONE),                   /* fwait */
    [0x9c] = { 0, INSN_PUSHF, SHAPE_STACK, FX_R_ANY },
    [0x9d] = { 0, INSN_POPF, SHAPE_STACK, FX_W_ANY },
    [0x9e] = PLAIN(0, FX_SAHF),
    [0x9f] = PLAIN(0, FX_LAHF),
    [0xa0 ... 0xa3] = { FORM_ODD, INSN_PLAIN, SHAPE_MOFFS, FX_NONE },
    [0xa4 ... 0xa5] = STRING(FX_R_DF),            /* movs */
    [0xa6 ... 0xa7] = STRING(FX_CMPS),
    [0xa8] = PLAIN(IMM_B, FX_ALL),                /* test */
    [0xa9] = PLAIN(IMM_Z, FX_ALL),
    [0xaa ... 0xad] = STRING(FX_R_DF),            /* stos, lods */
    [0xae ... 0xaf] = STRING(FX_CMPS),            /* scas */
    [0xb0 ... 0xb7] = PLAIN(IMM_B, FX_NONE),      /* mov */
    [0xb8 ... 0xbf] = PLAIN(IMM_V, FX_NONE),
    [0xc0 ... 0xc1] = GROUP(G2_IMM),
    [0xc2] = STACK(IMM_W | FORM_ODD, INSN_RET),
    [0xc3] = STACK(0, INSN_RET),
    [0xc4 ... 0xc5] = ESCAPE,                     /* vex */
    [0xc6] = GROUP(G11_B),
    [0xc7] = GROUP(G11_Z),
    [0xc8] = STACK(IMM_WB | FORM_ODD, INSN_PLAIN),           /* enter */
    [0xc9] = STACK(0, INSN_PLAIN),                /* leave */
    [0xca] = STACK(IMM_W | FORM_ODD, INSN_FAR),              /* retf */
    [0xcb] = STACK(0, INSN_FAR),
    [0xcc] = { 0, INSN_INT, 0, FX_R_ANY },        /* int3 */
    [0xcd] = { IMM_B, INSN_INT, 0, FX_R_ANY },
    [0xce] = INVALID,
    [0xcf] = { 0, INSN_FAR, SHAPE_STACK, FX_W_ANY },    /* iret */
    [0xd0 ... 0xd1] = GROUP(G2_ONE),
    [0xd2 ... 0xd3] = GROUP(G2_CL),
    [0xd4 ... 0xd6] = INVALID,
    [0xd7] = PLAIN(0, FX_NONE),                   /* xlat */
    [0xd8 ... 0xdf] = PLAIN(MO, FX_NONE),         /* x87 */
    [0xe0 ... 0xe1] = { IMM_B, INSN_LOOP, 0, FX_CC_Z },
    [0xe2 ... 0xe3] = { IMM_B, INSN_LOOP, 0, FX_NONE },
    [0xe4 ... 0xe7] = PLAIN(IMM_B, FX_NONE),      /* in, out */
    [0xe8] = STACK(IMM_D, INSN_CALL),
    [0xe9] = { IMM_D, INSN_JMP, 0, FX_NONE },
    [0xea] = INVALID,
    [0xeb] = { IMM_B, INSN_JMP, 0, FX_NONE },
    [0xec ... 0xef] = PLAIN(0, FX_NONE),          /* in, out */
    [0xf0] = PREFIX(PFX_LOCK, 0),
    [0xf1] = { 0, INSN_INT, 0, FX_R_ANY },        /* int1 */
    [0xf2] = PREFIX(PFX_F2, 0),
    [0xf3] = PREFIX(PFX_F3, 0),
    [0xf4] = PLAIN(0, FX_NONE),                   /* hlt */
    [0xf5] = PLAIN(0, FX_CMC),
    [0xf6] = GROUP(G3_B),
    [0xf7] = GROUP(G3_Z),
    [0xf8 ... 0xf9] = PLAIN(0, FX_W_CF),          /* clc, stc */
    [0xfa ... 0xfb] = PLAIN(0, FX_NONE),          /* cli, sti */
    [0xfc ... 0xfd] = PLAIN(0, FX_W_DF),          /* cld, std */
    [0xfe] = GROUP(G4),
    [0xff] = GROUP(G5),
};

static const struct op two_byte[256] = {
    [0x00] = PLAIN(MO, FX_NONE),                  /* sldt, str, lldt, ltr, verr, verw */
    [0x01] = PLAIN(MO, FX_NONE),
    [0x02 ... 0x03] = PLAIN(M, FX_W_ZF),          /* lar, lsl */
    [0x04] = INVALID,
    [0x05] = { 0, INSN_SYSCALL, 0, FX_R_ANY },
    [0x06 ... 0x09] = PLAIN(0, FX_NONE),          /* clts, sysret, invd, wbinvd */
    [0x0a] = INVALID,
    [0x0b] = INVALID,                             /* ud2 */
    [0x0c] = INVALID,
    [0x0d] = PLAIN(M, FX_NONE),                   /* prefetchw */
    [0x0e] = PLAIN(0, FX_NONE),                   /* femms */
    [0x0f] = { MB | FORM_ESCAPE, INSN_PLAIN, 0, FX_NONE },    /* 3DNow: the suffix takes the immediate's place */
    [0x10 ... 0x1f] = PLAIN(M, FX_NONE),          /* SSE moves, hint nops */
    [0x20 ... 0x23] = PLAIN(M | FORM_MOD3, FX_NONE),    /* mov cr, mov dr */
    [0x24 ... 0x27] = INVALID,
    [0x28 ... 0x2d] = PLAIN(M, FX_NONE),
    [0x2e ... 0x2f] = PLAIN(M, FX_ALL),           /* ucomiss, comiss */
    [0x30 ... 0x33] = PLAIN(0, FX_NONE),          /* wrmsr, rdtsc, rdmsr, rdpmc */
    [0x34] = { 0, INSN_SYSENTER, 0, FX_R_ANY },
    [0x35] = PLAIN(0, FX_NONE),                   /* sysexit */
    [0x36] = INVALID,
    [0x37] = PLAIN(0, FX_NONE),                   /* getsec */
    [0x38] = ESCAPE,
    [0x39] = INVALID,
    [0x3a] = ESCAPE,
    [0x3b ... 0x3f] = INVALID,
    CONDITIONS(0x40, M, INSN_PLAIN),              /* cmovcc */
    [0x50 ... 0x6f] = PLAIN(M, FX_NONE),
    [0x70 ... 0x73] = PLAIN(MB, FX_NONE),         /* pshufw, vector shifts by imm8 */
    [0x74 ... 0x76] = PLAIN(M, FX_NONE),
    [0x77] = PLAIN(0, FX_NONE),                   /* emms */
    [0x78] = PLAIN(M | FORM_ESCAPE, FX_NONE),     /* vmread; extrq, insertq by imm8, imm8 */
    [0x79] = PLAIN(M, FX_NONE),
    [0x7a ... 0x7b] = INVALID_M,
    [0x7c ... 0x7f] = PLAIN(M, FX_NONE),
    CONDITIONS(0x80, IMM_D, INSN_JCC),
    CONDITIONS(0x90, M, INSN_PLAIN),              /* setcc */
    [0xa0] = STACK(0, INSN_PLAIN),                /* push fs */
    [0xa1] = STACK(0, INSN_SEGLOAD),              /* pop fs */
    [0xa2] = PLAIN(0, FX_NONE),                   /* cpuid */
    [0xa3] = PLAIN(M, FX_BT),                     /* bt */
    [0xa4] = PLAIN(MB | FORM_ODD, FX_ALL),        /* shld by imm8 */
    [0xa5] = PLAIN(M, FX_NONE),                   /* shld by cl */
    [0xa6 ... 0xa7] = PLAIN(M, FX_NONE),          /* PadLock, which only VIA processors have */
    [0xa8] = STACK(0, INSN_PLAIN),                /* push gs */
    [0xa9] = STACK(0, INSN_SEGLOAD),              /* pop gs */
    [0xaa] = PLAIN(0, FX_NONE),                   /* rsm */
    [0xab] = PLAIN(M, FX_BT),                     /* bts */
    [0xac] = PLAIN(MB | FORM_ODD, FX_ALL),        /* shrd by imm8 */
    [0xad] = PLAIN(M, FX_NONE),                   /* shrd by cl */
    [0xae] = PLAIN(MO, FX_NONE),                  /* fxsave, xsave, fences, rdfsbase ... */
    [0xaf] = PLAIN(M, FX_ALL),                    /* imul */
    [0xb0 ... 0xb1] = PLAIN(M, FX_ALL),           /* cmpxchg */
    [0xb2] = { MO, INSN_SEGLOAD, 0, FX_NONE },    /* lss */
    [0xb3] = PLAIN(M, FX_BT),                     /* btr */
    [0xb4 ... 0xb5] = { MO, INSN_SEGLOAD, 0, FX_NONE },    /* lfs, lgs */
    [0xb6 ... 0xb7] = PLAIN(M, FX_NONE),          /* movzx */
    [0xb8] = PLAIN(MO, FX_ALL),                   /* popcnt */
    [0xb9] = INVALID_M,                           /* ud1 */
    [0xba] = GROUP(G8),
    [0xbb] = PLAIN(M, FX_BT),                     /* btc */
    [0xbc ... 0xbd] = PLAIN(M, FX_ALL),           /* bsf, bsr, tzcnt, lzcnt */
    [0xbe ... 0xbf] = PLAIN(M, FX_NONE),          /* movsx */
    [0xc0 ... 0xc1] = PLAIN(M, FX_ALL),           /* xadd */
    [0xc2] = PLAIN(MB, FX_NONE),                  /* cmpps */
    [0xc3] = PLAIN(M, FX_NONE),                   /* movnti */
    [0xc4 ... 0xc6] = PLAIN(MB, FX_NONE),         /* pinsrw, pextrw, shufps */
    [0xc7] = PLAIN(MO, FX_NONE),                  /* cmpxchg8b, xsavec, rdrand ... */
    [0xc8 ... 0xcf] = PLAIN(0, FX_NONE),          /* bswap */
    [0xd0 ... 0xfe] = PLAIN(M, FX_NONE),
    [0xff] = INVALID_M,                           /* ud0: Intel's has a ModRM byte */
};

/* 0f 38: every opcode has a ModRM byte and none an immediate. 0f 3a: all have
 * both. Only what they do to the flags needs a row. */
static const uint8_t flags_0f38[256] = {
    [0x17] = FX_ALL,                              /* ptest */
};

static const uint8_t flags_0f3a[256] = {
    [0x60 ... 0x63] = FX_ALL,                     /* pcmpestrm, pcmpestri, pcmpistrm, pcmpistri */
};

/* The form's FORM_MODRM and FORM_MOD3, ModRM.mod and .rm, seven bits together, to
 * SHAPE_MODRM, _MEM and _RIPREL, the presence of a SIB byte and the displacement's
 * length. */
enum { MODRM_SIB = 8, MODRM_DISP_SHIFT = 4 };

#define MEM_DISP(n) (SHAPE_MODRM | SHAPE_MEM | n << MODRM_DISP_SHIFT)

static const uint8_t modrm_parts[128] = {
    [0x00 ... 0x1f] = 0,                          /* no ModRM */
    [0x20 ... 0x23] = MEM_DISP(0),
    [0x24] = MEM_DISP(0) | MODRM_SIB,
    [0x25] = MEM_DISP(4) | SHAPE_RIPREL,
    [0x26 ... 0x27] = MEM_DISP(0),
    [0x28 ... 0x2b] = MEM_DISP(1),
    [0x2c] = MEM_DISP(1) | MODRM_SIB,
    [0x2d ... 0x2f] = MEM_DISP(1),
    [0x30 ... 0x33] = MEM_DISP(4),
    [0x34] = MEM_DISP(4) | MODRM_SIB,
    [0x35 ... 0x37] = MEM_DISP(4),
    [0x38 ... 0x3f] = SHAPE_MODRM,
    [0x60 ... 0x7f] = SHAPE_MODRM,                /* mod 3 whatever it says */
};

/* Immediates by kind, then by operand size (plain, 66, REX.W). */
struct imm_size {
    uint8_t bytes;         /* of all immediates together                                  */
    uint8_t half_shift;    /* shifting the first one left by this twice leaves its bits   */
};

#define IMM_SIZE(first, all) { all, 32 - 4 * (first) }
#define IMM_SIZES(plain, with_66, with_w) \
    { IMM_SIZE(plain, plain), IMM_SIZE(with_66, with_66), IMM_SIZE(with_w, with_w) }

static const struct imm_size imm_sizes[8][3] = {
    [IMM_NONE] = IMM_SIZES(0, 0, 0),
    [IMM_B] = IMM_SIZES(1, 1, 1),
    [IMM_W] = IMM_SIZES(2, 2, 2),
    [IMM_Z] = IMM_SIZES(4, 2, 4),
    [IMM_V] = IMM_SIZES(4, 2, 8),
    [IMM_D] = IMM_SIZES(4, 4, 4),
    [IMM_BB] = { IMM_SIZE(1, 2), IMM_SIZE(1, 2), IMM_SIZE(1, 2) },
    [IMM_WB] = { IMM_SIZE(2, 3), IMM_SIZE(2, 3), IMM_SIZE(2, 3) },
};

/* clang-format on */

#endif
