/* The tool API: what a tool sees of the program and of the engine.
 *
 * A tool is a shared object without dependencies that exports one
 * `const struct dr_tool dr_tool`. It is compiled like the engine: no libc,
 * -ffreestanding -mgeneral-regs-only -fno-stack-protector (cmake:
 * drtools_add_tool()). What it may call is declared here and in
 * drtools/emit.h, nothing else.
 * Several tools run at once, in the order of the command line: their callbacks
 * are called in that order, at exit in reverse.
 * Structures begin with their size, so that they can grow: a tool built against
 * an older header goes on working.
 * See docs/tool-api.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_TOOL_H
#define DRTOOLS_TOOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drtools/emit.h"

enum { DR_API_VERSION = 1 };

typedef struct thread dr_thread;        /* a thread of the program; valid until its thread_exit */
typedef struct dr_block dr_block;       /* a basic block being translated; valid in block callbacks only */

/* The program's integer registers at an instruction boundary. */
struct dr_mcontext {
    uint64_t gpr[16];                   /* by enum reg */
    uint64_t rip;
    uint64_t rflags;
};

/* One instruction of a block. */
struct dr_insn {
    uint64_t pc;                        /* the program's address                                */
    const uint8_t *bytes;               /* valid in block callbacks only                        */
    uint8_t length;
    bool branch;                        /* ends the block with a transfer of control            */
    bool system_call;
    bool reads_memory, writes_memory;   /* explicit, implicit and stack operands; both for a system call */
    uint16_t regs_read, regs_written;   /* bit by enum reg; partial writes count as both        */
    uint16_t flags_read, flags_written; /* EFLAGS positions; written: surely                    */
};

/* A block whose execution was cut short: a fault or signal at program address
 * `pc`, before instruction number `done` (0: before the first). `inserted`: the
 * code that the tool put before instruction `done` had run, too. */
struct dr_cut {
    size_t size;
    dr_thread *thread;
    uint64_t tag;                       /* first instruction of the block                        */
    unsigned mode, done;
    bool inserted;
};

struct dr_syscall {
    size_t size;
    dr_thread *thread;
    uint64_t number, arg[6];            /* pre: may be changed                                    */
    int64_t result;                     /* pre, with skip: what the program gets; post: may be changed */
    bool skip;                          /* pre: do not make the call                              */
    struct dr_mcontext *mc;             /* post: the program's registers after the call, may be changed */
};

/* A module: an ELF file of the program's that is mapped to be executed, with all its segments. What the pointers
 * lead to stays until the process ends. */
struct dr_module {
    size_t size;
    uint64_t id;                        /* counts from 1, which is the program; never used again  */
    uint64_t start, end;                /* lowest address of its segments, and behind the highest */
    uint64_t bias;                      /* address = address in the file + bias                   */
    const char *path;                   /* absolute; "" if it cannot be told                      */
    const uint8_t *build_id;            /* NULL: it has none                                      */
    unsigned build_id_size;
    bool is_program, is_interpreter, is_vdso;
    unsigned n_segments;
    const uint8_t *file;                /* the file's bytes, read-only                            */
    uint64_t file_size;
    const void *handle;                 /* the engine's                                           */
};

enum dr_signal_action { DR_SIGNAL_DELIVER, DR_SIGNAL_SUPPRESS, DR_SIGNAL_REDIRECT };
struct dr_signal {
    size_t size;
    dr_thread *thread;
    int number;
    void *info;                         /* siginfo_t, may be changed                              */
    bool fault;                         /* raised by the program's own instruction                */
    struct dr_mcontext *mc;             /* may be changed; REDIRECT: go on there without a handler */
};

/* An instruction that a tool inserted has faulted. mc: the program's registers before the instruction it was put in front of. */
struct dr_fault {
    size_t size;
    dr_thread *thread;
    int signal;
    uint64_t address;                   /* that it accessed, where the processor tells: not for a non-canonical one */
    struct dr_mcontext *mc;             /* may be changed                                         */
};

/* Callbacks; NULL: not wanted. Called without engine locks unless said otherwise. */
struct dr_tool {
    size_t size;                        /* sizeof(struct dr_tool)                                 */
    unsigned api;                       /* DR_API_VERSION                                         */
    const char *name;

    /* Before the program's first instruction. argv[0] is the tool's name; the strings stay, the array does not. False: the
     * run ends with status 2; the tool has printed why. */
    bool (*init)(int argc, const char *const *argv);
    /* Once, when the process ends in whatever way the engine sees; all thread_exits came before. */
    void (*exit)(void);
    void (*thread_start)(dr_thread *t);
    void (*thread_exit)(dr_thread *t);
    void (*fork_child)(dr_thread *t);   /* in the child, its only thread                          */

    /* A block is being translated (the cache lock is held: no blocking, no
     * flush). First each tool looks at it whole, then each instruction is
     * preceded by what the tools insert. The same block may be translated again
     * at any time. block_begin returns false to be left out of block_insn. */
    bool (*block_begin)(dr_block *b);
    void (*block_insn)(dr_block *b, unsigned index);
    void (*block_cut)(const struct dr_cut *c);
    void (*fragment_deleted)(uint64_t tag, unsigned mode);      /* cache lock held                */

    void (*syscall_pre)(struct dr_syscall *s);
    void (*syscall_post)(struct dr_syscall *s);
    /* A signal is about to be delivered; one that the program ignores or that is stopped at by default is not
     * told of. Signals of other threads may come at the same time. */
    enum dr_signal_action (*signal)(struct dr_signal *s);

    /* Before any of its code runs (the loader may not have mapped or relocated its data yet). Those that are there
     * at the start: before thread_start, the program first. */
    void (*module_load)(const struct dr_module *m);
    void (*module_unload)(const struct dr_module *m);   /* before its memory goes                 */
    /* True: dealt with; the program goes on at mc, in a block looked up afresh. If no tool deals with it, it is the engine's fault. */
    bool (*fault)(struct dr_fault *f);
    /* A signal's frame has been written to [lo, hi); the handler is about to run, with rsp at lo. It ends with rt_sigreturn,
     * a system call as any other, or not at all. */
    void (*signal_frame)(dr_thread *t, uint64_t lo, uint64_t hi);

    /* The process is about to become another program, if execve succeeds: what a tool wants to have said. */
    void (*exec)(dr_thread *t);

    /* From outside of the process: see drtools/nudge.h; several at once may be told as one. In any thread, also in the middle of a system call. */
    void (*nudge)(dr_thread *t, uint64_t arg);
    /* The program asks something, by the code sequence of valgrind.h: a code and five arguments. *result holds the program's
     * default, which stays if no tool knows the code. True: dealt with, the other tools are not asked. If no tool has this,
     * the sequence is the no-op that it is without tools. The engine itself heeds DISCARD_TRANSLATIONS. */
    bool (*client_request)(dr_thread *t, const uint64_t args[6], uint64_t *result);
    /* The process is about to fork; it has, or could not: in the parent, and in the child before fork_child. A tool whose other
     * threads change what the child needs takes its locks in between. */
    void (*fork_begin)(dr_thread *t);
    void (*fork_end)(dr_thread *t);
};

/* ---- blocks ---- */

uint64_t dr_block_tag(const dr_block *b);
unsigned dr_block_mode(const dr_block *b);
unsigned dr_block_count(const dr_block *b);                 /* instructions                       */
const struct dr_insn *dr_block_insn(dr_block *b, unsigned index);
/* Arithmetic flags are free to change before instruction `index`: they are all overwritten before anything
 * reads them or can fault. */
bool dr_flags_dead(dr_block *b, unsigned index);
/* … before anything reads them. The program sees what they were changed to only in the frame of a fault's signal. Looks ahead into
 * read-only code behind the block. */
bool dr_flags_unread(dr_block *b, unsigned index);

/* ---- memory operands ---- */

/* What one memory operand names, before its instruction runs: segment base + base + index * scale + disp. */
struct dr_memory {
    int64_t disp;                       /* rip-relative operands and those of mov moffs: the address   */
    uint16_t size;                      /* bytes (of a vector-indexed operand: of one element); 0: not known */
    uint8_t base, index;                /* enum reg, or REG_NONE; vector-indexed: `index` is the number of the vector register */
    uint8_t scale;                      /* 1, 2, 4 or 8                                                */
    uint8_t segment;                    /* DR_SEGMENT_NONE, _FS or _GS                                 */
    bool read, written;
    bool stack;                         /* implicit: what push, pop, call, ret … move                  */
    bool address32;                     /* the sum, without the segment base, is cut to 32 bits         */
    bool conditional;                   /* only some of the bytes may be touched: masks, xsave          */
    bool repeated;                      /* with a rep prefix: rcx elements, this being the first         */
    bool index_low8;                    /* xlat: only al counts                                         */
    uint8_t bit_register;               /* bt, bts, btr, btc [m], r: this register's value, signed and divided by the bits of
                                         * `size` bytes, times `size` is added; otherwise REG_NONE      */
    bool vsib;                          /* gather, scatter: one address an element                      */
    uint8_t elements, index_size;       /* … how many; bytes of an index                                */
    uint8_t mask;                       /* … which are accessed: by k0–k7; 16 + n: by the sign bits of vector register n's elements */
};
enum { DR_SEGMENT_NONE, DR_SEGMENT_FS, DR_SEGMENT_GS };
enum { DR_MAX_MEMORY = 3, DR_MAX_ADDRESSES = 16 };

/* The memory operands of instruction `index`, implicit ones too, in the order in which they are accessed; returns
 * how many. What names memory without touching it (lea, nop, prefetch) has none. The load of cmov is unconditional. */
unsigned dr_memory_operands(dr_block *b, unsigned index, struct dr_memory out[DR_MAX_MEMORY]);
/* Before instruction `index`: the operand's linear address into a register that is taken; flags stay. May take one more
 * register. False, with nothing emitted: a vector-indexed operand, or no register left; see dr_memory_addresses. */
bool dr_emit_address(dr_block *b, unsigned index, const struct dr_memory *m, enum reg into);
/* In a clean call: the operand's addresses; several for a vector-indexed operand, one for any other. */
unsigned dr_memory_addresses(const struct dr_memory *m, const struct dr_mcontext *mc, uint64_t out[DR_MAX_ADDRESSES]);

/* ---- inserting, from block_insn: code that runs before the instruction ---- */

/* The place to emit to, with drtools/emit.h. What is emitted must leave the
 * program's registers, flags and memory as they were, but for registers taken
 * with dr_take_register, and flags where dr_flags_dead said so. Does not fault. */
struct emit *dr_emit(dr_block *b);
/* Any instruction of the ISA, by a `const ZydisEncoderRequest *` of Zydis 4 (<Zydis/Encoder.h>, with
 * ZYAN_NO_LIBC): its bytes and their number, 0: there is no such encoding. In block callbacks. */
unsigned dr_encode(const void *request, uint8_t out[15]);
/* The instruction at `bytes`, decoded into a `ZydisDecodedInstruction` and `ZydisDecodedOperand[ZYDIS_MAX_OPERAND_COUNT]`
 * of Zydis 4. Slow. In block callbacks; also in clean calls once it was called in a block callback. False: no instruction. */
bool dr_decode(const uint8_t *bytes, size_t n, void *zydis_instruction, void *zydis_operands);
/* … inserted. Neither a transfer of control nor an operand relative to rip. False: no such encoding. */
bool dr_insert_encoded(dr_block *b, const void *request);
/* gs:[slot] += n, by one instruction where flags are dead, without touching them otherwise. */
void dr_insert_add(dr_block *b, unsigned index, uint32_t slot, int32_t n);
/* A register the inserted code may use; its value is kept aside and put back by dr_give_registers
 * (called by the engine as well after block_insn). REG_NONE: none left. At most three. */
enum reg dr_take_register(dr_block *b, unsigned index);
/* A register that keeps what inserted code puts into it until dr_holds changes: the engine puts the program's value back before
 * an instruction that uses it and at the block's end. One at a time, and one tool at a time. `preferred` (or REG_NONE): taken
 * unless the instruction uses it. Before dr_take_register. REG_NONE: none can be had. */
enum reg dr_hold_register(dr_block *b, unsigned index, enum reg preferred);
unsigned dr_holds(const dr_block *b);                       /* differs whenever another one is held; 0: none is */
/* … this one. rcx and rdx, and one other of all but rsp, can be had at a time. */
bool dr_take_this_register(dr_block *b, enum reg r);
void dr_give_registers(dr_block *b);
/* Clean call: f(arg, address of the program's registers) on the engine's stack; every register of the
 * program is saved before and restored after, with what f changed, but for vector state, which f must not touch. */
void dr_insert_call(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg);

/* At the first instruction of a function: calls f (as a clean call) in its place. True: it is done, and the program goes on at its
 * return address, with the registers as f left them. False: the function's own code runs. */
void dr_insert_function(dr_block *b, bool (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg);

/* ---- out of line: what is seldom run, away from the hot code ---- */

/* A jump from here, on condition code cc or DR_ALWAYS, to what is emitted next to dr_side(). That part begins in the state of
 * this place (taken and held registers), and must keep it on its way back. */
enum { DR_ALWAYS = 16 };
void dr_side_begin(dr_block *b, uint8_t cc);
struct emit *dr_side(dr_block *b);
/* In a side part that began without rcx taken: it is the tool's between the two. */
void dr_side_take_rcx(dr_block *b);
void dr_side_give_rcx(dr_block *b);
/* Jumps from the side part to where the inline code goes on at the moment. */
void dr_side_jump_back(dr_block *b, uint8_t cc);
/* As dr_side_take_rcx, unless rcx was taken before the part began, until its end: each way out puts it back by itself. */
void dr_side_use_rcx(dr_block *b);
/* Emits to the side part what puts the registers back that are taken at this place; inline they stay taken. */
void dr_side_give_registers(dr_block *b);
uint32_t dr_side_rcx(void);                                 /* gs:[…]: the program's rcx meanwhile    */
/* The end of a side part: a call of f with the program's registers, as a clean call, and back to where the inline code goes on at
 * the moment. Registers that are taken lose their content; one that is held keeps it. */
void dr_side_call(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg);
/* … and back to the place where dr_side_back is called with what this returns. In between no register may begin or cease to be held. */
unsigned dr_side_call_over(dr_block *b, void (*f)(uint64_t arg, struct dr_mcontext *mc), uint64_t arg);
void dr_side_back(dr_block *b, unsigned call);

/* What the tool's code does in front of this instruction is done here: a dr_cut from here on has `inserted` set. (dr_give_registers
 * and the calls above imply it.) */
void dr_inserted(dr_block *b);

/* Execution redirected: in a clean call, has the program go on at mc->rip with the registers of mc. */
void dr_redirect(dr_thread *t);

/* ---- modes: another translation of the same code ---- */

/* A block is translated once a mode in which it is reached, so that a tool may instrument it in several ways and
 * choose at run time. Threads start in mode 0. */
enum { DR_MAX_MODES = 8 };
/* There will be modes 0 … n-1. In init; one tool of a run can have it. False: not possible. */
bool dr_modes(unsigned n);
unsigned dr_mode(const dr_thread *t);
/* By the thread itself. In a clean call: the block is left as the call returns and its instruction
 * reached anew, in a block of the new mode. In other callbacks: from where the program goes on. */
void dr_set_mode(dr_thread *t, unsigned mode);
/* Inserted code that comes here goes on before this same instruction in a block of `mode`, by a jump within the
 * cache. Registers that were taken are put back on that way. Another tool that wants block_cut makes it a slow way. */
void dr_insert_mode_exit(dr_block *b, unsigned mode);

/* ---- threads ---- */

/* `bytes` of zeroed memory in every thread, at gs:[returned]. In init only. 0: none left. */
uint32_t dr_thread_memory(size_t bytes);
void *dr_thread_at(dr_thread *t, uint32_t slot);            /* the same, seen from C               */
int dr_thread_id(const dr_thread *t);
int dr_process_id(void);
dr_thread *dr_thread_current(void);
/* The name the program has given it (prctl PR_SET_NAME), which begins as the program's. Its length; 0: not known. */
size_t dr_thread_name(const dr_thread *t, char *out, size_t size);
int dr_parent_id(void);

/* Stops every other thread of the process where its program state is known: none is in a callback then, unless it waits to
 * stop others itself. Without locks held (take them after it), and neither in block callbacks nor in thread_start and
 * _exit; in exit as well. Between the two calls no thread begins.
 * Where the program filters system calls nothing is stopped. */
void dr_suspend_others(void);
void dr_resume_others(void);
/* While the others are stopped. */
void dr_each_thread(void (*f)(dr_thread *t, void *arg), void *arg);
/* The program's registers of a stopped thread; of the calling one in a clean call, and in callbacks about system calls, nudges,
 * requests and the end. False: not known. */
bool dr_thread_context(dr_thread *t, struct dr_mcontext *out);
/* A stopped thread goes on with these. False: it is in a system call. */
bool dr_set_thread_context(dr_thread *t, const struct dr_mcontext *mc);

/* ---- flushes: blocks with program bytes in [lo, hi) are translated, and offered to the tools, afresh ---- */

/* At once, but a thread that is inside such a block finishes it first. Not in block callbacks. Returns how many there were. */
unsigned dr_flush(uint64_t lo, uint64_t hi);
/* … and when it returns no other thread is inside one. Where dr_suspend_others may be called. */
unsigned dr_flush_synchronously(uint64_t lo, uint64_t hi);
/* The next time that a thread comes through the engine. From anywhere. */
void dr_flush_later(uint64_t lo, uint64_t hi);

/* ---- call stacks ---- */

/* The program's call stack at mc, innermost frame first: pcs[0] is mc->rip, the others are such that pcs[i] - 1 lies in
 * the instruction that the frame is at: return addresses, and 1 more than the address that a signal interrupted. Returns
 * how many there are, at most max. By .eh_frame, else by frame pointers. Never faults, whatever the stack holds. Any
 * thread; not in block callbacks. See docs/unwinding.md. */
unsigned dr_unwind(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max);

/* What a stack depended on: registers, and words of memory in the order in which they were read. */
enum { DR_TRAIL_WORDS = 32 };
struct dr_trail_word { uint64_t at, value; };
struct dr_trail {
    uint64_t rip, rsp, rbp;
    uint32_t generation;            /* 0: no use for dr_unwind_again */
    uint16_t max;                   /* frames that were asked for       */
    uint8_t n;
    bool uses_rbp;
    struct dr_trail_word word[DR_TRAIL_WORDS];
};
/* dr_unwind, which also fills in *trail. */
unsigned dr_unwind_trail(const struct dr_mcontext *mc, uint64_t *pcs, unsigned max, struct dr_trail *trail);
/* The first of n trails, `stride` bytes apart, of a stack that dr_unwind with this max would give again; -1: none. A few ns. */
int dr_unwind_find(const struct dr_mcontext *mc, unsigned max, const struct dr_trail *trail, unsigned n, size_t stride);
static inline bool
dr_unwind_again(const struct dr_mcontext *mc, unsigned max, const struct dr_trail *trail)
{
    return dr_unwind_find(mc, max, trail, 1, 0) == 0;
}

/* ---- memory, text, files ---- */

/* [at, at + bytes) for the tool, without access at first, hidden from the program, which cannot map anything there. In init only.
 * 0, or -errno. dr_access makes part of it readable and writable, or not; dr_reset has it read as zero again. False: no memory. */
int dr_reserve(uint64_t at, uint64_t bytes);
bool dr_access(uint64_t at, uint64_t bytes, bool accessible);
bool dr_reset(uint64_t at, uint64_t bytes);
/* Small pieces: zeroed, at a multiple of 16. NULL: no memory. From any callback. Debug builds tell at exit what was not freed. */
void *dr_alloc(size_t bytes);
void dr_free(void *p);

void *dr_map(size_t bytes);                                 /* zeroed pages; NULL: no memory       */
void dr_unmap(void *p, size_t bytes);
/* Memory of the program's, zeroed pages, as if by its own mmap: it counts against the program's limits and is
 * where the program may see it. NULL: the kernel refuses. */
void *dr_program_map(size_t bytes);
void dr_program_unmap(void *p, size_t bytes);
/* Its pages go back to the kernel, zero when touched again. False: they stay as they are. */
bool dr_program_discard(void *p, size_t bytes);

/* A piece of the program's address space; protections are what the program believes. */
struct dr_region {
    size_t size;
    uint64_t lo, hi;
    bool readable, writable, executable, shared;
    const char *name;                   /* a file's path, or what the kernel calls it, such as "[stack]"; NULL: anonymous. Until f returns */
};
/* All of it, by address; false from f: enough. Slow: from /proc. False: there is no /proc, or the program
 * filters system calls, and ours might end it. */
bool dr_each_region(bool (*f)(const struct dr_region *r, void *arg), void *arg);
/* The parts of [lo, hi), in pages, that are in memory or in swap: what anonymous memory lacks there is zero. False: not known (no
 * /proc), or not all were told. */
bool dr_each_touched(uint64_t lo, uint64_t hi, void (*f)(uint64_t lo, uint64_t hi, void *arg), void *arg);
bool dr_safe_read(void *dst, uint64_t program_address, size_t n);
bool dr_safe_write(uint64_t program_address, const void *src, size_t n);
/* f(arg), which accesses program memory as it likes and holds no lock. False: an access faulted, and f was left there. */
bool dr_try(void (*f)(void *arg), void *arg);
size_t dr_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void dr_print(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* the console (stderr) */
int dr_create(const char *path);                            /* a handle (not a descriptor), or -errno */
bool dr_write(int handle, const void *p, size_t n);             /* all of it; false: an error          */
void dr_close(int handle);
/* A new file of `bytes` without content, mapped shared: what is stored outlives the process, however it ends. The store faults where
 * the file has not been given space by dr_file_space. at: NULL, or such a mapping to be replaced, which a fork child shares with its
 * parent. NULL: *handle is -errno. */
void *dr_map_file(const char *path, void *at, size_t bytes, int *handle);
bool dr_file_space(int handle, uint64_t from, uint64_t bytes);
bool dr_quiet(void);
const char *dr_program(void);                               /* path of the program's file          */

struct dr_location {
    const char *module;                 /* path, or NULL: no module                               */
    uint64_t offset;                    /* from the module's lowest address                       */
    const char *symbol;                 /* exported symbol it lies in, or NULL                    */
    uint64_t symbol_offset;
};
/* Where a program address is. Strings live until the process ends. Slow: for reports. */
void dr_locate(uint64_t pc, struct dr_location *out);

/* ---- modules: from any callback ---- */

bool dr_module_lookup(uint64_t pc, struct dr_module *out, size_t size);
/* The module whose segments `pc` lies in. A binary search without a lock. */
static inline bool dr_module_find(uint64_t pc, struct dr_module *out) { return dr_module_lookup(pc, out, sizeof *out); }
/* Every module, in the order of their ids. */
void dr_each_module(void (*f)(const struct dr_module *m, void *arg), void *arg);

struct dr_segment {
    uint64_t lo, hi;                    /* program addresses, not rounded to pages; .bss included */
    uint64_t offset, file_size;         /* in the file                                            */
    bool readable, writable, executable;
};
/* Segment i of n_segments. */
bool dr_module_segment(const struct dr_module *m, unsigned i, struct dr_segment *out);

enum dr_symbol_type { DR_SYMBOL_UNTYPED, DR_SYMBOL_OBJECT, DR_SYMBOL_FUNCTION, DR_SYMBOL_IFUNC = 10 /* `address` is of its resolver */ };
struct dr_symbol {
    size_t size;
    const char *name;                   /* without a version                                      */
    uint64_t address, bytes;            /* bytes: 0 if the file does not tell                     */
    enum dr_symbol_type type;
    bool global, dynamic;               /* dynamic: of .dynsym; otherwise of .symtab              */
    bool old_version;                   /* not the one that a plain name means                    */
};
/* Symbols that the module defines: .dynsym, then .symtab (a stripped file has the first only, a static one
 * the second), in the order of the file; many are in both. False from `f`: enough. */
void dr_each_symbol(const struct dr_module *m, bool (*f)(const struct dr_symbol *s, void *arg), void *arg);
/* 0: not defined there. Looks through all of them: for several names, dr_each_symbol is faster. */
uint64_t dr_symbol_address(const struct dr_module *m, const char *name);

/* The instruction at pc as text, in AT&T's syntax. False: there is none. Not in block callbacks. */
bool dr_disassemble(uint64_t pc, char *text, size_t size);

/* ---- records: what a tool has to report (drtools/record.h) ---- */

/* Is there a reporter? */
bool dr_record_enabled(void);
/* What record_begin wants to know. */
struct dr_record_stamp { uint32_t pid, tid; uint64_t time; };
void dr_record_stamp(struct dr_record_stamp *out);
/* Sends whole records. Any thread, in C callbacks; waits while the reporter is behind. False: it is gone, or there is none. */
bool dr_record(const void *records, size_t n);

/* A mutex of the engine's kind: not across callbacks, never with the program's locks. */
struct dr_mutex { volatile int state; };
void dr_lock(struct dr_mutex *m);
void dr_unlock(struct dr_mutex *m);

/* A broken invariant of the tool's: prints and ends the process with status 125. */
void dr_check_failed(const char *file, int line, const char *what) __attribute__((noreturn));
#define DR_CHECK(c, what) ((c) ? (void)0 : dr_check_failed(__FILE__, __LINE__, what))

#endif
