/* Texts of /proc/self that tell of the engine, as the program would find them
 * without it: made from the kernel's own text when the file is opened.
 * Not imitated: they do not change while they are open, and another thread's
 * status (task/TID) shows the caller's signals. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/cache.h"
#include "core/tools.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/sys.h"
#include "linux/syscall.h"

enum { E_NOMEM = 12, O_CLOEXEC_BIT = 02000000 };

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
    return engine_touches(l->lo, l->lo + 1);
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

static size_t
maps_text(const char *text, char *out, size_t room)
{
    struct line have = {0}, l;
    size_t n = 0;

    while (*text) {
        text = line_parse(text, &l);
        if (line_is_ours(&l))
            continue;
        for (struct line part; room - n > 8192 && line_split(&l, &part);) {
            if (have.hi && lines_merge(&have, &part)) {
                have.hi = part.hi;
                continue;
            }
            if (have.hi)
                n += line_print(out + n, room - n, &have);
            have = part;
        }
    }
    if (have.hi)
        n += line_print(out + n, room - n, &have);
    return n;
}

/* ---- /proc/self/smaps: a line of maps, then lines that tell of it ---- */

static size_t
smaps_text(const char *text, char *out, size_t room)
{
    bool ours = false;
    size_t n = 0;

    (void)room;
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
        struct line l;
        if ((*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'f')) {
            line_parse(text, &l);
            ours = line_is_ours(&l);
        }
        if (!ours) {
            memcpy(out + n, text, len);
            n += len;
        }
        text += len;
    }
    return n;
}

/* ---- /proc/self/status: signals as the program has set them ---- */

/* At engine start a process made by a shell has a table of so many descriptors; ours lie beyond. */
enum { USUAL_FDSIZE = 256 };

static uint64_t
dispositions(const struct process *p, bool ignored)
{
    uint64_t set = 0;

    for (int sig = 1; sig <= NSIG_MAX; sig++)
        if (ignored ? p->action[sig].handler == 1 : p->action[sig].handler > 1)
            set |= SIG_BIT(sig);
    return set;
}

static size_t
status_text(const char *text, char *out, size_t room)
{
    const struct thread *t = thread_self();
    size_t n = 0;

    while (*text) {
        const char *end = strchr(text, '\n'), *value = strchr(text, '\t');
        size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
        uint64_t set = 0;
        if (value)
            value++, set = hex(&value);
        if (str_starts(text, "SigPnd:"))
            n += format(out + n, room - n, "SigPnd:\t%016lx\n", set | t->held | signals_queued(t));
        else if (str_starts(text, "SigBlk:"))
            n += format(out + n, room - n, "SigBlk:\t%016lx\n", t->app_mask);
        else if (str_starts(text, "SigIgn:"))
            n += format(out + n, room - n, "SigIgn:\t%016lx\n", dispositions(t->process, true));
        else if (str_starts(text, "SigCgt:"))
            n += format(out + n, room - n, "SigCgt:\t%016lx\n", dispositions(t->process, false));
        else if (str_starts(text, "FDSize:"))
            n += format(out + n, room - n, "FDSize:\t%d\n", USUAL_FDSIZE);
        else {
            memcpy(out + n, text, len);
            n += len;
        }
        text += len;
    }
    return n;
}

/* ---- opening them ---- */

static long
made_up(const char *path, size_t (*make)(const char *, char *, size_t), int flags)
{
    size_t size, len, room;
    char *text = slurp(path, &size, &len);

    if (!text)
        return -E_NOMEM;
    room = 4 * len + (1 << 20);      /* lines may be split; untouched pages cost nothing */
    char *out = engine_map(room);
    long fd = out ? sys2(__NR_memfd_create, (long)path_base(path), flags & O_CLOEXEC_BIT ? 1 : 0) : -E_NOMEM;
    if (fd >= 0) {
        sys_write((int)fd, out, make(text, out, room));
        sys3(__NR_lseek, fd, 0, 0);
    }
    if (out)
        engine_unmap(out, room);
    engine_unmap(text, size);
    return fd;
}

bool
proc_file_open(const char *name, int flags, long *result)
{
    if (strcmp(name, "maps") == 0)
        *result = made_up("/proc/self/maps", maps_text, flags);
    else if (strcmp(name, "smaps") == 0)
        *result = made_up("/proc/self/smaps", smaps_text, flags);
    else if (strcmp(name, "status") == 0)
        *result = made_up("/proc/thread-self/status", status_text, flags);
    else
        return false;
    return true;
}

/* ---- the same, for tools ---- */

/* The name at the end of a line, NUL-terminated in place; NULL: none. */
static const char *
line_name(const struct line *l)
{
    char *end = (char *)l->tail + l->tail_len;
    const char *name = l->tail;

    for (int field = 0; field < 2; field++) {    /* device, inode */
        while (*name == ' ')
            name++;
        while (*name > ' ')
            name++;
    }
    while (*name == ' ')
        name++;
    *end = 0;
    return name < end ? name : NULL;
}

bool
dr_each_region(bool (*f)(const struct dr_region *r, void *arg), void *arg)
{
    size_t size, len;
    char *buf = engine_confined() ? NULL : slurp("/proc/self/maps", &size, &len);
    bool more = true;

    if (!buf)
        return false;
    buf[len] = 0;
    for (const char *text = buf; *text && more;) {
        struct line l, part;
        text = line_parse(text, &l);
        if (line_is_ours(&l))
            continue;
        const char *name = line_name(&l);
        while (more && line_split(&l, &part)) {
            struct dr_region r = {.size = sizeof r, .lo = part.lo, .hi = part.hi, .readable = part.perms[0] == 'r', .writable = part.perms[1] == 'w',
                                  .executable = part.perms[2] == 'x', .shared = part.perms[3] == 's', .name = name};
            more = f(&r, arg);
        }
    }
    engine_unmap(buf, size);
    return true;
}

/* linux/fs.h, since Linux 6.7: the pages of a range that are in memory or in swap, found without looking at each that is not. */
struct scan_arg { uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, any_of, give; };
struct scanned { uint64_t lo, hi, categories; };
enum { PAGE_PRESENT = 1 << 3, PAGE_SWAPPED = 1 << 4 };
static const uint64_t PAGEMAP_SCAN_CALL = 0xc0606610;

/* One after the other to f, joined where they touch. */
struct pieces { uint64_t lo, hi; void (*f)(uint64_t lo, uint64_t hi, void *arg); void *arg; };

static void
piece(struct pieces *p, uint64_t lo, uint64_t hi)
{
    if (p->hi == lo) {
        p->hi = hi;
        return;
    }
    if (p->lo < p->hi)
        p->f(p->lo, p->hi, p->arg);
    p->lo = lo;
    p->hi = hi;
}

static bool
scan_by_call(int fd, uint64_t lo, uint64_t hi, struct pieces *p)
{
    struct scanned found[64];
    struct scan_arg a = {.size = sizeof a, .start = lo, .end = hi, .vec = (uint64_t)found, .vec_len = COUNT_OF(found),
                         .any_of = PAGE_PRESENT | PAGE_SWAPPED, .give = PAGE_PRESENT | PAGE_SWAPPED};

    for (; a.start < hi; a.start = a.walk_end) {
        long n = sys3(__NR_ioctl, fd, (long)PAGEMAP_SCAN_CALL, (long)&a);
        if (sys_failed(n))
            return false;
        for (long i = 0; i < n; i++)
            piece(p, found[i].lo, found[i].hi);
        if (a.walk_end <= a.start)
            return false;
    }
    return true;
}

/* proc_pid_pagemap(5): 8 bytes a page; bit 63: in memory, 62: in swap. */
static bool
scan_by_reading(int fd, uint64_t lo, uint64_t hi, struct pieces *p)
{
    uint64_t word[256];

    while (lo < hi) {
        long want = (long)MIN(sizeof word, (hi - lo) / PAGE_SIZE * 8);
        if (sys_pread(fd, word, (size_t)want, (long)(lo / PAGE_SIZE * 8)) != want)
            return false;
        for (long i = 0; i < want / 8; i++, lo += PAGE_SIZE)
            if (word[i] >> 62)
                piece(p, lo, lo + PAGE_SIZE);
    }
    return true;
}

bool
dr_each_touched(uint64_t lo, uint64_t hi, void (*f)(uint64_t lo, uint64_t hi, void *arg), void *arg)
{
    struct pieces p = {.f = f, .arg = arg};
    long fd = engine_confined() ? -1 : sys_openat(-100, "/proc/self/pagemap", O_CLOEXEC_BIT, 0);

    if (sys_failed(fd))
        return false;
    lo = PAGE_DOWN(lo);
    hi = PAGE_UP(hi);
    bool done = scan_by_call((int)fd, lo, hi, &p);
    if (!done && p.lo == p.hi)
        done = scan_by_reading((int)fd, lo, hi, &p);
    sys_close((int)fd);
    piece(&p, 0, 0);
    return done;
}
