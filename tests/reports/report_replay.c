/* SPDX-License-Identifier: BSD-3-Clause */
/* The replay behind `drrun -replay`, without the front end: report_replay [-json F] [-suppress F]… STREAM */
#include <stdlib.h>
#include <string.h>

#include "reports/replay.h"

int
main(int argc, char **argv)
{
    static const char *const names[FORMAT_COUNT] = {"-json", "-sarif", "-junit",        "-xml",
                                                    "-html", "-text",  "-suppressions", "-missing", "-valgrind_log", "-potential"};
    const char *suppressions[16] = {NULL};
    struct replay_request q = {
        .text = stdout, .suppression_files = suppressions, .write = {.version = "0.1.0"}};
    size_t count = 0;
    char *error;
    int status;

    for (int i = 1; i < argc; i++) {
        int format = 0;

        while (format < FORMAT_COUNT && strcmp(argv[i], names[format]) != 0)
            format++;
        if (format < FORMAT_COUNT && i + 1 < argc)
            q.outputs[format] = argv[++i];
        else if (strcmp(argv[i], "-suppress") == 0 && i + 1 < argc && count < 15)
            suppressions[count++] = argv[++i];
        else if (strcmp(argv[i], "-baseline") == 0 && i + 1 < argc)
            q.baseline = argv[++i];
        else if (strcmp(argv[i], "-exit_code_if_errors") == 0 && i + 1 < argc)
            q.gate = true, q.gate_status = atoi(argv[++i]);
        else if (strcmp(argv[i], "-source_root") == 0 && i + 1 < argc)
            q.write.source_root = argv[++i];
        else if (strcmp(argv[i], "-show_reachable") == 0)
            q.write.show_reachable = true;
        else if (strcmp(argv[i], "-list_unused") == 0)
            q.list_unused_suppressions = true;
        else if (strcmp(argv[i], "-quiet") == 0)
            q.text = NULL;
        else
            q.file = argv[i];
    }
    q.write.suppression_files = suppressions;
    if (!q.file)
        return 2;
    status = replay(&q, &error);
    if (error)
        fprintf(stderr, "%s\n", error);
    free(error);
    return status;
}
