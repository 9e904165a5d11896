/* What the program could find of the engine through /proc: its own executable,
 * its memory map. Everything else (cmdline, environ, auxv, comm, heap and stack
 * bounds) is set truly at start, in the kernel. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"
#include "core/engine.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/sys.h"
#include "linux/syscall.h"

enum { E_NOENT = 2, E_TXTBSY = 26, E_NOMEM = 12, E_FAULT = 14, E_INVAL = 22, O_ACCMODE_BITS = 3, O_CLOEXEC_BIT = 02000000 };

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

/* ---- /proc/self/maps ---- */

struct line { uint64_t lo, hi, off; char perms[5]; const char *tail; size_t tail_len; };    /* tail: device, inode, name */

static uint64_t
hex(const char **s)
{
    uint64_t v = 0;

    for (;; (*s)++) {
        char c = **s;
        if (c >= '0' && c <= '9')
            v = v * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + (uint64_t)(c - 'a' + 10);
        else
            return v;
    }
}

static const char *
line_parse(const char *s, struct line *l)
{
    l->lo = hex(&s);
    s++;
    l->hi = hex(&s);
    s++;
    for (int i = 0; i < 4; i++)
        l->perms[i] = *s++;
    l->perms[4] = 0;
    s++;
    l->off = hex(&s);
    l->tail = s;
    while (*s && *s != '\n')
        s++;
    l->tail_len = (size_t)(s - l->tail);
    return *s ? s + 1 : s;
}

static bool
line_is_ours(const struct line *l)
{
    return (l->lo >= ENGINE_BASE && l->lo < ENGINE_END) || cache_contains(l->lo);
}

static bool
lines_merge(const struct line *a, const struct line *b)
{
    bool file = a->off || b->off;    /* off is 0 in all of an anonymous mapping */

    return a->hi == b->lo && strcmp(a->perms, b->perms) == 0 && a->tail_len == b->tail_len && memcmp(a->tail, b->tail, a->tail_len) == 0 &&
           (!file || b->off == a->off + (a->hi - a->lo));
}

/* Takes the front of `l` that the program knows under one protection: pages of
 * code that we have write-protected are writable to it. False: all taken. */
static bool
line_split(struct line *l, struct line *part)
{
    uint64_t start, end;

    if (l->lo >= l->hi)
        return false;
    *part = *l;
    if (l->perms[2] == 'x' && l->perms[1] == '-' && code_protected_in(l->lo, l->hi, &start, &end)) {
        if (start == l->lo)
            part->perms[1] = 'w';
        part->hi = start == l->lo ? end : start;
    }
    bool file = l->off || memcmp(l->tail, " 00:00 ", MIN(l->tail_len, 7)) != 0;
    l->off += file ? part->hi - part->lo : 0;
    l->lo = part->hi;
    return true;
}

static size_t
line_print(char *out, size_t room, const struct line *l)
{
    size_t n = format(out, room, "%lx-%lx %s %08lx", l->lo, l->hi, l->perms, l->off);

    memcpy(out + n, l->tail, l->tail_len);
    out[n + l->tail_len] = '\n';
    return n + l->tail_len + 1;
}

/* The whole of a /proc file, NUL-terminated. Caller unmaps *size bytes. */
static char *
slurp(const char *path, size_t *size, size_t *len)
{
    long fd = sys_openat(-100, path, O_CLOEXEC_BIT, 0), got;
    char *buf = NULL;

    if (fd < 0)
        return NULL;
    for (*size = 256 << 10;; *size *= 2) {
        buf = engine_map(*size);
        *len = 0;
        if (!buf)
            break;
        sys3(__NR_lseek, fd, 0, 0);
        while ((got = sys_read((int)fd, buf + *len, *size - 1 - *len)) > 0)
            *len += (size_t)got;
        if (*len < *size - 1)
            break;
        engine_unmap(buf, *size);
    }
    sys_close((int)fd);
    return buf;
}

static long
maps_filtered(int flags)
{
    size_t size, len, n = 0, out_size;
    char *text = slurp("/proc/self/maps", &size, &len);
    struct line have = {0}, l;

    if (!text)
        return -E_NOMEM;
    out_size = 4 * len + (1 << 20);  /* lines may be split; untouched pages cost nothing */
    char *out = engine_map(out_size);
    long fd = out ? sys2(__NR_memfd_create, (long)"maps", flags & O_CLOEXEC_BIT ? 1 : 0) : -E_NOMEM;
    if (fd >= 0) {
        for (const char *s = text; *s;) {
            s = line_parse(s, &l);
            if (line_is_ours(&l))
                continue;
            for (struct line part; out_size - n > 8192 && line_split(&l, &part);) {
                if (have.hi && lines_merge(&have, &part)) {
                    have.hi = part.hi;
                    continue;
                }
                if (have.hi)
                    n += line_print(out + n, out_size - n, &have);
                have = part;
            }
        }
        if (have.hi)
            n += line_print(out + n, out_size - n, &have);
        sys_write((int)fd, out, n);
        sys3(__NR_lseek, fd, 0, 0);
    }
    if (out)
        engine_unmap(out, out_size);
    engine_unmap(text, size);
    return fd;
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
    if (strcmp(name, "maps") == 0 && !(flags & O_ACCMODE_BITS)) {
        *result = maps_filtered(flags);
        return true;
    }
    return false;
}
