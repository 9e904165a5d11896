/* execve followed: the new program is started through the engine again.
 *
 * Whatever the engine would not or cannot follow is given to the kernel as it
 * is: then errors are the kernel's own, to the last errno.
 * See docs/launch.md for the argument vector and configuration string. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <elf.h>
#include <linux/stat.h>

#include "core/engine.h"
#include "core/records.h"
#include "core/tools.h"
#include "linux/channel.h"
#include "linux/descriptors.h"
#include "linux/memory.h"
#include "linux/signal.h"
#include "linux/sys.h"
#include "linux/syscall.h"
#include "util/log.h"

enum { E_FAULT = 14, E_2BIG = 7, AT_EMPTY_PATH_FLAG = 0x1000, AT_SYMLINK_NOFOLLOW_FLAG = 0x100, AT_FDCWD_NR = -100, SCRIPT_DEPTH = 5, HEAD = 256 };

/* A request on its way: what to run and with which words. */
struct request {
    char path[4096];                /* of the file to run, as the kernel would see it */
    char execfn[4096];
    int dirfd, flags;
    int fd;                         /* the file, open; -1                             */
    uint64_t envp, argv;            /* the program's                                  */
    char words[SCRIPT_DEPTH * 2][HEAD];  /* of `#!` lines, outermost interpreter first */
    unsigned n_words;
    bool script;
    bool execfn_is_path;            /* not made up from a descriptor                          */
    bool by_fd;                     /* no path leads to the file again: hand the descriptor on */
};

static bool
string_read(uint64_t at, char *buf, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!safe_read(buf + i, at + i, 1))
            return false;
        if (!buf[i])
            return true;
    }
    return false;
}

enum verdict { FOLLOW, SCRIPT, LEAVE };

/* The engine's own file: a front end below ours starts it, with a configuration of its own. */
static bool
is_engine(const struct statx *st)
{
    struct statx own;

    return engine_fd >= 0 && !sys_failed(sys6(__NR_statx, engine_fd, (long)"", AT_EMPTY_PATH_FLAG, STATX_INO, (long)&own, 0)) &&
           own.stx_ino == st->stx_ino && own.stx_dev_major == st->stx_dev_major && own.stx_dev_minor == st->stx_dev_minor;
}

/* Looks at the open file. */
static enum verdict
judge_file(int fd, char head[HEAD])
{
    struct statx st;
    Elf64_Ehdr *eh = (Elf64_Ehdr *)head;

    memset(head, 0, HEAD);
    if (sys6(__NR_statx, fd, (long)"", AT_EMPTY_PATH_FLAG, STATX_MODE | STATX_UID | STATX_GID | STATX_INO, (long)&st, 0) < 0)
        return LEAVE;
    if ((st.stx_mode & 0170000) != 0100000 || is_engine(&st))
        return LEAVE;
    if (sys4(__NR_faccessat2, fd, (long)"", 1 /* X_OK */, AT_EMPTY_PATH_FLAG | 0x200 /* AT_EACCESS */) < 0)
        return LEAVE;
    if ((st.stx_mode & 04000 && st.stx_uid != (uint32_t)sys0(__NR_geteuid)) || ((st.stx_mode & 02010) == 02010 && st.stx_gid != (uint32_t)sys0(__NR_getegid)))
        return LEAVE;                /* set-user-id: the kernel would not let us keep an eye on it */
    long n = sys_pread(fd, head, HEAD - 1, 0);
    if (n >= 2 && head[0] == '#' && head[1] == '!')
        return SCRIPT;
    if (n < (long)sizeof *eh || memcmp(eh->e_ident, ELFMAG, 4) != 0 || eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
        return LEAVE;
    return eh->e_type == ET_EXEC || eh->e_type == ET_DYN ? FOLLOW : LEAVE;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

/* Splits "#! interpreter [argument]". False: malformed, the kernel shall say so. */
static bool
script_split(char *head, char *interp, char *arg)
{
    char *s = head + 2, *e = strchr(s, '\n');
    size_t n = 0;

    if (!e)
        return false;
    while (e > s && is_space(e[-1]))
        e--;
    *e = 0;
    while (is_space(*s))
        s++;
    while (*s && !is_space(*s))
        interp[n++] = *s++;
    interp[n] = 0;
    while (is_space(*s))
        s++;
    memcpy(arg, s, strlen(s) + 1);
    return n > 0;
}

/* The path goes by way of descriptors, which the new process may not have. */
static bool
path_needs_fd(const struct request *q)
{
    return !q->path[0] || (q->dirfd != AT_FDCWD_NR && q->path[0] != '/') || str_starts(q->path, "/proc/") || str_starts(q->path, "/dev/fd/") ||
           str_starts(q->path, "/dev/std");
}

/* The interpreter of a script reads it through this descriptor, so it must survive. */
static bool
script_is_readable_later(const struct request *q)
{
    bool absolute = q->path[0] == '/';

    return absolute || q->dirfd == AT_FDCWD_NR || !(sys3(__NR_fcntl, q->dirfd, 1 /* F_GETFD */, 0) & 1 /* FD_CLOEXEC */);
}

static int
open_first(const struct request *q)
{
    char link[64];
    const char *path = q->path;
    int flags = 02000000 | (q->flags & AT_SYMLINK_NOFOLLOW_FLAG ? 0400000 : 0);

    if (hide_is_exe(path)) {
        format(link, sizeof link, "/proc/self/fd/%d", exe_fd);
        path = link;
    } else if (!path[0] && (q->flags & AT_EMPTY_PATH_FLAG)) {
        format(link, sizeof link, "/proc/self/fd/%d", q->dirfd);
        path = link;
    } else {
        return (int)sys_openat(q->dirfd, path, flags, 0);
    }
    return (int)sys_openat(AT_FDCWD_NR, link, 02000000, 0);
}

/* Opens what is to be run, through scripts to the final interpreter. False: leave it to the kernel. */
static bool
resolve(struct request *q)
{
    char head[HEAD];

    q->by_fd = path_needs_fd(q);
    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        q->fd = depth ? (int)sys_openat(AT_FDCWD_NR, q->path, 02000000, 0) : open_first(q);
        if (q->fd < 0)
            return false;
        enum verdict v = judge_file(q->fd, head);
        if (v == FOLLOW)
            return true;
        sys_close(q->fd);
        q->fd = -1;
        if (v == LEAVE || q->n_words + 2 > COUNT_OF(q->words) || (depth == 0 && !script_is_readable_later(q)))
            return false;
        /* The outermost interpreter's words come first: shift what is there. */
        memmove(q->words[2], q->words[0], q->n_words * HEAD);
        if (!script_split(head, q->words[0], q->words[1]))
            return false;
        q->n_words += 2;
        q->script = true;
        q->by_fd = false;
        memcpy(q->path, q->words[0], HEAD);
    }
    return false;
}

/* After chroot or a removed installation the new engine could not load its tools. */
static bool
tools_are_within_reach(void)
{
    const char *path;

    for (unsigned i = 0; (path = options_nth("tool", i)); i++)
        if (sys_failed(sys3(__NR_faccessat, AT_FDCWD_NR, (long)path, 4 /* R_OK */)))
            return false;
    return true;
}

static bool
followed(const struct request *q)
{
    const char *base = path_base(q->path[0] ? q->path : q->execfn), *name;

    if (!tools_are_within_reach())
        return false;
    for (unsigned i = 0; (name = options_nth("norun", i)); i++)
        if (strcmp(name, base) == 0)
            return false;
    if (!options.no_follow)
        return true;
    for (unsigned i = 0; (name = options_nth("reg", i)); i++)
        if (strcmp(name, base) == 0)
            return true;
    return false;
}

/* A line of the configuration that belongs to one process only. */
static bool
per_process(const char *line)
{
    return str_starts(line, "app") || str_starts(line, "depth=") || str_starts(line, "as_") || str_starts(line, "data_") ||
           str_starts(line, "reporter_") || str_starts(line, "root=") || str_starts(line, "execed=");
}

/* A value as the configuration wants it: % and newline escaped. */
static size_t
escape(char *out, size_t size, const char *s)
{
    size_t n = 0;

    for (; *s && n + 4 < size; s++)
        if (*s == '%' || *s == '\n')
            n += format(out + n, size - n, "%%%02X", *s);
        else
            out[n++] = *s;
    return n;
}

/* What the new program reports over `channel`, or -1. `same`: it is this process, no vfork child; `execed`: which has reported already. */
static size_t
config_for_reporter(char *out, size_t size, int channel, bool same, bool execed)
{
    size_t n = 0;

    if (channel >= 0)
        n += format(out + n, size - n, "reporter_fd=%d\n%s", channel, execed ? "execed=1\n" : "");
    if (!same || !options.root)
        return n;
    n += format(out + n, size - n, "root=1\nreporter_pid=%d\n", options.reporter_pid);
    if (options.reporter_lost || (options.reporter_fd >= 0 && channel < 0))
        n += format(out + n, size - n, "reporter_lost=1\n");
    return n;
}

/* The configuration for the new process. `app_fd`: to be handed on, or -1. */
static size_t
config_for(char *out, size_t size, const struct request *q, int app_fd, int depth)
{
    uint64_t extra[LIMITS_SHARED][2];
    size_t n = 0;

    for (const char *s = options.config; *s;) {
        const char *e = strchr(s, '\n');
        size_t len = e ? (size_t)(e - s) + 1 : strlen(s);
        if (!per_process(s) && n + len < size) {
            memcpy(out + n, s, len);
            n += len;
        }
        s += len;
    }
    limits_hand_on(extra);
    if (extra[0][0])
        n += format(out + n, size - n, "as_soft=%lu\nas_hard=%lu\n", extra[0][0], extra[0][1]);
    if (extra[1][0])
        n += format(out + n, size - n, "data_soft=%lu\ndata_hard=%lu\n", extra[1][0], extra[1][1]);
    if (app_fd >= 0)
        n += format(out + n, size - n, "app_fd=%d\n", app_fd);
    if (app_fd >= 0 && !q->execfn_is_path)
        n += format(out + n, size - n, "app_unnamed=1\n");
    if (q->script) {
        n += format(out + n, size - n, "app=");
        n += escape(out + n, size - n - 2, q->path);
        n += format(out + n, size - n, "\n");
    }
    return n + format(out + n, size - n, "depth=%d\n", depth);
}

/* Number of pointers in a vector of the program's; -1: unreadable. */
static long
vector_count(uint64_t v)
{
    uint64_t p;

    for (long n = 0; v; n++) {
        if (!safe_read(&p, v + 8 * (uint64_t)n, 8))
            return -1;
        if (!p)
            return n;
    }
    return 0;
}

/* Disposition "ignored" of the five that the engine keeps a handler for, and the true mask, as execve hands them on. */
static void
expose_signals(struct thread *t)
{
    struct ksigaction ign = {.handler = 1, .flags = SAF_RESTORER};

    for (int sig = 1; sig < 32; sig++)
        if ((SIG_BIT(sig) & SYNC_SIGNALS) && t->process->action[sig].handler == 1 && !t->vfork_child)
            sys4(__NR_rt_sigaction, sig, (long)&ign, 0, 8);
    mask_expose(t, t->app_mask);
}

struct exec_buffers {
    struct request q;
    char config[16384];
    uint64_t argv[];
};

/* The engine's argument vector. False: the program's cannot be read. */
static bool
build_argv(struct exec_buffers *b, long argc)
{
    struct request *q = &b->q;
    uint64_t *v = b->argv, word;
    long n = 0, from = 0;

    v[n++] = (uint64_t)"drengine";
    v[n++] = (uint64_t)b->config;
    v[n++] = (uint64_t)q->execfn;
    for (unsigned i = 0; i < q->n_words; i++)
        if (i % 2 == 0 || q->words[i][0]) {
            v[n++] = (uint64_t)q->words[i];
        }
    if (q->script) {                 /* the script's path takes the place of argv[0] */
        v[n++] = (uint64_t)q->execfn;
        from = 1;
    } else if (!argc) {
        v[n++] = (uint64_t)"";       /* as Linux does since 5.18 */
    }
    for (long i = from; i < argc; i++) {
        if (!safe_read(&word, q->argv + 8 * (uint64_t)i, 8))
            return false;
        v[n++] = word;
    }
    v[n] = 0;
    return true;
}

static long
exec_engine(struct exec_buffers *b, long argc)
{
    struct mcontext m = {.gpr = {[RAX] = __NR_execveat, [RDI] = (uint64_t)engine_fd, [RSI] = (uint64_t)"", [RDX] = (uint64_t)b->argv,
                                 [R10] = b->q.envp, [R8] = AT_EMPTY_PATH_FLAG}};

    return build_argv(b, argc) ? app_syscall(&m) : -E_FAULT;
}

/* A number for the file's descriptor that survives execve; -1 when the new process finds the file by its path. */
static int
fd_to_hand_on(struct request *q)
{
    long high = -1;

    if (q->by_fd) {
        high = sys3(__NR_fcntl, q->fd, 0 /* F_DUPFD */, 200);
        if (sys_failed(high))
            high = sys3(__NR_fcntl, q->fd, 0, 3);
    }
    sys_close(q->fd);
    return sys_failed(high) ? -1 : (int)high;
}

static size_t
buffers_size(long argc)
{
    return sizeof(struct exec_buffers) + (size_t)(MAX(argc, 0) + 32) * 8;
}

void
exec_script(const char *path, uint64_t argv, uint64_t envp)
{
    long argc = vector_count(argv);
    struct exec_buffers *b = engine_map(buffers_size(argc));
    struct request *q = b ? &b->q : NULL;

    if (!b || strlen(path) >= sizeof q->path)
        return;
    format(q->path, sizeof q->path, "%s", path);
    format(q->execfn, sizeof q->execfn, "%s", path);
    q->dirfd = AT_FDCWD_NR;
    q->execfn_is_path = true;
    q->argv = argv;
    q->envp = envp;
    if (!resolve(q) || !q->script)
        return;
    sys_close(q->fd);
    size_t n = config_for(b->config, sizeof b->config, q, -1, options.depth);
    config_for_reporter(b->config + n, sizeof b->config - n, options.reporter_fd, true, options.execed);
    if (build_argv(b, argc))
        sys6(__NR_execveat, engine_fd, (long)"", (long)b->argv, (long)envp, AT_EMPTY_PATH_FLAG, 0);
}

long
process_execve(struct thread *t, bool at)
{
    const uint64_t *g = t->s.mc.gpr;
    uint64_t path = at ? g[RSI] : g[RDI];
    uint64_t argv = at ? g[RDX] : g[RSI];
    long argc = vector_count(argv), r;
    size_t size = buffers_size(argc);
    struct exec_buffers *b = argc >= 0 ? engine_map(size) : NULL;
    struct mcontext plain = t->s.mc;

    t->exec_buffers = b;
    t->exec_size = size;
    if (!b || !string_read(path, b->q.path, sizeof b->q.path))
        goto native;
    struct request *q = &b->q;
    q->dirfd = at ? (int)g[RDI] : AT_FDCWD_NR;
    q->flags = at ? (int)g[R8] : 0;
    q->envp = at ? g[R10] : g[RDX];
    q->argv = argv;
    q->fd = -1;
    if (!q->path[0])
        format(q->execfn, sizeof q->execfn, "/dev/fd/%d", q->dirfd);
    else if (q->dirfd != AT_FDCWD_NR && q->path[0] != '/')
        format(q->execfn, sizeof q->execfn, "/dev/fd/%d/%s", q->dirfd, q->path);
    else
        memcpy(q->execfn, q->path, sizeof q->path);
    q->execfn_is_path = q->path[0];
    bool known_flags = !(q->flags & ~(AT_EMPTY_PATH_FLAG | AT_SYMLINK_NOFOLLOW_FLAG));
    if (engine_fd < 0 || t->traced || !known_flags || !resolve(q))
        goto native;
    if (!followed(q)) {
        sys_close(q->fd);
        goto native;
    }
    int high = fd_to_hand_on(q);
    if (!t->vfork_child)
        tools_exec(t);
    int channel = channel_for_exec(t);
    size_t n = config_for(b->config, sizeof b->config, q, high, options.depth + 1);
    config_for_reporter(b->config + n, sizeof b->config - n, channel, !t->vfork_child, !t->vfork_child);
    LOG(LOG_THREAD, "execve %s", q->path);
    expose_signals(t);
    r = exec_engine(b, argc);
    t->exposed = false;
    signal_restore_mask(t);
    channel_exec_failed(t, channel);
    if (high >= 0)
        sys_close(high);
    t->exec_buffers = NULL;
    engine_unmap(b, size);
    return r;

native:
    if (b && hide_is_exe(b->q.path)) {
        format(b->q.path, sizeof b->q.path, "/proc/self/fd/%d", exe_fd);
        plain.gpr[at ? RSI : RDI] = (uint64_t)b->q.path;
    }
    if (!t->vfork_child) {
        tools_exec(t);
        records_exec(b ? b->q.path : "");
    }
    expose_signals(t);
    r = app_syscall(&plain);
    t->exposed = false;
    signal_restore_mask(t);
    if (!t->vfork_child)
        records_exec_failed();
    t->exec_buffers = NULL;
    if (b)
        engine_unmap(b, size);
    return r;
}
