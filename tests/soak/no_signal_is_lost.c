// SPDX-License-Identifier: BSD-3-Clause
/* A child sends a numbered realtime signal every SOAK_PERIOD microseconds, SOAK_SIGNALS in all, to two threads in turn:
 * one computes, the other makes system calls. Each thread must see its own numbers one after the other with
 * none left out, whatever instruction or call they interrupt, and both must keep computing right.
 * Every eighth signal has no SA_RESTART: calls that fail with EINTR are made again.
 * With BACKLOG signals under way the child waits: a slow machine delays signals but loses none, and the kernel looks
 * through its whole queue at each delivery. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "soak.h"

#define RESTARTS  (SIGRTMIN + 1)
#define INTERRUPT (SIGRTMIN + 2)

enum { BACKLOG = 200 };

/* What one receiving thread has seen; written by its handler alone. */
struct receiver {
    volatile long seen; /* numbers 1..seen have come, in order */
    volatile long bad;  /* the first number that came out of order, with `seen` before it */
    volatile long interrupted;
};

static struct receiver *receivers; /* two, in memory that the child shares */
static __thread struct receiver *mine;
static volatile int finished;
static long signals, period;

/* RESTARTS and INTERRUPT mask each other: the lower number is delivered first when both wait, so numbers are only in
 * order within a kind. Number n of a thread is INTERRUPT when n % 8 == 0, so each kind's next number is known. */
static __thread volatile long next_of_kind[2];

static void
received(int signal, siginfo_t *info, void *context)
{
    int kind = signal == INTERRUPT;
    long number = info->si_value.sival_int, next = next_of_kind[kind];

    (void)context;
    if (number != next && !mine->bad)
        mine->bad = number;
    next_of_kind[kind] = kind ? next + 8 : next % 8 == 7 ? next + 2 : next + 1;
    mine->seen++;
}

static void
receive_as(struct receiver *r)
{
    sigset_t set;

    mine = r;
    next_of_kind[0] = 1;
    next_of_kind[1] = 8;
    sigemptyset(&set);
    sigaddset(&set, RESTARTS);
    sigaddset(&set, INTERRUPT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* A checksum whose every step is used, with branches, calls through a table, divisions and string instructions. */
static unsigned long
step_add(unsigned long x)
{
    return x + 0x9e3779b9;
}

static unsigned long
step_divide(unsigned long x)
{
    return x / 7 + x % 7;
}

static unsigned long
step_copy(unsigned long x)
{
    unsigned long from[32], to[32];

    for (int i = 0; i < 32; i++)
        from[i] = x * (unsigned long)(i + 1);
    void *d = to, *s = from;
    long n = sizeof to;
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n)::"memory");
    return to[31] ^ to[3];
}

static unsigned long
step_float(unsigned long x)
{
    volatile double y = (double)(x & 0xffff);

    return x + (unsigned long)(y * 1.5 + 0.25);
}

static unsigned long (*volatile const steps[4])(unsigned long) = {step_add, step_divide, step_copy,
                                                                  step_float};

static unsigned long
checksum(void)
{
    unsigned long x = 12345;

    for (int i = 0; i < 2000; i++)
        x = steps[(x ^ (unsigned long)i) & 3](x);
    return x;
}

static void *
compute(void *unused)
{
    unsigned long want = checksum();

    receive_as(&receivers[0]);
    while (!finished) {
        unsigned long got = checksum();
        SOAK_CHECK(got == want, "computed %#lx, should be %#lx", got, want);
    }
    return unused;
}

/* Makes the call until it is not interrupted. */
#define AGAIN(call)                                        \
    __extension__({                                        \
        long result_;                                      \
        while ((result_ = (call)) == -1 && errno == EINTR) \
            mine->interrupted++;                           \
        result_;                                           \
    })

/* One round of calls; some of them block until a signal or a short time ends them. */
static void
make_calls(int fds[2], long round)
{
    struct pollfd none = {.fd = fds[0], .events = POLLIN};
    struct timespec soon = {.tv_nsec = 100000};
    long got = 0;

    SOAK_CHECK(AGAIN(write(fds[1], &round, sizeof round)) == sizeof round, "write: errno %d", errno);
    SOAK_CHECK(AGAIN(read(fds[0], &got, sizeof got)) == sizeof got && got == round, "read %ld, wrote %ld",
               got, round);
    SOAK_CHECK(AGAIN(poll(&none, 1, 0)) == 0, "poll found data in an empty pipe");
    if (poll(&none, 1, 1) == -1)
        SOAK_CHECK(errno == EINTR, "poll: errno %d", errno);
    if (nanosleep(&soon, NULL) == -1)
        SOAK_CHECK(errno == EINTR, "nanosleep: errno %d", errno);
    SOAK_CHECK(getppid() > 0 && syscall(SYS_gettid) > 0, "errno %d", errno);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    SOAK_CHECK(fd >= 0, "open: errno %d", errno);
    close(fd);
}

static void *
call(void *unused)
{
    int fds[2], made = pipe2(fds, O_CLOEXEC);

    SOAK_CHECK(made == 0, "pipe2: errno %d", errno);
    receive_as(&receivers[1]);
    for (long round = 0; !finished; round++)
        make_calls(fds, round);
    return unused;
}

static void
pause_until(struct timespec *when)
{
    when->tv_nsec += period * 1000;
    if (when->tv_nsec >= 1000000000) {
        when->tv_nsec -= 1000000000;
        when->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL);
}

static long
all_seen(void)
{
    return receivers[0].seen + receivers[1].seen;
}

/* In the child: sends every number, alternately to both threads. */
static int
send_all(pid_t process, const pid_t threads[2])
{
    struct timespec when;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    clock_gettime(CLOCK_MONOTONIC, &when);
    for (long i = 0; i < signals; i++) {
        long number = i / 2 + 1;
        siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
        int signal = number % 8 ? RESTARTS : INTERRUPT;

        info.si_value.sival_int = (int)number;
        while (i - all_seen() > BACKLOG)
            usleep(1000);
        while (syscall(SYS_rt_tgsigqueueinfo, process, threads[i % 2], signal, &info) != 0) {
            if (errno != EAGAIN) /* the kernel's queue is full: others use it too */
                return 1;
            usleep(1000);
        }
        pause_until(&when);
    }
    return 0;
}

static volatile pid_t ids[2];

static void *
begin(void *arg)
{
    long which = (long)arg;

    ids[which] = (pid_t)syscall(SYS_gettid);
    return which ? call(NULL) : compute(NULL);
}

static void
wait_for(long count)
{
    while (all_seen() < count && !receivers[0].bad && !receivers[1].bad)
        usleep(1000);
}

static void
check_receiver(const char *name, const struct receiver *r)
{
    SOAK_CHECK(r->bad == 0, "the %s thread got number %ld out of order after %ld", name, r->bad, r->seen);
    SOAK_CHECK(r->seen == signals / 2, "the %s thread got %ld of %ld", name, r->seen, signals / 2);
}

int
main(void)
{
    struct sigaction action = {.sa_sigaction = received, .sa_flags = SA_SIGINFO | SA_RESTART};
    pthread_t threads[2];
    int status;

    period = soak_size("SOAK_PERIOD", 50);
    signals = soak_size("SOAK_SIGNALS", 1200000) / 20 * 20;
    receivers = mmap(NULL, 2 * sizeof *receivers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SOAK_CHECK(receivers != MAP_FAILED, "errno %d", errno);
    sigaddset(&action.sa_mask, RESTARTS);
    sigaddset(&action.sa_mask, INTERRUPT);
    sigprocmask(SIG_BLOCK, &action.sa_mask, NULL);
    sigaction(RESTARTS, &action, NULL);
    action.sa_flags &= ~SA_RESTART;
    sigaction(INTERRUPT, &action, NULL);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, begin, (void *)i);
    while (!ids[0] || !ids[1])
        usleep(100);
    pid_t parent = getpid(), sender = fork();
    SOAK_CHECK(sender >= 0, "fork: errno %d", errno);
    if (sender == 0)
        _exit(send_all(parent, (pid_t[]){ids[0], ids[1]}));
    wait_for(signals / 10);
    soak_measure('1');
    SOAK_CHECK(waitpid(sender, &status, 0) == sender && status == 0, "sender's status %#x", status);
    wait_for(signals);
    soak_measure('2');
    finished = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    check_receiver("computing", &receivers[0]);
    check_receiver("calling", &receivers[1]);
    printf("%ld signals sent and received\n", signals);
    return 0;
}
