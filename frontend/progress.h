/* SPDX-License-Identifier: BSD-3-Clause */
/* A line that says what takes so long: after two seconds, on a terminal, and it erases itself. */
#ifndef DRTOOLS_FRONTEND_PROGRESS_H
#define DRTOOLS_FRONTEND_PROGRESS_H

/* fd: a terminal, or anything else for nothing. `each` (or NULL) is called every second, in a signal handler. */
void progress_begin(int fd, const char *text, void (*each)(void));
/* Before anything else is written to the terminal, and at the end. */
void progress_erase(void);
void progress_end(void);

#endif
