/* From an instruction's bytes to a step: which rule its definedness follows, and its operands.
 * Threads: any; holds no state. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define ZYAN_NO_LIBC
#include "propagate_priv.h"

#include <Zydis/Zydis.h>

struct row { uint8_t rule, a, b; };

#define M(name) ZYDIS_MNEMONIC_##name
#define BOTH(name, ...) [M(name)] = {__VA_ARGS__}, [M(V##name)] = {__VA_ARGS__}     /* SSE and AVX */
#define FOR_BWDQ(name, rule, a) \
    [M(name##B)] = {rule, a, 1}, [M(name##W)] = {rule, a, 2}, [M(name##D)] = {rule, a, 4}, [M(name##Q)] = {rule, a, 8}
#define FOR_DQ(name, rule, a) [M(name##D)] = {rule, a, 4}, [M(name##Q)] = {rule, a, 8}
#define FOR_WDQ(name, rule, a) [M(name##W)] = {rule, a, 2}, FOR_DQ(name, rule, a)
#define PS_PD(name, ...) [M(name##PS)] = {__VA_ARGS__}, [M(name##PD)] = {__VA_ARGS__}
#define PACKED(name, a) PS_PD(name, RULE_V_LANES, a, 0)
#define SCALAR(name, a) [M(name##SS)] = {RULE_V_SCALAR, a, 4}, [M(name##SD)] = {RULE_V_SCALAR, a, 8}
#define FP(name, a) PACKED(name, a), PACKED(V##name, a), SCALAR(name, a), SCALAR(V##name, a)
#define FP_V(name, a) PACKED(V##name, a), SCALAR(V##name, a)
#define FMA(name) FP_V(name##132, LANES_TERNARY), FP_V(name##213, LANES_TERNARY), FP_V(name##231, LANES_TERNARY)
#define FMA_PACKED(name) PACKED(V##name##132, LANES_TERNARY), PACKED(V##name##213, LANES_TERNARY), PACKED(V##name##231, LANES_TERNARY)
#define CONDITION(cc, n, not_cc) \
    [M(J##cc)] = {RULE_JCC, n, 0}, [M(SET##cc)] = {RULE_SETCC, n, 0}, [M(CMOV##cc)] = {RULE_CMOVCC, n, 0}, \
    [M(J##not_cc)] = {RULE_JCC, n + 1, 0}, [M(SET##not_cc)] = {RULE_SETCC, n + 1, 0}, [M(CMOV##not_cc)] = {RULE_CMOVCC, n + 1, 0}
/* … of doublewords: movsd and cmpsd are also names of SSE, see choose_rule */
#define STRINGS(name, op) [M(name##B)] = {RULE_STRING, op, 1}, [M(name##W)] = {RULE_STRING, op, 2}, [M(name##Q)] = {RULE_STRING, op, 8}
#define K_LOGIC(name, table) [M(K##name##B)] = {RULE_K_LOGIC, table, 1}, [M(K##name##W)] = {RULE_K_LOGIC, table, 2}, \
    [M(K##name##D)] = {RULE_K_LOGIC, table, 4}, [M(K##name##Q)] = {RULE_K_LOGIC, table, 8}
#define SHUFFLE(name, kind, lane) [M(name)] = {RULE_V_SHUFFLE, kind, lane}
#define SHUFFLES(name, kind, lane) BOTH(name, RULE_V_SHUFFLE, kind, lane)

/* vpternlog's tables for logic of two operands. */
enum { TABLE_AND = 0xc0, TABLE_OR = 0xfc, TABLE_XOR = 0x3c, TABLE_ANDN = 0x0c, TABLE_XNOR = 0xc3 };

static const struct row rows[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    [M(NOP)] = {RULE_NOTHING, 0, 0}, [M(PAUSE)] = {RULE_NOTHING, 0, 0}, [M(ENDBR64)] = {RULE_NOTHING, 0, 0}, [M(ENDBR32)] = {RULE_NOTHING, 0, 0},
    [M(LFENCE)] = {RULE_NOTHING, 0, 0}, [M(SFENCE)] = {RULE_NOTHING, 0, 0}, [M(MFENCE)] = {RULE_NOTHING, 0, 0}, [M(FWAIT)] = {RULE_NOTHING, 0, 0},
    [M(PREFETCH)] = {RULE_NOTHING, 0, 0}, [M(PREFETCHNTA)] = {RULE_NOTHING, 0, 0}, [M(PREFETCHT0)] = {RULE_NOTHING, 0, 0}, [M(PREFETCHT1)] = {RULE_NOTHING, 0, 0},
    [M(PREFETCHT2)] = {RULE_NOTHING, 0, 0}, [M(PREFETCHW)] = {RULE_NOTHING, 0, 0}, [M(PREFETCHWT1)] = {RULE_NOTHING, 0, 0},
    [M(CLFLUSH)] = {RULE_NOTHING, 0, 0}, [M(CLFLUSHOPT)] = {RULE_NOTHING, 0, 0}, [M(CLWB)] = {RULE_NOTHING, 0, 0}, [M(CLDEMOTE)] = {RULE_NOTHING, 0, 0},
    [M(FNOP)] = {RULE_NOTHING, 0, 0}, [M(UD0)] = {RULE_NOTHING, 0, 0}, [M(UD1)] = {RULE_NOTHING, 0, 0}, [M(UD2)] = {RULE_NOTHING, 0, 0},
    [M(INT3)] = {RULE_NOTHING, 0, 0}, [M(INT)] = {RULE_NOTHING, 0, 0}, [M(INT1)] = {RULE_NOTHING, 0, 0}, [M(HLT)] = {RULE_NOTHING, 0, 0},
    [M(SERIALIZE)] = {RULE_NOTHING, 0, 0}, [M(XABORT)] = {RULE_NOTHING, 0, 0}, [M(WRFSBASE)] = {RULE_NOTHING, 0, 0}, [M(WRGSBASE)] = {RULE_NOTHING, 0, 0},
    [M(FNCLEX)] = {RULE_NOTHING, 0, 0}, [M(FSETPM287_NOP)] = {RULE_NOTHING, 0, 0}, [M(FENI8087_NOP)] = {RULE_NOTHING, 0, 0}, [M(FDISI8087_NOP)] = {RULE_NOTHING, 0, 0},

    /* of MPX, which Linux does not enable: no operation */
    [M(BNDMOV)] = {RULE_NOTHING, 0, 0}, [M(BNDMK)] = {RULE_NOTHING, 0, 0}, [M(BNDCL)] = {RULE_NOTHING, 0, 0}, [M(BNDCN)] = {RULE_NOTHING, 0, 0},
    [M(BNDCU)] = {RULE_NOTHING, 0, 0}, [M(BNDLDX)] = {RULE_NOTHING, 0, 0}, [M(BNDSTX)] = {RULE_NOTHING, 0, 0},

    [M(CPUID)] = {RULE_DEFINE, 0, 0}, [M(RDTSC)] = {RULE_DEFINE, 0, 0}, [M(RDTSCP)] = {RULE_DEFINE, 0, 0}, [M(RDRAND)] = {RULE_DEFINE, 0, 0},
    [M(RDSEED)] = {RULE_DEFINE, 0, 0}, [M(RDPID)] = {RULE_DEFINE, 0, 0}, [M(XGETBV)] = {RULE_DEFINE, 0, 0}, [M(RDFSBASE)] = {RULE_DEFINE, 0, 0},
    [M(RDGSBASE)] = {RULE_DEFINE, 0, 0}, [M(RDPKRU)] = {RULE_DEFINE, 0, 0}, [M(XTEST)] = {RULE_DEFINE, 0, 0}, [M(XBEGIN)] = {RULE_DEFINE, 0, 0},
    [M(SGDT)] = {RULE_DEFINE, 0, 0}, [M(SIDT)] = {RULE_DEFINE, 0, 0}, [M(SLDT)] = {RULE_DEFINE, 0, 0}, [M(STR)] = {RULE_DEFINE, 0, 0}, [M(SMSW)] = {RULE_DEFINE, 0, 0},
    [M(RDPRU)] = {RULE_DEFINE, 0, 0}, [M(RDSSPD)] = {RULE_NOTHING, 0, 0}, [M(RDSSPQ)] = {RULE_NOTHING, 0, 0},
    [M(SYSCALL)] = {RULE_SYSCALL, 0, 0},

    [M(MOV)] = {RULE_MOV, 0, 0}, [M(MOVNTI)] = {RULE_MOV, 0, 0}, [M(MOVDIRI)] = {RULE_MOV, 0, 0}, [M(MOVZX)] = {RULE_MOVZX, 0, 0},
    [M(MOVSX)] = {RULE_MOVSX, 0, 0}, [M(MOVSXD)] = {RULE_MOVSX, 0, 0}, [M(MOVBE)] = {RULE_MOVBE, 0, 0}, [M(BSWAP)] = {RULE_BSWAP, 0, 0},
    [M(LEA)] = {RULE_LEA, 0, 0}, [M(XCHG)] = {RULE_XCHG, 0, 0},
    [M(PUSH)] = {RULE_PUSH, 0, 0}, [M(POP)] = {RULE_POP, 0, 0}, [M(ENTER)] = {RULE_ENTER, 0, 0}, [M(LEAVE)] = {RULE_LEAVE, 0, 0},
    [M(PUSHF)] = {RULE_PUSHF, 0, 0}, [M(PUSHFQ)] = {RULE_PUSHF, 0, 0}, [M(POPF)] = {RULE_POPF, 0, 0}, [M(POPFQ)] = {RULE_POPF, 0, 0},
    [M(CALL)] = {RULE_CALL, 0, 0}, [M(RET)] = {RULE_RET, 0, 0}, [M(JMP)] = {RULE_JMP, 0, 0},
    CONDITION(O, 0, NO), CONDITION(B, 2, NB), CONDITION(Z, 4, NZ), CONDITION(BE, 6, NBE),
    CONDITION(S, 8, NS), CONDITION(P, 10, NP), CONDITION(L, 12, NL), CONDITION(LE, 14, NLE),
    [M(LOOP)] = {RULE_LOOP, 0, 0}, [M(LOOPE)] = {RULE_LOOP, 1, 0}, [M(LOOPNE)] = {RULE_LOOP, 2, 0},
    [M(JRCXZ)] = {RULE_JCXZ, 0, 0}, [M(JECXZ)] = {RULE_JCXZ, 0, 0},
    [M(AND)] = {RULE_AND, 0, 0}, [M(OR)] = {RULE_OR, 0, 0}, [M(XOR)] = {RULE_XOR, 0, 0}, [M(TEST)] = {RULE_TEST, 0, 0}, [M(ANDN)] = {RULE_ANDN, 0, 0},
    [M(NOT)] = {RULE_NOT, 0, 0}, [M(ADD)] = {RULE_ADD, 0, 0}, [M(SUB)] = {RULE_SUB, 0, 0}, [M(CMP)] = {RULE_CMP, 0, 0}, [M(ADC)] = {RULE_ADC, 0, 0},
    [M(SBB)] = {RULE_SBB, 0, 0}, [M(INC)] = {RULE_INC, 0, 0}, [M(DEC)] = {RULE_DEC, 0, 0}, [M(NEG)] = {RULE_NEG, 0, 0},
    [M(ADCX)] = {RULE_ADX, 0, 0}, [M(ADOX)] = {RULE_ADX, 1, 0}, [M(XADD)] = {RULE_XADD, 0, 0},
    [M(CMPXCHG)] = {RULE_CMPXCHG, 0, 0}, [M(CMPXCHG8B)] = {RULE_CMPXCHG_PAIR, 0, 4}, [M(CMPXCHG16B)] = {RULE_CMPXCHG_PAIR, 0, 8},
    [M(MUL)] = {RULE_MUL, 0, 0}, [M(IMUL)] = {RULE_MUL, 1, 0}, [M(MULX)] = {RULE_MUL, 2, 0}, [M(DIV)] = {RULE_DIV, 0, 0}, [M(IDIV)] = {RULE_DIV, 1, 0},
    [M(SHL)] = {RULE_SHIFT, SHIFT_SHL, 0}, [M(SHR)] = {RULE_SHIFT, SHIFT_SHR, 0}, [M(SAR)] = {RULE_SHIFT, SHIFT_SAR, 0}, [M(ROL)] = {RULE_SHIFT, SHIFT_ROL, 0},
    [M(ROR)] = {RULE_SHIFT, SHIFT_ROR, 0}, [M(RCL)] = {RULE_SHIFT, SHIFT_RCL, 0}, [M(RCR)] = {RULE_SHIFT, SHIFT_RCR, 0},
    [M(SHLX)] = {RULE_SHIFT, SHIFT_SHL, 1}, [M(SHRX)] = {RULE_SHIFT, SHIFT_SHR, 1}, [M(SARX)] = {RULE_SHIFT, SHIFT_SAR, 1}, [M(RORX)] = {RULE_SHIFT, SHIFT_ROR, 1},
    [M(SHLD)] = {RULE_DOUBLE_SHIFT, 0, 0}, [M(SHRD)] = {RULE_DOUBLE_SHIFT, 1, 0},
    [M(BT)] = {RULE_BIT, BIT_TEST, 0}, [M(BTS)] = {RULE_BIT, BIT_SET, 0}, [M(BTR)] = {RULE_BIT, BIT_RESET, 0}, [M(BTC)] = {RULE_BIT, BIT_COMPLEMENT, 0},
    [M(BSF)] = {RULE_BIT_SCAN, SCAN_BSF, 0}, [M(BSR)] = {RULE_BIT_SCAN, SCAN_BSR, 0}, [M(TZCNT)] = {RULE_BIT_SCAN, SCAN_TZCNT, 0},
    [M(LZCNT)] = {RULE_BIT_SCAN, SCAN_LZCNT, 0}, [M(POPCNT)] = {RULE_BIT_SCAN, SCAN_POPCNT, 0},
    [M(BLSI)] = {RULE_BLS, BLS_I, 0}, [M(BLSR)] = {RULE_BLS, BLS_R, 0}, [M(BLSMSK)] = {RULE_BLS, BLS_MASK, 0},
    [M(BEXTR)] = {RULE_BEXTR, 0, 0}, [M(BZHI)] = {RULE_BZHI, 0, 0}, [M(PDEP)] = {RULE_PDEP, 0, 0}, [M(PEXT)] = {RULE_PEXT, 0, 0},
    [M(CBW)] = {RULE_SIGN_EXTEND_AX, 0, 2}, [M(CWDE)] = {RULE_SIGN_EXTEND_AX, 0, 4}, [M(CDQE)] = {RULE_SIGN_EXTEND_AX, 0, 8},
    [M(CWD)] = {RULE_SIGN_EXTEND_AX, 1, 2}, [M(CDQ)] = {RULE_SIGN_EXTEND_AX, 1, 4}, [M(CQO)] = {RULE_SIGN_EXTEND_AX, 1, 8},
    [M(LAHF)] = {RULE_LAHF, 0, 0}, [M(SAHF)] = {RULE_SAHF, 0, 0}, [M(CLC)] = {RULE_FLAG, 0, 0}, [M(STC)] = {RULE_FLAG, 0, 0}, [M(CMC)] = {RULE_FLAG, 0xff, 0},
    [M(CLD)] = {RULE_FLAG, 10, 0}, [M(STD)] = {RULE_FLAG, 10, 0}, [M(XLAT)] = {RULE_XLAT, 0, 0}, [M(CRC32)] = {RULE_CRC32, 0, 0},
    STRINGS(MOVS, STRING_MOVS), STRINGS(STOS, STRING_STOS), STRINGS(LODS, STRING_LODS), STRINGS(SCAS, STRING_SCAS), STRINGS(CMPS, STRING_CMPS),
    [M(STOSD)] = {RULE_STRING, STRING_STOS, 4}, [M(LODSD)] = {RULE_STRING, STRING_LODS, 4}, [M(SCASD)] = {RULE_STRING, STRING_SCAS, 4},

    K_LOGIC(AND, TABLE_AND), K_LOGIC(OR, TABLE_OR), K_LOGIC(XOR, TABLE_XOR), K_LOGIC(ANDN, TABLE_ANDN), K_LOGIC(XNOR, TABLE_XNOR),
    [M(KNOTB)] = {RULE_K_NOT, 0, 1}, [M(KNOTW)] = {RULE_K_NOT, 0, 2}, [M(KNOTD)] = {RULE_K_NOT, 0, 4}, [M(KNOTQ)] = {RULE_K_NOT, 0, 8},
    [M(KMOVB)] = {RULE_V_MOVE, 1, 0}, [M(KMOVW)] = {RULE_V_MOVE, 2, 0}, [M(KMOVD)] = {RULE_V_MOVE, 4, 0}, [M(KMOVQ)] = {RULE_V_MOVE, 8, 0},
    [M(KSHIFTLB)] = {RULE_K_SHIFT, SHIFT_SHL, 1}, [M(KSHIFTLW)] = {RULE_K_SHIFT, SHIFT_SHL, 2}, [M(KSHIFTLD)] = {RULE_K_SHIFT, SHIFT_SHL, 4}, [M(KSHIFTLQ)] = {RULE_K_SHIFT, SHIFT_SHL, 8},
    [M(KSHIFTRB)] = {RULE_K_SHIFT, SHIFT_SHR, 1}, [M(KSHIFTRW)] = {RULE_K_SHIFT, SHIFT_SHR, 2}, [M(KSHIFTRD)] = {RULE_K_SHIFT, SHIFT_SHR, 4}, [M(KSHIFTRQ)] = {RULE_K_SHIFT, SHIFT_SHR, 8},
    [M(KUNPCKBW)] = {RULE_K_UNPACK, 0, 1}, [M(KUNPCKWD)] = {RULE_K_UNPACK, 0, 2}, [M(KUNPCKDQ)] = {RULE_K_UNPACK, 0, 4},
    FOR_BWDQ(KADD, RULE_K_ADD, 0), FOR_BWDQ(KTEST, RULE_K_TEST, 0), FOR_BWDQ(KORTEST, RULE_K_TEST, 1),

    /* moves */
    BOTH(MOVAPS, RULE_V_MOVE, 0, 0), BOTH(MOVAPD, RULE_V_MOVE, 0, 0), BOTH(MOVUPS, RULE_V_MOVE, 0, 0), BOTH(MOVUPD, RULE_V_MOVE, 0, 0),
    BOTH(MOVDQA, RULE_V_MOVE, 0, 0), BOTH(MOVDQU, RULE_V_MOVE, 0, 0), BOTH(LDDQU, RULE_V_MOVE, 0, 0), BOTH(MOVNTDQ, RULE_V_MOVE, 0, 0),
    BOTH(MOVNTDQA, RULE_V_MOVE, 0, 0), BOTH(MOVNTPS, RULE_V_MOVE, 0, 0), BOTH(MOVNTPD, RULE_V_MOVE, 0, 0), BOTH(MOVD, RULE_V_MOVE, 4, 0), BOTH(MOVQ, RULE_V_MOVE, 8, 0),
    [M(MOVNTSS)] = {RULE_V_MOVE, 4, 0}, [M(MOVNTSD)] = {RULE_V_MOVE, 8, 0}, [M(MOVNTQ)] = {RULE_V_MOVE, 8, 0}, [M(MOVQ2DQ)] = {RULE_V_MOVE, 8, 0}, [M(MOVDQ2Q)] = {RULE_V_MOVE, 8, 0},
    [M(VMOVDQA32)] = {RULE_V_MOVE, 0, 0}, [M(VMOVDQA64)] = {RULE_V_MOVE, 0, 0}, [M(VMOVDQU8)] = {RULE_V_MOVE, 0, 0}, [M(VMOVDQU16)] = {RULE_V_MOVE, 0, 0},
    [M(VMOVDQU32)] = {RULE_V_MOVE, 0, 0}, [M(VMOVDQU64)] = {RULE_V_MOVE, 0, 0}, [M(VMOVW)] = {RULE_V_MOVE, 2, 0},
    BOTH(MOVSS, RULE_V_MERGE, 4, 0), BOTH(MOVSD, RULE_V_MERGE, 8, 0), [M(VMOVSH)] = {RULE_V_MERGE, 2, 0},
    SHUFFLES(MOVLPS, SHUFFLE_MOVLP, 8), SHUFFLES(MOVLPD, SHUFFLE_MOVLP, 8), SHUFFLES(MOVHPS, SHUFFLE_MOVHP, 8), SHUFFLES(MOVHPD, SHUFFLE_MOVHP, 8),
    SHUFFLES(MOVLHPS, SHUFFLE_MOVLHPS, 8), SHUFFLES(MOVHLPS, SHUFFLE_MOVHLPS, 8),
    SHUFFLES(MOVDDUP, SHUFFLE_DUP_EVEN, 8), SHUFFLES(MOVSLDUP, SHUFFLE_DUP_EVEN, 4), SHUFFLES(MOVSHDUP, SHUFFLE_DUP_ODD, 4),
    BOTH(MOVMSKPS, RULE_V_MOVE_MASK, 0, 4), BOTH(MOVMSKPD, RULE_V_MOVE_MASK, 0, 8), BOTH(PMOVMSKB, RULE_V_MOVE_MASK, 0, 1),
    FOR_DQ(VPMASKMOV, RULE_V_MASK_MOVE, 0), [M(VMASKMOVPS)] = {RULE_V_MASK_MOVE, 0, 4}, [M(VMASKMOVPD)] = {RULE_V_MASK_MOVE, 0, 8},
    BOTH(MASKMOVDQU, RULE_V_BYTE_MASK_MOVE, 0, 0), [M(MASKMOVQ)] = {RULE_V_BYTE_MASK_MOVE, 0, 0},
    [M(VZEROUPPER)] = {RULE_V_ZERO, 0, 0}, [M(VZEROALL)] = {RULE_V_ZERO, 1, 0},

    /* logic */
    BOTH(PAND, RULE_V_LOGIC, TABLE_AND, 0), BOTH(POR, RULE_V_LOGIC, TABLE_OR, 0), BOTH(PXOR, RULE_V_LOGIC, TABLE_XOR, 0), BOTH(PANDN, RULE_V_LOGIC, TABLE_ANDN, 0),
    FOR_DQ(VPAND, RULE_V_LOGIC, TABLE_AND), FOR_DQ(VPOR, RULE_V_LOGIC, TABLE_OR), FOR_DQ(VPXOR, RULE_V_LOGIC, TABLE_XOR), FOR_DQ(VPANDN, RULE_V_LOGIC, TABLE_ANDN),
    PS_PD(AND, RULE_V_LOGIC, TABLE_AND, 0), PS_PD(VAND, RULE_V_LOGIC, TABLE_AND, 0), PS_PD(OR, RULE_V_LOGIC, TABLE_OR, 0), PS_PD(VOR, RULE_V_LOGIC, TABLE_OR, 0),
    PS_PD(XOR, RULE_V_LOGIC, TABLE_XOR, 0), PS_PD(VXOR, RULE_V_LOGIC, TABLE_XOR, 0), PS_PD(ANDN, RULE_V_LOGIC, TABLE_ANDN, 0), PS_PD(VANDN, RULE_V_LOGIC, TABLE_ANDN, 0),
    FOR_DQ(VPTERNLOG, RULE_V_TERNARY_LOGIC, 0),
    FOR_BWDQ(VPTESTM, RULE_V_TEST_MASK, 0), FOR_BWDQ(VPTESTNM, RULE_V_TEST_MASK, 1),
    BOTH(PTEST, RULE_V_TEST, 0, 0), [M(VTESTPS)] = {RULE_V_TEST, 0, 4}, [M(VTESTPD)] = {RULE_V_TEST, 0, 8},

    /* integer arithmetic */
    FOR_BWDQ(PADD, RULE_V_ADD, 0), FOR_BWDQ(VPADD, RULE_V_ADD, 0), FOR_BWDQ(PSUB, RULE_V_SUB, 0), FOR_BWDQ(VPSUB, RULE_V_SUB, 0),
    FOR_BWDQ(PCMPEQ, RULE_V_COMPARE, 0), FOR_BWDQ(VPCMPEQ, RULE_V_COMPARE, 0), FOR_BWDQ(PCMPGT, RULE_V_COMPARE, 6), FOR_BWDQ(VPCMPGT, RULE_V_COMPARE, 6),
    FOR_BWDQ(VPCMP, RULE_V_COMPARE, 0x10), FOR_BWDQ(VPCMPU, RULE_V_COMPARE, 0x18),
    BOTH(PMINSB, RULE_V_MIN_MAX, 0, 1), BOTH(PMINSW, RULE_V_MIN_MAX, 0, 2), BOTH(PMINSD, RULE_V_MIN_MAX, 0, 4), [M(VPMINSQ)] = {RULE_V_MIN_MAX, 0, 8},
    BOTH(PMAXSB, RULE_V_MIN_MAX, 1, 1), BOTH(PMAXSW, RULE_V_MIN_MAX, 1, 2), BOTH(PMAXSD, RULE_V_MIN_MAX, 1, 4), [M(VPMAXSQ)] = {RULE_V_MIN_MAX, 1, 8},
    BOTH(PMINUB, RULE_V_MIN_MAX, 8, 1), BOTH(PMINUW, RULE_V_MIN_MAX, 8, 2), BOTH(PMINUD, RULE_V_MIN_MAX, 8, 4), [M(VPMINUQ)] = {RULE_V_MIN_MAX, 8, 8},
    BOTH(PMAXUB, RULE_V_MIN_MAX, 9, 1), BOTH(PMAXUW, RULE_V_MIN_MAX, 9, 2), BOTH(PMAXUD, RULE_V_MIN_MAX, 9, 4), [M(VPMAXUQ)] = {RULE_V_MIN_MAX, 9, 8},
    BOTH(PABSB, RULE_V_ABS, 0, 1), BOTH(PABSW, RULE_V_ABS, 0, 2), BOTH(PABSD, RULE_V_ABS, 0, 4), [M(VPABSQ)] = {RULE_V_ABS, 0, 8},
#define LANES(name, lane) BOTH(name, RULE_V_LANES, LANES_BINARY, lane)
    LANES(PADDSB, 1), LANES(PADDSW, 2), LANES(PADDUSB, 1), LANES(PADDUSW, 2), LANES(PSUBSB, 1), LANES(PSUBSW, 2), LANES(PSUBUSB, 1), LANES(PSUBUSW, 2),
    LANES(PAVGB, 1), LANES(PAVGW, 2), LANES(PMULHW, 2), LANES(PMULHUW, 2), LANES(PMULHRSW, 2), LANES(PMULLW, 2), LANES(PMULLD, 4), LANES(PMADDWD, 4), LANES(PMADDUBSW, 2),
    LANES(PSIGNB, 1), LANES(PSIGNW, 2), LANES(PSIGND, 4), LANES(PSADBW, 8), [M(VPMULLQ)] = {RULE_V_LANES, LANES_BINARY, 8},
    [M(VPMULTISHIFTQB)] = {RULE_V_LANES, LANES_BINARY, 8}, BOTH(PMULUDQ, RULE_V_MULTIPLY_EVEN, 0, 8), BOTH(PMULDQ, RULE_V_MULTIPLY_EVEN, 1, 8),
    [M(VPDPBUSD)] = {RULE_V_LANES, LANES_TERNARY, 4}, [M(VPDPBUSDS)] = {RULE_V_LANES, LANES_TERNARY, 4}, [M(VPDPWSSD)] = {RULE_V_LANES, LANES_TERNARY, 4},
    [M(VPDPWSSDS)] = {RULE_V_LANES, LANES_TERNARY, 4}, [M(VDPBF16PS)] = {RULE_V_LANES, LANES_TERNARY, 4},
    [M(VPMADD52LUQ)] = {RULE_V_LANES, LANES_TERNARY, 8}, [M(VPMADD52HUQ)] = {RULE_V_LANES, LANES_TERNARY, 8},
    BOTH(GF2P8MULB, RULE_V_LANES, LANES_BINARY, 1), BOTH(GF2P8AFFINEQB, RULE_V_WITHIN, 0, 8), BOTH(GF2P8AFFINEINVQB, RULE_V_WITHIN, 0, 8),
    BOTH(PHADDW, RULE_V_HORIZONTAL, 0, 2), BOTH(PHADDD, RULE_V_HORIZONTAL, 0, 4), BOTH(PHADDSW, RULE_V_HORIZONTAL, 0, 2), BOTH(PHSUBW, RULE_V_HORIZONTAL, 0, 2),
    BOTH(PHSUBD, RULE_V_HORIZONTAL, 0, 4), BOTH(PHSUBSW, RULE_V_HORIZONTAL, 0, 2), BOTH(HADDPS, RULE_V_HORIZONTAL, 0, 4), BOTH(HADDPD, RULE_V_HORIZONTAL, 0, 8),
    BOTH(HSUBPS, RULE_V_HORIZONTAL, 0, 4), BOTH(HSUBPD, RULE_V_HORIZONTAL, 0, 8),
    FOR_DQ(VPLZCNT, RULE_V_COUNT, 0), FOR_BWDQ(VPOPCNT, RULE_V_COUNT, 1),

    /* shifts */
    BOTH(PSLLW, RULE_V_SHIFT, SHIFT_SHL, 2), BOTH(PSLLD, RULE_V_SHIFT, SHIFT_SHL, 4), BOTH(PSLLQ, RULE_V_SHIFT, SHIFT_SHL, 8), BOTH(PSRLW, RULE_V_SHIFT, SHIFT_SHR, 2),
    BOTH(PSRLD, RULE_V_SHIFT, SHIFT_SHR, 4), BOTH(PSRLQ, RULE_V_SHIFT, SHIFT_SHR, 8), BOTH(PSRAW, RULE_V_SHIFT, SHIFT_SAR, 2), BOTH(PSRAD, RULE_V_SHIFT, SHIFT_SAR, 4),
    [M(VPSRAQ)] = {RULE_V_SHIFT, SHIFT_SAR, 8},
    FOR_WDQ(VPSLLV, RULE_V_SHIFT, SHIFT_SHL | SHIFT_BY_LANE), FOR_WDQ(VPSRLV, RULE_V_SHIFT, SHIFT_SHR | SHIFT_BY_LANE), FOR_WDQ(VPSRAV, RULE_V_SHIFT, SHIFT_SAR | SHIFT_BY_LANE),
    FOR_DQ(VPROL, RULE_V_SHIFT, SHIFT_ROL), FOR_DQ(VPROR, RULE_V_SHIFT, SHIFT_ROR), FOR_DQ(VPROLV, RULE_V_SHIFT, SHIFT_ROL | SHIFT_BY_LANE), FOR_DQ(VPRORV, RULE_V_SHIFT, SHIFT_ROR | SHIFT_BY_LANE),
    [M(VPSHLDW)] = {RULE_V_DOUBLE_SHIFT, 0, 2}, [M(VPSHLDD)] = {RULE_V_DOUBLE_SHIFT, 0, 4}, [M(VPSHLDQ)] = {RULE_V_DOUBLE_SHIFT, 0, 8},
    FOR_WDQ(VPSHRD, RULE_V_DOUBLE_SHIFT, 1), FOR_WDQ(VPSHLDV, RULE_V_DOUBLE_SHIFT, SHIFT_BY_LANE), FOR_WDQ(VPSHRDV, RULE_V_DOUBLE_SHIFT, 1 | SHIFT_BY_LANE),
    SHUFFLES(PSLLDQ, SHUFFLE_BYTES_LEFT, 1), SHUFFLES(PSRLDQ, SHUFFLE_BYTES_RIGHT, 1),

    /* shuffles */
    SHUFFLES(PUNPCKLBW, SHUFFLE_UNPACK_LOW, 1), SHUFFLES(PUNPCKLWD, SHUFFLE_UNPACK_LOW, 2), SHUFFLES(PUNPCKLDQ, SHUFFLE_UNPACK_LOW, 4), SHUFFLES(PUNPCKLQDQ, SHUFFLE_UNPACK_LOW, 8),
    SHUFFLES(PUNPCKHBW, SHUFFLE_UNPACK_HIGH, 1), SHUFFLES(PUNPCKHWD, SHUFFLE_UNPACK_HIGH, 2), SHUFFLES(PUNPCKHDQ, SHUFFLE_UNPACK_HIGH, 4), SHUFFLES(PUNPCKHQDQ, SHUFFLE_UNPACK_HIGH, 8),
    SHUFFLES(UNPCKLPS, SHUFFLE_UNPACK_LOW, 4), SHUFFLES(UNPCKLPD, SHUFFLE_UNPACK_LOW, 8), SHUFFLES(UNPCKHPS, SHUFFLE_UNPACK_HIGH, 4), SHUFFLES(UNPCKHPD, SHUFFLE_UNPACK_HIGH, 8),
    SHUFFLES(PSHUFB, SHUFFLE_PSHUFB, 1), SHUFFLES(PSHUFD, SHUFFLE_PSHUFD, 4), SHUFFLES(PSHUFLW, SHUFFLE_PSHUFLW, 2), SHUFFLES(PSHUFHW, SHUFFLE_PSHUFHW, 2), SHUFFLE(PSHUFW, SHUFFLE_PSHUFLW, 2),
    SHUFFLES(SHUFPS, SHUFFLE_SHUFPS, 4), SHUFFLES(SHUFPD, SHUFFLE_SHUFPD, 8), SHUFFLES(PALIGNR, SHUFFLE_PALIGNR, 1), SHUFFLE(VALIGND, SHUFFLE_VALIGN, 4), SHUFFLE(VALIGNQ, SHUFFLE_VALIGN, 8),
    SHUFFLE(VPERMB, SHUFFLE_PERM_VAR, 1), SHUFFLE(VPERMW, SHUFFLE_PERM_VAR, 2), SHUFFLE(VPERMD, SHUFFLE_PERM_VAR, 4), SHUFFLE(VPERMPS, SHUFFLE_PERM_VAR, 4),
    SHUFFLE(VPERMQ, SHUFFLE_PERM_IMM, 8), SHUFFLE(VPERMPD, SHUFFLE_PERM_IMM, 8),    /* with a vector of indices: PERM_VAR */
    SHUFFLE(VPERMT2B, SHUFFLE_PERM_TWO, 1), SHUFFLE(VPERMT2W, SHUFFLE_PERM_TWO, 2), SHUFFLE(VPERMT2D, SHUFFLE_PERM_TWO, 4), SHUFFLE(VPERMT2Q, SHUFFLE_PERM_TWO, 8),
    SHUFFLE(VPERMT2PS, SHUFFLE_PERM_TWO, 4), SHUFFLE(VPERMT2PD, SHUFFLE_PERM_TWO, 8),
    SHUFFLE(VPERMI2B, SHUFFLE_PERMI, 1), SHUFFLE(VPERMI2W, SHUFFLE_PERMI, 2), SHUFFLE(VPERMI2D, SHUFFLE_PERMI, 4), SHUFFLE(VPERMI2Q, SHUFFLE_PERMI, 8),
    SHUFFLE(VPERMI2PS, SHUFFLE_PERMI, 4), SHUFFLE(VPERMI2PD, SHUFFLE_PERMI, 8),
    SHUFFLE(VPERM2F128, SHUFFLE_PERM_HALVES, 16), SHUFFLE(VPERM2I128, SHUFFLE_PERM_HALVES, 16),
    SHUFFLE(VSHUFF32X4, SHUFFLE_LANES128, 16), SHUFFLE(VSHUFF64X2, SHUFFLE_LANES128, 16), SHUFFLE(VSHUFI32X4, SHUFFLE_LANES128, 16), SHUFFLE(VSHUFI64X2, SHUFFLE_LANES128, 16),
    SHUFFLE(VINSERTF128, SHUFFLE_INSERT, 16), SHUFFLE(VINSERTI128, SHUFFLE_INSERT, 16), SHUFFLE(VINSERTF32X4, SHUFFLE_INSERT, 16), SHUFFLE(VINSERTI32X4, SHUFFLE_INSERT, 16),
    SHUFFLE(VINSERTF64X2, SHUFFLE_INSERT, 16), SHUFFLE(VINSERTI64X2, SHUFFLE_INSERT, 16), SHUFFLE(VINSERTF32X8, SHUFFLE_INSERT, 32), SHUFFLE(VINSERTI32X8, SHUFFLE_INSERT, 32),
    SHUFFLE(VINSERTF64X4, SHUFFLE_INSERT, 32), SHUFFLE(VINSERTI64X4, SHUFFLE_INSERT, 32),
    SHUFFLE(VEXTRACTF128, SHUFFLE_EXTRACT, 16), SHUFFLE(VEXTRACTI128, SHUFFLE_EXTRACT, 16), SHUFFLE(VEXTRACTF32X4, SHUFFLE_EXTRACT, 16), SHUFFLE(VEXTRACTI32X4, SHUFFLE_EXTRACT, 16),
    SHUFFLE(VEXTRACTF64X2, SHUFFLE_EXTRACT, 16), SHUFFLE(VEXTRACTI64X2, SHUFFLE_EXTRACT, 16), SHUFFLE(VEXTRACTF32X8, SHUFFLE_EXTRACT, 32), SHUFFLE(VEXTRACTI32X8, SHUFFLE_EXTRACT, 32),
    SHUFFLE(VEXTRACTF64X4, SHUFFLE_EXTRACT, 32), SHUFFLE(VEXTRACTI64X4, SHUFFLE_EXTRACT, 32),
    SHUFFLES(PINSRB, SHUFFLE_INSERT, 1), SHUFFLES(PINSRW, SHUFFLE_INSERT, 2), SHUFFLES(PINSRD, SHUFFLE_INSERT, 4), SHUFFLES(PINSRQ, SHUFFLE_INSERT, 8),
    SHUFFLES(PEXTRB, SHUFFLE_EXTRACT, 1), SHUFFLES(PEXTRW, SHUFFLE_EXTRACT, 2), SHUFFLES(PEXTRD, SHUFFLE_EXTRACT, 4), SHUFFLES(PEXTRQ, SHUFFLE_EXTRACT, 8),
    SHUFFLES(EXTRACTPS, SHUFFLE_EXTRACT, 4), SHUFFLES(INSERTPS, SHUFFLE_INSERTPS, 4),
    SHUFFLES(PBLENDW, SHUFFLE_BLEND, 2), SHUFFLE(VPBLENDD, SHUFFLE_BLEND, 4), SHUFFLES(BLENDPS, SHUFFLE_BLEND, 4), SHUFFLES(BLENDPD, SHUFFLE_BLEND, 8),
    SHUFFLES(PBLENDVB, SHUFFLE_BLENDV, 1), SHUFFLES(BLENDVPS, SHUFFLE_BLENDV, 4), SHUFFLES(BLENDVPD, SHUFFLE_BLENDV, 8),
    SHUFFLE(VPERMILPS, SHUFFLE_IN_LANE_IMM, 4), SHUFFLE(VPERMILPD, SHUFFLE_IN_LANE_IMM, 8),     /* with a vector: IN_LANE_VAR */
    SHUFFLE(VBROADCASTSS, SHUFFLE_BROADCAST, 4), SHUFFLE(VBROADCASTSD, SHUFFLE_BROADCAST, 8), SHUFFLE(VPBROADCASTB, SHUFFLE_BROADCAST, 1), SHUFFLE(VPBROADCASTW, SHUFFLE_BROADCAST, 2),
    SHUFFLE(VPBROADCASTD, SHUFFLE_BROADCAST, 4), SHUFFLE(VPBROADCASTQ, SHUFFLE_BROADCAST, 8), SHUFFLE(VBROADCASTF128, SHUFFLE_BROADCAST, 16), SHUFFLE(VBROADCASTI128, SHUFFLE_BROADCAST, 16),
    SHUFFLE(VBROADCASTF32X2, SHUFFLE_BROADCAST, 8), SHUFFLE(VBROADCASTI32X2, SHUFFLE_BROADCAST, 8), SHUFFLE(VBROADCASTF32X4, SHUFFLE_BROADCAST, 16), SHUFFLE(VBROADCASTI32X4, SHUFFLE_BROADCAST, 16),
    SHUFFLE(VBROADCASTF64X2, SHUFFLE_BROADCAST, 16), SHUFFLE(VBROADCASTI64X2, SHUFFLE_BROADCAST, 16), SHUFFLE(VBROADCASTF32X8, SHUFFLE_BROADCAST, 32), SHUFFLE(VBROADCASTI32X8, SHUFFLE_BROADCAST, 32),
    SHUFFLE(VBROADCASTF64X4, SHUFFLE_BROADCAST, 32), SHUFFLE(VBROADCASTI64X4, SHUFFLE_BROADCAST, 32), SHUFFLE(VPBROADCASTMB2Q, SHUFFLE_BROADCAST, 1), SHUFFLE(VPBROADCASTMW2D, SHUFFLE_BROADCAST, 2),
    FOR_BWDQ(VPCOMPRESS, RULE_V_COMPRESS, 0), PS_PD(VCOMPRESS, RULE_V_COMPRESS, 0, 0), FOR_BWDQ(VPEXPAND, RULE_V_EXPAND, 0), PS_PD(VEXPAND, RULE_V_EXPAND, 0, 0),
    FOR_BWDQ(VPBLENDM, RULE_V_BLEND_MASK, 0), PS_PD(VBLENDM, RULE_V_BLEND_MASK, 0, 0),

    /* widths */
    BOTH(PACKSSWB, RULE_V_PACK, 0, 2), BOTH(PACKSSDW, RULE_V_PACK, 0, 4), BOTH(PACKUSWB, RULE_V_PACK, 1, 2), BOTH(PACKUSDW, RULE_V_PACK, 1, 4),
#define NARROW(suffix) [M(VPMOV##suffix)] = {RULE_V_NARROW, 0, 0}, [M(VPMOVS##suffix)] = {RULE_V_NARROW, 1, 0}, [M(VPMOVUS##suffix)] = {RULE_V_NARROW, 2, 0}
    NARROW(WB), NARROW(DB), NARROW(DW), NARROW(QB), NARROW(QW), NARROW(QD),
#define WIDEN(suffix) BOTH(PMOVZX##suffix, RULE_V_WIDEN, 0, 0), BOTH(PMOVSX##suffix, RULE_V_WIDEN, 1, 0)
    WIDEN(BW), WIDEN(BD), WIDEN(BQ), WIDEN(WD), WIDEN(WQ), WIDEN(DQ),
    [M(VPMOVB2M)] = {RULE_V_TO_K, 0, 1}, [M(VPMOVW2M)] = {RULE_V_TO_K, 0, 2}, [M(VPMOVD2M)] = {RULE_V_TO_K, 0, 4}, [M(VPMOVQ2M)] = {RULE_V_TO_K, 0, 8},
    [M(VPMOVM2B)] = {RULE_V_FROM_K, 0, 1}, [M(VPMOVM2W)] = {RULE_V_FROM_K, 0, 2}, [M(VPMOVM2D)] = {RULE_V_FROM_K, 0, 4}, [M(VPMOVM2Q)] = {RULE_V_FROM_K, 0, 8},

    /* floating point */
    FP(ADD, LANES_BINARY), FP(SUB, LANES_BINARY), FP(MUL, LANES_BINARY), FP(DIV, LANES_BINARY), FP(MIN, LANES_BINARY), FP(MAX, LANES_BINARY), FP(SQRT, LANES_UNARY),
    PACKED(ROUND, LANES_UNARY), PACKED(VROUND, LANES_UNARY), SCALAR(ROUND, LANES_UNARY), SCALAR(VROUND, LANES_UNARY), PACKED(ADDSUB, LANES_BINARY), PACKED(VADDSUB, LANES_BINARY),
    BOTH(RCPPS, RULE_V_LANES, LANES_UNARY, 0), BOTH(RSQRTPS, RULE_V_LANES, LANES_UNARY, 0), BOTH(RCPSS, RULE_V_SCALAR, LANES_UNARY, 4), BOTH(RSQRTSS, RULE_V_SCALAR, LANES_UNARY, 4),
    FMA(FMADD), FMA(FMSUB), FMA(FNMADD), FMA(FNMSUB), FMA_PACKED(FMADDSUB), FMA_PACKED(FMSUBADD), FP_V(FIXUPIMM, LANES_FIXUP),
    FP_V(RCP14, LANES_UNARY), FP_V(RSQRT14, LANES_UNARY), FP_V(GETEXP, LANES_UNARY), FP_V(GETMANT, LANES_UNARY), FP_V(REDUCE, LANES_UNARY), FP_V(RNDSCALE, LANES_UNARY),
    FP_V(RANGE, LANES_BINARY), FP_V(SCALEF, LANES_BINARY),
    PS_PD(CMP, RULE_V_FP_COMPARE, 0, 0), PS_PD(VCMP, RULE_V_FP_COMPARE, 0, 0), BOTH(CMPSS, RULE_V_FP_COMPARE, 1, 4), BOTH(CMPSD, RULE_V_FP_COMPARE, 1, 8),
    PS_PD(VFPCLASS, RULE_V_FP_COMPARE, 2, 0), [M(VFPCLASSSS)] = {RULE_V_FP_COMPARE, 3, 4}, [M(VFPCLASSSD)] = {RULE_V_FP_COMPARE, 3, 8},
    BOTH(COMISS, RULE_V_COMPARE_SCALAR, 0, 4), BOTH(UCOMISS, RULE_V_COMPARE_SCALAR, 0, 4), BOTH(COMISD, RULE_V_COMPARE_SCALAR, 0, 8), BOTH(UCOMISD, RULE_V_COMPARE_SCALAR, 0, 8),
#define CONVERT(name) BOTH(name, RULE_V_LANES, LANES_UNARY, 0)
#define CONVERT_V(name) [M(V##name)] = {RULE_V_LANES, LANES_UNARY, 0}
    CONVERT(CVTDQ2PS), CONVERT(CVTDQ2PD), CONVERT(CVTPS2DQ), CONVERT(CVTTPS2DQ), CONVERT(CVTPD2DQ), CONVERT(CVTTPD2DQ), CONVERT(CVTPS2PD), CONVERT(CVTPD2PS),
    CONVERT_V(CVTPD2QQ), CONVERT_V(CVTPD2UDQ), CONVERT_V(CVTPD2UQQ), CONVERT_V(CVTPS2QQ), CONVERT_V(CVTPS2UDQ), CONVERT_V(CVTPS2UQQ), CONVERT_V(CVTQQ2PD), CONVERT_V(CVTQQ2PS),
    CONVERT_V(CVTTPD2QQ), CONVERT_V(CVTTPD2UDQ), CONVERT_V(CVTTPD2UQQ), CONVERT_V(CVTTPS2QQ), CONVERT_V(CVTTPS2UDQ), CONVERT_V(CVTTPS2UQQ),
    CONVERT_V(CVTUDQ2PD), CONVERT_V(CVTUDQ2PS), CONVERT_V(CVTUQQ2PD), CONVERT_V(CVTUQQ2PS), CONVERT_V(CVTPH2PS), CONVERT_V(CVTPS2PH), CONVERT_V(CVTNEPS2BF16),
    [M(CVTPI2PS)] = {RULE_V_LANES, LANES_UNARY, 0}, [M(CVTPI2PD)] = {RULE_V_LANES, LANES_UNARY, 0}, [M(CVTPS2PI)] = {RULE_V_LANES, LANES_UNARY, 0},
    [M(CVTTPS2PI)] = {RULE_V_LANES, LANES_UNARY, 0}, [M(CVTPD2PI)] = {RULE_V_LANES, LANES_UNARY, 0}, [M(CVTTPD2PI)] = {RULE_V_LANES, LANES_UNARY, 0},
    BOTH(CVTSS2SD, RULE_V_SCALAR, LANES_UNARY, 8), BOTH(CVTSD2SS, RULE_V_SCALAR, LANES_UNARY, 4), BOTH(CVTSI2SS, RULE_V_SCALAR, LANES_UNARY, 4), BOTH(CVTSI2SD, RULE_V_SCALAR, LANES_UNARY, 8),
    [M(VCVTUSI2SS)] = {RULE_V_SCALAR, LANES_UNARY, 4}, [M(VCVTUSI2SD)] = {RULE_V_SCALAR, LANES_UNARY, 8},
    BOTH(CVTSS2SI, RULE_V_TO_INTEGER, 4, 0), BOTH(CVTTSS2SI, RULE_V_TO_INTEGER, 4, 0), BOTH(CVTSD2SI, RULE_V_TO_INTEGER, 8, 0), BOTH(CVTTSD2SI, RULE_V_TO_INTEGER, 8, 0),
    [M(VCVTSS2USI)] = {RULE_V_TO_INTEGER, 4, 0}, [M(VCVTTSS2USI)] = {RULE_V_TO_INTEGER, 4, 0}, [M(VCVTSD2USI)] = {RULE_V_TO_INTEGER, 8, 0}, [M(VCVTTSD2USI)] = {RULE_V_TO_INTEGER, 8, 0},
    BOTH(DPPS, RULE_V_WITHIN, 0, 16), BOTH(DPPD, RULE_V_WITHIN, 0, 16), BOTH(MPSADBW, RULE_V_WITHIN, 0, 16), [M(VDBPSADBW)] = {RULE_V_WITHIN, 0, 16},
    BOTH(AESENC, RULE_V_WITHIN, 0, 16), BOTH(AESENCLAST, RULE_V_WITHIN, 0, 16), BOTH(AESDEC, RULE_V_WITHIN, 0, 16), BOTH(AESDECLAST, RULE_V_WITHIN, 0, 16), BOTH(PCLMULQDQ, RULE_V_WITHIN, 0, 16),

#define GATHER(name, data, index) [M(VPGATHER##name)] = {RULE_V_GATHER, data, index}, [M(VPSCATTER##name)] = {RULE_V_SCATTER, data, index}
#define GATHER_FP(name, data, index) [M(VGATHER##name)] = {RULE_V_GATHER, data, index}, [M(VSCATTER##name)] = {RULE_V_SCATTER, data, index}
    GATHER(DD, 4, 4), GATHER(DQ, 8, 4), GATHER(QD, 4, 8), GATHER(QQ, 8, 8), GATHER_FP(DPS, 4, 4), GATHER_FP(DPD, 8, 4), GATHER_FP(QPS, 4, 8), GATHER_FP(QPD, 8, 8),
    BOTH(PCMPISTRI, RULE_V_STRING, 0, 0), BOTH(PCMPISTRM, RULE_V_STRING, 2, 0), BOTH(PCMPESTRI, RULE_V_STRING, 1, 0), BOTH(PCMPESTRM, RULE_V_STRING, 3, 0),

    /* x87 */
    [M(FLD)] = {RULE_X_LOAD, 0, 0}, [M(FILD)] = {RULE_X_LOAD, 2, 0}, [M(FBLD)] = {RULE_X_LOAD, 3, 0},
    [M(FLD1)] = {RULE_X_LOAD, 1, 0}, [M(FLDZ)] = {RULE_X_LOAD, 1, 0}, [M(FLDPI)] = {RULE_X_LOAD, 1, 0}, [M(FLDL2E)] = {RULE_X_LOAD, 1, 0},
    [M(FLDL2T)] = {RULE_X_LOAD, 1, 0}, [M(FLDLG2)] = {RULE_X_LOAD, 1, 0}, [M(FLDLN2)] = {RULE_X_LOAD, 1, 0},
    [M(FST)] = {RULE_X_STORE, 0, 0}, [M(FSTP)] = {RULE_X_STORE, 0, 1}, [M(FSTPNCE)] = {RULE_X_STORE, 0, 1}, [M(FIST)] = {RULE_X_STORE, 1, 0}, [M(FISTP)] = {RULE_X_STORE, 1, 1},
    [M(FISTTP)] = {RULE_X_STORE, 1, 1}, [M(FBSTP)] = {RULE_X_STORE, 1, 1},
#define X_ARITHMETIC(name) [M(F##name)] = {RULE_X_ARITHMETIC, 0, 0}, [M(FI##name)] = {RULE_X_ARITHMETIC, 0, 0}, [M(F##name##P)] = {RULE_X_ARITHMETIC, 0, 1}
    X_ARITHMETIC(ADD), X_ARITHMETIC(SUB), X_ARITHMETIC(SUBR), X_ARITHMETIC(MUL), X_ARITHMETIC(DIV), X_ARITHMETIC(DIVR),
    [M(FABS)] = {RULE_X_SIGN, 1, 0}, [M(FCHS)] = {RULE_X_SIGN, 0, 0}, [M(FSQRT)] = {RULE_X_UNARY, 0, 0}, [M(FRNDINT)] = {RULE_X_UNARY, 0, 0}, [M(F2XM1)] = {RULE_X_UNARY, 0, 0},
    [M(FSIN)] = {RULE_X_UNARY, 0, 0}, [M(FCOS)] = {RULE_X_UNARY, 0, 0}, [M(FPATAN)] = {RULE_X_TWO, 0, 0}, [M(FYL2X)] = {RULE_X_TWO, 0, 0}, [M(FYL2XP1)] = {RULE_X_TWO, 0, 0},
    [M(FPREM)] = {RULE_X_KEEP_TWO, 0, 0}, [M(FPREM1)] = {RULE_X_KEEP_TWO, 0, 0}, [M(FSCALE)] = {RULE_X_KEEP_TWO, 0, 0}, [M(FXTRACT)] = {RULE_X_SPLIT, 0, 0},
    [M(FSINCOS)] = {RULE_X_SPLIT, 0, 0}, [M(FPTAN)] = {RULE_X_SPLIT, 0, 0}, [M(FXCH)] = {RULE_X_EXCHANGE, 0, 0},
    [M(FCMOVB)] = {RULE_X_CMOV, 2, 0}, [M(FCMOVNB)] = {RULE_X_CMOV, 3, 0}, [M(FCMOVE)] = {RULE_X_CMOV, 4, 0}, [M(FCMOVNE)] = {RULE_X_CMOV, 5, 0},
    [M(FCMOVBE)] = {RULE_X_CMOV, 6, 0}, [M(FCMOVNBE)] = {RULE_X_CMOV, 7, 0}, [M(FCMOVU)] = {RULE_X_CMOV, 10, 0}, [M(FCMOVNU)] = {RULE_X_CMOV, 11, 0},
    [M(FCOM)] = {RULE_X_COMPARE, 0, 0}, [M(FCOMP)] = {RULE_X_COMPARE, 0, 1}, [M(FCOMPP)] = {RULE_X_COMPARE, 0, 2}, [M(FUCOM)] = {RULE_X_COMPARE, 0, 0},
    [M(FUCOMP)] = {RULE_X_COMPARE, 0, 1}, [M(FUCOMPP)] = {RULE_X_COMPARE, 0, 2}, [M(FICOM)] = {RULE_X_COMPARE, 0, 0}, [M(FICOMP)] = {RULE_X_COMPARE, 0, 1},
    [M(FCOMI)] = {RULE_X_COMPARE, 1, 0}, [M(FCOMIP)] = {RULE_X_COMPARE, 1, 1}, [M(FUCOMI)] = {RULE_X_COMPARE, 1, 0}, [M(FUCOMIP)] = {RULE_X_COMPARE, 1, 1},
    [M(FTST)] = {RULE_X_COMPARE, 2, 0}, [M(FXAM)] = {RULE_X_COMPARE, 3, 0}, [M(FNSTSW)] = {RULE_X_STATUS, 0, 0}, [M(FNSTCW)] = {RULE_DEFINE, 0, 0}, [M(FLDCW)] = {RULE_X_CONTROL, 0, 0},
    [M(FNINIT)] = {RULE_X_INIT, 0, 0}, [M(FFREE)] = {RULE_X_FREE, 0, 0}, [M(FINCSTP)] = {RULE_NOTHING, 0, 0}, [M(FDECSTP)] = {RULE_NOTHING, 0, 0},
    [M(FNSTENV)] = {RULE_X_ENVIRONMENT, 0, 0}, [M(FLDENV)] = {RULE_X_ENVIRONMENT, 1, 0}, [M(FNSAVE)] = {RULE_X_ENVIRONMENT, 2, 0}, [M(FRSTOR)] = {RULE_X_ENVIRONMENT, 3, 0},
    [M(FXSAVE)] = {RULE_X_FXSAVE, 0, 0}, [M(FXSAVE64)] = {RULE_X_FXSAVE, 0, 0}, [M(FXRSTOR)] = {RULE_X_FXRSTOR, 0, 0}, [M(FXRSTOR64)] = {RULE_X_FXRSTOR, 0, 0},
    [M(XSAVE)] = {RULE_X_XSAVE, 0, 0}, [M(XSAVE64)] = {RULE_X_XSAVE, 0, 0}, [M(XSAVEOPT)] = {RULE_X_XSAVE, 0, 0}, [M(XSAVEOPT64)] = {RULE_X_XSAVE, 0, 0},
    [M(XSAVEC)] = {RULE_X_XSAVE, 1, 0}, [M(XSAVEC64)] = {RULE_X_XSAVE, 1, 0}, [M(XRSTOR)] = {RULE_X_XRSTOR, 0, 0}, [M(XRSTOR64)] = {RULE_X_XRSTOR, 0, 0},
    [M(EMMS)] = {RULE_X_EMMS, 0, 0}, [M(FEMMS)] = {RULE_X_EMMS, 0, 0},
    [M(STMXCSR)] = {RULE_MXCSR, 0, 0}, [M(VSTMXCSR)] = {RULE_MXCSR, 0, 0}, [M(LDMXCSR)] = {RULE_MXCSR, 1, 0}, [M(VLDMXCSR)] = {RULE_MXCSR, 1, 0},
};

/* General registers by Zydis' numbering: the low byte's shift is 8 for ah ch dh bh. */
static bool
general_register(ZydisRegister r, struct operand *o)
{
    static const struct { ZydisRegister first, last; uint8_t number, shift; } ranges[] = {
        {ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL, RAX, 0},   {ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH, RAX, 8},
        {ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B, RSP, 0}, {ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, RAX, 0},
        {ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, RAX, 0}, {ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, RAX, 0},
    };

    for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (r >= ranges[i].first && r <= ranges[i].last) {
            o->kind = OPERAND_GPR;
            o->number = (uint8_t)(ranges[i].number + (r - ranges[i].first));
            o->shift = ranges[i].shift;
            return true;
        }
    return false;
}

static uint8_t
address_register(ZydisRegister r)
{
    struct operand o = {0};

    return general_register(r, &o) ? o.number : (uint8_t)REG_NONE;
}

static void
register_operand(ZydisRegister r, struct operand *o)
{
    if (general_register(r, o))
        return;
    o->kind = OPERAND_OTHER;
    if (r >= ZYDIS_REGISTER_XMM0 && r <= ZYDIS_REGISTER_ZMM31) {
        o->kind = OPERAND_VECTOR;
        o->number = (r - ZYDIS_REGISTER_XMM0) % 32;
    } else if (r >= ZYDIS_REGISTER_MM0 && r <= ZYDIS_REGISTER_MM7) {
        o->kind = OPERAND_MMX;
        o->number = (uint8_t)(r - ZYDIS_REGISTER_MM0);
    } else if (r >= ZYDIS_REGISTER_ST0 && r <= ZYDIS_REGISTER_ST7) {
        o->kind = OPERAND_X87;
        o->number = (uint8_t)(r - ZYDIS_REGISTER_ST0);
    } else if (r >= ZYDIS_REGISTER_K0 && r <= ZYDIS_REGISTER_K7) {
        o->kind = OPERAND_MASK;
        o->number = (uint8_t)(r - ZYDIS_REGISTER_K0);
    }
}

static void
memory_operand(struct step *s, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *z)
{
    s->base = address_register(z->mem.base);
    s->index = address_register(z->mem.index);
    if (z->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
        s->index = (z->mem.index - ZYDIS_REGISTER_XMM0) % 32;
    s->scale = z->mem.scale;
    s->segment = z->mem.segment == ZYDIS_REGISTER_FS ? 1 : z->mem.segment == ZYDIS_REGISTER_GS ? 2 : 0;
    s->disp = z->mem.disp.has_displacement ? z->mem.disp.value : 0;
    if (z->mem.base == ZYDIS_REGISTER_RIP || z->mem.base == ZYDIS_REGISTER_EIP)
        s->disp += (int64_t)s->pc + in->length;
    if (in->address_width == 32)
        s->flags |= STEP_ADDRESS32;
}

static bool
reads(const ZydisDecodedOperand *z)
{
    return z->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
}

static bool
writes(const ZydisDecodedOperand *z)
{
    return z->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

static uint64_t
summary_of(const struct operand *o)
{
    switch (o->kind) {
    case OPERAND_GPR: return summary_gpr(o->number);
    case OPERAND_VECTOR: return summary_zmm(o->number);
    case OPERAND_MASK: return summary_k(o->number);
    case OPERAND_MMX:
    case OPERAND_X87: return 1ull << SUMMARY_X87;
    default: return 0;
    }
}

/* All it touches, explicitly or not. */
static void
note_operand(struct step *s, const ZydisDecodedOperand *z)
{
    struct operand o = {0};

    if (z->type == ZYDIS_OPERAND_TYPE_REGISTER) {
        register_operand(z->reg.value, &o);
        if (o.kind == OPERAND_GPR) {
            s->gpr_read |= reads(z) ? 1u << o.number : 0;
            s->gpr_written |= writes(z) ? 1u << o.number : 0;
        }
        s->touched |= summary_of(&o);
    } else if (z->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        uint8_t base = address_register(z->mem.base), index = address_register(z->mem.index);

        s->gpr_read |= (base != REG_NONE ? 1u << base : 0) | (index != REG_NONE ? 1u << index : 0);
        if (z->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
            s->touched |= summary_zmm((z->mem.index - ZYDIS_REGISTER_XMM0) % 32);
        s->flags |= z->mem.type == ZYDIS_MEMOP_TYPE_AGEN || !(reads(z) || writes(z)) ? 0 : STEP_MEMORY;
    }
}

static void
add_operand(struct step *s, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *z)
{
    if (s->count >= STEP_MAX_OPERANDS)
        return;
    struct operand *o = &s->op[s->count];
    *o = (struct operand){.bytes = (uint16_t)((z->size + 7) / 8), .element = (uint8_t)(z->element_size / 8)};
    switch (z->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        register_operand(z->reg.value, o);
        break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        o->kind = OPERAND_MEMORY;
        s->mem = s->count;
        memory_operand(s, in, z);
        s->flags |= (reads(z) ? STEP_READS_MEMORY : 0) | (writes(z) ? STEP_WRITES_MEMORY : 0);
        break;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        o->kind = OPERAND_IMMEDIATE;
        break;
    default:
        o->kind = OPERAND_OTHER;
    }
    s->count++;
}

/* The table's row, with what the operands say. */
static struct row
choose_rule(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op)
{
    struct row r = rows[in->mnemonic];
    bool strings = op[0].type == ZYDIS_OPERAND_TYPE_MEMORY && op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
    bool has_imm = in->operand_count_visible && op[in->operand_count_visible - 1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

    if (in->mnemonic == M(MOVSD) && strings)
        return (struct row){RULE_STRING, STRING_MOVS, 4};
    if (in->mnemonic == M(CMPSD) && strings)
        return (struct row){RULE_STRING, STRING_CMPS, 4};
    if (r.rule == RULE_MOV && (op[0].type != ZYDIS_OPERAND_TYPE_REGISTER || op[1].type != ZYDIS_OPERAND_TYPE_REGISTER))
        return r;
    if (r.rule == RULE_V_SHUFFLE && r.a == SHUFFLE_PERM_IMM && !has_imm)
        r.a = SHUFFLE_PERM_VAR;
    if (r.rule == RULE_V_SHUFFLE && r.a == SHUFFLE_IN_LANE_IMM && !has_imm)
        r.a = SHUFFLE_IN_LANE_VAR;
    if (r.rule == RULE_OTHER && in->avx.vector_length)
        r.rule = RULE_V_ALL;
    if (r.rule == RULE_OTHER && in->operand_count && op[0].type == ZYDIS_OPERAND_TYPE_REGISTER && op[0].reg.value >= ZYDIS_REGISTER_MM0 && op[0].reg.value <= ZYDIS_REGISTER_ZMM31)
        r.rule = RULE_V_ALL;                    /* sha, aesimc, palignr's kin … */
    return r;
}

/* The slot of pushf and popf, whose size it gives; xmm0 of legacy blends. */
static bool
hidden_operand_counts(const struct row *r, const ZydisDecodedOperand *z)
{
    if (r->rule == RULE_POPF || r->rule == RULE_PUSHF)
        return z->type == ZYDIS_OPERAND_TYPE_MEMORY;
    return r->rule == RULE_V_SHUFFLE && r->a == SHUFFLE_BLENDV;
}

static void
fill_step(struct step *s, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op)
{
    struct row r = choose_rule(in, op);
    bool vector = r.rule >= RULE_V_FIRST;

    s->rule = r.rule;
    s->a = r.a;
    s->b = r.b;
    s->length = in->length;
    s->base = s->index = REG_NONE;
    s->mem = 0xff;
    for (unsigned i = 0; i < in->operand_count; i++) {
        const ZydisDecodedOperand *z = &op[i];

        note_operand(s, z);
        if (z->encoding == ZYDIS_OPERAND_ENCODING_MASK) {
            s->mask = z->type == ZYDIS_OPERAND_TYPE_REGISTER ? (uint8_t)(z->reg.value - ZYDIS_REGISTER_K0) : 0;
            continue;
        }
        if (z->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
            if (s->flags & STEP_IMMEDIATE)
                s->disp = z->imm.value.s;       /* enter's and extrq's second one */
            else
                s->imm = z->imm.value.u;
            s->flags |= STEP_IMMEDIATE;
            if (vector)
                continue;
        }
        if (i < in->operand_count_visible || hidden_operand_counts(&r, z))
            add_operand(s, in, z);
    }
    if (r.rule == RULE_LEAVE)
        s->b = in->operand_width / 8;
    if (r.rule == RULE_PUSHF || r.rule == RULE_POPF)
        s->mem = 0xff;                          /* the slot is found by the rule */
    if (r.rule == RULE_V_GATHER || r.rule == RULE_V_SCATTER)
        s->imm = in->avx.vector_length / 8;
    s->flags |= in->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX || in->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ? STEP_VEX : 0;
    s->flags |= (in->avx.mask.mode == ZYDIS_MASK_MODE_ZEROING || in->avx.mask.mode == ZYDIS_MASK_MODE_CONTROL_ZEROING) && (op[0].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ? STEP_ZEROING : 0;
    s->flags |= in->avx.broadcast.mode && !in->avx.broadcast.is_static ? STEP_BROADCAST : 0;
    s->flags |= in->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE) ? STEP_REP : 0;
    s->flags |= in->attributes & ZYDIS_ATTRIB_HAS_REPNE ? STEP_REPNE : 0;
    if (in->cpu_flags) {
        s->flags_read = (uint16_t)in->cpu_flags->tested;
        s->flags_written = (uint16_t)((in->cpu_flags->modified | in->cpu_flags->set_0 | in->cpu_flags->set_1 | in->cpu_flags->undefined) & (FLAGS_ARITHMETIC | FLAG_DF));
    }
    s->touched |= s->gpr_read | s->gpr_written;     /* bit r is register r */
    s->touched |= s->flags_read || s->flags_written || r.rule == RULE_JCC || r.rule == RULE_PUSHF ? 1ull << SUMMARY_FLAGS : 0;
    if (s->mask)
        s->touched |= summary_k(s->mask);
    if (r.rule >= RULE_X_FIRST || r.rule == RULE_V_BYTE_MASK_MOVE)
        s->touched |= 1ull << SUMMARY_X87 | 1ull << SUMMARY_MXCSR;
    if (r.rule == RULE_V_ZERO)
        for (unsigned i = 0; i < 16; i++)
            s->touched |= summary_zmm(i);
    if (r.rule >= RULE_X_FXSAVE && r.rule <= RULE_X_XRSTOR)
        s->touched = ~0ull;
    if (r.rule == RULE_STRING || r.rule == RULE_V_GATHER || r.rule == RULE_V_SCATTER || r.rule == RULE_X_XRSTOR)
        s->flags |= STEP_MEMORY;
}

bool
step_make(const uint8_t *bytes, unsigned n, uint64_t pc, struct step *out)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

    if (!dr_decode(bytes, n, &in, op))
        return false;
    *out = (struct step){.pc = pc};
    fill_step(out, &in, op);
    return true;
}
