/* SPDX-License-Identifier: BSD-3-Clause */
/* Failure descriptions. */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

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

/* What ran out, by the name a user can look up. */
static const char *
limit_text(int resource, const char *name, const char *command, unsigned unit)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return "";
    return keep_printf(" (%s, `%s`, is %llu)", name, command, (unsigned long long)limit.rlim_cur / unit);
}

bool
error_sys(struct error *err, enum status status, const char *format, ...)
{
    int number = errno;
    const char *limit = "";
    va_list args;

    if (number == EMFILE)
        limit = limit_text(RLIMIT_NOFILE, "RLIMIT_NOFILE", "ulimit -n", 1);
    else if (number == ENOMEM)
        limit = limit_text(RLIMIT_AS, "RLIMIT_AS", "ulimit -v", 1024);

    va_start(args, format);
    err->text = keep_vprintf(format, args);
    va_end(args);
    err->text = keep_printf("%s: %s%s", err->text, strerror(number), limit);
    err->status = number == EMFILE || number == ENFILE || number == ENOMEM ? STATUS_ENGINE : status;
    return false;
}
