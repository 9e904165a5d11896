/* Inside the subject: what its files share.
 * Threads: one. `passage` and `subject` are also touched by signal handlers,
 * which run while the FS base is the case's: no thread-local storage there. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_SUBJECT_H
#define DRTOOLS_FUZZ_SUBJECT_H

#include "protocol.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

enum { XSAVE_MAX = 8192 };

/* Read and written by subject_enter.S. */
struct passage {
    uint64_t gpr[16];
    uint64_t rflags;
    uint64_t host_rsp;
    uint64_t entry;
    uint64_t gate; /* how to get to `entry` */
};
extern struct passage passage;
extern uint8_t passage_xsave[XSAVE_MAX];       /* loaded on the way in, then holds the state on the way out */
extern uint8_t passage_xsave_clean[XSAVE_MAX]; /* the subject's own: all initial */

void passage_in(void);    /* returns when the sequence has left through the gate or passage_abort ran */
void passage_out(void);   /* where the gate's exit leads */
void passage_abort(void); /* jumped to with rsp = host_rsp: back to passage_in's caller */

struct subject {
    struct case_file *cases;
    struct result_file *results;
    const struct insn_case *current; /* NULL outside of a sequence */
    struct insn_result *result;
    const struct state_set *allowed; /* of a case with check_async */
    uint64_t code;                   /* address of the current code */
    uint64_t host_fs;
    uint32_t rep;
    bool wants_steps;           /* of the current case ... */
    bool stepping;              /* ... and TF is ours still */
    const struct mark *stepped; /* the instruction whose step is awaited */
    int plant;                  /* planted bug, 0 = none */
};
extern struct subject subject;

/* subject_state.c */
void state_init(void);
bool state_has_avx512(void);
void state_to_xsave(const struct vector_state *v, uint32_t components, uint8_t *image);
void state_from_xsave(const uint8_t *image, struct vector_state *v);
/* Flips a little in some components of a signal frame's image. */
void state_edit_xsave(uint8_t *image);
uint8_t *state_component(uint8_t *image, int component); /* NULL: this processor has it not */
uint64_t state_hash(const struct cpu_state *s);
uint64_t get_fs_base(void);
uint64_t get_gs_base(void);
void set_fs_base(uint64_t v);
void set_gs_base(uint64_t v);

/* subject_fault.c */
void faults_init(void);
const struct mark *mark_at(uint64_t rip);
void state_from_frame(const ucontext_t *uc, struct cpu_state *s);
extern const uint8_t gpr_to_greg[16];

/* subject_plant.c: simulated engine bugs. No-ops when none is planted. */
const char *plant_name(int plant); /* NULL: no such plant */
bool plant_wants_steps(void);
void plant_step(ucontext_t *uc, const struct mark *done, const struct mark *next);
void plant_fault(int sig, siginfo_t *si, ucontext_t *uc);
void plant_installed(const struct insn_case *c, uint8_t *code);
void plant_leaving(const struct insn_case *c, uint8_t *code);
void plant_async(ucontext_t *uc);

#endif
