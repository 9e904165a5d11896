/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of source files, where the files are. */
#ifndef DRTOOLS_REPORTS_SOURCE_H
#define DRTOOLS_REPORTS_SOURCE_H

/* The line without its newline, to be freed; NULL: no such file or line. Remembers the last few files. */
char *source_line(const char *file, unsigned line);
void source_forget(void);

#endif
