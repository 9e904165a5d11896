/* What the program could find of the engine through names of files: its own
 * executable, our descriptors, texts of /proc (proc_files.c). Everything else
 * (cmdline, environ, auxv, comm, heap and stack bounds) is set truly at start,
 * in the kernel. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"
#include "core/engine.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/sys.h"
#include "linux/syscall.h"

enum { E_NOENT = 2, E_TXTBSY = 26, E_FAULT = 14, E_INVAL = 22, O_ACCMODE_BITS = 3, O_CLOEXEC_BIT = 02000000 };

/* The program's string at `path` (up to 255 bytes; enough for what we look for). */
static bool
path_read(uint64_t path, char *buf, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!safe_read(buf + i, path + i, 1))
            return false;
        if (!buf[i])
            return true;
        if (i == 5 && strncmp(buf, "/proc/", 6) != 0 && strncmp(buf, "/dev/f", 6) != 0)
            return false;
    }
    return false;
}

static const char *
skip_number(const char *s, uint64_t want)
{
    uint64_t v = 0;

    if (*s < '1' || *s > '9')
        return NULL;
    for (; *s >= '0' && *s <= '9'; s++)
        v = v * 10 + (uint64_t)(*s - '0');
    return *s == '/' && (!want || v == want) ? s + 1 : NULL;
}

/* "/proc/self/NAME" in any of its spellings: NAME; else NULL. */
static const char *
own_proc_name(const char *path)
{
    const char *p, *q;

    if (!str_starts(path, "/proc/"))
        return NULL;
    if (str_starts(path + 6, "self/"))
        p = path + 11;
    else if (str_starts(path + 6, "thread-self/"))
        return path + 18;
    else if (!(p = skip_number(path + 6, (uint64_t)sys0(__NR_getpid))))
        return NULL;
    if (str_starts(p, "task/") && (q = skip_number(p + 5, 0)))
        return q;
    return p;
}

bool
hide_is_exe(const char *path)
{
    const char *name = own_proc_name(path);

    return exe_fd >= 0 && name && strcmp(name, "exe") == 0;
}

/* The program's file is open: through its descriptor it is found even when it was removed or renamed. */
static const char *
exe_link(void)
{
    static char link[32];

    format(link, sizeof link, "/proc/self/fd/%d", exe_fd);
    return link;
}

const char *
hide_exe_path(uint64_t path)
{
    char buf[256];

    return path && path_read(path, buf, sizeof buf) && hide_is_exe(buf) ? exe_link() : NULL;
}

/* The path names one of our descriptors. */
static bool
ours_by_path(const char *path)
{
    const char *name = str_starts(path, "/dev/fd/") ? path + 5 : own_proc_name(path);
    uint64_t n;

    if (!name || !str_starts(name, "fd"))
        return false;
    name += str_starts(name, "fdinfo/") ? 7 : 3;
    return name[-1] == '/' && parse_u64(name, &n) && n <= INT32_MAX && descriptor_is_ours((int)n);
}

bool
hide_names_ours(uint64_t path)
{
    char buf[256];

    return path && path_read(path, buf, sizeof buf) && ours_by_path(buf);
}

bool
hide_is_own_memory(const char *path)
{
    const char *name = own_proc_name(path);

    return name && strcmp(name, "mem") == 0;
}

bool
hide_names_memory(uint64_t path)
{
    char buf[256];

    return path_read(path, buf, sizeof buf) && hide_is_own_memory(buf);
}

bool
hide_readlink(uint64_t path, uint64_t buf, uint64_t size, long *result)
{
    if (hide_names_ours(path)) {
        *result = -E_NOENT;
        return true;
    }
    if (!hide_exe_path(path))
        return false;
    *result = sys3(__NR_readlink, (long)exe_link(), (long)buf, (long)size);
    return true;
}

bool
hide_open(uint64_t path, int flags, long *result)
{
    char buf[256];
    const char *name;

    if (!path_read(path, buf, sizeof buf))
        return false;
    if (ours_by_path(buf)) {
        *result = -E_NOENT;
        return true;
    }
    if (!(name = own_proc_name(buf)))
        return false;
    if (strcmp(name, "exe") == 0) {
        *result = flags & O_ACCMODE_BITS ? -E_TXTBSY : sys_openat(-100, exe_link(), flags, 0);
        return true;
    }
    return !(flags & O_ACCMODE_BITS) && proc_file_open(name, flags, result);
}
