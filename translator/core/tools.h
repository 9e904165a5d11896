/* Tools: loading them, calling their callbacks, the block as they see it. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_TOOLS_H
#define DRTOOLS_TRANSLATOR_TOOLS_H

#include "core/cache.h"
#include "drtools/tool.h"
#include "x86/scan.h"

enum { BLOCK_MAX_INSNS = 96 };

struct ksiginfo;

/* A block between scanning and emission. */
struct dr_block {
    struct draft *draft;
    unsigned n;                          /* instructions                                           */
    struct insn insn[BLOCK_MAX_INSNS];
    struct dr_insn seen[BLOCK_MAX_INSNS]; /* as tools see them; filled on demand                   */
    bool is_seen[BLOCK_MAX_INSNS];
    uint32_t wanted;                     /* bit per tool: block_begin said true                    */
    unsigned at;                         /* instruction being emitted                              */
    unsigned tool;                       /* whose code is being inserted                           */
    bool inserted;                       /* … and has called dr_inserted                           */
    uint16_t off[BLOCK_MAX_INSNS];       /* of each instruction, from the tag                      */
    uint64_t flags_dead[(BLOCK_MAX_INSNS + 63) / 64];    /* bit per instruction: see dr_flags_dead */
    uint8_t spilled, scratch;            /* registers whose program values are in the spill slots: MAP_RCX, … */
    uint16_t uses[BLOCK_MAX_INSNS], kills[BLOCK_MAX_INSNS];      /* registers read or written, surely overwritten; filled where has_uses says so */
    bool has_uses, has_unread;
    bool side_rcx;                       /* the side part being emitted has put rcx into its slot */
    uint64_t code_lo, code_hi;           /* around the block: read-only code that may be looked ahead into; lo == hi: none */
    uint8_t hold_tool;                   /* … that holds a register */
    unsigned holds;                      /* so many have been taken in this block */
    uint64_t flags_unread[(BLOCK_MAX_INSNS + 63) / 64];  /* see dr_flags_unread */
};

extern unsigned n_tools;
extern bool tools_want_cuts, tools_want_syscalls, tools_want_signals, tools_want_requests;

/* Loads the tools of the command line and runs their init. Ends the process on failure. */
void tools_start(void);
void tools_thread_start(struct thread *t);
void tools_thread_exit(struct thread *t);
void tools_fork(struct thread *t, bool begins);          /* without engine locks */
void tools_fork_child(struct thread *t);
/* A module is there; is about to go. */
void tools_module(const struct dr_module *m, bool loaded);
void tools_nudge(struct thread *t, uint64_t arg);
void tools_exit(void);           /* thread_exit for those still there, then exit */
void tools_exec(struct thread *t);

/* Block callbacks, cache_lock held. */
void tools_block_begin(struct dr_block *b);
/* What the tools put before instruction `index`. Leaves all registers the program's. */
void tools_insert(struct dr_block *b, unsigned index, bool last);
void tools_fragment_deleted(uint64_t tag, unsigned mode);
/* The execution of the block (tag, mode) ended at `pc`: its instruction there was not executed. `uninserted`: see
 * struct map_entry. Nothing unless tools_want_cuts. */
void tools_block_cut(struct thread *t, uint64_t tag, unsigned mode, uint64_t pc, unsigned uninserted);

/* One system call as the program made it, and as tools had it made. */
struct tool_call { uint64_t program[7], made[7]; int64_t result; };
bool tools_syscall_pre(struct thread *t, struct tool_call *c);      /* true: skipped, with the result */
/* Puts argument registers back; `done`: the program goes on behind the call. */
void tools_syscall_post(struct thread *t, const struct tool_call *c, bool done);

/* What tools want of a signal about to be delivered at `m`. Both may be changed by it. */
enum dr_signal_action tools_signal(struct thread *t, struct ksiginfo *info, bool fault, struct mcontext *m);

/* What an out-of-line call leaves for the engine, in the side part of its fragment. */
struct side_call {
    void (*f)(uint64_t arg, struct dr_mcontext *mc);
    uint64_t arg;
    uint64_t pc;                         /* of the program's instruction                          */
    int32_t back;                        /* from behind this field to where it goes on            */
    uint8_t held;                        /* register whose program value is in slots.hold, or REG_NONE */
} __attribute__((packed));
void tools_side_call(const struct side_call *c, struct thread *t);
/* A signal's frame has been put at [lo, hi) of the program's memory; its handler is about to run. */
void tools_signal_frame(struct thread *t, uint64_t lo, uint64_t hi);
/* A fault at an instruction of a tool's own; the program stands at m. True: it is dealt with, and the program goes on at m. */
bool tools_fault(struct thread *t, struct mcontext *m, const struct ksiginfo *info);

/* Bytes of thread memory that tools asked for; struct thread's block holds them behind the table. */
extern uint32_t tools_thread_bytes;

/* core/control.c: dr_flush_later's flushes, carried out by a thread that holds no lock. */
extern volatile bool flush_is_due;
void flush_due(void);
void control_after_fork(struct thread *t);
/* … a request of the program's (valgrind.h): rax points to a code and five arguments, rdx gets the result. */
void client_request(struct thread *t);
bool tools_client_request(struct thread *t, const uint64_t args[6], uint64_t *result);

/* core/export.c: what dr_alloc has given and dr_free not taken back. */
uint64_t heap_of_tools(uint64_t *bytes);
/* … and what a shared object may import. NULL: unknown. */
void *export_find(const char *name);
/* linux/loader.c: a shared object into engine memory. NULL, with *why (a static string, or a symbol's name). */
struct loaded;
struct loaded *loader_open(const char *path, const char **why);
void *loader_symbol(struct loaded *l, const char *name);

/* core/encode.c: what Zydis knows of the ModRM memory operand that *m addresses: size, read, written, displacement. False: nothing. */
bool zydis_memory(const uint8_t *bytes, unsigned length, struct dr_memory *m);

/* core/locate.c */
void locate(uint64_t pc, struct dr_location *out);

/* export.c: files of tools */
void files_lock_for_fork(void);
void files_unlock_after_fork(bool child);

#endif
