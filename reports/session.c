/* SPDX-License-Identifier: BSD-3-Clause */
/* Log directories in Dr. Memory's layout, flushed error by error.
 * Invariant: resfile.PID exists from a process' first record on and names its
 *            results file; a directory exists only for the root process and for
 *            processes with errors. What cannot be written is said once and
 *            makes the report incomplete.
 * Threads:   one. */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gate.h"
#include "memory.h"
#include "source.h"

#define RED   "\033[1;31m"
#define PLAIN "\033[0m"

enum { MAX_DIRECTORIES = 1000 };

struct log {
    char *directory; /* chosen, not necessarily made */
    char *results;
    FILE *out;  /* results.txt, once the directory is made */
    bool ended; /* its summary is written                  */
};

struct session {
    struct session_options options;
    struct report *report;
    struct record_reader *reader;
    struct log *logs; /* by process index */
    size_t log_count, log_room;
    bool complained;
};

struct session *
session_new(const struct session_options *options)
{
    struct session *s = memory_zalloc(1, sizeof *s);

    s->options = *options;
    s->report = report_new(options->suppressions, options->baseline, NULL);
    s->report->lists = options->lists;
    s->report->number_reachable = options->write.show_reachable;
    s->reader = record_reader_new();
    return s;
}

void
session_free(struct session *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->log_count; i++) {
        if (s->logs[i].out)
            fclose(s->logs[i].out);
        free(s->logs[i].directory);
        free(s->logs[i].results);
    }
    free(s->logs);
    record_reader_free(s->reader);
    report_free(s->report);
    source_forget();
    free(s);
}

/* ---- console ---- */

/* Every line gets the prefix: CTest must not count what the console shows. */
static void
say(struct session *s, const struct process *p, const char *text)
{
    char prefix[32] = "~~Dr.M~~ ", *whole = NULL;
    size_t size;
    FILE *out;

    if (s->options.quiet || !s->options.say || !(out = open_memstream(&whole, &size)))
        return;
    if (s->options.prefix_style == 1)
        snprintf(prefix, sizeof prefix, "~~%u~~ ", p ? p->pid : 0);
    else if (s->options.prefix_style == 2)
        prefix[0] = 0;
    else if (s->options.prefix_style == 3)
        snprintf(prefix, sizeof prefix, "==%u== ", p ? p->pid : 0);
    while (*text) {
        size_t line = strcspn(text, "\n");

        bool title = s->options.color && strncmp(text, "Error #", 7) == 0;

        fprintf(out, "%s%s%.*s%s\n", prefix, title ? RED : "", (int)line, text, title ? PLAIN : "");
        text += line + (text[line] == '\n');
    }
    if (fclose(out) == 0)
        s->options.say(s->options.context, whole, size);
    free(whole);
}

/* Takes `problem` over. Once is enough: a full disk stays full. */
static void
complain(struct session *s, const struct process *p, char *problem)
{
    if (!s->complained) {
        char *text = memory_printf("WARNING: the report is incomplete: %s\n", problem);

        s->complained = true;
        s->report->incomplete = true;
        if (!s->report->missing)
            s->report->missing = strings_keep(s->report->strings, problem);
        say(s, p, text);
        free(text);
    }
    free(problem);
}

/* ---- directories ---- */

static void
choose_directory(struct session *s, const struct process *p, struct log *log)
{
    char *name = memory_zalloc(strlen(p->name) + 1, 1);
    struct stat st;

    for (size_t i = 0; p->name[i]; i++) /* a name from the program: no slashes, nothing to confuse a line */
        name[i] = (uint8_t)p->name[i] < 0x20 || p->name[i] == '/' ? '_' : p->name[i];
    for (int n = 0; n < MAX_DIRECTORIES; n++) {
        free(log->directory);
        log->directory = memory_printf("%s/DrMemory-%s.%u.%03d", s->options.logdir, name, p->pid, n);
        if (stat(log->directory, &st) != 0)
            break;
    }
    free(log->results);
    log->results = memory_printf("%s/results.txt", log->directory);
    free(name);
}

static void
write_resfile(struct session *s, const struct process *p, const struct log *log)
{
    char *name = memory_printf("%s/resfile.%u", s->options.logdir, p->pid);
    FILE *out = fopen(name, "we");
    bool good = out && fprintf(out, "%s\n", log->results) > 0;

    if (out)
        good = fclose(out) == 0 && good;
    if (!good)
        complain(s, p, memory_printf("cannot write %s: %s", name, strerror(errno)));
    free(name);
}

static struct log *
log_of(struct session *s, const struct process *p)
{
    while (s->log_count <= p->index) {
        GROW(s->logs, s->log_count, s->log_room);
        s->logs[s->log_count++] = (struct log){0};
    }
    return &s->logs[p->index];
}

static bool
make_directory(struct session *s, const struct process *p, struct log *log)
{
    for (int tries = 0; mkdir(log->directory, 0777) != 0; tries++) {
        if (errno != EEXIST || tries > 10) {
            complain(s, p, memory_printf("cannot create %s: %s", log->directory, strerror(errno)));
            return false;
        }
        choose_directory(s, p, log); /* somebody was faster */
        write_resfile(s, p, log);
    }
    return true;
}

static struct write_options
options_for(const struct session *s, const struct log *log)
{
    struct write_options o = s->options.write;

    o.details = log->results;
    return o;
}

static void
check_flushed(struct session *s, const struct process *p, struct log *log)
{
    if (log->out && fflush(log->out) != 0)
        complain(s, p, memory_printf("cannot write %s: %s", log->results, strerror(errno)));
}

/* results.txt with its header; NULL if there is none to write to. */
static FILE *
open_results(struct session *s, const struct process *p, struct log *log)
{
    struct write_options o = options_for(s, log);

    if (log->out || !log->directory || s->complained)
        return log->out;
    if (!make_directory(s, p, log))
        return NULL;
    log->out = fopen(log->results, "we");
    if (!log->out)
        complain(s, p, memory_printf("cannot create %s: %s", log->results, strerror(errno)));
    else
        text_header(s->report, p, &o, log->out);
    check_flushed(s, p, log);
    return log->out;
}

/* ---- what happens ---- */

static void
begin_process(struct session *s, const struct process *p)
{
    struct log *log = log_of(s, p);

    if (!s->options.logdir || log->directory)
        return;
    choose_directory(s, p, log);
    write_resfile(s, p, log);
    if (p->index == 0)
        open_results(s, p, log);
}

static void
show_finding(struct session *s, const struct finding *f)
{
    struct log *log = log_of(s, f->process);
    FILE *out = open_results(s, f->process, log), *memory;
    char *text = NULL;
    size_t size;

    if (out)
        text_finding(f, &s->options.write, out);
    check_flushed(s, f->process, log);
    if (s->options.quiet || s->options.hide_findings || !(memory = open_memstream(&text, &size)))
        return;
    text_finding(f, &s->options.write, memory);
    if (fclose(memory) == 0)
        say(s, f->process, text);
    free(text);
}

static void
show_summary(struct session *s, const struct process *p, unsigned nudge)
{
    struct log *log = log_of(s, p);
    struct write_options o = options_for(s, log);
    char *text = NULL;
    size_t size;
    FILE *memory;

    if (log->out)
        text_summary(s->report, p, &o, nudge, log->out);
    check_flushed(s, p, log);
    if (s->options.quiet || s->options.hide_summary || (p->index && !log->out) || !(memory = open_memstream(&text, &size)))
        return;
    if (!log->out)
        o.details = NULL;
    text_summary(s->report, p, &o, nudge, memory);
    if (fclose(memory) == 0)
        say(s, p, text);
    free(text);
}

static void
write_outputs(struct session *s)
{
    for (int i = 0; i < FORMAT_COUNT; i++) {
        char *problem = NULL;

        if (s->options.outputs[i] &&
            !output_write(s->report, i, s->options.outputs[i], &s->options.write, &problem))
            complain(s, NULL, problem);
    }
}

static void
write_aids(struct session *s, const struct process *p, const struct log *log)
{
    static const struct {
        enum output_format format;
        const char *name;
    } aids[] = {{FORMAT_SUPPRESSIONS, "suppress.txt"}, {FORMAT_MISSING_SYMBOLS, "missing_symbols.txt"}, {FORMAT_POTENTIAL, "potential_errors.txt"}};

    for (size_t i = 0; log->out && i < sizeof aids / sizeof *aids; i++) {
        char *name, *problem = NULL;

        if (aids[i].format == FORMAT_POTENTIAL && p->next_potential == 1)
            continue;
        name = memory_printf("%s/%s", log->directory, aids[i].name);

        if (!output_write_process(s->report, aids[i].format, name, p, &s->options.write, &problem))
            complain(s, p, problem);
        free(name);
    }
}

static void
say_unused(struct session *s, const struct process *p)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        return;
    suppressions_list_unused(s->options.suppressions, memory);
    if (fclose(memory) == 0)
        say(s, p, text);
    free(text);
}

static void
end_process(struct session *s, const struct process *p)
{
    struct log *log = log_of(s, p);

    if (log->ended)
        return;
    log->ended = true;
    write_aids(s, p, log);
    if (s->options.list_unused && s->options.suppressions && p->index == 0)
        say_unused(s, p);
    show_summary(s, p, 0);
    if (log->out && fclose(log->out) != 0)
        complain(s, p, memory_printf("cannot write %s: %s", log->results, strerror(errno)));
    log->out = NULL;
}

static void
react(struct session *s, const struct record *rec, const struct report_change *change)
{
    const struct process *p = change->process;
    const struct finding *f = change->finding;

    if (!p)
        return;
    if (p->exe[0])
        begin_process(s, p);
    if (f && write_shows(f, &s->options.write) && !f->known)
        show_finding(s, f);
    if (rec->type == RECORD_NUDGE) {
        show_summary(s, p, rec->number);
        write_outputs(s);
    } else if (rec->type == RECORD_END || rec->type == RECORD_PROCESS_LEFT) {
        end_process(s, p);
    }
}

void
session_feed(struct session *s, const void *bytes, size_t size)
{
    struct report_change change;
    struct record rec;

    record_feed(s->reader, bytes, size);
    while (record_next(s->reader, &rec) == RECORD_READY) {
        report_apply(s->report, &rec, &change);
        react(s, &rec, &change);
    }
}

static const char *
what_is_missing(const struct session *s, const char *why)
{
    if (record_damage(s->reader))
        return record_damage(s->reader);
    if (record_malformed(s->reader))
        return "some records could not be understood";
    if (record_pending(s->reader))
        return "the record stream ends in the middle of a record";
    return why;
}

void
session_write(struct session *s)
{
    write_outputs(s);
}

void
session_finish(struct session *s, const char *why)
{
    struct report *r = s->report;

    report_finish(r, what_is_missing(s, why));
    for (size_t i = 0; i < r->process_count; i++)
        end_process(s, r->processes[i]);
    write_outputs(s);
}

unsigned long
session_errors(const struct session *s)
{
    return gate_count(s->report, s->options.write.show_reachable);
}

bool
session_is_incomplete(const struct session *s)
{
    return s->report->incomplete;
}
