/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes at all as a baseline. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reports/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("baseline", MFD_CLOEXEC);
    char path[32], *error = NULL;
    struct baseline *b;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    b = baseline_read(path, &error);
    close(fd);
    if (b)
        baseline_has(b, "0123");
    baseline_free(b);
    free(error);
    return 0;
}
