/* The few per-thread fields that emitted code and assembly reach through GS,
 * by offset. GS points at struct thread, which begins with struct slots.
 * entry.S includes this file too, hence the plain numbers: core/thread.h pins
 * each with a _Static_assert. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TRANSLATOR_SLOTS_H
#define DRTOOLS_TRANSLATOR_SLOTS_H

#define SLOT_SELF      0x00   /* the thread's own address                                  */
#define SLOT_SPILL0    0x08   /* program's rcx across a mangled sequence                   */
#define SLOT_SPILL1    0x10   /* program's rdx across an indirect-branch lookup            */
#define SLOT_SPILL2    0x18   /* scratch of RIP-relative and segment rewriting             */
#define SLOT_EXIT      0x20   /* why the cache was left: exit number or EXIT_* reason      */
#define SLOT_EXIT_ARG  0x28   /* program address that goes with it                         */
#define SLOT_DSTACK    0x30   /* top of the engine's stack of this thread                  */
#define SLOT_DISPATCH  0x38   /* C function that an exit calls                             */
#define SLOT_ENTER_PC  0x40   /* cache address that enter_cache jumps to                   */
#define SLOT_PENDING   0x48   /* nonzero: do not enter the cache, handle something first   */
#define SLOT_APP_GS    0x50   /* the program's GS base                                     */
#define SLOT_TF        0x58   /* the program's own trap flag while the engine runs         */
#define SLOT_SAVE_RAX  0x60   /* the lookup routine's own                                  */
#define SLOT_SAVE_RSI  0x68
#define SLOT_SAVE_RDI  0x70
#define SLOT_SAVE_FLAGS 0x78
#define SLOT_MC        0x80   /* struct mcontext: 16 registers, rip, rflags                */
#define SLOT_RIP       (SLOT_MC + 16 * 8)
#define SLOT_RFLAGS    (SLOT_MC + 17 * 8)
#define SLOT_TABLE     0x110  /* address of the pointer to the fragment table              */
#define SLOT_KEY       0x118  /* what a tag becomes a key with: mode << 48 | 1 << 63        */
#define SLOT_IBL_MASK  0x120  /* bits of a target that index the indirect-branch table      */
#define SLOT_IBL_BUDGET 0x128 /* 32 bits: misses of that table until it is made larger      */
#define SLOT_CALL      0x130  /* clean call: the function; 0: none under way                */
#define SLOT_CALL_ARG  0x138  /* … its argument                                             */
#define SLOT_CALL_BACK 0x140  /* … where in the cache to go on                              */
#define SLOT_BRANCH    0x148  /* pc of the last indirect branch, once branch_sources_kept is set */
#define SLOT_IBL_MODE  0x150  /* the mode's table begins so many entries behind SLOT_IBL      */
#define SLOT_HOLD      0x158  /* program's value of the register that tools hold in a block  */
#define SLOT_FUNCTION  0x160  /* replaced function: what is called for it …                 */
#define SLOT_RETURNS   0x168  /* … nonzero: it is done, the program goes on at mc.rip        */
#define SLOT_SIDE_CALL 0x170  /* C function that out-of-line calls go to                     */
#define SLOT_CHECKS    0x178  /* executions of self-checking fragments until one asks whether it must go on */
#define SLOT_IBL       0x10000 /* indirect-branch table: up to 65536 landing addresses     */

#define IBL_MAX_ENTRIES 65536
#define SLOT_TOOLS     (SLOT_IBL + IBL_MAX_ENTRIES * 8)   /* memory that tools asked for in every thread */

#endif
