/* Descriptors of the engine's own. A handful: a linear table serves. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux/descriptors.h"

#include "linux/sys.h"
#include "util/base.h"

enum { MAX_OURS = 8, OP_DUPFD_CLOEXEC = 1030 };
static int ours[MAX_OURS];
static int n_ours;

static unsigned
highest_number(void)
{
    uint64_t limit[2];

    if (sys_failed(sys4(__NR_prlimit64, 0, 7 /* RLIMIT_NOFILE */, 0, (long)limit)))
        return 1024;
    return (unsigned)MIN(limit[0], 1u << 20);
}

int
descriptor_hide(int fd)
{
    unsigned top = highest_number();
    long high = -1;

    for (unsigned want = top - 8; want > 3 && want < top && sys_failed(high); want -= want / 2)
        high = sys3(__NR_fcntl, fd, OP_DUPFD_CLOEXEC, want);
    if (!sys_failed(high)) {
        sys_close(fd);
        fd = (int)high;
    }
    CHECK(n_ours < MAX_OURS, "the engine has few descriptors");
    ours[n_ours++] = fd;
    return fd;
}

void
descriptor_forget(int fd)
{
    for (int i = 0; i < n_ours; i++)
        if (ours[i] == fd)
            ours[i] = ours[--n_ours];
}

bool
descriptor_is_ours(int fd)
{
    for (int i = 0; i < n_ours; i++)
        if (ours[i] == fd)
            return true;
    return false;
}

int
descriptor_first_in(unsigned lo, unsigned hi)
{
    int best = -1;

    for (int i = 0; i < n_ours; i++)
        if ((unsigned)ours[i] >= lo && (unsigned)ours[i] <= hi && (best < 0 || ours[i] < best))
            best = ours[i];
    return best;
}
