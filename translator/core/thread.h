/* A thread of the program, as the engine sees it.
 * One block of memory a thread: guard page, engine stack, signal stack, struct
 * thread with the indirect-branch table behind it. GS points at struct thread
 * from the thread's first engine instruction to its last.
 * Threads: a thread writes its own struct; others touch only what is marked. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_THREAD_H
#define DRTOOLS_TRANSLATOR_THREAD_H

#include "core/slots.h"
#include "drtools/emit.h"
#include "util/base.h"
#include "util/lock.h"

/* The program's integer registers at an instruction boundary. */
struct mcontext {
    uint64_t gpr[16];   /* by enum reg */
    uint64_t rip;
    uint64_t rflags;
};

struct side_call;

struct slots {
    struct thread *self;
    uint64_t spill[3];
    uint64_t exit;
    uint64_t exit_arg;
    uint8_t *dstack;
    void (*dispatch)(struct thread *);
    cache_pc enter_pc;
    uint64_t pending;
    uint64_t app_gs;
    uint64_t app_tf;
    uint64_t save[4];
    struct mcontext mc;
    void *table;
    uint64_t key;
    uint64_t ibl_mask;
    int32_t ibl_budget;
    void (*call)(uint64_t arg, struct mcontext *mc);
    uint64_t call_arg, call_back;
    uint64_t branch;
    uint64_t ibl_mode;
    uint64_t hold;
    bool (*function)(uint64_t arg, struct mcontext *mc);
    uint64_t returns;
    void (*side_call)(const struct side_call *c, struct thread *t);
    uint64_t checks;
};

/* Reasons in slots.exit; anything below EXIT_FIRST_REASON is an exit number. */
enum {
    EXIT_FIRST_REASON = 0x7f000000,
    EXIT_IBL = EXIT_FIRST_REASON,   /* indirect branch not in the table: target in exit_arg      */
    EXIT_CALLED,                    /* a signal came during a clean call: go on at mc.rip        */
    EXIT_GOTO = EXIT_FIRST_REASON + 4,   /* go on at exit_arg                                    */
};

struct recover {          /* a place to go on when an access of the engine's faults */
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp, rip;
};

enum { MAX_QUEUED = 4, CHECKS_BUDGET = 20000 };

/* A single step of the program's own, under way; see core/step.c. */
struct step {
    uint64_t pc;                    /* of the instruction                                 */
    uint64_t repeat_left;           /* of a repeated string instruction: iterations after this one */
    int32_t budget;                 /* of the indirect-branch table, to be put back       */
    bool trap;                      /* its SIGTRAP is due                                 */
};

struct process;

enum parked { PARKED_IN_CACHE, PARKED_IN_SYSCALL, PARKED_IN_DISPATCH, PARKED_IN_TOOL /* it waits to stop others itself */ };

struct thread {
    struct slots s;
    int tid;
    struct process *process;        /* signal dispositions; shared by CLONE_SIGHAND       */
    struct thread *next, *prev;     /* list of all threads, under the threads lock        */
    uint8_t *block;                 /* the whole memory block                             */
    size_t block_size;
    uint8_t *sigstack;              /* the kernel's alternate stack for us                */
    size_t sigstack_size;
    struct recover *recover;        /* set while the engine touches program memory        */
    volatile uint64_t safe_epoch;   /* cache epoch when the thread was last outside of it; UINT64_MAX: is outside. Read by all */

    /* Signals; see linux/signal.c */
    uint64_t app_mask;              /* what the program thinks is blocked                 */
    struct { uint64_t sp, size; uint32_t flags; } app_altstack;
    uint64_t saved_mask;            /* the program's mask before a call with one of its own */
    bool mask_saved;                /* … which the signal that ended the call is to save  */
    unsigned queued;                /* signals not yet delivered, in order                */
    uint8_t queued_info[MAX_QUEUED][128];    /* siginfo_t                                 */
    bool raised;                    /* raised_info: a fault of the program's, made up     */
    uint8_t raised_info[128];
    bool swallowed;                 /* a signal of the five came that the program must not notice */
    volatile bool exposed;          /* the kernel has the program's true mask: see handle_signals.c */
    uint64_t held;                  /* SEGV, BUS, ILL, FPE, TRAP sent while the program blocks them */
    uint8_t held_info[32][128];     /* by signal number; only those five are used         */
    uint64_t trapno, err, cr2;      /* of the program's last fault, as its frames show    */
    uint64_t native_probe;          /* program address being run natively because its fetch faults */
    bool probe_ran;                 /* the jump to it is done                             */
    bool probing;                   /* native_probe counts                                */
    uint32_t once;                  /* its private single-instruction fragment; 0: none   */
    uint64_t once_resets;           /* … valid while the cache has been reset so often    */
    uint64_t linear_pc, linear;     /* address of the operand of the instruction at linear_pc, for its next execution */
    uint32_t x87_fip;               /* the x87 instruction pointer before the instruction at linear_pc or of `single` */
    bool single;                    /* translate just one instruction at the next dispatch */
    bool parent_frees;              /* a vfork child: its maker takes the block back      */
    void *exec_buffers;             /* memory of an execve under way; a vfork child's maker frees it */
    size_t exec_size;
    bool vfork_child;               /* shares memory with its parent but is another process */
    struct step step;
    struct { int signo, code; uint64_t trapno, err, cr2; } copy_fault;   /* the last fault within safe_copy */
    volatile unsigned nudges_in, nudges_out;     /* counted; tools are yet to be told of those in between */
    uint64_t nudge[4];              /* more at a time are lost                            */
    volatile uint32_t suspend;      /* number of the request to park, 0: none; linux/suspend.c. Others write it */
    volatile uint32_t parked;       /* … of the last one heeded: the next three may be used by who asked */
    volatile enum parked park;
    bool leave;                     /* goes on at parked_mc instead of where it was       */
    struct mcontext parked_mc;
    volatile bool vforking;         /* asleep until its vfork child is done: t->s.mc is its state */
    volatile bool leaving;          /* will not run the program again: t->s.mc is its last state */
    bool left;                      /* tools know that it has ended                        */
    const struct mcontext *gate;    /* an int 0x80 is being carried out: the program's registers */
    bool traced;                    /* asked to be traced: execve is the kernel's          */
    struct { bool on; uint64_t offset, len, selector; } user_dispatch;   /* PR_SET_SYSCALL_USER_DISPATCH */
    const char *doing;              /* for the message of a failed CHECK                  */
};

#define PIN(field, value) _Static_assert(offsetof(struct slots, field) == (value), "emitted code relies on " #field)
PIN(spill, SLOT_SPILL0);
PIN(exit, SLOT_EXIT);
PIN(exit_arg, SLOT_EXIT_ARG);
PIN(dstack, SLOT_DSTACK);
PIN(dispatch, SLOT_DISPATCH);
PIN(enter_pc, SLOT_ENTER_PC);
PIN(pending, SLOT_PENDING);
PIN(app_gs, SLOT_APP_GS);
PIN(app_tf, SLOT_TF);
PIN(save, SLOT_SAVE_RAX);
PIN(mc, SLOT_MC);
PIN(table, SLOT_TABLE);
PIN(key, SLOT_KEY);
PIN(ibl_mask, SLOT_IBL_MASK);
PIN(ibl_budget, SLOT_IBL_BUDGET);
PIN(call, SLOT_CALL);
PIN(call_arg, SLOT_CALL_ARG);
PIN(call_back, SLOT_CALL_BACK);
PIN(branch, SLOT_BRANCH);
PIN(ibl_mode, SLOT_IBL_MODE);
PIN(hold, SLOT_HOLD);
PIN(function, SLOT_FUNCTION);
PIN(returns, SLOT_RETURNS);
PIN(side_call, SLOT_SIDE_CALL);
PIN(checks, SLOT_CHECKS);
#undef PIN
_Static_assert(sizeof(struct thread) <= SLOT_IBL, "the indirect-branch table follows struct thread");

static inline struct thread *
thread_self(void)
{
    struct thread *t;
    __asm__("mov %%gs:0, %0" : "=r"(t));
    return t;
}
static inline unsigned thread_mode(const struct thread *t) { return t->s.key >> 48 & 0x7fff; }
void thread_set_mode(struct thread *t, unsigned mode);

/* Each mode has its own indirect-branch table in every thread; that of mode 0 is at SLOT_IBL. */
extern unsigned n_modes;
extern uint32_t mode_tables;        /* offset in the thread of those of mode 1 and on */
static inline uint32_t ibl_slot(unsigned mode) { return mode ? mode_tables + (mode - 1) * IBL_MAX_ENTRIES * 8 : SLOT_IBL; }
static inline cache_pc *thread_ibl(struct thread *t, unsigned mode) { return (cache_pc *)((uint8_t *)t + ibl_slot(mode)); }

/* New thread block, everything zero but the stacks and the table. NULL: no memory. */
struct thread *thread_create(void);
/* The calling thread (or one that never ran) is gone: off the list, block reusable.
 * The caller may go on using its engine stack only with all signals blocked and
 * only until its exit system call. Returns how many are left. */
int thread_retire(struct thread *t);
void threads_add(struct thread *t);
volatile uint32_t *thread_busy_word(struct thread *t);
/* In a fork child: every thread but `t` is gone. */
void threads_after_fork(struct thread *t);
extern struct thread *all_threads;
extern struct mutex threads_lock;
extern volatile int thread_count;

/* entry.S */
void enter_cache(struct thread *t) NORETURN;                    /* loads t->s.mc, jumps to enter_pc  */
void enter_native(struct thread *t) NORETURN;                   /* loads t->s.mc, jumps to mc.rip itself: for a fetch that must fault */
int  recover_set(struct recover *r) __attribute__((returns_twice));
void set_gs_base(void *p);

/* Access to program memory that may not be there. False: not all readable or writable. */
bool safe_read(void *dst, uint64_t src, size_t n);
bool safe_write(uint64_t dst, const void *src, size_t n);

#endif
