/* SPDX-License-Identifier: BSD-3-Clause */
/* A run as it happens: records in, log directories, console text and report files out. */
#ifndef DRTOOLS_REPORTS_SESSION_H
#define DRTOOLS_REPORTS_SESSION_H

#include "write.h"

struct session;

struct session_options {
    const char *logdir;                /* NULL: no directories, no resfiles                              */
    const char *outputs[FORMAT_COUNT]; /* patterns as of output_write; NULL: not wanted                  */
    struct write_options write;
    struct suppressions *suppressions; /* or NULL; the caller's                                          */
    struct baseline *baseline;         /* or NULL; the caller's                                          */
    bool quiet;                        /* nothing on the console                                         */
    bool hide_findings, hide_summary;  /* … no errors, no summary there                                  */
    struct frame_lists lists;
    bool color;                        /* console lines that begin an error, in red                      */
    bool list_unused;                  /* suppressions that hid nothing, before the first process' summary */
    unsigned prefix_style;             /* of console lines: 0 "~~Dr.M~~ ", 1 "~~PID~~ ", 2 none, 3 "==PID== " */
    /* Console text goes here: the reporter has no terminal of its own. NULL: nowhere. */
    void (*say)(void *context, const char *text, size_t size);
    void *context;
};

struct session *session_new(const struct session_options *options);
void session_free(struct session *s);
/* Bytes of the record stream. Everything they tell is on disk when this returns. */
void session_feed(struct session *s, const void *bytes, size_t size);
/* Report files as things stand. */
void session_write(struct session *s);
/* The stream has ended. Writes summaries and report files. `why`: what cut it short, or NULL. */
void session_finish(struct session *s, const char *why);

/* For the gate. */
unsigned long session_errors(const struct session *s);
bool session_is_incomplete(const struct session *s);

#endif
