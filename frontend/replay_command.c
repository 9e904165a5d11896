/* SPDX-License-Identifier: BSD-3-Clause */
/* A report again, from a kept stream. */
#include "replay_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "report_files.h"
#include "reports/replay.h"

bool
replay_command(const struct install *in, const struct settings *s, struct command_line *line, struct error *err)
{
    const char *gate = s->value[OPT_EXIT_CODE_IF_ERRORS];
    struct report_files files;
    char *problem = NULL;

    if (line->app[0])
        return error_set(err, STATUS_USAGE, "-replay takes no program");
    if (!report_files_open(&files, in, s, err))
        return false;

    struct replay_request q = {.file = s->value[OPT_REPLAY],
                               .suppression_files = (const char *const *)files.suppression_files.v,
                               .baseline = s->value[OPT_BASELINE],
                               .text = settings_on(s, OPT_QUIET) ? NULL : stdout,
                               .write = files.session.write,
                               .lists = files.session.lists,
                               .list_unused_suppressions = files.session.list_unused,
                               .gate = gate,
                               .gate_status = gate ? atoi(gate) : 0};

    memcpy(q.outputs, files.session.outputs, sizeof q.outputs);
    progress_begin(STDERR_FILENO, "reading the records …", NULL);
    line->status = replay(&q, &problem);
    progress_end();
    if (problem)
        return error_set(err, (enum status)line->status, "%s", problem);
    if (settings_on(s, OPT_EXIT0) && !gate)
        line->status = 0;
    return true;
}
