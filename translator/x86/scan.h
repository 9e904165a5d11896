/* Instruction scanner: length, class and shape of one x86-64 instruction,
 * from a table of ours, in a few nanoseconds. It is the decoder of everything
 * that no tool looks at; the fuzzer checks it against Zydis.
 * Threads: pure functions of their arguments; no state, no allocation, no libc.
 * See Intel SDM volume 2, chapter 2 and appendix A, and AMD APM volume 3. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_X86_SCAN_H
#define DRTOOLS_TRANSLATOR_X86_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_MAX_LEN = 15 };

/* What the translator must do with an instruction. INSN_PLAIN is copied. */
enum insn_class {
    INSN_PLAIN,
    INSN_JCC,         /* 70-7f, 0f 80-8f                                          */
    INSN_LOOP,        /* e0-e3: loopne, loope, loop, jcxz/jecxz/jrcxz             */
    INSN_JMP,         /* eb, e9                                                   */
    INSN_CALL,        /* e8                                                       */
    INSN_JMP_IND,     /* ff /4                                                    */
    INSN_CALL_IND,    /* ff /2                                                    */
    INSN_RET,         /* c3, c2 (imm16 in `imm`)                                  */
    INSN_FAR,         /* ff /3, ff /5, cb, ca, cf (iret)                          */
    INSN_SYSCALL,     /* 0f 05                                                    */
    INSN_SYSENTER,    /* 0f 34                                                    */
    INSN_INT,         /* cd, cc, f1                                               */
    INSN_POPF,        /* 9d                                                       */
    INSN_PUSHF,       /* 9c                                                       */
    INSN_FPSAVE,      /* stores the x87 instruction pointer: fnstenv, fnsave, fxsave[64], xsave*[64] */
    INSN_SEGLOAD,     /* mov sreg, pop fs/gs, lfs/lgs/lss: may touch FS or GS     */
    INSN_GSBASE,      /* rdgsbase, wrgsbase (rdfsbase and wrfsbase are plain)     */
    INSN_XBEGIN,      /* c7 f8 rel32                                              */
    INSN_WRPKRU,      /* 0f 01 ef                                                 */
    INSN_REQUEST,     /* 48 87 db that ends a client request; of translate.c, not of the scanner */
    INSN_INVALID,     /* raises #UD whatever the CPU (ud2 too), or is too long: see scan_insn */
};

enum insn_enc { ENC_LEGACY, ENC_VEX, ENC_EVEX, ENC_XOP, ENC_3DNOW };

/* Prefix bits in struct insn.prefixes. The segment is in `seg`. */
enum {
    PFX_66 = 1, PFX_67 = 2, PFX_F2 = 4, PFX_F3 = 8, PFX_LOCK = 16, PFX_REX = 32,
};

enum insn_seg { SEG_NONE, SEG_FS, SEG_GS, SEG_OTHER /* es cs ss ds: ignored in 64-bit mode */ };

/* Bits of struct insn.shape. */
enum {
    SHAPE_MODRM = 1,      /* has a ModRM byte                                        */
    SHAPE_MEM = 2,        /* ModRM names memory (mod != 3); `lea` and `nop m` too     */
    SHAPE_RIPREL = 4,     /* mod 0, rm 5: address is next rip + disp32               */
    SHAPE_MOFFS = 8,      /* a0-a3: 8-byte (4 with 67) absolute address at disp_off  */
    SHAPE_STRING = 16,    /* a4-a7, aa-af, 6c-6f: implicit rsi/rdi memory            */
    SHAPE_REP = 32,       /* a string instruction with f2 or f3                      */
    SHAPE_STACK = 64,     /* push, pop, call, ret, enter, leave, pushf, popf         */
};

/* Arithmetic flags, in their EFLAGS positions. */
enum {
    FLAG_CF = 0x1, FLAG_PF = 0x4, FLAG_AF = 0x10, FLAG_ZF = 0x40, FLAG_SF = 0x80,
    FLAG_DF = 0x400, FLAG_OF = 0x800,
    FLAG_RF = 0x10000,    /* set in what a fault saves (SDM volume 3, 18.3.1.1) */
    FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

struct insn {
    uint8_t len;          /* 1..15                                                  */
    uint8_t cls;          /* enum insn_class                                        */
    uint8_t enc;          /* enum insn_enc                                          */
    uint8_t map;          /* 0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a; VEX/EVEX/XOP map number */
    uint8_t opcode;       /* the opcode byte of that map                            */
    uint8_t opcode_off;   /* its offset                                             */
    uint8_t prefixes;     /* PFX_*, legacy bytes only (not VEX.pp)                  */
    uint8_t rex;          /* the REX byte, or 0; for VEX/EVEX: 0x40|W<<3|R<<2|X<<1|B */
    uint8_t seg;          /* enum insn_seg, of the last segment prefix              */
    uint8_t shape;        /* SHAPE_*                                                */
    uint8_t modrm;        /* the byte, if SHAPE_MODRM                               */
    uint8_t modrm_off;    /* its offset, if SHAPE_MODRM                             */
    uint8_t disp_off;     /* offset of the displacement (or moffs); 0 if none       */
    uint8_t disp_len;     /* 0, 1, 4, 8                                             */
    uint8_t imm_off;      /* offset of the first immediate; 0 if none               */
    uint8_t imm_len;      /* bytes of all immediates together                       */
    uint16_t flags_read;      /* FLAG_* the result may depend on (conservative: more is safe) */
    uint16_t flags_written;   /* FLAG_* surely overwritten or left undefined (fewer is safe)  */
    int64_t imm;          /* first immediate, sign-extended (of ret, retf, enter: zero-extended);
                           * for a branch: the displacement                         */
};

/* Operands of 16 bits: REX.W overrides the prefix. */
static inline bool insn_is_16_bit(const struct insn *in) { return (in->prefixes & PFX_66) && !(in->rex & 8); }

/* Scans the instruction in bytes[0..avail). avail may be less than 15 where
 * the next page cannot be read; from 40 on it is fastest. Returns true and fills *out; returns false
 * when the instruction does not end within `avail` bytes (nothing but `len` = 0
 * is then set). An encoding that is surely undefined is INSN_INVALID with len =
 * as many bytes as were understood (at least 1), and one that is too long (> 15)
 * likewise with len = 15, though the processor raises #GP for it, not #UD.
 * When in doubt whether this CPU has an instruction: INSN_PLAIN. It will raise
 * #UD from the code cache just as it would have natively. */
bool scan_insn(const uint8_t *bytes, size_t avail, struct insn *out);

/* General-purpose registers by bit (rax = 0 … r15 = 15) that the instruction
 * reads and writes, implicit ones (push, mul, string, cpuid, syscall …) included.
 * `writes` holds every register that may change. One that may also keep a bit
 * of what it was (8- and 16-bit writes, cmov, rep) is in `reads` too, so that
 * `writes & ~reads` are the registers whose old value is surely dead.
 * xor r,r, sub r,r and sbb r,r do not read r. Where it is not known what an
 * instruction does, everything is read and written. */
struct effects {
    uint16_t reads, writes;
    bool mem_read, mem_written;   /* explicit, implicit and stack memory; lea and nop: neither */
    bool modrm_read, modrm_written;   /* of these, the ModRM memory operand                     */
    bool known;                   /* there is a row for the instruction; else it is all of everything */
    uint8_t mem_size;             /* bytes of the ModRM memory operand; 0: unknown or varies   */
};
void scan_effects(const uint8_t *bytes, const struct insn *in, struct effects *out);

/* x86/operands.c: the memory operands of the instruction at program address `pc`, in the order in which
 * they are accessed. An operand of size 0 (AVX-512, XOP, x87 and system oddities) is one that the tables
 * do not know: what it reads and writes and its displacement are not to be relied on. */
struct dr_memory;
unsigned scan_memory(const uint8_t *bytes, const struct insn *in, uint64_t pc, struct dr_memory *out);

/* x86/faults.c: raises no exception but those of its memory operand, if it has one. */
bool insn_cannot_fault(const struct insn *in);

#endif
