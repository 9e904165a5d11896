/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from the program under test, made fit for a format: names and paths may hold any bytes. */
#ifndef DRTOOLS_REPORTS_ESCAPE_H
#define DRTOOLS_REPORTS_ESCAPE_H

#include <stdio.h>

/* A copy that is valid UTF-8, with U+FFFD for what is not; to be freed. */
char *escape_utf8(const char *s);
/* As XML and HTML text or attribute value; control characters XML cannot hold become U+FFFD. */
void escape_xml(FILE *out, const char *s);
/* As the path of a URI. */
char *escape_uri(const char *path);
/* On a terminal or in a text file: control characters but the tab become '?'. */
void escape_text(FILE *out, const char *s);

#endif
