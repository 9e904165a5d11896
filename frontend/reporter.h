/* SPDX-License-Identifier: BSD-3-Clause */
/* The reporter: a process beside the program that turns records into reports. */
#ifndef DRTOOLS_FRONTEND_REPORTER_H
#define DRTOOLS_FRONTEND_REPORTER_H

#include "report_files.h"

struct reporter {
    int fd;       /* the engine's end of the socket, to be inherited; -1: there is no reporter */
    int pid;      /* while it is a child of the program's process, else 0                        */
    bool console; /* its console text comes over the socket                                    */
};

/* False: the reporter could not be started; *why says why. */
bool reporter_start(struct reporter *r, struct report_files *files, const char **why);

/* Ends the calling process' standard streams and serves `fd` until nobody is left. `root`: the process the user
 * starts. console: where text goes, or -1: over the socket. */
void reporter_serve(int fd, int root, int console, struct report_files *files) __attribute__((noreturn));

#endif
