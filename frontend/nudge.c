/* SPDX-License-Identifier: BSD-3-Clause */
/* Nudging a running process. The signal would end one that has no engine
 * to take it (or not yet), so it is sent to none but those. */
#include "nudge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drtools/nudge.h"
#include "keep.h"

/* Is its program an engine: this one, or that of another copy of drtools? */
static bool
is_engine(const struct install *in, const char *pid, bool *is, struct error *err)
{
    static const char name[] = "/drengine";
    const char *exe = keep_printf("/proc/%s/exe", pid);
    struct stat its, ours;
    char path[4096];
    ssize_t n;

    n = readlink(exe, path, sizeof path - 1);
    if (n < 0 && errno == ENOENT && access(keep_printf("/proc/%s", pid), F_OK) != 0)
        return error_set(err, STATUS_USAGE, "there is no process %s", pid);
    if (n < 0 && errno == ENOENT) {
        *is = false; /* a zombie, or a thread of the kernel's */
        return true;
    }
    if (n < 0)
        return error_sys(err, STATUS_USAGE, "cannot look at process %s", pid);
    path[n] = 0;
    *is = (stat(exe, &its) == 0 && stat(in->engine, &ours) == 0 && its.st_dev == ours.st_dev && its.st_ino == ours.st_ino) ||
          (strrchr(path, '/') && strncmp(strrchr(path, '/'), name, strlen(name)) == 0);
    return true;
}

/* Does it catch the signal? An engine does from soon after its start. */
static bool
catches(const char *pid)
{
    FILE *f = fopen(keep_printf("/proc/%s/status", pid), "re");
    unsigned long long caught = 0;
    char line[256];

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "SigCgt: %llx", &caught) == 1)
            break;
    if (f)
        fclose(f);
    return caught >> (DR_NUDGE_SIGNAL - 1) & 1;
}

static bool
await_start(const char *pid)
{
    for (int i = 0; i < 200; i++) {
        if (catches(pid))
            return true;
        usleep(5000);
    }
    return false;
}

bool
nudge_command(const struct install *in, struct command_line *line, struct error *err)
{
    const char *pid = line->settings.value[OPT_NUDGE];
    siginfo_t info;
    bool engine;

    if (line->app[0])
        return error_set(err, STATUS_USAGE, "-nudge takes no program");
    if (!is_engine(in, pid, &engine, err))
        return false;
    if (!engine || !await_start(pid))
        return error_set(err, STATUS_USAGE, "process %s does not run under drtools", pid);
    memset(&info, 0, sizeof info);
    info.si_signo = DR_NUDGE_SIGNAL;
    info.si_code = DR_NUDGE_CODE;
    if (syscall(SYS_rt_sigqueueinfo, atoi(pid), DR_NUDGE_SIGNAL, &info) < 0)
        return error_sys(err, STATUS_USAGE, "cannot nudge process %s", pid);
    return true;
}
