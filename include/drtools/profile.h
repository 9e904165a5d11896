/* The raw profile: a file that tools/drprof writes by having it mapped, and that
 * reports/profile reads. What is in it is there even if the program is killed.
 *
 *   +--------+------------------------------------------------------------+
 *   | header | records of all kinds, in the order in which they were made |
 *   +--------+------------------------------------------------------------+
 *
 * A record begins at a multiple of 16 bytes; a reference to it is its offset
 * divided by 16, 0: none. Pointers (in counters' tables only) are offset + `base`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DRTOOLS_PROFILE_H
#define DRTOOLS_PROFILE_H

#include <stdint.h>

typedef uint32_t prof_ref;

#define PROF_MAGIC "drprof1\n"
enum { PROF_CHUNK_SLOTS = 64 };
enum { PROF_TRUNCATED = 1, PROF_ENDED = 2 };

struct prof_header {
    char magic[8];
    uint64_t base;                   /* address that the file was mapped at                        */
    uint64_t size, used;             /* bytes: of the mapping, of it in use                        */
    uint32_t pid, parent;
    uint32_t flags;                  /* PROF_TRUNCATED: memory ran out, what came later is missing */
    uint32_t part;                   /* number of the dump, 0: the profile at the end              */
    prof_ref modules, functions, threads;    /* first of each list                                 */
    prof_ref command;                /* struct prof_text                                           */
};

struct prof_text { char s[16]; };    /* NUL-terminated, of any length                              */

struct prof_module {
    prof_ref next, path;
    uint32_t id;
    uint32_t build_id_size;
    uint64_t start, end, bias;       /* address = address in the file + bias                       */
    uint8_t build_id[24];
};

/* A stretch of code that a node of the tree stands for: from one function symbol or unwind entry to the
 * next. In code without a file: a page. */
enum { PROF_IS_PLT = 1 };
struct prof_function {
    prof_ref next, module, slots;    /* module 0: code of no file                                  */
    uint32_t flags;
    uint64_t start, end;
    uint32_t n_slots, n_inline;      /* slots in use; of them in the node itself, the others in chunks */
    uint32_t n_chunks;
    uint32_t n_recursive;            /* nodes of it below another of it                            */
};

/* What one place in each node of a function is for. */
enum prof_slot_kind {
    PROF_BLOCK,                      /* executions of a block of n instructions at pc: a count     */
    PROF_CALL, PROF_JUMP,            /* node that the call or jump at pc last led to: a pointer    */
};
struct prof_slot {
    prof_ref next, function;
    uint32_t index;
    uint8_t kind, n;
    uint16_t counted_at;             /* block: 1 + the instruction it is counted in front of; 0: a part of one, cut short */
    uint64_t pc, target;             /* target: of a call or jump that has but one; of a block: its end */
    uint8_t length[16];              /* of the n instructions, of any number                       */
};

enum prof_node_kind {
    PROF_ROOT,                       /* of a thread                                                */
    PROF_CALLED,                     /* by the instruction at the site                             */
    PROF_JUMPED,                     /* to by the instruction at the site, or fallen into: a tail call */
    PROF_SIGNALLED,                  /* a signal's handler                                         */
    PROF_LANDED,                     /* reached in a way that has no site                          */
    PROF_ELSEWHERE,                  /* contexts given up for lack of memory: one node a function  */
};

/* A calling context: a function, and how it was reached from the parent context. */
struct prof_node {
    uint64_t entry_not;              /* ~address at which it was entered                           */
    uint64_t calls;                  /* how often                                                  */
    prof_ref parent, function;
    prof_ref next;                   /* of the thread's list of all                                */
    prof_ref site;                   /* struct prof_slot of the parent's function                  */
    uint16_t level;                  /* nodes of the same function above it                        */
    uint8_t kind, pad[5];
    uint64_t slot[];                 /* n_inline of them, then n_chunks pointers to chunks (0: none yet) */
};

struct prof_thread {
    prof_ref next, root, nodes;
    uint32_t tid;
};

#endif
