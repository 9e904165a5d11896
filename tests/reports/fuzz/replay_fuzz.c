/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes at all as a record stream, through the model and every writer. */
#include <stdlib.h>

#include "reports/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static report_writer *const writers[] = {write_text,         write_json,           write_sarif,
                                             write_junit,        write_html,           write_valgrind_xml,
                                             write_suppressions, write_missing_symbols};
    static const char *const no_roots[] = {NULL};
    struct write_options options = {.version = "0", .show_reachable = true, .source_root = "/"};
    struct report *r = report_new(NULL, NULL, no_roots);
    struct record_reader *reader = record_reader_new();
    FILE *out = fopen("/dev/null", "w");
    struct report_change change;
    struct record rec;

    record_feed(reader, data, size);
    while (record_next(reader, &rec) == RECORD_READY)
        report_apply(r, &rec, &change);
    report_finish(r, NULL);
    for (size_t i = 0; out && i < sizeof writers / sizeof *writers; i++)
        writers[i](r, NULL, &options, out);
    if (out)
        fclose(out);
    record_reader_free(reader);
    report_free(r);
    return 0;
}
