/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a script's `#!` line. */
#include "script.h"

#include <string.h>
#include <unistd.h>

#include "keep.h"

enum { HEAD = 256 }; /* BINPRM_BUF_SIZE: the kernel sees no more of the file */

enum script
script_interpreter(int fd, const char **interpreter)
{
    char head[HEAD + 1] = "";
    ssize_t got = pread(fd, head, HEAD, 0);
    const char *path, *end;
    size_t length;

    if (got < 2 || head[0] != '#' || head[1] != '!')
        return SCRIPT_NOT;
    path = head + 2 + strspn(head + 2, " \t");
    length = strcspn(path, " \t\n");
    end = path + length;
    if (length == 0 || end == head + HEAD) /* a path cut off at the end of what the kernel sees */
        return SCRIPT_BAD;
    *interpreter = keep_slice(path, length);
    return SCRIPT_GOOD;
}
