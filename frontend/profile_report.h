/* SPDX-License-Identifier: BSD-3-Clause */
/* Profiles: what is asked of them on the command line, and their way from raw files to reports. */
#ifndef DRTOOLS_FRONTEND_PROFILE_REPORT_H
#define DRTOOLS_FRONTEND_PROFILE_REPORT_H

#include "command_line.h"
#include "reports/profile.h"

enum { PROFILE_MAX_OUTPUTS = 16 };

struct profile_request {
    struct {
        enum profile_format format;
        const char *path;         /* absolute; NULL: a name is made where the program was started */
    } output[PROFILE_MAX_OUTPUTS];
    unsigned n;
    const char *here;             /* where it was started                      */
    const char *raw;              /* beginning of the raw files' names         */
    const char *folder;           /* of ours that they are in; NULL: the user's, to be kept */
    bool quiet, annotate;
    unsigned top;
};

/* The tool that profiles, or NULL. */
struct tool_use *profile_tool(const struct settings *s);
/* Takes from the tool's options those that are about reports and gives it the name of raw files. */
bool profile_request_read(struct profile_request *q, struct tool_use *use, const struct settings *s, struct error *err);

/* -convert and -diff: *done if it was one of them. */
bool profile_command(const struct settings *s, struct command_line *line, bool *done, struct error *err);

/* In the reporter. A process has told its raw file; it, or what it was before execve, has ended. */
typedef void profile_say(void *context, const char *text, size_t size);
void profile_note(uint32_t pid, const char *path, size_t length);
/* Reports on the parts that have been told of, while the process goes on. */
void profile_parts(const struct profile_request *q, profile_say *say);
void profile_ended(const struct profile_request *q, uint32_t pid, bool root, profile_say *say);
/* Nothing more will come. */
void profile_finish(const struct profile_request *q);

#endif
