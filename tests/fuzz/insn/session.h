/* One fuzzing session: a native peer, a second peer, and what runs on both. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_FUZZ_SESSION_H
#define DRTOOLS_FUZZ_SESSION_H

#include "coverage.h"
#include "generate.h"
#include "peer.h"

struct session {
    struct forms forms;
    struct generator generator;
    struct coverage coverage;
    struct case_file *cases;
    struct peer native, other;
};

/* Runs the cases of a slot on both peers, which are started if need be.
 * False: one died or hung at case *at; session_blame says which. */
bool session_run(struct session *s, uint32_t slot, uint32_t count, uint32_t *at);

/* The peer that does not run although it was started; NULL: none. */
const struct peer *session_blame(const struct session *s);

/* Moves the far zone to within reach of the second peer's code cache, which is
 * its largest anonymous executable mapping, and fixes the peers' layout. False:
 * there is none, or no room near it. Before any case. */
bool session_zone_near_cache(struct session *s);

/* Whether a native fault was on an address that is mapped in the second peer
 * alone: a wild access that met the engine's memory. Both peers run. */
bool session_met_engine(const struct session *s, const struct insn_result *native);

/* Lays out a case with asynchronous signals, has the native peer trace its
 * states, and leaves it in slot 0, case 0. False: it is of no use (it faults). */
bool session_trace(struct session *s, const struct recipe *r);

#endif
