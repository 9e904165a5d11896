/* SPDX-License-Identifier: BSD-3-Clause */
/* From a file of records to reports. */
#include "replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"
#include "memory.h"
#include "source.h"

enum { STATUS_BAD_FILE = 2 };

static enum record_status
drain(struct report *r, struct record_reader *reader)
{
    enum record_status status;
    struct report_change change;
    struct record rec;

    while ((status = record_next(reader, &rec)) == RECORD_READY)
        report_apply(r, &rec, &change);
    return status;
}

static const char *
what_is_missing(const struct record_reader *reader)
{
    if (record_damage(reader))
        return record_damage(reader);
    if (record_pending(reader))
        return "the record stream ends in the middle of a record";
    return record_malformed(reader) ? "some records could not be understood" : NULL;
}

bool
replay_read(struct report *r, const char *file, char **error)
{
    struct record_reader *reader = record_reader_new();
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    static char bytes[1 << 16];
    ssize_t n = 0;

    *error = NULL;
    while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0) {
        record_feed(reader, bytes, (size_t)n);
        if (drain(r, reader) == RECORD_DAMAGED)
            break;
    }
    if (fd < 0 || n < 0)
        *error = memory_printf("%s: %s", file, strerror(errno));
    else if (record_damage(reader) && r->process_count == 0)
        *error = memory_printf("%s: %s", file, record_damage(reader));
    report_finish(r, what_is_missing(reader));
    if (fd >= 0)
        close(fd);
    record_reader_free(reader);
    return !*error;
}

static struct suppressions *
read_suppressions(const struct replay_request *q, char **error)
{
    struct suppressions *s = suppressions_new();

    for (size_t i = 0; q->suppression_files && q->suppression_files[i]; i++)
        if (!suppressions_read(s, q->suppression_files[i], error)) {
            suppressions_free(s);
            return NULL;
        }
    return s;
}

/* The first file that cannot be written is told; the others are written nevertheless. */
static bool
write_all(const struct report *r, const struct replay_request *q, char **error)
{
    bool good = true;

    for (int i = 0; i < FORMAT_COUNT; i++) {
        char *problem = NULL;

        if (q->outputs[i] && !output_write(r, i, q->outputs[i], &q->write, &problem)) {
            good = false;
            if (*error)
                free(problem);
            else
                *error = problem;
        }
    }
    return good;
}

/* The root process' own status, as a shell would see it. */
static int
app_status(const struct report *r)
{
    const struct process *p = r->process_count ? r->processes[0] : NULL;

    if (!p || !p->ended)
        return 0;
    return (p->exit_kind == EXIT_SIGNAL ? 128 + (int)p->exit_code : (int)p->exit_code) & 0xff;
}

static int
run(const struct replay_request *q, struct suppressions *s, struct baseline *b, char **error)
{
    struct report *r = report_new(s, b, NULL);
    int status = STATUS_BAD_FILE;

    r->lists = q->lists;
    r->number_reachable = q->write.show_reachable;
    if (replay_read(r, q->file, error)) {
        bool written = write_all(r, q, error);
        struct gate gate = {.app_status = app_status(r),
                            .enabled = q->gate,
                            .status_if_errors = q->gate_status,
                            .errors = gate_count(r, q->write.show_reachable),
                            .incomplete = r->incomplete || !written};

        if (q->text)
            write_text(r, NULL, &q->write, q->text);
        if (q->text && q->list_unused_suppressions)
            suppressions_list_unused(s, q->text);
        status = written ? gate_status(&gate) : gate.enabled ? gate.status_if_errors : STATUS_BAD_FILE;
    }
    report_free(r);
    source_forget();
    return status;
}

int
replay(const struct replay_request *q, char **error)
{
    struct suppressions *s;
    struct baseline *b = NULL;
    int status;

    *error = NULL;
    s = read_suppressions(q, error);
    if (!s)
        return STATUS_BAD_FILE;
    if (q->baseline)
        b = baseline_read(q->baseline, error);
    status = q->baseline && !b ? STATUS_BAD_FILE : run(q, s, b, error);
    baseline_free(b);
    suppressions_free(s);
    return status;
}
