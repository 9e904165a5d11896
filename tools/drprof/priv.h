/* What the parts of drprof share. docs/drprof.md has the design. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRPROF_PRIV_H
#define DRPROF_PRIV_H

#include "drtools/profile.h"
#include "drtools/tool.h"

void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

/* Modes: counting; finding out in which context the next block is; not counting. */
enum { MODE_COUNT, MODE_LAND, MODE_OFF, N_MODES };

/* ---- options ---- */

struct options {
    const char *raw;                     /* path of raw files, to which .PID.N is added              */
    const char *start_at, *stop_at;
    uint64_t memory;                     /* bytes of a raw file at most                              */
};
extern struct options options;

/* ---- the raw file (raw.c) ---- */

extern uint8_t *raw;                     /* the mapping, which begins with: */
#define header ((struct prof_header *)raw)

static inline prof_ref ref_of(const void *p) { return p ? (prof_ref)(((const uint8_t *)p - raw) >> 4) : 0; }
static inline void *
at_ref(prof_ref r) { return r ? raw + ((uint64_t)r << 4) : NULL; }

bool raw_open(void);
void *raw_alloc(uint64_t bytes);         /* zeroed; NULL: no more */
prof_ref raw_text(const char *s);
bool raw_reopen_in_child(void);          /* what there is, in a file of its own */
/* A copy of what there is now, as part number n. */
bool raw_dump(void);

/* ---- functions and what is in them (functions.c); all but the first under the engine's cache lock or `lock` ---- */

void functions_module_load(const struct dr_module *m);
void functions_module_unload(const struct dr_module *m);
/* NULL: no memory. */
struct prof_function *function_at(uint64_t pc);
static inline bool function_holds(const struct prof_function *f, uint64_t pc) { return pc >= f->start && pc < f->end; }
/* The slot of this kind for the code at pc, a new one if need be. NULL: no memory, or no place left. */
struct prof_slot *slot_for(struct prof_function *f, enum prof_slot_kind kind, uint64_t pc, unsigned n);
/* The block that was last translated at pc. */
struct prof_slot *slot_of_block(uint64_t pc);

/* Offset in a node of f: of the slot itself, or of the pointer to its chunk. */
static inline uint32_t node_offset(const struct prof_function *f, uint32_t index)
{
    uint32_t place = index < f->n_inline ? index : f->n_inline + (index - f->n_inline) / PROF_CHUNK_SLOTS;
    return (uint32_t)(offsetof(struct prof_node, slot) + 8 * place);
}
static inline bool in_chunk(const struct prof_function *f, uint32_t index) { return index >= f->n_inline; }
static inline uint32_t chunk_offset(const struct prof_function *f, uint32_t index) { return 8 * ((index - f->n_inline) % PROF_CHUNK_SLOTS); }

/* ---- contexts (nodes.c) ---- */

/* Place of a slot in a node, made if need be. NULL: no memory. */
uint64_t *node_place(struct prof_node *n, const struct prof_slot *s);

/* A call that has not returned. Compared without flags, hence the complements. */
struct frame {
    uint64_t slot_not;                   /* ~address of the return address                           */
    uint64_t return_not;                 /* ~return address; 0: none                                 */
    struct prof_node *node;              /* context to return to                                     */
};
enum { MAX_FRAMES = 1 << 20, FRAMES_BYTES = MAX_FRAMES * sizeof(struct frame), FRAMES_SPARE = 2 };

/* What an indirect branch that leads to many targets led to: by an index made of both words. */
struct polymorph { uint64_t place_not, target_not; struct prof_node *node; uint64_t unused; };
enum { POLYMORPHS = 256 };
static inline unsigned polymorph_index(uint64_t place, uint64_t target) { return (place + 8 * target) >> 8 & 255; }

/* In every thread's memory. */
struct context {
    struct prof_node *now;
    uint64_t top;                        /* offset of the last frame; grows downward; FRAMES_BYTES: none */
    uint64_t target;                     /* of the indirect branch under way                         */
    struct prof_thread *thread;
    uint32_t nodes;
    prof_ref *index;                     /* of all nodes by parent, site and target: an open hash    */
    uint32_t index_size;
    uint8_t event;                       /* enum event: why MODE_LAND                                */
    bool started;
    struct prof_node *left;              /* by a fast return or jump: the context before it; NULL: by a slow one */
    const struct prof_slot *cut;         /* the last block cut short, if in front of its last instruction, for which  */
    uint64_t cut_pc;                     /* … the context may have been changed; and that instruction */
    struct dr_mcontext interrupted;
    struct fiber *fibers[64];            /* suspended stacks, by a hash of where they stopped        */
    struct fiber *spare;                 /* … whose memory is free                                  */
    unsigned n_fibers;
    struct polymorph polymorph[POLYMORPHS];
};
enum event { EVENT_NONE, EVENT_START, EVENT_CUT, EVENT_SIGNAL, EVENT_SIGRETURN };
extern uint32_t context_slot, frames_slot;   /* offsets of thread memory */
extern struct dr_mutex lock;

static inline struct context *context_of(dr_thread *t) { return dr_thread_at(t, context_slot); }
static inline struct frame *frame_at(dr_thread *t, uint64_t offset) { return (struct frame *)((uint8_t *)dr_thread_at(t, frames_slot) + offset); }

bool context_start(dr_thread *t);
void context_zero(void);                 /* all counts of all threads */
void context_fork_child(dr_thread *t);
/* The child of `from` for code at `target`, reached from `site` in this way. NULL: no memory. */
struct prof_node *node_enter(struct context *c, struct prof_node *from, const struct prof_slot *site, enum prof_node_kind kind, uint64_t target);

/* Slow paths of inserted code (context.c): arg is the site's struct prof_slot. */
void slow_call(uint64_t site, struct dr_mcontext *mc);
void slow_call_indirect(uint64_t site, struct dr_mcontext *mc);
void slow_jump(uint64_t site, struct dr_mcontext *mc);
void slow_jump_indirect(uint64_t site, struct dr_mcontext *mc);
void slow_return(uint64_t site, struct dr_mcontext *mc);
void slow_count(uint64_t slot, struct dr_mcontext *mc);
void land(uint64_t pc, struct dr_mcontext *mc);
void context_signal(dr_thread *t, const struct dr_mcontext *mc);
/* Memory has run out: this thread counts no more. */
void give_up(dr_thread *t);

/* ---- inserted code (insert.c) ---- */

bool insert_begin(dr_block *b);
void insert_insn(dr_block *b, unsigned index);
void insert_cut(const struct dr_cut *c);

/* ---- windows (window.c) ---- */

/* From the entry of -start_at, or from the program's start, to the entry of -stop_at, or to its end; and
 * what client requests make of that. */
extern bool window_open;
void window_init(void);
void window_module_load(const struct dr_module *m);
bool window_is_start(uint64_t pc);
bool window_is_stop(uint64_t pc);
void window_begin(uint64_t pc, struct dr_mcontext *mc);     /* clean calls */
void window_end(uint64_t pc, struct dr_mcontext *mc);
bool window_request(dr_thread *t, const uint64_t args[6], uint64_t *result);
/* Makes what the thread does agree with window_open. In callbacks other than those of blocks. */
void window_follow(dr_thread *t);

#endif
