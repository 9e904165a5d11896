/* SPDX-License-Identifier: BSD-3-Clause */
/* `drrun -replay FILE`: any report again from a kept record stream. */
#ifndef DRTOOLS_REPORTS_REPLAY_H
#define DRTOOLS_REPORTS_REPLAY_H

#include "write.h"

struct replay_request {
    const char *file;                     /* the stream                                      */
    const char *const *suppression_files; /* NULL-terminated, or NULL                        */
    const char *baseline;                 /* an earlier JSON report, or NULL                 */
    const char *outputs[FORMAT_COUNT];    /* patterns as of output_write; NULL: not wanted   */
    FILE *text;                           /* results.txt's content goes here, or NULL        */
    struct write_options write;
    struct frame_lists lists;
    bool list_unused_suppressions; /* on `text`, after the reports                    */
    bool gate;                     /* -exit_code_if_errors                            */
    int gate_status;
};

/* The exit status; *error is NULL or what went wrong, to be freed. 2: a file given to us cannot be used. A stream that
 * is cut or damaged is reported as far as it goes. */
int replay(const struct replay_request *q, char **error);

/* Reads a whole stream into `r`. False: *error says why nothing could be read. */
bool replay_read(struct report *r, const char *file, char **error);

#endif
