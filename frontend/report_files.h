/* SPDX-License-Identifier: BSD-3-Clause */
/* From settings to what the library of reports wants: files named and read, before anything starts. */
#ifndef DRTOOLS_FRONTEND_REPORT_FILES_H
#define DRTOOLS_FRONTEND_REPORT_FILES_H

#include "install.h"
#include "reports/session.h"
#include "settings.h"

struct profile_request;
struct report_files {
    struct session_options session;   /* but for `say`                          */
    struct words suppression_files;   /* in the order they were given           */
    int record;                       /* of -record, open for writing; -1: none */
    const struct profile_request *profile;   /* NULL: no tool profiles          */
};

/* Does one of the tools report errors, or an option ask for a report of them? Or does one profile? */
bool report_of_errors_wanted(const struct settings *s);
bool report_wanted(const struct settings *s);
/* False: a file is malformed or cannot be used, status 2. Paths become absolute: reports are written
 * after the program has gone elsewhere. */
bool report_files_open(struct report_files *f, const struct install *in, const struct settings *s, struct error *err);
/* Where results go if nobody says. NULL: there is no such place. */
const char *report_default_logdir(void);

#endif
