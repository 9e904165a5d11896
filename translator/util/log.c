/* Logging by subject to a descriptor of our own, one write a line. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "util/log.h"

#include "core/thread.h"
#include "linux/descriptors.h"
#include "linux/sys.h"

uint32_t log_mask;
static int log_fd = 2;
static const char *const names[LOG_SUBJECTS] = {"cache", "dispatch", "signal", "syscall", "memory", "loader", "thread"};

bool
log_enable(const char *subjects)
{
    while (*subjects) {
        size_t n = 0;
        int found = -1;
        while (subjects[n] && subjects[n] != ',')
            n++;
        for (int i = 0; i < LOG_SUBJECTS; i++)
            if (strlen(names[i]) == n && strncmp(names[i], subjects, n) == 0)
                found = i;
        if (n == 3 && strncmp(subjects, "all", 3) == 0)
            log_mask = ~0u;
        else if (found < 0)
            return false;
        else
            log_mask |= 1u << found;
        subjects += n + (subjects[n] == ',');
    }
    return true;
}

void
log_open(const char *dir)
{
    char path[4096];

    format(path, sizeof path, "%s/engine.%d.log", dir, (int)sys0(__NR_getpid));
    long fd = sys_openat(-100, path, 02101 | 02000000, 0644);   /* O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC */
    if (fd >= 0) {
        log_fd = (int)fd;
        descriptor_hide(&log_fd);
    }
}

void
log_line(const char *fmt, ...)
{
    char line[600];
    va_list ap;

    size_t n = format(line, sizeof line, "[%d] ", (int)sys0(__NR_gettid));
    va_start(ap, fmt);
    n += format_v(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    n = MIN(n, sizeof line - 2);
    line[n++] = '\n';
    sys_write(log_fd, line, n);
}

void
check_failed(const char *file, int line, const char *what)
{
    struct thread *t = thread_count ? thread_self() : NULL;

    print_err("drtools: engine fault: CHECK failed: %s (%s:%d, thread %d, %s, program pc 0x%lx)\n", what, file, line,
              (int)sys0(__NR_gettid), t && t->doing ? t->doing : "starting", t ? (unsigned long)t->s.mc.rip : 0ul);
    sys_exit_group(125);
}
