/* What the whole engine shares: options of this run, and the way from the
 * kernel's entry to the program's first instruction. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_ENGINE_H
#define DRTOOLS_TRANSLATOR_ENGINE_H

#include "core/thread.h"

/* From the configuration string; docs/launch.md. Set once at start. */
struct options {
    const char *config;             /* the whole string, handed on at execve      */
    const char *lib, *zydis, *logdir, *log;
    bool quiet, color, stats, no_follow, no_traces;
    uint64_t cache_max, trace_threshold, native_from;
    uint64_t limit_extra[2][2];     /* what RLIMIT_AS and RLIMIT_DATA have on top of the program's own, soft and hard */
    const char *app;                /* path of the file to run, where that is not argv[2] */
    bool app_unnamed;               /* argv[2] stands for a descriptor, not a path */
    int app_fd;                     /* -1: none                                   */
    int depth;
    int reporter_fd, reporter_pid;  /* -1: nothing is reported                    */
    bool console;                   /* text for the console comes from the reporter */
    bool reporter_lost;             /* there was one                              */
    bool root, execed;              /* the process that the user started; has become another program since it was made */
    int gate;                       /* -exit_code_if_errors; -1: not given        */
    bool always_zero;               /* -exit0                                     */
};
extern struct options options;

/* False: *why tells (a static string, or the offending line). */
bool options_parse(char *config, const char **why);
/* Value number `n` of a repeatable key, or NULL. */
const char *options_nth(const char *key, unsigned n);

/* Pair number `n` in the order given. False: there are fewer. */
bool options_pair(unsigned n, const char **key, const char **value);

/* The program. Set once at start. */
struct program {
    const char *path;               /* as execve got it: AT_EXECFN                */
    char exe[4096];                 /* what /proc/self/exe would say              */
    const char *comm_source;
    uint64_t entry;                 /* first instruction: the interpreter's, or its own */
    uint64_t own_entry, phdr, phnum, interp_base, load_lo, load_hi;
    uint64_t brk, data_size;        /* where the heap starts; bytes of initialized data */
    bool exec_stack;
};
extern struct program program;
extern int engine_fd;               /* the engine's own file, for following execve */
extern int exe_fd;                  /* the program's                               */
extern bool no_aslr;
extern uint64_t kernel_brk_start;

NORETURN void start_failed(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* core/dispatch.c */
bool block_count_reached(void);   /* -native_from: the bisecting switch */
void fix_saved_x87_pointer(struct thread *t, uint64_t at);
void dispatch(struct thread *t);                 /* an exit from the cache lands here; does not return */
NORETURN void dispatch_at(struct thread *t, uint64_t pc);   /* run the program from pc with t->s.mc     */
struct insn;
/* The instruction at pc, as far as it can be read. `bytes` has room for 15. */
bool fetch_insn(uint64_t pc, uint8_t *bytes, struct insn *in);
/* Of its ModRM memory operand, with the registers of t->s.mc; t is the calling thread. */
uint64_t operand_address(struct thread *t, const uint8_t *bytes, const struct insn *in, uint64_t pc);
static inline bool is_canonical(uint64_t a) { return (uint64_t)((int64_t)(a << 16) >> 16) == a; }
/* An indirect branch has led to a non-canonical address: raises its fault, if it is found. */
void branch_fault(struct thread *t, uint64_t target);
extern volatile bool branch_sources_kept;    /* translations note each indirect branch in SLOT_BRANCH */
bool special_instruction(struct thread *t, uint64_t pc, uint64_t *next);
void stats_print(void);
/* Every engine lock but threads_lock, in order, around fork. */
void engine_lock_all(void);
void engine_unlock_all(void);
void engine_unlock_all_after_fork(void);
void engine_after_fork(struct thread *t);
/* The process is about to end (exit_group, fatal signal, last thread); kind and code as in a record of its end. Returns
 * once: the status to end with, or -1, as the program would. */
int engine_at_exit(struct thread *t, int kind, int code);

#endif
