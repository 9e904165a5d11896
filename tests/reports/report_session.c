/* SPDX-License-Identifier: BSD-3-Clause */
/* A reporter without an engine: report_session LOGDIR [-quiet] [-json FILE] < STREAM. Console text goes to standard error; the
 * status is 1 if the report is incomplete. With -slow, a byte at a time. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/session.h"

static void
say(void *context, const char *text, size_t size)
{
    (void)context;
    fwrite(text, 1, size, stderr);
}

int
main(int argc, char **argv)
{
    struct session_options options = {.say = say, .write = {.version = "0.1.0"}};
    size_t step = 4096;
    char bytes[4096];
    struct session *s;
    ssize_t n;
    bool incomplete;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-quiet") == 0)
            options.quiet = true;
        else if (strcmp(argv[i], "-slow") == 0)
            step = 1;
        else if (strcmp(argv[i], "-json") == 0 && i + 1 < argc)
            options.outputs[FORMAT_JSON] = argv[++i];
        else
            options.logdir = argv[i];
    }
    s = session_new(&options);
    while ((n = read(STDIN_FILENO, bytes, step)) > 0)
        session_feed(s, bytes, (size_t)n);
    session_finish(s, NULL);
    incomplete = session_is_incomplete(s);
    session_free(s);
    return incomplete;
}
