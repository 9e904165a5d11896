/* Records of the engine's own: processes and modules; and the tools' way to the
 * reporter.
 * Invariant: a process' first record is PROCESS_START, its last END, unless it is
 *            killed or becomes another program.
 * Threads:   records_start, _fork_child and _end: there is one thread, or others
 *            no longer matter; the list of modules is under `lock`. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "core/records.h"

#include "core/engine.h"
#include "drtools/record.h"
#include "drtools/tool.h"
#include "linux/channel.h"
#include "linux/memory.h"
#include "linux/sys.h"

enum { RECORD_ROOM = 256 << 10, ARGV_ROOM = 128 << 10 };

static uint32_t self;                /* the process' number */
static uint64_t began;               /* microseconds of the kernel's clock at its first record */
static struct record_writer writer;  /* under `lock` */
static struct mutex lock;
static char *started_argv;           /* the words of PROCESS_START, as it has them */
static size_t started_argv_size;
static bool dropped;

/* Behind a filter of the program's, time stands still: the call might be punished. */
static uint64_t
now(int clock)
{
    static uint64_t last;
    uint64_t ts[2] = {0};

    if (engine_confined())
        return last;
    sys2(__NR_clock_gettime, clock, (long)ts);
    uint64_t t = ts[0] * 1000000 + ts[1] / 1000;
    if (clock == 1)
        last = t;
    return t;
}

/* ---- for tools ---- */

bool dr_record_enabled(void) { return channel_is_open(); }

void
dr_record_stamp(struct dr_record_stamp *out)
{
    struct thread *t = thread_count ? thread_self() : NULL;

    out->pid = self;
    out->tid = t ? (uint32_t)t->tid : self;
    out->time = now(1 /* CLOCK_MONOTONIC */) - began;
}

bool
dr_record(const void *records, size_t n)
{
    return channel_send(records, n);
}

/* ---- writing ---- */

static void
begin(enum record_type type)
{
    struct dr_record_stamp s;

    dr_record_stamp(&s);
    writer.used = 0;
    record_begin(&writer, type, s.pid, s.tid, s.time);
}

static void
finish(void)
{
    if (!record_end(&writer))
        dropped = true;
    channel_send(writer.bytes, writer.used);
}

/* ---- processes ---- */

static void
keep_argv(long argc, const uint64_t *argv)
{
    struct record_writer w = {.bytes = engine_map(ARGV_ROOM), .size = ARGV_ROOM};
    uint16_t n = 0;

    if (!w.bytes)
        return;
    record_put_u16(&w, 0);
    for (long i = 0; i < argc && n < UINT16_MAX; i++) {
        size_t before = w.at;
        record_put_string(&w, (const char *)argv[i]);
        if (w.overflow) {
            w.at = before;
            break;
        }
        n++;
    }
    memcpy(w.bytes, &n, 2);
    started_argv = (char *)w.bytes;
    started_argv_size = w.at;
}

static void
write_start(uint32_t flags)
{
    static char directory[4096];
    const char *tool = options_nth("tool", 0);
    char name[64];

    if (sys_failed(sys2(__NR_getcwd, (long)directory, sizeof directory)))
        directory[0] = 0;
    tool = tool ? path_base(tool) : "";
    if (str_starts(tool, "lib"))
        tool += 3;
    size_t n = MIN((size_t)(strchr(tool, '.') ? strchr(tool, '.') - tool : (long)strlen(tool)), sizeof name - 1);
    memcpy(name, tool, n);
    name[n] = 0;
    begin(RECORD_PROCESS_START);
    record_put_u32(&writer, flags);
    record_put_u32(&writer, (uint32_t)sys0(__NR_getppid));
    record_put_u64(&writer, now(0 /* CLOCK_REALTIME */) / 1000000);
    record_put_string(&writer, name);
    record_put_string(&writer, program.exe);
    record_put_string(&writer, directory);
    record_put(&writer, started_argv, started_argv_size);
    finish();
}

void
records_start(long argc, const uint64_t *argv)
{
    if (options.reporter_fd < 0)
        return;
    channel_start(options.reporter_fd, options.root ? options.reporter_pid : 0, options.console && options.root);
    writer = (struct record_writer){.bytes = engine_map(RECORD_ROOM), .size = RECORD_ROOM};
    keep_argv(argc, argv);
    if (!writer.bytes || !started_argv)
        start_failed(125, "no memory to start (address-space limit?)");
    self = (uint32_t)sys0(__NR_getpid);
    began = now(1);
    if (options.execed) {
        begin(RECORD_PROCESS_EXEC);
        record_put_string(&writer, program.exe);
        finish();
    }
    write_start((options.execed ? START_EXECED : 0) | (options.root ? 0 : START_FOLLOWED));
}

int records_before_fork(bool shares_descriptors) { return channel_before_fork(shares_descriptors); }
void records_fork_parent(int channel) { channel_fork_parent(channel); }

void
records_fork_child(struct thread *t, int channel)
{
    uint32_t child = (uint32_t)sys0(__NR_getpid);

    if (!writer.bytes)
        return;
    mutex_init(&lock);
    options.root = false;
    channel_fork_child(channel);
    begin(RECORD_PROCESS_FORK);      /* still by the parent's number */
    record_put_u32(&writer, child);
    finish();
    self = child;
    t->tid = (int)sys0(__NR_gettid);
    began = now(1);
    write_start(START_FORKED | START_FOLLOWED);
}

void
records_exec(const char *path)
{
    if (!channel_is_open())
        return;
    mutex_lock(&lock);
    begin(RECORD_PROCESS_EXEC);
    record_put_string(&writer, path);
    finish();
    mutex_unlock(&lock);
}

void
records_exec_failed(void)
{
    if (!channel_is_open())
        return;
    mutex_lock(&lock);
    begin(RECORD_EXEC_FAILED);
    finish();
    mutex_unlock(&lock);
}

/* What the gate makes of the report. -1: the program's own status stands. */
static int
gate(bool complete, uint64_t errors)
{
    if (options.gate >= 0 && (errors || !complete))
        return options.gate & 0xff;
    return options.always_zero ? 0 : -1;
}

int
records_end(int kind, int code)
{
    struct record_reply done = {0};

    if (options.reporter_lost)
        return gate(false, 0);
    if (!writer.bytes)
        return -1;
    mutex_lock(&lock);
    begin(RECORD_PROCESS_EXIT);
    record_put_u8(&writer, (uint8_t)kind);
    record_put_u32(&writer, kind == EXIT_STATUS ? (uint32_t)code & 0xff : (uint32_t)code);
    finish();
    begin(RECORD_END);
    record_put_u32(&writer, dropped ? END_INCOMPLETE : 0);
    finish();
    mutex_unlock(&lock);
    if (!options.root)
        return -1;
    bool written = channel_finish(&done);
    if (!written && !options.quiet)
        print_err("drtools: the report is incomplete: the reporter has gone\n");
    return gate(written && !(done.flags & REPLY_INCOMPLETE), done.errors);
}

/* ---- modules ---- */

void
records_module(const struct dr_module *m, bool loaded)
{
    struct dr_segment segment;

    if (!channel_is_open())
        return;
    mutex_lock(&lock);
    begin(loaded ? RECORD_MODULE_LOAD : RECORD_MODULE_UNLOAD);
    record_put_u32(&writer, (uint32_t)m->id);
    if (loaded) {
        record_put_u32(&writer, (m->is_program ? MODULE_MAIN : 0) | (m->is_vdso ? MODULE_VDSO : 0));
        record_put_u64(&writer, m->bias);
        record_put_u64(&writer, m->start);
        record_put_u64(&writer, m->end);
        record_put_string(&writer, m->path);
        record_put_u16(&writer, (uint16_t)m->build_id_size);
        record_put(&writer, m->build_id, m->build_id_size);
        record_put_u16(&writer, (uint16_t)m->n_segments);
        for (unsigned i = 0; i < m->n_segments && dr_module_segment(m, i, &segment); i++) {
            record_put_u64(&writer, segment.lo);
            record_put_u64(&writer, segment.hi - segment.lo);
            record_put_u64(&writer, segment.offset);
            record_put_u32(&writer, (segment.executable ? 1u : 0) | (segment.writable ? 2u : 0) | (segment.readable ? 4u : 0));
        }
    }
    finish();
    mutex_unlock(&lock);
}
