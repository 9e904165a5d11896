/* SPDX-License-Identifier: BSD-3-Clause */
/* Report files: named by pattern, written beside their name and renamed, so that a reader never sees half of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "write.h"

static report_writer *const writers[FORMAT_COUNT] = {
    [FORMAT_JSON] = write_json,
    [FORMAT_SARIF] = write_sarif,
    [FORMAT_JUNIT] = write_junit,
    [FORMAT_XML] = write_valgrind_xml,
    [FORMAT_HTML] = write_html,
    [FORMAT_TEXT] = write_text,
    [FORMAT_SUPPRESSIONS] = write_suppressions,
    [FORMAT_MISSING_SYMBOLS] = write_missing_symbols,
    [FORMAT_VALGRIND_TEXT] = write_valgrind_text,
    [FORMAT_POTENTIAL] = write_potential,
};

/* *per_process: the pattern has a %p. */
static char *
expand(const char *pattern, uint32_t pid, bool *per_process)
{
    char *name = memory_zalloc(strlen(pattern) * 6 + 1, 1), *to = name; /* %p: 2 bytes become 10 at most */

    *per_process = false;
    for (const char *c = pattern; *c; c++) {
        if (c[0] == '%' && c[1] == 'p') {
            to += sprintf(to, "%u", pid);
            *per_process = true;
            c++;
        } else {
            if (c[0] == '%' && c[1] == '%')
                c++;
            *to++ = *c;
        }
    }
    return name;
}

static bool
failed(char **error, const char *what, const char *name)
{
    *error = memory_printf("cannot %s %s: %s", what, name, strerror(errno));
    return false;
}

/* Devices and pipes are written to directly; everything else is replaced whole. */
static bool
is_special(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool
write_to(FILE *out, const struct report *r, report_writer *writer, const struct process *only,
         const struct write_options *o)
{
    bool good;

    writer(r, only, o, out);
    good = !ferror(out) && fflush(out) == 0;
    return fclose(out) == 0 && good;
}

static bool
write_one(const struct report *r, report_writer *writer, const char *name, const struct process *only,
          const struct write_options *o, char **error)
{
    char *beside;
    FILE *out;
    bool good;

    if (is_special(name)) {
        out = fopen(name, "we");
        if (!out)
            return failed(error, "open", name);
        return write_to(out, r, writer, only, o) || failed(error, "write", name);
    }
    beside = memory_printf("%s.%u.new", name, (unsigned)getpid());
    out = fopen(beside, "we");
    good = out || failed(error, "create", beside);
    if (good && !write_to(out, r, writer, only, o))
        good = failed(error, "write", beside);
    if (good && rename(beside, name) != 0)
        good = failed(error, "replace", name);
    if (!good && out)
        unlink(beside);
    free(beside);
    return good;
}

bool
output_write_process(const struct report *r, enum output_format format, const char *name,
                     const struct process *p, const struct write_options *o, char **error)
{
    *error = NULL;
    return write_one(r, writers[format], name, p, o, error);
}

/* The name of a process' file. XML has one process a file, whatever the pattern says. */
static char *
name_for(const char *pattern, enum output_format format, const struct process *p, size_t index,
         bool *per_process)
{
    char *name = expand(pattern, p->pid, per_process), *longer;

    if (format != FORMAT_XML || *per_process)
        return name;
    *per_process = true;
    if (index == 0)
        return name;
    longer = memory_printf("%s.%u", name, p->pid);
    free(name);
    return longer;
}

bool
output_write(const struct report *r, enum output_format format, const char *pattern,
             const struct write_options *o, char **error)
{
    bool per_process = false, good = true;

    *error = NULL;
    for (size_t i = 0; i < r->process_count && good; i++) {
        char *name = name_for(pattern, format, r->processes[i], i, &per_process);

        good = write_one(r, writers[format], name, per_process ? r->processes[i] : NULL, o, error);
        free(name);
        if (!per_process)
            break;
    }
    if (r->process_count == 0) {
        char *name = expand(pattern, (uint32_t)getpid(), &per_process);

        good = write_one(r, writers[format], name, NULL, o, error);
        free(name);
    }
    return good;
}
