/* SPDX-License-Identifier: BSD-3-Clause */
/* The writers: a report as text, JSON, SARIF, JUnit, Valgrind XML and HTML. */
#ifndef DRTOOLS_REPORTS_WRITE_H
#define DRTOOLS_REPORTS_WRITE_H

#include <stdio.h>

#include "model.h"

struct write_options {
    const char *version; /* of drtools */
    bool show_reachable; /* reachable leaks in text, SARIF, JUnit and HTML; JSON and XML always have them */
    bool hide_possible;
    unsigned suppression_styles; /* of suppress.txt; 0: by symbol */
    bool brief;                  /* text: no notes but those of other stacks, no addresses of leaks */
    const char
        *source_root;    /* SARIF: directory of the sources, to which paths are made relative; may be NULL */
    const char *details; /* text: path of results.txt, the summary's last line; may be NULL */
    const char *const *suppression_files; /* text header: NULL-terminated, may be NULL */
};

/* Writes what concerns `only`, or all processes if it is NULL. Errors are the stream's: look at ferror(out). */
typedef void report_writer(const struct report *r, const struct process *only, const struct write_options *o,
                           FILE *out);

report_writer write_text, write_json, write_sarif, write_junit, write_html, write_valgrind_text;
report_writer write_suppressions;    /* suppress.txt: what would hide each finding                       */
report_writer write_potential;       /* potential_errors.txt: what the lists of libraries and sources leave out */
report_writer write_missing_symbols; /* missing_symbols.txt: modules that lack names or lines, and a remedy */
report_writer write_valgrind_xml;    /* one process; with NULL the first */

/* The pieces of results.txt, for printing as things happen. */
void text_header(const struct report *r, const struct process *p, const struct write_options *o, FILE *out);
void text_finding(const struct finding *f, const struct write_options *o, FILE *out);
/* `nudge`: 0 for the final summary. */
void text_summary(const struct report *r, const struct process *p, const struct write_options *o,
                  unsigned nudge, FILE *out);

/* Whether a writer for people shows the finding. */
bool write_shows(const struct finding *f, const struct write_options *o);

enum output_format {
    FORMAT_JSON,
    FORMAT_SARIF,
    FORMAT_JUNIT,
    FORMAT_XML,
    FORMAT_HTML,
    FORMAT_TEXT,
    FORMAT_SUPPRESSIONS,
    FORMAT_MISSING_SYMBOLS,
    FORMAT_VALGRIND_TEXT,
    FORMAT_POTENTIAL,
    FORMAT_COUNT,
};

/* Writes the file `pattern` in whole: beside it first, then renamed. `%p` is the pid and makes one file a process, `%%` a
 * percent sign. XML without %p: the first process has the name, others get `.PID` added. False: *error says what
 * failed, to be freed; files already complete stay. */
bool output_write(const struct report *r, enum output_format format, const char *pattern,
                  const struct write_options *o, char **error);
/* The same for one process and a name without patterns. */
bool output_write_process(const struct report *r, enum output_format format, const char *name,
                          const struct process *p, const struct write_options *o, char **error);

#endif
