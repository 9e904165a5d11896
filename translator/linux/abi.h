/* The kernel's structures of signals, as the x86-64 ABI lays them out.
 * Source: Linux uapi asm/sigcontext.h, asm/ucontext.h, asm-generic/siginfo.h, arch/x86/kernel/signal.c. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_ABI_H
#define DRTOOLS_TRANSLATOR_ABI_H

#include "util/base.h"

enum { SIG_HUP = 1, SIG_ILL = 4, SIG_TRAP = 5, SIG_ABRT = 6, SIG_BUS = 7, SIG_FPE = 8, SIG_KILL = 9, SIG_SEGV = 11, SIG_CHLD = 17,
       SIG_CONT = 18, SIG_STOP = 19, SIG_TSTP = 20, SIG_TTIN = 21, SIG_TTOU = 22, SIG_URG = 23, SIG_WINCH = 28, SIG_SYS = 31, NSIG_MAX = 64 };
#define SIG_BIT(n) (1ull << ((n) - 1))
#define SYNC_SIGNALS (SIG_BIT(SIG_SEGV) | SIG_BIT(SIG_BUS) | SIG_BIT(SIG_ILL) | SIG_BIT(SIG_FPE) | SIG_BIT(SIG_TRAP))

#define SAF_NOCLDSTOP 1u
#define SAF_NOCLDWAIT 2u
#define SAF_SIGINFO   4u
#define SAF_EXPOSE_TAGBITS 0x800u
#define SAF_ONSTACK   0x08000000u
#define SAF_RESTART   0x10000000u
#define SAF_NODEFER   0x40000000u
#define SAF_RESETHAND 0x80000000u
#define SAF_RESTORER  0x04000000u

struct ksigaction { uint64_t handler, flags, restorer, mask; };   /* handler 0: default, 1: ignore */

struct ksiginfo {
    int32_t signo, err, code, pad;
    union {
        struct { int32_t pid; uint32_t uid; uint64_t value; } kill;
        struct { uint64_t addr; } fault;
        struct { uint64_t call_addr; int32_t nr; uint32_t arch; } sys;
        uint8_t fill[112];
    };
};
_Static_assert(sizeof(struct ksiginfo) == 128, "siginfo_t");

struct kstack { uint64_t sp; int32_t flags; uint32_t pad; uint64_t size; };
enum { SSF_ONSTACK = 1, SSF_DISABLE = 2 };
#define SSF_AUTODISARM 0x80000000u

struct ksigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};
struct kucontext {
    uint64_t flags, link;
    struct kstack stack;
    struct ksigcontext mc;
    uint64_t sigmask;
};
struct krt_sigframe {
    uint64_t restorer;
    struct kucontext uc;
    struct ksiginfo info;
};
/* fxsave image: x87 opcode at 6, instruction pointer at 8, operand pointer at 16; software bytes at 464: magic1, extended_size (with magic2), xfeatures, xstate_size */
enum { FX_SIZE = 512, FX_FOP = 6, FX_FIP = 8, FX_FDP = 16, FX_SW_MAGIC1 = 464, FX_SW_EXT_SIZE = 468 };
#define FX_MAGIC1 0x46505853u

#endif
