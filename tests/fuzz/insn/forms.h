/* The instruction set as a table: every mnemonic × operand form that Zydis
 * knows in 64-bit mode, found by decoding the opcode space, and for each form
 * the encodings that produce it.
 * Threads: built once by forms_build; read-only afterwards. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_FORMS_H
#define DRTOOLS_FUZZ_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <Zydis/Zydis.h>

enum { FORM_OPERANDS_MAX = 5 };

/* What makes two instructions the same row of the coverage table. Implicit
 * operands (`shl r, cl`; `add al, imm8`) differ from explicit ones. */
struct form_key {
    uint16_t mnemonic;
    uint16_t traits; /* FORM_* */
    uint32_t noperands;
    uint32_t operand[FORM_OPERANDS_MAX]; /* packed type, visibility, class, size */
};

enum {
    FORM_LOCK = 1,
    FORM_REP = 2,
    FORM_REPNE = 4,
    FORM_MERGE = 8,
    FORM_ZERO = 16,
    FORM_BROADCAST = 32,
    FORM_ROUNDING = 64,
    FORM_SAE = 128,
    FORM_FAR = 256,
};

enum skeleton_enc { SK_LEGACY, SK_3DNOW, SK_XOP, SK_VEX, SK_EVEX };

/* One encoding of a form: everything fixed except registers, addresses, immediates. */
struct skeleton {
    uint16_t form;
    uint8_t enc; /* enum skeleton_enc */
    uint8_t map; /* 0..3 legacy; the map number of VEX, EVEX, XOP */
    uint8_t opcode;
    uint8_t prefixes; /* SKP_*, legacy only */
    uint8_t pp, w, l; /* VEX, EVEX, XOP; w also is REX.W */
    uint8_t b;        /* EVEX.b */
    uint8_t mask;     /* EVEX: 0 none, 1 merging, 2 zeroing */
    bool modrm;       /* has a ModRM byte */
    bool mem;         /* ModRM.mod != 3 */
    bool vvvv;        /* vvvv may name any register */
    uint8_t excess;   /* legacy: prefixes, counting REX.W */
    uint8_t regs;     /* bitmap of the ModRM.reg values that stay this form */
    uint8_t rms;      /* the same for ModRM.rm, when !mem */
};

enum { SKP_66 = 1, SKP_F2 = 2, SKP_F3 = 4, SKP_F0 = 8 };

struct form {
    struct form_key key;
    uint32_t first, count; /* its skeletons ... */
    uint32_t natural;      /* ... the first of which have no needless prefix */
    bool memory;           /* reads or writes memory through ModRM */
    bool privileged;       /* Zydis says so */
    bool branch;           /* jumps, calls, returns */
    uint8_t isa_ext;       /* ZydisISAExt, for grouping */
    uint8_t mem_type;      /* ZydisElementType of the memory operand */
    uint16_t mem_size;     /* its bytes */
    bool vsib;
    bool vector; /* has an xmm, ymm, zmm or mask operand */
};

struct forms {
    struct form *form;
    struct skeleton *skeleton;
    size_t nforms, nskeletons;
    bool amd; /* operand-size prefixes count for near branches */
    ZydisDecoder decoder;
};

/* The variable parts of an instruction; skeleton_bytes puts them together. */
struct fields {
    uint8_t reg, rm, index; /* 0..31 as far as the encoding reaches; rm is also the base */
    uint8_t vvvv, aaa;
    uint8_t mod, scale; /* mod: 0..3 */
    bool sib;           /* memory: a SIB byte follows */
    bool no_index;      /* SIB without an index register */
    bool no_base;       /* mod 0, base 5: disp32 only */
    bool riprel;        /* mod 0, rm 5 */
    int32_t disp;
    uint64_t imm;     /* as many of its bytes as the form wants */
    bool short_vex;   /* prefer the two-byte VEX prefix */
    bool force_rex;   /* a REX byte even where none is needed */
    uint8_t extra[3]; /* legacy bytes put in front, 0 = none */
};

/* Decodes the opcode space. Exits with a message on lack of memory. */
void forms_build(struct forms *f);
void forms_free(struct forms *f);

/* The form of a decoded instruction, or -1. */
int forms_find(const struct forms *f, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops);

/* Decodes with all operands. False: not an instruction. */
bool forms_decode(const struct forms *f, const uint8_t *bytes, size_t size, ZydisDecodedInstruction *in,
                  ZydisDecodedOperand *ops);

/* Writes prefixes, opcode, ModRM, SIB, displacement and 8 bytes of immediate;
 * the caller decodes to learn how many of these belong. At most 32 bytes.
 * Sets *disp_off to the displacement's offset, 0 if none. */
size_t skeleton_bytes(const struct skeleton *s, const struct fields *v, uint8_t out[32], size_t *disp_off);

/* "vaddps zmm{k}{z}, zmm, m512" */
void form_name(const struct form *f, char *buf, size_t size);

#endif
