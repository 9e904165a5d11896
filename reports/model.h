/* SPDX-License-Identifier: BSD-3-Clause */
/* A report: what the records of a run amount to, with names. The writers turn it into files. */
#ifndef DRTOOLS_REPORTS_MODEL_H
#define DRTOOLS_REPORTS_MODEL_H

#include "frame_lists.h"
#include "record.h"
#include "strings.h"
#include "suppress.h"
#include "symbols.h"

struct frame {
    uint64_t pc;        /* as recorded; of a system call frame its number                        */
    const char *path;   /* of the module; NULL: not in a module                                  */
    const char *module; /* its base name                                                         */
    uint64_t offset;    /* of the instruction from the module's start; for a call, of the return */
    const char *function, *signature, *linkage; /* as in struct symbol_frame; may be NULL         */
    const char *file;
    unsigned line, column;
    bool inlined;
    bool system_call; /* `function` is its name                                                */
    bool at_entry;    /* the first instruction of `function`                                   */
};

struct stack {
    enum record_stack_kind kind;
    const char *label; /* "" or what the tool says, e.g. "freed here" */
    struct frame *frames;
    size_t count;
};

enum finding_kind {
    FINDING_UNADDRESSABLE,
    FINDING_UNINITIALIZED,
    FINDING_INVALID_HEAP_ARGUMENT,
    FINDING_OVERLAP,
    FINDING_WARNING,
    FINDING_LEAK,
    FINDING_INDIRECT_LEAK,
    FINDING_POSSIBLE_LEAK,
    FINDING_REACHABLE_LEAK,
    FINDING_KINDS,
};

struct process;

/* An error or a leak. */
struct finding {
    struct process *process;
    unsigned number;   /* within the process, from 1; potential ones have numbers of their own; 0: never shown */
    unsigned id;       /* within the report, from 1                                     */
    uint32_t recorded; /* the tool's number, to which counts refer; leaks: the scan     */
    enum finding_kind kind;
    enum record_access access;
    enum record_place place;
    bool potential, is_new, stale; /* stale: of an earlier leak scan                         */
    uint32_t tid;
    uint64_t time, address, size;
    uint64_t count;
    uint64_t bytes, blocks, indirect_bytes, indirect_blocks;
    const char *detail, *instruction;
    const char **notes;
    size_t note_count;
    struct stack *stacks; /* the first is where it happened */
    size_t stack_count;
    const char *fingerprint;
    struct suppression *suppressed; /* by whom, or NULL */
    bool known;                     /* in the baseline  */
};

struct module {
    uint32_t number;
    bool loaded, left_by_exec; /* the latter: … of which it is not known yet whether it succeeded */
    const char *path, *name;
    uint64_t base, start, end;
    unsigned id; /* within the report */
    struct symbol_module *symbols;
};

struct module_file {             /* a module of any process, once */
    const char *path, *build_id; /* build_id in hexadecimal, "" if none */
    struct symbol_module *symbols;
};

struct note {
    enum record_note_level level;
    uint64_t time;
    const char *text;
};

struct process {
    uint32_t pid, parent;
    uint32_t flags;
    uint64_t clock;
    const char *exe, *name, *directory, *tool;
    const char **argv;
    size_t argc;
    bool ended, execed, complete;
    bool left, killed; /* its connection has ended; … before it said so */
    enum record_exit_kind exit_kind;
    uint32_t exit_code;
    uint64_t end_time;
    uint32_t scan, nudge; /* the newest */
    unsigned next_number, next_potential;
    struct module *modules;
    size_t module_count, module_room;
    struct finding **findings;
    size_t finding_count, finding_room;
    struct finding **errors; /* by the tool's number, NULL where there is none */
    size_t error_room;
    struct note *notes;
    size_t note_count, note_room;

    struct {
        const char *name;
        uint64_t value;
    } * values; /* of tool summaries */

    size_t value_count, value_room;
    const char *summary;
    uint32_t index; /* in the report */
};

struct report {
    struct strings *strings;
    struct symbols *symbols;
    struct suppressions *suppressions; /* or NULL */
    struct baseline *baseline;         /* or NULL */
    struct process **processes;
    size_t process_count, process_room;
    struct module_file *modules;
    size_t module_count, module_room;
    struct finding **findings;
    size_t finding_count, finding_room;
    bool incomplete;     /* records are missing or the stream was cut */
    const char *missing; /* what, one sentence; NULL if nothing is    */
    unsigned call_depth; /* frames kept of each stack                 */
    struct frame_lists lists;
    bool number_reachable; /* reachable leaks are shown, so they have numbers */
};

/* What a record changed; the text writer prints findings as they come. */
struct report_change {
    struct process *process;
    struct finding *finding; /* a new one */
};

/* `suppressions` and `baseline` may be NULL and stay the caller's. */
struct report *report_new(struct suppressions *suppressions, struct baseline *baseline,
                          const char *const *debug_roots);
void report_free(struct report *r);
void report_apply(struct report *r, const struct record *rec, struct report_change *change);
/* The stream has ended: processes that have not are incomplete. `why` may be NULL. */
void report_finish(struct report *r, const char *why);

/* "UNADDRESSABLE ACCESS" and so on, as JSON and suppressions have it. */
const char *finding_kind_name(enum finding_kind kind);
/* The whole title as in results.txt, and the part after the kind; to be freed. */
char *finding_title(const struct finding *f);
char *finding_message(const struct finding *f);
/* Whether it is shown and counted: neither suppressed, nor potential, nor stale. */
bool finding_counts(const struct finding *f);
bool finding_is_leak(const struct finding *f);

/* Fingerprints of an earlier JSON report. NULL: *error says why, to be freed. */
struct baseline *baseline_read(const char *path, char **error);
void baseline_free(struct baseline *b);
bool baseline_has(const struct baseline *b, const char *fingerprint);

#endif
