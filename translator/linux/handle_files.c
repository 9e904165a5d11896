/* System calls on files and descriptors: what the engine keeps open is not there
 * for the program, and files of /proc tell of the program.
 * See docs/system-calls.md. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/engine.h"
#include "linux/descriptors.h"
#include "linux/handle.h"

enum { O_ACCMODE_BITS = 3 };
enum { F_DUPFD_OP = 0, PROC_SUPER_MAGIC_NR = 0x9fa0, AT_FDCWD_NR = -100 };

/* ---- descriptors ---- */

enum { STDERR = 2 };

/* A vfork child has its own descriptors, but its maker's memory. */
static void
console_ends(struct thread *t)
{
    if (!t->vfork_child)
        console_keep();
}

long
on_close(struct thread *t)
{
    if ((int)ARG0(t) == STDERR)
        console_ends(t);
    return native(t);
}

long
on_dup2(struct thread *t)
{
    if ((int)ARG1(t) == STDERR)
        console_ends(t);
    if (descriptor_is_ours((int)ARG1(t)) && !descriptor_move((int)ARG1(t)))
        return -E_BADF;
    return native(t);
}

long
on_close_range(struct thread *t)
{
    unsigned lo = (unsigned)ARG0(t), hi = (unsigned)ARG1(t);
    struct mcontext m = t->s.mc;
    long r = 0;
    int ours;

    if (lo > hi)
        return native(t);
    if (lo <= STDERR && hi >= STDERR)
        console_ends(t);
    while ((ours = descriptor_first_in(lo, hi)) >= 0) {      /* around each of ours */
        m.gpr[RDI] = lo;
        m.gpr[RSI] = (uint64_t)ours - 1;
        if ((unsigned)ours > lo)
            r = native_with(t, &m);
        if (sys_failed(r) || (unsigned)ours == hi)
            return r;
        lo = (unsigned)ours + 1;
    }
    m.gpr[RDI] = lo;
    m.gpr[RSI] = hi;
    return native_with(t, &m);
}

/* ---- a listing of /proc/self/fd ---- */

struct dirent64 { uint64_t ino; int64_t off; uint16_t len; uint8_t type; char name[]; };

static bool
names_ours(const char *name)
{
    uint64_t n;

    return *name >= '0' && *name <= '9' && parse_u64(name, &n) && n <= INT32_MAX && descriptor_is_ours((int)n);
}

static bool
is_on_proc(int fd)
{
    struct { long type; long rest[31]; } s;

    return !sys_failed(sys2(__NR_fstatfs, fd, (long)&s)) && s.type == PROC_SUPER_MAGIC_NR;
}

long
on_getdents64(struct thread *t)
{
    union { struct dirent64 d; char room[280]; } e;
    uint64_t at = ARG1(t);
    long left = native(t), n = left;

    if (n <= 0 || descriptor_first_in(0, INT32_MAX) < 0)
        return n;
    for (uint64_t next; left > 0 && safe_read(&e, at, (size_t)MIN(left, (long)sizeof e)) && e.d.len; left -= e.d.len, at = next) {
        next = at + e.d.len;
        e.room[sizeof e - 1] = 0;
        if (!names_ours(e.d.name) || !is_on_proc((int)ARG0(t)))
            continue;
        for (long i = 0; i < left - e.d.len; i++) {
            uint8_t b;
            if (!safe_read(&b, next + (uint64_t)i, 1) || !safe_write(at + (uint64_t)i, &b, 1))
                break;
        }
        n -= e.d.len;
        next = at;
    }
    return n;
}

/* ---- files that tell of us ---- */

static volatile bool memory_is_open;    /* a /proc/.../mem has been opened for writing */

static void
note_memory_file(uint64_t path, uint64_t flags, long r)
{
    if (!sys_failed(r) && (flags & O_ACCMODE_BITS) && hide_names_memory(path))
        memory_is_open = true;
}

static long
open_at(struct thread *t, uint64_t path, uint64_t flags)
{
    long r;

    if (hide_open(path, (int)flags, &r))
        return r;
    r = native(t);
    note_memory_file(path, flags, r);
    return r;
}

long on_open(struct thread *t) { return open_at(t, ARG0(t), ARG1(t)); }
long on_openat(struct thread *t) { return open_at(t, ARG1(t), ARG2(t)); }

long
on_openat2(struct thread *t)
{
    uint64_t flags;

    if (ARG3(t) < 24 || !safe_read(&flags, ARG2(t), 8))
        return native(t);
    return open_at(t, ARG1(t), flags);
}

/* True: `fd` is this process's memory, and *at where a write through it goes. */
static bool
writes_memory(struct thread *t, int fd, uint64_t nr, uint64_t *at)
{
    char link[32], to[64] = {0};

    format(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = sys3(__NR_readlink, (long)link, (long)to, sizeof to - 1);
    if (n <= 0 || !hide_is_own_memory(to))
        return false;
    *at = nr == __NR_pwrite64 || nr == __NR_pwritev || nr == __NR_pwritev2 ? ARG3(t) : (uint64_t)sys3(__NR_lseek, fd, 0, 1);
    return true;
}

long
on_write(struct thread *t)
{
    uint64_t at = 0;

    bool code = UNLIKELY(memory_is_open) && writes_memory(t, (int)ARG0(t), t->s.mc.gpr[RAX], &at);
    long r = native(t);
    if (code && r > 0)
        code_written(at, (uint64_t)r);
    return r;
}

long
on_readlink(struct thread *t)
{
    long r;

    return hide_readlink(ARG0(t), ARG1(t), ARG2(t), &r) ? r : native(t);
}

long
on_readlinkat(struct thread *t)
{
    long r;

    return hide_readlink(ARG1(t), ARG2(t), ARG3(t), &r) ? r : native(t);
}

/* Argument `r` is a path: the program's own executable in place of ours. */
static long
with_path(struct thread *t, enum reg r)
{
    struct mcontext m = t->s.mc;
    const char *exe;

    if (hide_names_ours(m.gpr[r]))
        return -E_NOENT;
    if (!(exe = hide_exe_path(m.gpr[r])))
        return native(t);
    m.gpr[r] = (uint64_t)exe;
    return native_with(t, &m);
}

long on_path0(struct thread *t) { return with_path(t, RDI); }
long on_path1(struct thread *t) { return with_path(t, RSI); }
