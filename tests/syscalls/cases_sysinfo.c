/* What the system and the process tell of themselves: times, limits, identities. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static const struct timespec moment = {0, 1000};

CASE(gettimeofday) { return CALL(gettimeofday, out(r, 16), out(r, 8)); }
CASE(time) { return CALL(time, out(r, 8)); }
CASE(times) { return CALL(times, out(r, 32)); }
CASE(clock_gettime) { return CALL(clock_gettime, CLOCK_MONOTONIC, out(r, 16)); }
CASE(clock_getres) { return CALL(clock_getres, CLOCK_MONOTONIC, out(r, 16)); }

CASE(clock_settime)
{
    const struct timespec bad = {0, 2000000000};

    expect(r, -EINVAL);
    return CALL(clock_settime, CLOCK_REALTIME, in(r, &bad, sizeof bad));
}

CASE(settimeofday)
{
    const struct timeval bad = {0, 2000000};

    expect(r, -EINVAL);
    return CALL(settimeofday, in(r, &bad, sizeof bad), 0);
}

CASE(nanosleep) { return CALL(nanosleep, in(r, &moment, sizeof moment), room(r, 16)); }
CASE(clock_nanosleep) { return CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, in(r, &moment, sizeof moment), room(r, 16)); }
CASE(clock_nanosleep_until) { return CALL(clock_nanosleep, CLOCK_MONOTONIC, 1, in(r, &moment, sizeof moment), room(r, 16)); }

static void
on_alarm(int sig)
{
    (void)sig;
}

/* A repeated signal, so that none that comes too early matters. */
static void
soon_interrupted(void)
{
    struct sigaction sa = {.sa_handler = on_alarm};
    struct itimerval soon = {{0, 20000}, {0, 20000}};

    must(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0, "timer");
}

static const struct timespec long_time = {600, 0};

CASE(nanosleep_interrupted)
{
    soon_interrupted();
    expect(r, -EINTR);
    return CALL(nanosleep, in(r, &long_time, sizeof long_time), out(r, 16));
}

CASE(clock_nanosleep_interrupted)
{
    soon_interrupted();
    expect(r, -EINTR);
    return CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, in(r, &long_time, sizeof long_time), out(r, 16));
}

CASE(getitimer) { return CALL(getitimer, ITIMER_VIRTUAL, out(r, 32)); }

CASE(setitimer)
{
    const struct itimerval v = {{0, 0}, {1000, 0}};

    return CALL(setitimer, ITIMER_VIRTUAL, in(r, &v, sizeof v), out(r, 32));
}

static int
a_timer(void)
{
    struct sigevent e = {.sigev_notify = SIGEV_NONE};
    int id;

    must(syscall(__NR_timer_create, CLOCK_MONOTONIC, &e, &id) == 0, "timer_create");
    return id;
}

CASE(timer_create)
{
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

    return CALL(timer_create, CLOCK_MONOTONIC, in(r, &e, sizeof e), out(r, 4));
}

CASE(timer_create_with_defaults) { return CALL(timer_create, CLOCK_MONOTONIC, 0, out(r, 4)); }

CASE(timer_settime)
{
    const struct itimerspec v = {{0, 0}, {1000, 0}};

    return CALL(timer_settime, a_timer(), 0, in(r, &v, sizeof v), out(r, 32));
}

CASE(timer_gettime) { return CALL(timer_gettime, a_timer(), out(r, 32)); }
CASE(timer_delete) { return CALL(timer_delete, a_timer()); }

static int
a_timerfd(void)
{
    return (int)syscall(__NR_timerfd_create, CLOCK_MONOTONIC, 0);
}

CASE(timerfd_settime)
{
    const struct itimerspec v = {{0, 0}, {1000, 0}};

    return CALL(timerfd_settime, a_timerfd(), 0, in(r, &v, sizeof v), out(r, 32));
}

CASE(timerfd_gettime) { return CALL(timerfd_gettime, a_timerfd(), out(r, 32)); }

CASE(adjtimex)
{
    uint8_t t[208] = {0};

    return CALL(adjtimex, in(r, t, sizeof t));
}

/* Told the present state even when refused. */
CASE(adjtimex_refused)
{
    struct { uint32_t modes, pad; long rest[25]; } t = {0x4000 /* ADJ_TICK */, 0, {0}};

    expect(r, geteuid() ? -EPERM : -EINVAL);
    return CALL(adjtimex, in(r, &t, 208));
}

CASE(clock_adjtime)
{
    uint8_t t[208] = {0};

    return CALL(clock_adjtime, CLOCK_REALTIME, in(r, t, sizeof t));
}

CASE(uname) { return CALL(uname, out(r, 390)); }
CASE(sysinfo) { return CALL(sysinfo, out(r, 112)); }
CASE(getrusage) { return CALL(getrusage, RUSAGE_SELF, out(r, 144)); }
CASE(getrlimit) { return CALL(getrlimit, RLIMIT_CORE, out(r, 16)); }

CASE(setrlimit)
{
    struct rlimit l;

    must(getrlimit(RLIMIT_CORE, &l) == 0, "getrlimit");
    return CALL(setrlimit, RLIMIT_CORE, in(r, &l, sizeof l));
}

CASE(prlimit64)
{
    struct rlimit l;

    must(getrlimit(RLIMIT_CORE, &l) == 0, "getrlimit");
    return CALL(prlimit64, 0, RLIMIT_CORE, in(r, &l, sizeof l), out(r, 16));
}

CASE(getresuid) { return CALL(getresuid, out(r, 4), out(r, 4), out(r, 4)); }
CASE(getresgid) { return CALL(getresgid, out(r, 4), out(r, 4), out(r, 4)); }

CASE(getgroups)
{
    const gid_t g[3] = {1, 2, 3};

    (void)!setgroups(3, g);        /* root's; an ordinary user keeps the groups there are */
    return CALL(getgroups, 64, room(r, 256));
}

CASE(getgroups_asking_for_number) { return CALL(getgroups, 0, room(r, 256)); }

CASE(setgroups)
{
    const gid_t g[3] = {1, 2, 3};

    return CALL(setgroups, 3, in(r, g, sizeof g));
}

CASE(getcpu) { return CALL(getcpu, out(r, 4), out(r, 4), 0); }
CASE(getrandom) { return CALL(getrandom, room(r, 100), 100, 0); }
CASE(getpriority) { return CALL(getpriority, PRIO_PROCESS, 0); }
CASE(setpriority) { return CALL(setpriority, PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)); }
CASE(ioprio_get) { return CALL(ioprio_get, 1, 0); }
CASE(setuid) { return CALL(setuid, getuid()); }
CASE(setresgid) { return CALL(setresgid, -1, -1, -1); }
CASE(personality) { return CALL(personality, 0xffffffff); }
CASE(syslog) { return CALL(syslog, 3, room(r, 1000), 1000); }
CASE(syslog_size) { return CALL(syslog, 10, room(r, 1000), 1000); }

/* Scheduling. */
CASE(sched_getparam) { return CALL(sched_getparam, 0, out(r, 4)); }
CASE(sched_rr_get_interval) { return CALL(sched_rr_get_interval, 0, out(r, 16)); }

CASE(sched_setparam)
{
    const int priority = 0;

    return CALL(sched_setparam, 0, in(r, &priority, 4));
}

CASE(sched_setscheduler)
{
    const int priority = 0;

    return CALL(sched_setscheduler, 0, SCHED_OTHER, in(r, &priority, 4));
}

CASE(sched_getaffinity) { return CALL(sched_getaffinity, 0, 1024, room(r, 1024)); }

CASE(sched_setaffinity)
{
    cpu_set_t set;

    must(sched_getaffinity(0, sizeof set, &set) == 0, "sched_getaffinity");
    return CALL(sched_setaffinity, 0, sizeof set, in(r, &set, sizeof set));
}

CASE(sched_getattr) { return CALL(sched_getattr, 0, out(r, 48), 48, 0); }
CASE(sched_getattr_with_room) { return CALL(sched_getattr, 0, room(r, 200), 200, 0); }

struct attr { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; uint32_t min, max; };

CASE(sched_setattr)
{
    struct attr a = {.size = 48};

    return CALL(sched_setattr, 0, in(r, &a, 48), 0);
}

CASE(sched_setattr_sized_zero)
{
    struct attr a = {.size = 0};

    return CALL(sched_setattr, 0, in(r, &a, 48), 0);
}

CASE(sched_setattr_too_small)
{
    const uint32_t size = 8;

    expect(r, -E2BIG);
    return CALL(sched_setattr, 0, loose(r, &size, 4), 0);
}

/* Capabilities. */
static const uint32_t cap_v3[2] = {0x20080522, 0};

CASE(capget) { return CALL(capget, in(r, cap_v3, sizeof cap_v3), out(r, 24)); }

CASE(capget_version_1)
{
    static const uint32_t v1[2] = {0x19980330, 0};

    return CALL(capget, in(r, v1, sizeof v1), out(r, 12));
}

CASE(capget_asking_for_version)
{
    static const uint32_t v0[2] = {0, 0};

    return CALL(capget, in(r, v0, sizeof v0), 0);
}

CASE(capget_of_an_unknown_version)
{
    static const uint32_t v9[2] = {0x99999999, 0};

    expect(r, -EINVAL);
    return CALL(capget, in(r, v9, sizeof v9), room(r, 24));
}

CASE(capset)
{
    uint32_t h[2] = {0x20080522, 0}, data[6];

    must(syscall(__NR_capget, h, data) == 0, "capget");
    return CALL(capset, in(r, cap_v3, sizeof cap_v3), in(r, data, sizeof data));
}

CASE(get_robust_list) { return CALL(get_robust_list, 0, out(r, 8), out(r, 8)); }
CASE(membarrier) { return CALL(membarrier, 0 /* QUERY */, 0, 0); }

/* Security modules. */
CASE(lsm_list_modules)
{
    uint32_t size = 0, real;
    uint64_t ids[64];

    if (syscall(__NR_lsm_list_modules, ids, &size, 0) < 0 && errno == ENOSYS)
        skip(r, "the kernel says ENOSYS");
    real = size;
    return CALL(lsm_list_modules, out(r, real), in(r, &real, 4), 0);
}

CASE(lsm_list_modules_without_room)
{
    uint32_t size = 0;

    expect(r, -E2BIG);
    if (syscall(__NR_lsm_list_modules, NULL, &size, 0) < 0 && errno == ENOSYS)
        skip(r, "the kernel says ENOSYS");
    size = 0;
    return CALL(lsm_list_modules, 0, in(r, &size, 4), 0);
}
