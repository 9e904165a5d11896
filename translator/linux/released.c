/* A process that was let go (handle_process.c: it asked to be traced) executes
 * /proc/self/exe, and the kernel runs the engine's file. Which program it stands
 * for is asked of the tracer, which runs that program under the engine. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/released.h"

#include <elf.h>
#include <linux/stat.h>

#include "linux/sys.h"
#include "util/base.h"

enum { AT_FDCWD_NR = -100, TEXT = 64 << 10 };

static size_t
read_file(int pid, const char *name, char *buf, size_t size)
{
    char path[64];
    size_t n = 0;
    long got;

    if (pid)
        format(path, sizeof path, "/proc/%d/%s", pid, name);
    else
        format(path, sizeof path, "/proc/self/%s", name);
    int fd = (int)sys_openat(AT_FDCWD_NR, path, 02000000, 0);
    while (fd >= 0 && n < size - 1 && (got = sys_read(fd, buf + n, size - 1 - n)) > 0)
        n += (size_t)got;
    if (fd >= 0)
        sys_close(fd);
    buf[n] = 0;
    return n;
}

static const char *
find_line(const char *text, const char *prefix)
{
    while (text && !str_starts(text, prefix))
        if ((text = strchr(text, '\n')))
            text++;
    return text;
}

static int
tracer(char *buf)
{
    int pid = 0;

    read_file(0, "status", buf, TEXT);
    const char *s = find_line(buf, "TracerPid:\t");
    for (s = s ? s + sizeof "TracerPid:\t" - 1 : ""; *s >= '0' && *s <= '9'; s++)
        pid = pid * 10 + (*s - '0');
    return pid;
}

static bool
same_exe(int pid)
{
    struct statx a, b;
    char path[32];

    format(path, sizeof path, "/proc/%d/exe", pid);
    return !sys_failed(sys6(__NR_statx, AT_FDCWD_NR, (long)"/proc/self/exe", 0, STATX_INO, (long)&a, 0)) &&
           !sys_failed(sys6(__NR_statx, AT_FDCWD_NR, (long)path, 0, STATX_INO, (long)&b, 0)) && a.stx_ino == b.stx_ino;
}

static uint64_t
program_headers(int pid, char *buf)
{
    size_t n = read_file(pid, "auxv", buf, TEXT);

    for (const Elf64_auxv_t *a = (const Elf64_auxv_t *)buf; (const char *)(a + 1) <= buf + n && a->a_type != AT_NULL; a++)
        if (a->a_type == AT_PHDR)
            return a->a_un.a_val;
    return 0;
}

static uint64_t
hex(const char **s)
{
    uint64_t v = 0;

    for (;; (*s)++)
        if (**s >= '0' && **s <= '9')
            v = v * 16 + (uint64_t)(**s - '0');
        else if (**s >= 'a' && **s <= 'f')
            v = v * 16 + (uint64_t)(**s - 'a' + 10);
        else
            return v;
}

const char *
released_program(void)
{
    static char buf[TEXT];
    int pid = tracer(buf);
    uint64_t at = pid && same_exe(pid) ? program_headers(pid, buf) : 0;

    if (!at)
        return NULL;
    read_file(pid, "maps", buf, sizeof buf);
    for (const char *s = buf; *s;) {
        char *end = strchr(s, '\n'), *path = strchr(s, '/');
        uint64_t lo = hex(&s);
        s++;
        uint64_t hi = hex(&s);
        if (!end)
            break;
        *end = 0;
        if (lo <= at && at < hi)
            return path && path < end ? path : NULL;
        s = end + 1;
    }
    return NULL;
}
