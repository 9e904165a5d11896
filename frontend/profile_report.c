/* SPDX-License-Identifier: BSD-3-Clause */
/* Profiles: what is asked of them on the command line, and their way from raw files to reports. */
#include "profile_report.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "drtools/record.h"
#include "reports/memory.h"

/* ---- the command line ---- */

struct tool_use *
profile_tool(const struct settings *s)
{
    for (size_t i = 0; i < s->tools_n; i++)
        if (s->tools[i].tool.profiles)
            return &s->tools[i];
    return NULL;
}

static const char *
absolute(const char *here, const char *path)
{
    return path[0] == '/' ? keep_string(path) : keep_printf("%s/%s", here, path);
}

static bool
add_format(struct profile_request *q, const char *name, struct error *err)
{
    if (q->n == PROFILE_MAX_OUTPUTS)
        return error_set(err, STATUS_USAGE, "more than %d formats", PROFILE_MAX_OUTPUTS);
    for (int f = 0; f < PROFILE_FORMATS; f++)
        if (strcmp(profile_format_names[f], name) == 0) {
            q->output[q->n].format = (enum profile_format)f;
            q->output[q->n++].path = NULL;
            return true;
        }
    return error_set(err, STATUS_USAGE, "there is no format %s of profiles", name);
}

static bool
set_path(struct profile_request *q, const char *path, struct error *err)
{
    if (!q->n && !add_format(q, "callgrind", err))
        return false;
    path = absolute(q->here, path);
    const char *slash = strrchr(path, '/');
    if (access(keep_printf("%.*s/.", (int)(slash - path), path), W_OK | X_OK) != 0)
        return error_sys(err, STATUS_USAGE, "cannot write %s", path);
    q->output[q->n - 1].path = path;
    return true;
}

/* Memory, if there is much of it to be had as files. */
static const char *
folder_of_raw_files(void)
{
    const char *tmp = getenv("TMPDIR");
    struct statvfs v;
    char *path;

    if (statvfs("/dev/shm", &v) == 0 && access("/dev/shm", W_OK | X_OK) == 0 && v.f_bavail * v.f_frsize > 512ul << 20)
        tmp = "/dev/shm";
    path = keep_printf("%s/drprof.XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    return mkdtemp(path);
}

/* One of our options; true if it is, with *value its value. */
static bool
is_ours(const char *word)
{
    static const char *const ours[] = {"-format", "-o", "-top", "-convert", "-diff"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(ours[i], word) == 0)
            return true;
    return false;
}

static bool
take_options(struct profile_request *q, struct tool_use *use, struct words *rest, struct error *err)
{
    for (size_t i = 0; i < use->args.n; i++) {
        const char *word = use->args.v[i], *value = i + 1 < use->args.n ? use->args.v[i + 1] : "";
        if (strcmp(word, "-annotate") == 0 || strcmp(word, "-no_annotate") == 0) {
            q->annotate = word[1] == 'a';
            continue;
        }
        if (!is_ours(word)) {
            if (strcmp(word, "-raw") == 0) {
                q->raw = absolute(q->here, value);
                use->args.v[i + 1] = keep_string(q->raw);
            }
            words_add(rest, word);
            continue;
        }
        i++;
        if (strcmp(word, "-format") == 0 && !add_format(q, value, err))
            return false;
        if (strcmp(word, "-o") == 0 && !set_path(q, value, err))
            return false;
        if (strcmp(word, "-top") == 0)
            q->top = (unsigned)strtoul(value, NULL, 10);
    }
    return true;
}

static bool
read_request(struct profile_request *q, struct tool_use *use, const struct settings *s, struct words *rest, struct error *err)
{
    char here[PATH_MAX];

    memset(q, 0, sizeof *q);
    q->here = keep_string(getcwd(here, sizeof here) ? here : "/");
    q->quiet = settings_on(s, OPT_QUIET);
    q->top = 20;
    if (!take_options(q, use, rest, err))
        return false;
    return q->n || add_format(q, "callgrind", err);
}

bool
profile_request_read(struct profile_request *q, struct tool_use *use, const struct settings *s, struct error *err)
{
    struct words rest = {0};

    if (!read_request(q, use, s, &rest, err))
        return false;
    if (!q->raw) {
        q->folder = folder_of_raw_files();
        if (!q->folder)
            return error_sys(err, STATUS_USAGE, "cannot create a folder for the profile (TMPDIR says where)");
        q->raw = keep_printf("%s/p", q->folder);
        words_add(&rest, "-raw");
        words_add(&rest, q->raw);
    }
    use->args = rest;
    return true;
}

/* ---- writing ---- */

static const char *
default_name(enum profile_format format, const char *which)
{
    static const char *const pattern[PROFILE_FORMATS] = {
        "callgrind.out.%s", "drprof.%s.pb.gz", "drprof.%s.folded", "drprof.%s.speedscope.json", "drprof.%s.json", "drprof.%s.html", "drprof.%s.txt",
    };

    return keep_printf(pattern[format], which);
}

/* Which of several profiles of a run: a process, what it became by execve, a part. */
static const char *
which_one(const struct profile *p, unsigned again)
{
    const char *which = again ? keep_printf("%u-%u", p->pid, again + 1) : keep_printf("%u", p->pid);

    return p->part ? keep_printf("%s.%u", which, p->part) : which;
}

/* The last file that could not be written, or NULL; errno says why. */
static const char *
write_outputs(const struct profile_request *q, struct profile *p, unsigned again, bool plain)
{
    const char *failed = NULL, *which = which_one(p, again);

    for (unsigned i = 0; i < q->n; i++) {
        const char *path = q->output[i].path;
        if (!path)
            path = keep_printf("%s/%s", q->here, default_name(q->output[i].format, which));
        else if (!plain)
            path = keep_printf("%s.%s", path, which);
        FILE *f = fopen(path, "we");
        if (f)
            profile_write(p, q->output[i].format, f);
        bool bad = !f || ferror(f);
        if (f && fclose(f) != 0)
            bad = true;
        if (bad)
            failed = path;
    }
    return failed;
}

static void
write_text(const struct profile_request *q, struct profile *p, bool whole, FILE *out)
{
    if (!whole) {
        profile_write_table(p, out, 0);
        return;
    }
    profile_write_table(p, out, q->top);
    if (q->annotate)
        profile_write_annotated(p, out, 10);
}

/* ---- without a program ---- */

static const char *
value_of(const struct tool_use *use, const char *option)
{
    for (size_t i = 0; i + 1 < use->args.n; i++)
        if (strcmp(use->args.v[i], option) == 0)
            return use->args.v[i + 1];
    return NULL;
}

static bool
convert(const struct profile_request *q, const char *raw, struct error *err)
{
    const char *why = NULL, *failed;
    struct profile *p = profile_read(raw, &why);

    if (!p)
        return error_set(err, STATUS_USAGE, "cannot read %s: %s", raw, why);
    failed = write_outputs(q, p, 0, true);
    if (failed && !error_sys(err, STATUS_USAGE, "cannot write %s", failed))
        q = NULL;
    if (q && !q->quiet)
        write_text(q, p, true, stdout);
    profile_free(p);
    return !failed;
}

static bool
diff(const struct profile_request *q, const char *before, const char *after, struct error *err)
{
    const char *why = NULL;
    FILE *html = NULL;

    for (unsigned i = 0; i < q->n && !html; i++)
        if (q->output[i].format == PROFILE_HTML) {
            const char *path = q->output[i].path ? q->output[i].path : keep_printf("%s/drprof.diff.html", q->here);
            html = fopen(path, "we");
            if (!html)
                return error_sys(err, STATUS_USAGE, "cannot write %s", path);
        }
    bool good = profile_diff(before, after, q->quiet ? NULL : stdout, html, &why);
    if (html && fclose(html) != 0 && good)
        return error_sys(err, STATUS_USAGE, "cannot write the page of the comparison");
    return good || error_set(err, STATUS_USAGE, "%s", why);
}

bool
profile_command(const struct settings *s, struct command_line *line, bool *done, struct error *err)
{
    struct tool_use *use = profile_tool(s);
    const char *raw = use ? value_of(use, "-convert") : NULL, *before = use ? value_of(use, "-diff") : NULL;
    struct profile_request q;
    struct words rest = {0};

    *done = raw || before;
    if (!*done)
        return true;
    if (!read_request(&q, use, s, &rest, err))
        return false;
    if (raw)
        return line->app[0] ? error_set(err, STATUS_USAGE, "-convert takes no program") : convert(&q, raw, err);
    if (!line->app[0] || line->app[1])
        return error_set(err, STATUS_USAGE, "-diff takes two files, behind all options");
    return diff(&q, before, line->app[0], err);
}

/* ---- in the reporter ---- */

struct raw_file { uint32_t pid; char *path; };
static struct raw_file *files;
static size_t n_files, room;

void
profile_note(uint32_t pid, const char *path, size_t length)
{
    GROW(files, n_files, room);
    files[n_files++] = (struct raw_file){pid, memory_string_n(path, length)};
}

static void __attribute__((format(printf, 2, 3)))
say_line(profile_say *say, const char *format, ...)
{
    va_list ap;
    char *text;

    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        return;
    say(NULL, text, (size_t)n);
    free(text);
}

static void
report_one(const struct profile_request *q, const struct raw_file *file, unsigned again, bool root, profile_say *say)
{
    const char *why = NULL, *failed;
    struct profile *p = profile_read(file->path, &why);
    char *text = NULL;
    size_t size = 0;
    FILE *out;

    if (!p) {
        say_line(say, "drprof: no profile of process %u: %s\n", file->pid, why);
        return;
    }
    failed = write_outputs(q, p, again, root && !again && !p->part);
    if (failed)
        say_line(say, "drprof: cannot write %s: %s\n", failed, strerror(errno));
    out = q->quiet ? NULL : open_memstream(&text, &size);
    if (out) {
        write_text(q, p, root && !p->part, out);
        fclose(out);
        say(NULL, text, size);
        free(text);
    }
    profile_free(p);
}

static void
done_with(const struct profile_request *q, struct raw_file *file)
{
    if (q->folder)
        unlink(file->path);
    free(file->path);
    file->path = NULL;
}

static bool is_part(const struct raw_file *file) { return file->path && strstr(profile_base_name(file->path), ".part"); }

void
profile_parts(const struct profile_request *q, profile_say *say)
{
    for (size_t i = 0; i < n_files; i++)
        if (is_part(&files[i])) {
            report_one(q, &files[i], 0, false, say);
            done_with(q, &files[i]);
        }
}

void
profile_ended(const struct profile_request *q, uint32_t pid, bool root, profile_say *say)
{
    unsigned again = 0;

    for (size_t i = 0; i < n_files; i++)
        if (files[i].pid == pid && files[i].path) {
            report_one(q, &files[i], again, root, say);
            again++;
            done_with(q, &files[i]);
        }
}

void
profile_finish(const struct profile_request *q)
{
    if (q->folder)
        rmdir(q->folder);
}
