/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes at all, fed in two pieces. */
#include "reports/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_reader *r = record_reader_new();
    struct record rec;
    size_t half = size / 2;

    record_feed(r, data, half);
    while (record_next(r, &rec) == RECORD_READY)
        ;
    record_feed(r, data + half, size - half);
    while (record_next(r, &rec) == RECORD_READY)
        ;
    record_reader_free(r);
    return 0;
}
