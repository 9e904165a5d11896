/* SPDX-License-Identifier: BSD-3-Clause */
/* drrun: from a parsed command line to the running program. */
#include "drrun.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "launch.h"
#include "profile_report.h"
#include "program.h"
#include "replay_command.h"
#include "reporter.h"
#include "trace_command.h"

/* A note that costs nobody anything: on the console only if a tool reports
 * there anyway and -quiet was not given, and in the log if there is one. */
static void
note(const struct command *cmd, const struct settings *s, const char *text)
{
    const char *logdir = settings_get(s, OPT_LOGDIR);

    if (s->tools_n && !settings_on(s, OPT_QUIET))
        dprintf(STDERR_FILENO, "%s: %s\n", cmd->name, text);
    if (logdir) {
        const char *path = keep_printf("%s/drrun.%d.log", logdir, (int)getpid());
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

        if (fd >= 0) {
            dprintf(fd, "%s\n", text);
            close(fd);
        }
    }
}

/* Makes the folder if need be, and its path absolute: the program may change folders. */
static bool
prepare_logdir(struct settings *s, struct error *err)
{
    const char *path = settings_get(s, OPT_LOGDIR);
    char full[PATH_MAX];

    if (!path)
        return true;
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return error_sys(err, STATUS_USAGE, "cannot create the folder %s", path);
    if (!realpath(path, full) || access(keep_printf("%s/.", full), W_OK | X_OK) < 0)
        return error_sys(err, STATUS_USAGE, "cannot write into the folder %s", path);
    s->value[OPT_LOGDIR] = keep_string(full);
    return true;
}

static bool
run_native(const struct command *cmd, const struct settings *s, const struct program *program, char **app,
           struct error *err)
{
    const char *gate = s->value[OPT_EXIT_CODE_IF_ERRORS];

    if (gate && report_wanted(s))
        return error_set(err, (enum status)atoi(gate), "%s would run natively, so that nothing would be checked: %s",
                         program->path, program->native);
    note(cmd, s,
         keep_printf("%s runs natively, without the translator and tools: %s", program->path,
                     program->native));
    return launch_native(program, app, err);
}

/* *r is NULL where nothing is to be reported. A reporter that cannot be started does not keep the program from running. */
static bool
start_reporter(const struct command *cmd, const struct install *in, const struct settings *s, struct reporter *room,
               const struct reporter **r, struct error *err)
{
    const char *why = NULL;
    struct report_files files;
    struct tool_use *profiler = profile_tool(s);
    struct profile_request profile;

    *r = NULL;
    if (!report_wanted(s))
        return true;
    if (!report_files_open(&files, in, s, err) || (profiler && !profile_request_read(&profile, profiler, s, err)))
        return false;
    files.profile = profiler ? &profile : NULL;
    if (!report_of_errors_wanted(s))
        files.session.quiet = true;
    files.session.logdir = settings_get(s, OPT_LOGDIR);
    for (size_t i = 0; i < s->tools_n && !files.session.logdir; i++)
        if (s->tools[i].tool.reports && !(files.session.logdir = report_default_logdir()))
            note(cmd, s, "there is no folder for results: give one by -logdir, or set XDG_STATE_HOME");
    *r = room;
    if (!reporter_start(room, &files, &why))
        note(cmd, s, keep_printf("nothing will be reported: cannot start the reporter: %s", why));
    return true;
}

bool
drrun(const struct command *cmd, const struct install *in, struct command_line *line, struct error *err)
{
    struct settings *s = &line->settings, from_files;
    struct conf_names names = {0};
    const struct reporter *r;
    struct reporter reporter;
    struct program program;

    if (s->value[OPT_REPLAY])
        return replay_command(in, s, line, err);
    bool done;
    if (!profile_command(s, line, &done, err) || done)
        return !err->text;
    if (trace_command_wanted(s))
        return trace_command(s, line, err);
    if (!line->app[0])
        return error_set(err, STATUS_USAGE, "no program to run was given");
    if (!program_find(&program, line->app[0], err) || !program_check(&program, err))
        return false;
    if (settings_on(s, OPT_CONF)) {
        if (!conf_read_app(basename(program.path), in, &from_files, err) || !conf_read_names(&names, err))
            return false;
        settings_fall_back(s, &from_files);
    }
    if (!prepare_logdir(s, err))
        return false;
    if (program.native)
        return run_native(cmd, s, &program, line->app, err);
    if (!start_reporter(cmd, in, s, &reporter, &r, err))
        return false;
    return launch_engine(in, s, &names, r, &program, line->app, err);
}
