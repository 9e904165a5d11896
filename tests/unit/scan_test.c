/* The instruction scanner on encodings that are easily got wrong: one row an
 * encoding, one test a claim. What ordinary code holds is compared with Zydis
 * in scan_vs_zydis.c; what stands here was also tried on a processor where the
 * manuals leave room. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unit.h"
#include "x86/scan.h"

#include <stdlib.h>
#include <string.h>

UNIT_MAIN

enum { READABLE = 64 };

/* Hexadecimal bytes to `out`, the rest of which is 0x90; returns how many. */
static unsigned
parse_hex(const char *hex, uint8_t out[READABLE])
{
    unsigned n = 0;
    char *end;

    memset(out, 0x90, READABLE);
    for (unsigned long byte = strtoul(hex, &end, 16); end != hex; byte = strtoul(hex, &end, 16)) {
        out[n++] = (uint8_t)byte;
        hex = end;
    }
    return n;
}

static struct insn
scan(const char *hex)
{
    uint8_t bytes[READABLE];
    struct insn in;

    parse_hex(hex, bytes);
    EXPECT_EQUAL(hex, scan_insn(bytes, sizeof bytes, &in), true);
    return in;
}

static struct effects
effects_of(const char *hex)
{
    uint8_t bytes[READABLE];
    struct insn in;
    struct effects fx;

    parse_hex(hex, bytes);
    scan_insn(bytes, sizeof bytes, &in);
    scan_effects(bytes, &in, &fx);
    return fx;
}

struct row {
    const char *hex;
    enum insn_class cls;
};

/* Every row is one whole instruction of its class. */
static void
expect_rows(const struct row *rows, unsigned n)
{
    uint8_t bytes[READABLE];

    for (; n-- > 0; rows++) {
        unsigned len = parse_hex(rows->hex, bytes);
        struct insn in = scan(rows->hex);

        EXPECT_EQUAL(rows->hex, in.len, len);
        EXPECT_EQUAL(rows->hex, in.cls, rows->cls);
    }
}

#define EXPECT_ROWS(...)                                \
    do {                                                \
        static const struct row rows[] = {__VA_ARGS__}; \
        expect_rows(rows, sizeof rows / sizeof *rows);  \
    } while (0)

/* clang-format off */

TEST(scan, classes_of_transfers)
{
    EXPECT_ROWS(
        { "74 05",                INSN_JCC },         /* je           */
        { "0f 84 01 02 03 04",    INSN_JCC },         /* je           */
        { "2e 75 05",             INSN_JCC },         /* jne, hinted  */
        { "f2 0f 84 01 02 03 04", INSN_JCC },         /* bnd je       */
        { "e0 05",                INSN_LOOP },        /* loopne       */
        { "67 e3 05",             INSN_LOOP },        /* jecxz        */
        { "eb 05",                INSN_JMP },
        { "e9 01 02 03 04",       INSN_JMP },
        { "e8 01 02 03 04",       INSN_CALL },
        { "67 e8 01 02 03 04",    INSN_CALL },        /* addr32 call  */
        { "ff 25 01 02 03 04",    INSN_JMP_IND },     /* jmp [rip+d]  */
        { "3e ff e0",             INSN_JMP_IND },     /* notrack jmp rax */
        { "41 ff 54 24 08",       INSN_CALL_IND },    /* call [r12+8] */
        { "c3",                   INSN_RET },
        { "f3 c3",                INSN_RET },         /* rep ret      */
        { "c2 00 80",             INSN_RET },
        { "cb",                   INSN_FAR },
        { "ca 08 00",             INSN_FAR },
        { "48 cf",                INSN_FAR },         /* iretq        */
        { "ff 2c 24",             INSN_FAR },         /* jmp far [rsp] */
        { "48 ff 1c 24",          INSN_FAR },         /* call far [rsp] */
        { "0f 05",                INSN_SYSCALL },
        { "66 0f 05",             INSN_SYSCALL },
        { "0f 34",                INSN_SYSENTER },
        { "cc",                   INSN_INT },
        { "cd 80",                INSN_INT },
        { "f1",                   INSN_INT },
        { "c7 f8 01 02 03 04",    INSN_XBEGIN },
        { "66 c7 f8 01 02",       INSN_XBEGIN });
}

TEST(scan, classes_of_special_instructions)
{
    EXPECT_ROWS(
        { "9c",                   INSN_PUSHF },
        { "66 9d",                INSN_POPF },
        { "d9 30",                INSN_FPSAVE },      /* fnstenv [rax]  */
        { "dd 30",                INSN_FPSAVE },      /* fnsave [rax]   */
        { "d9 f0",                INSN_PLAIN },       /* f2xm1          */
        { "0f ae 00",             INSN_FPSAVE },      /* fxsave [rax]   */
        { "48 0f ae 20",          INSN_FPSAVE },      /* xsave64 [rax]  */
        { "0f ae 30",             INSN_FPSAVE },      /* xsaveopt [rax] */
        { "66 0f ae 30",          INSN_PLAIN },       /* clwb [rax]     */
        { "0f c7 20",             INSN_FPSAVE },      /* xsavec [rax]   */
        { "0f c7 28",             INSN_FPSAVE },      /* xsaves [rax]   */
        { "0f c7 08",             INSN_PLAIN },       /* cmpxchg8b      */
        { "0f c7 f0",             INSN_PLAIN },       /* rdrand eax     */
        { "f3 0f c7 f8",          INSN_PLAIN },       /* rdpid rax      */
        { "0f ae e8",             INSN_PLAIN },       /* lfence         */
        { "f3 0f ae c0",          INSN_PLAIN },       /* rdfsbase eax   */
        { "f3 48 0f ae c8",       INSN_GSBASE },      /* rdgsbase rax   */
        { "f3 48 0f ae d8",       INSN_GSBASE },      /* wrgsbase rax   */
        { "8e e8",                INSN_SEGLOAD },     /* mov gs, eax    */
        { "0f a1",                INSN_SEGLOAD },     /* pop fs         */
        { "0f b5 00",             INSN_SEGLOAD },     /* lgs eax, [rax] */
        { "0f 01 ef",             INSN_WRPKRU },
        { "f3 0f 01 ef",          INSN_PLAIN },       /* stui           */
        { "0f 01 ee",             INSN_PLAIN },       /* rdpkru         */
        { "0f 01 d0",             INSN_PLAIN });      /* xgetbv         */
}

TEST(scan, immediates_follow_the_operand_size)
{
    EXPECT_ROWS(
        { "b8 01 02 03 04",                INSN_PLAIN },    /* mov eax, imm32 */
        { "66 b8 01 02",                   INSN_PLAIN },
        { "48 b8 01 02 03 04 05 06 07 08", INSN_PLAIN },
        { "66 48 b8 01 02 03 04 05 06 07 08", INSN_PLAIN },    /* REX.W beats 66 */
        { "48 66 b8 01 02",                INSN_PLAIN },    /* 66 voids the REX before it */
        { "66 05 01 02",                   INSN_PLAIN },
        { "f6 c0 01",                      INSN_PLAIN },    /* test al, imm8 */
        { "f6 c8 01",                      INSN_PLAIN },    /* its alias, /1 */
        { "f6 d0",                         INSN_PLAIN },    /* not al        */
        { "f7 c8 01 02 03 04",             INSN_PLAIN },
        { "66 f7 c0 01 02",                INSN_PLAIN },
        { "f7 d8",                         INSN_PLAIN },    /* neg eax       */
        { "c6 f8 01",                      INSN_PLAIN },    /* xabort        */
        { "c8 01 02 03",                   INSN_PLAIN },    /* enter         */
        { "a1 01 02 03 04 05 06 07 08",    INSN_PLAIN },    /* mov eax, [moffs64] */
        { "67 a1 01 02 03 04",             INSN_PLAIN },
        { "66 a1 01 02 03 04 05 06 07 08", INSN_PLAIN },
        { "66 0f 78 c0 01 02",             INSN_PLAIN },    /* extrq xmm0, 1, 2 */
        { "f2 0f 78 c1 01 02",             INSN_PLAIN },    /* insertq       */
        { "0f 78 c1",                      INSN_PLAIN },    /* vmread        */
        { "66 e8 01 02 03 04",             INSN_CALL },     /* as Intel; see scan.c */
        { "66 48 e8 01 02 03 04",          INSN_CALL });
}

TEST(scan, opcodes_without_64_bit_meaning_are_invalid)
{
    static const uint8_t opcodes[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60,
                                       0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea };
    uint8_t bytes[READABLE] = { 0 };
    struct insn in;

    for (unsigned i = 0; i < sizeof opcodes; i++) {
        bytes[0] = opcodes[i];
        EXPECT_EQUAL("opcode", scan_insn(bytes, sizeof bytes, &in), true);
        EXPECT_EQUAL("opcode", in.cls, INSN_INVALID);
        EXPECT_EQUAL("opcode", in.len, 1);
    }
}

TEST(scan, undefined_encodings_are_invalid)
{
    EXPECT_ROWS(
        { "0f 0b",             INSN_INVALID },    /* ud2                  */
        { "0f b9 40 01",       INSN_INVALID },    /* ud1 eax, [rax+1]     */
        { "0f ff c0",          INSN_INVALID },    /* ud0 eax, eax         */
        { "8d c0",             INSN_INVALID },    /* lea of a register    */
        { "fe d0",             INSN_INVALID },
        { "ff f8",             INSN_INVALID },
        { "ff d8",             INSN_INVALID },    /* far call of a register */
        { "8f e0",             INSN_INVALID },    /* pop /4; others are XOP */
        { "8e c8",             INSN_INVALID },    /* mov cs, eax          */
        { "0f b8 c0",          INSN_INVALID },    /* popcnt without f3    */
        { "0f ba c0",          INSN_INVALID },    /* bt's group /0        */
        { "f0 c3",             INSN_INVALID },    /* lock ret             */
        { "f0 0f 05",          INSN_INVALID });   /* lock syscall         */
}

TEST(scan, mov_cr_has_no_memory_form)
{
    struct insn in = scan("0f 20 04");            /* mov rsp, cr0: mod 0, rm 4 */

    EXPECT_EQUAL("mov", in.len, 3);
    EXPECT_EQUAL("mov", in.shape, SHAPE_MODRM);
}

TEST(scan, rex_counts_only_before_the_opcode)
{
    struct insn in = scan("48 66 8b 07");         /* mov ax, [rdi] */

    EXPECT_EQUAL("voided", in.len, 4);
    EXPECT_EQUAL("voided", in.rex, 0);
    EXPECT_EQUAL("voided", in.prefixes, PFX_66);

    in = scan("66 48 8b 07");
    EXPECT_EQUAL("kept", in.rex, 0x48);
    EXPECT_EQUAL("kept", in.prefixes, PFX_66 | PFX_REX);

    in = scan("48 41 8b 07");                     /* the last of two */
    EXPECT_EQUAL("second", in.rex, 0x41);
    EXPECT_EQUAL("second", in.len, 4);
}

TEST(scan, ds_does_not_undo_fs)
{
    EXPECT_EQUAL("fs", scan("64 8b 07").seg, SEG_FS);
    EXPECT_EQUAL("gs ds", scan("65 3e 8b 07").seg, SEG_GS);
    EXPECT_EQUAL("cs gs", scan("2e 65 8b 07").seg, SEG_GS);
    EXPECT_EQUAL("fs gs", scan("64 65 8b 07").seg, SEG_GS);
    EXPECT_EQUAL("ds", scan("3e 8b 07").seg, SEG_OTHER);
}

TEST(scan, memory_shapes)
{
    struct insn in = scan("48 8b 05 01 02 03 04");    /* mov rax, [rip+d] */

    EXPECT_EQUAL("rip", in.shape, SHAPE_MODRM | SHAPE_MEM | SHAPE_RIPREL);
    EXPECT_EQUAL("rip", in.disp_off, 3);
    EXPECT_EQUAL("rip", in.disp_len, 4);

    in = scan("8b 04 25 01 02 03 04");                /* mov eax, [d] */
    EXPECT_EQUAL("absolute", in.shape, SHAPE_MODRM | SHAPE_MEM);
    EXPECT_EQUAL("absolute", in.disp_off, 3);
    EXPECT_EQUAL("absolute", in.disp_len, 4);

    in = scan("43 8b 44 25 80");                      /* mov eax, [r13+r12-128] */
    EXPECT_EQUAL("sib", in.disp_off, 4);
    EXPECT_EQUAL("sib", in.disp_len, 1);
    EXPECT_EQUAL("sib", in.disp_len + in.disp_off, in.len);

    in = scan("c7 05 01 02 03 04 05 06 07 08");       /* mov dword [rip+d], imm32 */
    EXPECT_EQUAL("rip, imm", in.imm_off, 6);
    EXPECT_EQUAL("rip, imm", in.imm, 0x08070605);

    in = scan("f3 48 a5");
    EXPECT_EQUAL("rep movsq", in.shape, SHAPE_STRING | SHAPE_REP);
    EXPECT_EQUAL("push", scan("ff 35 01 02 03 04").shape, SHAPE_MODRM | SHAPE_MEM | SHAPE_RIPREL | SHAPE_STACK);
}

TEST(scan, counts_of_ret_and_enter_are_unsigned)
{
    EXPECT_EQUAL("ret", scan("c2 00 80").imm, 0x8000);
    EXPECT_EQUAL("enter", scan("c8 f0 ff 01").imm, 0xfff0);
    EXPECT_EQUAL("enter", scan("c8 f0 ff 01").imm_len, 3);
    EXPECT_EQUAL("add", scan("48 83 c0 ff").imm, -1);
    EXPECT_EQUAL("jmp", scan("e9 fb ff ff ff").imm, -5);
    EXPECT_EQUAL("mov", scan("48 b8 01 00 00 00 00 00 00 80").imm, (long long)0x8000000000000001);
}

TEST(scan, vector_encodings)
{
    struct insn in = scan("c5 f8 77");                /* vzeroupper: no ModRM */

    EXPECT_EQUAL("vzeroupper", in.len, 3);
    EXPECT_EQUAL("vzeroupper", in.shape, 0);
    EXPECT_EQUAL("vzeroupper", in.enc, ENC_VEX);

    in = scan("c4 e3 79 63 05 01 02 03 04 05");       /* vpcmpistri xmm0, [rip+d], 5 */
    EXPECT_EQUAL("vpcmpistri", in.len, 10);
    EXPECT_EQUAL("vpcmpistri", in.map, 3);
    EXPECT_EQUAL("vpcmpistri", in.imm, 5);
    EXPECT_EQUAL("vpcmpistri", in.flags_written, FLAGS_ARITH);

    in = scan("62 f1 fd 48 6f 40 01");                /* vmovdqa64 zmm0, [rax+64]: disp8 is scaled */
    EXPECT_EQUAL("evex", in.len, 7);
    EXPECT_EQUAL("evex", in.enc, ENC_EVEX);
    EXPECT_EQUAL("evex", in.disp_len, 1);
    EXPECT_EQUAL("evex", in.rex, 0x48);

    in = scan("c4 e2 f8 f2 c3");                      /* andn rax, rax, rbx */
    EXPECT_EQUAL("andn", in.flags_written, FLAGS_ARITH);
    EXPECT_EQUAL("shlx", scan("c4 e2 f9 f7 c3").flags_written, 0);

    in = scan("8f ea 78 10 c3 01 02 03 04");          /* bextr eax, ebx, imm32 */
    EXPECT_EQUAL("xop", in.enc, ENC_XOP);
    EXPECT_EQUAL("xop", in.map, 10);
    EXPECT_EQUAL("xop", in.imm_len, 4);
    EXPECT_EQUAL("pop", scan("8f 00").enc, ENC_LEGACY);
    EXPECT_EQUAL("pop", scan("8f 00").len, 2);

    in = scan("0f 0f 40 01 9e");                      /* pfadd mm0, [rax+1] */
    EXPECT_EQUAL("3dnow", in.enc, ENC_3DNOW);
    EXPECT_EQUAL("3dnow", in.len, 5);
    EXPECT_EQUAL("3dnow", in.imm_off, 4);
}

TEST(scan, vex_tolerates_only_segment_and_address_prefixes)
{
    EXPECT_EQUAL("67", scan("67 c5 f8 77").cls, INSN_PLAIN);
    EXPECT_EQUAL("fs", scan("64 c5 f8 77").cls, INSN_PLAIN);
    EXPECT_EQUAL("66", scan("66 c5 f8 77").cls, INSN_INVALID);
    EXPECT_EQUAL("f2", scan("f2 c5 f8 77").cls, INSN_INVALID);
    EXPECT_EQUAL("f3", scan("f3 c5 f8 77").cls, INSN_INVALID);
    EXPECT_EQUAL("lock", scan("f0 c5 f8 77").cls, INSN_INVALID);
    EXPECT_EQUAL("rex", scan("48 c5 f8 77").cls, INSN_INVALID);
    EXPECT_EQUAL("voided rex", scan("48 67 c5 f8 77").cls, INSN_PLAIN);
}

TEST(scan, fifteen_bytes_are_the_limit)
{
    struct insn in = scan("66 66 66 66 66 66 66 66 66 66 66 66 66 66 90");

    EXPECT_EQUAL("15", in.cls, INSN_PLAIN);
    EXPECT_EQUAL("15", in.len, 15);
    in = scan("66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90");
    EXPECT_EQUAL("16", in.cls, INSN_INVALID);
    EXPECT_EQUAL("16", in.len, 15);
    in = scan("2e 2e 2e 2e 2e 48 81 84 24 01 02 03 04 05 06 07 08");
    EXPECT_EQUAL("17", in.cls, INSN_INVALID);
}

TEST(scan, an_instruction_cut_short_does_not_scan)
{
    static const char *const whole[] = { "48 b8 01 02 03 04 05 06 07 08", "c4 e3 79 63 05 01 02 03 04 05",
                                         "66 0f 3a 63 c1 1a", "62 f1 fd 48 6f 40 01", "8b 04 25 01 02 03 04" };
    uint8_t bytes[READABLE];
    struct insn in;

    for (unsigned i = 0; i < sizeof whole / sizeof *whole; i++) {
        unsigned len = parse_hex(whole[i], bytes);

        for (unsigned avail = 0; avail < len; avail++) {
            EXPECT_EQUAL(whole[i], scan_insn(bytes, avail, &in), false);
            EXPECT_EQUAL(whole[i], in.len, 0);
        }
        EXPECT_EQUAL(whole[i], scan_insn(bytes, len, &in), true);
        EXPECT_EQUAL(whole[i], in.len, len);
    }
}

TEST(scan, shifts_that_may_count_zero_write_no_flags)
{
    EXPECT_EQUAL("shl eax, cl", scan("d3 e0").flags_written, 0);
    EXPECT_EQUAL("shl eax, 32", scan("c1 e0 20").flags_written, 0);
    EXPECT_EQUAL("shl rax, 32", scan("48 c1 e0 20").flags_written, FLAGS_ARITH);
    EXPECT_EQUAL("shl rax, 64", scan("48 c1 e0 40").flags_written, 0);
    EXPECT_EQUAL("rol eax, 1", scan("d1 c0").flags_written, FLAG_CF | FLAG_OF);
    EXPECT_EQUAL("rcl eax, cl", scan("d3 d0").flags_read, FLAG_CF);
    EXPECT_EQUAL("rcl al, 9", scan("c0 d0 09").flags_written, 0);
    EXPECT_EQUAL("shld eax, eax, 32", scan("0f a4 c0 20").flags_written, 0);
}

TEST(scan, flags_of_odd_instructions)
{
    EXPECT_EQUAL("inc", scan("ff c0").flags_written, FLAGS_ARITH & ~FLAG_CF);
    EXPECT_EQUAL("adc", scan("83 d0 01").flags_read, FLAG_CF);
    EXPECT_EQUAL("not", scan("f7 d0").flags_written, 0);
    EXPECT_EQUAL("cmpsb", scan("a6").flags_written, FLAGS_ARITH);
    EXPECT_EQUAL("repe cmpsb", scan("f3 a6").flags_written, 0);
    EXPECT_EQUAL("repe cmpsb", scan("f3 a6").flags_read, FLAG_DF);
    EXPECT_EQUAL("adox", scan("f3 0f 38 f6 c0").flags_written, FLAG_OF);
    EXPECT_EQUAL("adcx", scan("66 0f 38 f6 c0").flags_written, FLAG_CF);
    EXPECT_EQUAL("fcmovb", scan("da c1").flags_read, FLAG_CF);
    EXPECT_EQUAL("fucomip", scan("df e9").flags_written, FLAG_ZF | FLAG_PF | FLAG_CF);
    EXPECT_EQUAL("cmovbe", scan("0f 46 c0").flags_read, FLAG_CF | FLAG_ZF);
    EXPECT_EQUAL("cmpxchg16b", scan("48 0f c7 08").flags_written, FLAG_ZF);
    EXPECT_EQUAL("popf", scan("9d").flags_written, FLAGS_ARITH | FLAG_DF);
    EXPECT_EQUAL("bt", scan("0f a3 c0").flags_written & FLAG_ZF, 0);
}

enum { RAX = 1, RCX = 2, RDX = 4, RBX = 8, RSP = 16, RBP = 32, RSI = 64, RDI = 128, R8 = 256, R12 = 1 << 12 };

static void
expect_effects(const char *hex, unsigned reads, unsigned writes, const char *mem, unsigned mem_size)
{
    struct effects fx = effects_of(hex);

    EXPECT_EQUAL(hex, fx.reads, reads);
    EXPECT_EQUAL(hex, fx.writes, writes);
    EXPECT_EQUAL(hex, fx.mem_read, strchr(mem, 'r') != NULL);
    EXPECT_EQUAL(hex, fx.mem_written, strchr(mem, 'w') != NULL);
    EXPECT_EQUAL(hex, fx.mem_size, mem_size);
}

TEST(effects, partial_writes_read_too)
{
    expect_effects("b8 01 00 00 00", 0, RAX, "", 0);            /* mov eax, 1    */
    expect_effects("66 b8 01 00", RAX, RAX, "", 0);             /* mov ax, 1     */
    expect_effects("b4 01", RAX, RAX, "", 0);                   /* mov ah, 1     */
    expect_effects("40 b4 01", RSP, RSP, "", 0);                /* mov spl, 1    */
    expect_effects("0f b6 c4", RAX, RAX, "", 0);                /* movzx eax, ah */
    expect_effects("0f 94 c1", RCX, RCX, "", 0);                /* sete cl       */
    expect_effects("0f 44 c1", RAX | RCX, RAX, "", 0);          /* cmove eax, ecx: may not write */
    expect_effects("0f bc c1", RAX | RCX, RAX, "", 0);          /* bsf eax, ecx: likewise */
}

TEST(effects, zeroing_does_not_read)
{
    expect_effects("31 c0", 0, RAX, "", 0);                     /* xor eax, eax */
    expect_effects("48 29 db", 0, RBX, "", 0);                  /* sub rbx, rbx */
    expect_effects("66 31 c0", RAX, RAX, "", 0);                /* xor ax, ax   */
    expect_effects("31 c8", RAX | RCX, RAX, "", 0);             /* xor eax, ecx */
    expect_effects("41 31 c0", RAX | R8, R8, "", 0);            /* xor r8d, eax */
    expect_effects("21 c0", RAX, RAX, "", 0);                   /* and eax, eax */
}

TEST(effects, implicit_operands)
{
    expect_effects("53", RSP | RBX, RSP, "w", 0);               /* push rbx        */
    expect_effects("5b", RSP, RSP | RBX, "r", 0);               /* pop rbx         */
    expect_effects("66 5b", RSP | RBX, RSP | RBX, "r", 0);      /* pop bx          */
    expect_effects("8f 44 24 08", RSP, RSP, "rw", 8);           /* pop [rsp+8]     */
    expect_effects("ff 74 24 08", RSP, RSP, "rw", 8);           /* push [rsp+8]    */
    expect_effects("f7 e1", RAX | RCX, RAX | RDX, "", 0);       /* mul ecx         */
    expect_effects("f6 e1", RAX | RCX, RAX, "", 0);             /* mul cl          */
    expect_effects("66 f7 e1", RAX | RCX | RDX, RAX | RDX, "", 0);
    expect_effects("f7 f1", RAX | RCX | RDX, RAX | RDX, "", 0); /* div ecx         */
    expect_effects("99", RAX, RDX, "", 0);                      /* cdq             */
    expect_effects("d3 e2", RCX | RDX, RDX, "", 0);             /* shl edx, cl     */
    expect_effects("0f a2", RAX | RCX, RAX | RBX | RCX | RDX, "", 0);    /* cpuid */
    expect_effects("0f 31", 0, RAX | RDX, "", 0);               /* rdtsc           */
    expect_effects("48 ab", RAX | RDI, RDI, "w", 0);            /* stosq           */
    expect_effects("f3 48 ab", RAX | RCX | RDI, RCX | RDI, "w", 0);
    expect_effects("f3 ac", RAX | RCX | RSI, RAX | RCX | RSI, "r", 0);   /* rep lodsb */
    expect_effects("90", 0, 0, "", 0);                          /* nop             */
    expect_effects("49 90", RAX | R8, RAX | R8, "", 0);         /* xchg rax, r8    */
    expect_effects("0f b1 0b", RAX | RCX | RBX, RAX, "rw", 4);  /* cmpxchg [rbx], ecx */
    expect_effects("48 0f c7 0e", RAX | RBX | RCX | RDX | RSI, RAX | RDX, "rw", 16);
    expect_effects("df e0", RAX, RAX, "", 0);                   /* fnstsw ax       */
    expect_effects("c4 e2 f3 f6 c3", RDX | RBX, RAX | RCX, "", 0);       /* mulx rax, rcx, rbx */
    expect_effects("66 0f 3a 61 c1 0c", RAX | RDX, RCX, "", 0); /* pcmpestri       */
}

TEST(effects, addresses_read_their_registers)
{
    expect_effects("4a 8d 44 a3 10", RBX | R12, RAX, "", 0);    /* lea rax, [rbx+r12*4+16] */
    expect_effects("8b 04 25 00 00 00 00", 0, RAX, "r", 4);     /* mov eax, [0]            */
    expect_effects("48 8b 05 00 00 00 00", 0, RAX, "r", 8);     /* mov rax, [rip]          */
    expect_effects("41 8b 04 25 00 00 00 00", 0, RAX, "r", 4);  /* REX.B does not make r13 a base */
    expect_effects("0f 1f 44 13 08", RBX | RDX, 0, "", 0);      /* nop [rbx+rdx+8]         */
    expect_effects("0f 18 0b", RBX, 0, "", 0);                  /* prefetcht0 [rbx]        */
    expect_effects("c4 e2 69 92 04 8b", RBX, 0, "r", 0);        /* vgatherdps xmm0, [rbx+xmm1*4], xmm2 */
}

TEST(effects, memory_of_vector_instructions)
{
    expect_effects("f3 0f 10 03", RBX, 0, "r", 4);              /* movss xmm0, [rbx]   */
    expect_effects("f2 0f 11 03", RBX, 0, "w", 8);              /* movsd [rbx], xmm0   */
    expect_effects("0f 29 03", RBX, 0, "w", 16);                /* movaps [rbx], xmm0  */
    expect_effects("c5 fd 7f 03", RBX, 0, "w", 32);             /* vmovdqa [rbx], ymm0 */
    expect_effects("62 f1 fd 48 6f 03", RBX, 0, "r", 64);       /* vmovdqa64 zmm0, [rbx] */
    expect_effects("62 f1 fd 49 6f 03", RBX, 0, "r", 0);        /* the same under k1: varies */
    expect_effects("66 0f 6e c3", RBX, 0, "", 0);               /* movd xmm0, ebx      */
    expect_effects("66 0f 7e c3", 0, RBX, "", 0);               /* movd ebx, xmm0      */
    expect_effects("f3 0f 2a c3", RBX, 0, "", 0);               /* cvtsi2ss xmm0, ebx  */
    expect_effects("f3 0f 2c c3", 0, RAX, "", 0);               /* cvttss2si eax, xmm3 */
    expect_effects("66 0f d7 c3", 0, RAX, "", 0);               /* pmovmskb eax, xmm3  */
}
