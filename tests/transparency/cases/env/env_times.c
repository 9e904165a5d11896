#include "tl.h"
#include <sys/times.h>

/* clocks of the process and its threads move forward and belong together; limits and identity are what they are */
int
main(void)
{
    struct timespec a, b;
    clockid_t me, th;
    EQ(clock_getcpuclockid(0, &me), 0);
    EQ(pthread_getcpuclockid(pthread_self(), &th), 0);
    volatile uint64_t h = 0;
    uint64_t s = 3;
    for (int i = 0; i < 200; i++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        for (int k = 0; k < 1000; k++)
            h += tl_rng(&s);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        CHECK(b.tv_sec > a.tv_sec || b.tv_sec == a.tv_sec && b.tv_nsec > a.tv_nsec);
    }
    struct rusage r, rt, rc;
    EQ(getrusage(RUSAGE_SELF, &r), 0);
    EQ(getrusage(RUSAGE_THREAD, &rt), 0);
    EQ(getrusage(RUSAGE_CHILDREN, &rc), 0);
    printf("children's time %ld faults %ld\n",
           rc.ru_utime.tv_sec * 1000000 + rc.ru_utime.tv_usec + rc.ru_stime.tv_sec, rc.ru_minflt);
    CHECK(r.ru_maxrss > 0);
    struct tms t;
    CHECK(times(&t) != -1);
    EQ(t.tms_cutime + t.tms_cstime, 0);
    int lim[] = {RLIMIT_AS,    RLIMIT_CORE,    RLIMIT_CPU,   RLIMIT_DATA,     RLIMIT_FSIZE,
                 RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_NICE,  RLIMIT_NOFILE,   RLIMIT_NPROC,
                 RLIMIT_RSS,   RLIMIT_RTPRIO,  RLIMIT_STACK, RLIMIT_MSGQUEUE, RLIMIT_SIGPENDING};
    for (int i = 0; i < 15; i++) {
        struct rlimit l, p;
        getrlimit(lim[i], &l);
        prlimit(getpid(), lim[i], 0, &p);
        EQ(l.rlim_cur, p.rlim_cur);
        printf("%d: %lx %lx\n", lim[i], l.rlim_cur, l.rlim_max);
    }
    struct utsname u;
    uname(&u);
    printf("%s %s %s\n", u.sysname, u.release, u.machine);
    printf("uid %d %d gid %d %d cpus %ld page %ld\n", getuid(), geteuid(), getgid(), getegid(),
           sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_PAGESIZE));
    return tl_end();
}
