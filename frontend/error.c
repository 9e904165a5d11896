/* SPDX-License-Identifier: BSD-3-Clause */
/* Failure descriptions. */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "keep.h"

bool
error_set(struct error *err, enum status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    err->text = keep_vprintf(format, args);
    va_end(args);
    err->status = status;
    return false;
}

bool
error_sys(struct error *err, enum status status, const char *format, ...)
{
    const char *reason = error_reason(errno);
    va_list args;

    va_start(args, format);
    err->text = keep_vprintf(format, args);
    va_end(args);
    err->text = keep_printf("%s: %s", err->text, reason);
    err->status = status;
    return false;
}

const char *
error_reason(int number)
{
    return strerror(number);
}
