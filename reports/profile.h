/* SPDX-License-Identifier: BSD-3-Clause */
/* A profile: the tree of calling contexts of one process with what each cost, symbolized.
 * docs/drprof.md tells what the numbers mean. */
#ifndef DRTOOLS_REPORTS_PROFILE_H
#define DRTOOLS_REPORTS_PROFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "strings.h"

enum { PROFILE_NONE = UINT32_MAX };      /* no index */

struct profile_module {
    const char *path;                    /* "" if unknown */
    uint64_t start, end, bias;
};

/* A function of the program, as linked; inlined ones are frames of locations only. */
struct profile_function {
    const char *name, *file;             /* file: NULL if unknown */
    unsigned line;                       /* of its first instruction */
    uint32_t module;                     /* or PROFILE_NONE */
    uint64_t address;                    /* in the module's file, or of the program */
    uint64_t self, inclusive, calls;
    unsigned on_path;                    /* while the tree is walked */
    bool plt;
};

struct profile_frame {
    const char *function, *file;         /* file: NULL if unknown */
    unsigned line;
};

/* A place in the source, with the calls that were inlined to get there. */
struct profile_location {
    uint32_t module, n;
    struct profile_frame *frame;         /* innermost first; the last is of the function as linked */
    uint64_t address;                    /* of the first instruction seen there, as in profile_function */
    uint64_t self;
};

struct profile_cost { uint32_t location; uint64_t count; };

struct profile_node {
    uint32_t parent, child, sibling;     /* PROFILE_NONE: none. Node 0 is the root, of no function */
    uint32_t function, site;             /* site: location of the call, or PROFILE_NONE */
    bool inside;                         /* reached by a jump from its parent, not a call */
    uint64_t calls, self, inclusive;
    struct profile_cost *cost;
    size_t n_costs, room;
};

struct profile_block { uint32_t module; uint64_t address; unsigned n; uint64_t count; };
struct profile_thread { unsigned tid; uint64_t total; };

struct profile {
    const char *command, *unit;          /* "instructions" or "samples" */
    unsigned pid, parent, part;
    bool ended, truncated;
    uint64_t total, period;
    struct profile_module *modules;
    struct profile_function *functions;
    struct profile_location *locations;
    struct profile_node *nodes;
    struct profile_block *blocks;
    struct profile_thread *threads;
    size_t n_modules, n_functions, n_locations, n_nodes, n_blocks, n_threads;
    struct strings *strings;
};

/* The raw file that tools/drprof wrote. NULL: it is none; *why says so. */
struct profile *profile_read(const char *path, const char **why);
void profile_free(struct profile *p);
/* Indices of the functions, the costliest first by self or inclusive cost; to be freed. */
uint32_t *profile_ranking(const struct profile *p, bool inclusive);
const char *profile_base_name(const char *path);

/* What a call from one function at one line to another cost, over all contexts. */
struct profile_edge {
    uint32_t from, to, site;
    uint64_t calls, inclusive;           /* inclusive: 0 for calls of a function that is already active */
};
struct profile_edge *profile_edges(struct profile *p, size_t *n);

/* Self cost of functions by file and line, sorted by function, file and line. */
struct profile_line { uint32_t function; const char *file; unsigned line; uint64_t self; };
struct profile_line *profile_lines(struct profile *p, size_t *n);

/* Calls `each` for every context and source line with a cost: its stack of functions, outermost first, with those that
 * were inlined. The frames live until `each` returns. */
void profile_each_stack(struct profile *p, void (*each)(void *context, const struct profile_frame *frame, size_t n, uint64_t count), void *context);

/* ---- formats ---- */

enum profile_format { PROFILE_CALLGRIND, PROFILE_PPROF, PROFILE_COLLAPSED, PROFILE_SPEEDSCOPE, PROFILE_JSON, PROFILE_HTML, PROFILE_TEXT, PROFILE_FORMATS };
extern const char *const profile_format_names[PROFILE_FORMATS];
void profile_write(struct profile *p, enum profile_format format, FILE *out);

void profile_write_callgrind(struct profile *p, FILE *out);
void profile_write_pprof(struct profile *p, FILE *out);
void profile_write_collapsed(struct profile *p, FILE *out);
void profile_write_speedscope(struct profile *p, FILE *out);
void profile_write_json(struct profile *p, FILE *out);
void profile_write_html(struct profile *p, FILE *out);
/* The table of `top` functions; annotate: and their source lines with counts. */
void profile_write_table(struct profile *p, FILE *out, unsigned top);
void profile_write_annotated(struct profile *p, FILE *out, unsigned top);

/* ---- comparing ---- */

/* Two callgrind files, of drprof or of callgrind. False: *why. html: NULL, or a page of it is written there. */
bool profile_diff(const char *before, const char *after, FILE *text, FILE *html, const char **why);

#endif
