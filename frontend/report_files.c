/* SPDX-License-Identifier: BSD-3-Clause */
/* Options and files of reports. */
#include "report_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    enum option_id option;
    enum output_format format;
} outputs[] = {
    {OPT_JSON, FORMAT_JSON}, {OPT_SARIF, FORMAT_SARIF}, {OPT_JUNIT, FORMAT_JUNIT},
    {OPT_XML, FORMAT_XML},   {OPT_HTML, FORMAT_HTML},   {OPT_VALGRIND_LOG, FORMAT_VALGRIND_TEXT},
};

enum { OUTPUTS = sizeof outputs / sizeof *outputs };

bool
report_of_errors_wanted(const struct settings *s)
{
    bool wanted = s->value[OPT_RECORD];

    for (size_t i = 0; i < OUTPUTS; i++)
        wanted |= s->value[outputs[i].option] != NULL;
    for (size_t i = 0; i < s->tools_n; i++)
        wanted |= s->tools[i].tool.reports;
    return wanted && s->tools_n;
}

bool
report_wanted(const struct settings *s)
{
    bool profiles = false;

    for (size_t i = 0; i < s->tools_n; i++)
        profiles |= s->tools[i].tool.profiles;
    return profiles || report_of_errors_wanted(s);
}

static const char *
absolute(const char *path)
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    const char *whole = here ? keep_printf("%s/%s", here, path) : path;

    free(here);
    return whole;
}

static bool
make_folders(const char *path)
{
    char *copy = keep_string(path);

    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return (mkdir(copy, 0777) == 0 || errno == EEXIST) && access(copy, W_OK | X_OK) == 0;
}

const char *
report_default_logdir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const char *path = state && state[0] == '/' ? keep_printf("%s/drtools", state)
                       : home && home[0] == '/' ? keep_printf("%s/.local/state/drtools", home)
                                                : NULL;

    return path && make_folders(path) ? path : NULL;
}

static bool
bad_file(struct error *err, char *problem)
{
    error_set(err, STATUS_USAGE, "%s", problem);
    free(problem);
    return false;
}

static bool
read_suppressions(struct report_files *f, const struct install *in, const struct settings *s, struct error *err)
{
    const char *files = settings_get(s, OPT_SUPPRESS), *ours = keep_printf("%s/default.supp", in->lib);
    char *problem = NULL;

    f->session.suppressions = suppressions_new();
    if (settings_on(s, OPT_DEFAULT_SUPPRESS) && access(ours, F_OK) == 0)
        words_add(&f->suppression_files, ours);
    for (; files && *files; files += strcspn(files, "\n"), files += *files == '\n')
        words_add(&f->suppression_files, keep_slice(files, strcspn(files, "\n")));
    for (size_t i = 0; i < f->suppression_files.n; i++)
        if (!suppressions_read(f->session.suppressions, f->suppression_files.v[i], &problem))
            return bad_file(err, problem);
    f->session.write.suppression_files = (const char *const *)f->suppression_files.v;
    return true;
}

/* A report that cannot be written is better known now than after an hour. */
static bool
name_outputs(struct report_files *f, const struct settings *s, struct error *err)
{
    for (size_t i = 0; i < OUTPUTS; i++) {
        const char *path = s->value[outputs[i].option];
        const char *slash;

        if (!path)
            continue;
        path = absolute(path);
        slash = strrchr(path, '/');
        if (access(keep_printf("%.*s/.", (int)(slash - path), path), W_OK | X_OK) != 0 && access(path, W_OK) != 0)
            return error_sys(err, STATUS_USAGE, "cannot write %s", path);
        f->session.outputs[outputs[i].format] = path;
    }
    return true;
}

static bool
open_record(struct report_files *f, const struct settings *s, struct error *err)
{
    const char *path = s->value[OPT_RECORD];

    f->record = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    return !path || f->record >= 0 || error_sys(err, STATUS_USAGE, "cannot create %s", path);
}

static void
set_options(struct session_options *o, const struct settings *s)
{
    char *here = getcwd(NULL, 0);

    o->quiet = settings_on(s, OPT_QUIET);
    o->hide_findings = !settings_on(s, OPT_RESULTS_TO_STDERR);
    o->hide_summary = !settings_on(s, OPT_SUMMARY);
    o->prefix_style = (unsigned)atoi(settings_get(s, OPT_PREFIX_STYLE));
    o->lists = (struct frame_lists){
        .lib_blocklist = s->value[OPT_LIB_BLOCKLIST],
        .lib_allowlist = s->value[OPT_LIB_ALLOWLIST],
        .src_allowlist = s->value[OPT_SRC_ALLOWLIST],
        .lib_blocklist_frames = (unsigned)atoi(settings_get(s, OPT_LIB_BLOCKLIST_FRAMES)),
        .lib_allowlist_frames = (unsigned)atoi(settings_get(s, OPT_LIB_ALLOWLIST_FRAMES)),
        .src_allowlist_frames = (unsigned)atoi(settings_get(s, OPT_SRC_ALLOWLIST_FRAMES)),
    };
    o->color = settings_want_color(s);
    o->list_unused = settings_on(s, OPT_UNUSED_SUPPRESSIONS);
    o->write.version = DRTOOLS_VERSION;
    o->write.brief = settings_on(s, OPT_BRIEF);
    o->write.show_reachable = settings_on(s, OPT_SHOW_REACHABLE);
    o->write.suppression_styles = (settings_on(s, OPT_GEN_SUPPRESS_SYMS) ? SUPPRESS_BY_SYMBOL : 0) |
                                  (settings_on(s, OPT_GEN_SUPPRESS_OFFS) ? SUPPRESS_BY_OFFSET : 0);
    o->write.source_root = here ? keep_string(here) : NULL;
    free(here);
}

bool
report_files_open(struct report_files *f, const struct install *in, const struct settings *s, struct error *err)
{
    const char *baseline = s->value[OPT_BASELINE];
    char *problem = NULL;

    memset(f, 0, sizeof *f);
    set_options(&f->session, s);
    if (!read_suppressions(f, in, s, err))
        return false;
    if (baseline && !(f->session.baseline = baseline_read(baseline, &problem)))
        return bad_file(err, problem);
    return name_outputs(f, s, err) && open_record(f, s, err);
}
