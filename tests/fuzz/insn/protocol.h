/* What the driver and the subject share: the subject's memory map, a case
 * (code, start state, how to run it) and its result.
 *
 * The driver writes cases into one shared memory file and reads results from
 * another, one of the latter for each subject. A 4-byte count on a pipe starts
 * a batch, the same count on another pipe says that it is done. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_PROTOCOL_H
#define DRTOOLS_FUZZ_PROTOCOL_H

#include <stdint.h>

/* ---- memory map ---- */

/* Two zones of equal layout: one in the low 2 GiB, where 32-bit absolute and
 * address-size-prefixed operands reach, and one far from everything. */
enum zone_id { ZONE_LOW, ZONE_FAR, ZONE_COUNT };

#define ZONE_LOW_BASE 0x5a000000ull
#define ZONE_FAR_BASE 0x3f5a00000000ull

/* Offsets from a zone's base. */
enum {
    CODE_RWX = 0x10000,      /* written while executable */
    CODE_WX = 0x20000,       /* made writable, then executable again */
    CODE_ALIAS = 0x30000,    /* executable view of a file ... */
    CODE_ALIAS_RW = 0x40000, /* ... and its writable view */
    CODE_SIZE = 0x4000,      /* of each; the page behind it is not mapped */
    GATE = 0x50000,          /* fixed code that enters and leaves sequences */
    GATE_CALL = GATE + 0x10,
    GATE_EXIT = GATE + 0x20,
    GATE_PUSH_RET = GATE + 0x30,
    GATE_DATA = 0x51000, /* +0: entry address, +8: the subject's way out */
    GATE_EXIT_POINTER = GATE_DATA + 8,

    DATA_RW = 0x100000, /* four pages */
    DATA_RW_SIZE = 0x4000,
    DATA_NONE = 0x104000, /* PROT_NONE */
    DATA_RO = 0x105000,   /* read-only */
    DATA_BUS = 0x106000,  /* beyond the end of a mapped file */
    DATA_HOLE = 0x107000, /* not mapped */
    STACK = 0x108000,     /* two pages, a hole behind */
    STACK_SIZE = 0x2000,
    STACK_START = STACK + 0x1800,
    ZONE_SIZE = 0x200000,
};

/* What DATA_RW holds before each run, by offset from it. */
enum {
    AREA_RANDOM = 0x0000,
    AREA_FLOAT = 0x0400,
    AREA_DOUBLE = 0x0800,
    AREA_INDEX32 = 0x0c00,
    AREA_INDEX64 = 0x0e00,
    AREA_POINTERS = 0x1000,
    AREA_CONTROL = 0x1200,
    AREA_X87 = 0x1300,
    AREA_STRING = 0x1400,
    AREA_ZERO = 0x1800,
    AREA_SEGMENT = 0x1c00,
    AREA_SCRATCH = 0x2000,
    AREA_MIXED = 0x3000,
};

/* ---- processor state ---- */

struct vector_state {
    uint16_t fcw, fsw, ftw, fop; /* ftw: the abridged tags of fxsave */
    uint64_t fip, fdp;
    uint32_t mxcsr, pad;
    uint8_t st[8][16]; /* ten bytes each, then zero */
    uint64_t k[8];
    uint8_t zmm[32][64];
};

/* Order of gpr: rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

struct cpu_state {
    uint64_t gpr[16];
    uint64_t rip, rflags, fs_base, gs_base;
    struct vector_state v;
};

/* ---- a case ---- */

/* How the code gets to its place, and with it the place. */
enum install {
    INSTALL_STORE,   /* CODE_RWX: plain stores */
    INSTALL_READ,    /* CODE_RWX: read() from a pipe into it */
    INSTALL_VMWRITE, /* CODE_RWX: process_vm_writev */
    INSTALL_REMAP,   /* CODE_RWX: a new mapping in its stead */
    INSTALL_PROTECT, /* CODE_WX */
    INSTALL_ALIAS,   /* CODE_ALIAS */
    INSTALL_COUNT
};

enum entry { ENTRY_JMP, ENTRY_CALL, ENTRY_RET, ENTRY_SIGRETURN, ENTRY_COUNT };

/* What the signal handler does after recording a fault. */
enum fault_action {
    FAULT_END,     /* leaves by editing the frame and returning */
    FAULT_LONGJMP, /* leaves without returning from the handler */
    FAULT_SKIP,    /* goes on behind the instruction */
    FAULT_EDIT,    /* the same, and changes registers in the frame */
    FAULT_COUNT
};

enum {
    CODE_MAX = 1536,
    MARKS_MAX = 192,
    POKES_MAX = 24,
    FAULTS_MAX = 4,
    CHANGES_MAX = 64,
    BATCH = 64,
    SLOTS = 2,
    STATES_MAX = 4096,
};

/* What an instruction is, for planted bugs and for the handler. */
enum {
    MARK_RET = 1,
    MARK_CALL = 2,
    MARK_INDIRECT = 4,
    MARK_BRANCH = 8 /* direct, conditional or not */,
    MARK_RIPREL = 16,
    MARK_REP = 32,
    MARK_PUSHF = 256,
    MARK_STRING = 512,
    MARK_COUNTED = 1024 /* loop, jrcxz */,
    MARK_FXSAVE = 2048 /* stores the x87 pointers */,
    MARK_GATHER = 4096,
    MARK_POPF = 8192,
};

struct mark {
    uint16_t off, kind;
    uint8_t len, disp_off;
};

struct poke {
    uint64_t addr, value;
};

struct insn_case {
    uint64_t id, far_base; /* far_base: of ZONE_FAR, for the record */
    uint8_t zone, install, entry, fault_action;
    uint8_t fault_limit; /* faults recorded and passed before the case ends, 1..FAULTS_MAX */
    uint8_t trace;       /* record the state before each instruction (single steps) */
    uint8_t check_async; /* an interval timer runs; compare what it sees with the states */
    uint8_t pad;
    uint32_t reps;
    uint32_t components; /* start state: XSTATE_BV bits; the others are in their initial state */
    uint32_t code_off;   /* from the start of the place */
    uint16_t code_len, nmarks, npokes, pad2;
    uint8_t code[CODE_MAX];
    struct mark mark[MARKS_MAX];
    struct poke poke[POKES_MAX];
    struct cpu_state start;
};

/* ---- a result ---- */

enum outcome {
    OUTCOME_NONE,    /* not run */
    OUTCOME_EXIT,    /* left through the gate */
    OUTCOME_FAULT,   /* ended by a fault on an instruction of the sequence */
    OUTCOME_LOST,    /* ended by a fault elsewhere */
    OUTCOME_TIMEOUT, /* the driver sent SIGALRM */
};

struct fault {
    uint32_t signo, code;
    uint64_t addr, trapno, err, cr2; /* cr2 only of page faults */
    uint64_t segments, uc_flags, sigmask;
    uint32_t stack_flags, xstate_magic;
    struct cpu_state at;
};

struct insn_result {
    uint64_t id;
    uint32_t outcome, nfaults;
    uint32_t deviating_rep; /* the repetition that differed from the first, 0 = none */
    uint32_t nchanges;
    uint64_t changes_hash;           /* over all, also those not listed */
    struct poke change[CHANGES_MAX]; /* memory that differs from its start */
    struct cpu_state end;            /* of OUTCOME_EXIT */
    struct fault fault[FAULTS_MAX];
    uint32_t async_seen, async_bad; /* timer signals inside the sequence; not in a possible state */
    struct fault async;             /* the first bad one */
};

/* With `trace`: the states before each instruction, as hashes with the address. */
struct state_set {
    uint32_t count, overflow;

    struct {
        uint32_t off, pad;
        uint64_t hash;
    } state[STATES_MAX];
};

struct case_file { /* written by the driver */
    uint64_t zone_base[ZONE_COUNT];
    struct insn_case slot[SLOTS][BATCH];
    struct state_set allowed; /* for check_async: one case at a time */
};

struct result_file {   /* written by the subject */
    uint64_t progress; /* grows with each run; the driver's hang detector */
    uint64_t current;  /* index of the case being run */
    uint32_t ready, pad;
    char error[256]; /* why the subject cannot start */
    struct insn_result slot[SLOTS][BATCH];
    struct state_set states;
};

#endif
