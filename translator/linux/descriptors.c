/* Descriptors of the engine's own. A handful: a linear table serves. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/descriptors.h"

#include "core/engine.h"
#include "core/tools.h"
#include "linux/sys.h"
#include "util/base.h"

enum { STDERR = 2, MAX_OURS = 32, OP_DUPFD_CLOEXEC = 1030, LIMIT_NOFILE = 7 };
/* High, but fork copies the table of descriptors up to the highest one. */
enum { HIGHEST = 4096 };
static int *ours[MAX_OURS];         /* where each one's owner keeps its number */
static int n_ours;
static int kept_console;
volatile unsigned descriptor_lowest = UINT32_MAX;

/* A duplicate of `fd` with a number that the program is not given: above its
 * limit where the hard limit leaves room, else near the top. */
static long
duplicate_high(int fd)
{
    uint64_t limit[2], more[2];
    long high = -1;

    if (sys_failed(sys4(__NR_prlimit64, 0, LIMIT_NOFILE, 0, (long)limit)))
        limit[0] = limit[1] = 1024;
    if (limit[0] < HIGHEST && limit[1] > limit[0]) {
        more[0] = MIN(limit[1], limit[0] + 64);
        more[1] = limit[1];
        sys4(__NR_prlimit64, 0, LIMIT_NOFILE, (long)more, 0);
        high = sys3(__NR_fcntl, fd, OP_DUPFD_CLOEXEC, (long)limit[0]);
        sys4(__NR_prlimit64, 0, LIMIT_NOFILE, (long)limit, 0);
    }
    unsigned top = (unsigned)MIN(limit[0], HIGHEST);
    for (unsigned want = top - 8; want > 3 && want < top && sys_failed(high); want -= want / 2)
        high = sys3(__NR_fcntl, fd, OP_DUPFD_CLOEXEC, want);
    return high;
}

void
descriptor_hide(int *fd)
{
    long high = duplicate_high(*fd);

    if (!sys_failed(high)) {
        sys_close(*fd);
        *fd = (int)high;
    }
    CHECK(n_ours < MAX_OURS, "the engine has few descriptors");
    ours[n_ours++] = fd;
    descriptor_lowest = MIN(descriptor_lowest, (unsigned)*fd);
}

void
descriptor_forget(int *fd)
{
    for (int i = 0; i < n_ours; i++)
        if (ours[i] == fd)
            ours[i] = ours[--n_ours];
}

bool
descriptor_move(int fd)
{
    for (int i = 0; i < n_ours; i++)
        if (*ours[i] == fd) {
            long high = duplicate_high(fd);
            if (sys_failed(high))
                return false;
            sys_close(fd);
            *ours[i] = (int)high;
            if (ours[i] == &kept_console)
                console_fd = kept_console;
            descriptor_lowest = MIN(descriptor_lowest, (unsigned)high);
        }
    return true;
}

bool
descriptor_is_ours(int fd)
{
    for (int i = 0; i < n_ours; i++)
        if (*ours[i] == fd)
            return true;
    return false;
}

/* ---- the console ---- */

static bool is_fork_child;

void
console_keep(void)
{
    if (console_fd != STDERR || is_fork_child || !(n_tools || options.stats))
        return;
    long copy = sys3(__NR_fcntl, STDERR, OP_DUPFD_CLOEXEC, STDERR + 1);
    if (sys_failed(copy))
        return;
    kept_console = (int)copy;
    descriptor_hide(&kept_console);
    console_fd = kept_console;
}

void
console_let_go(void)
{
    is_fork_child = true;
    if (console_fd == STDERR)
        return;
    console_fd = STDERR;
    descriptor_forget(&kept_console);
    sys_close(kept_console);
}

int
descriptor_first_in(unsigned lo, unsigned hi)
{
    int best = -1;

    for (int i = 0; i < n_ours; i++)
        if ((unsigned)*ours[i] >= lo && (unsigned)*ours[i] <= hi && (best < 0 || *ours[i] < best))
            best = *ours[i];
    return best;
}
