/* helpers of the transparency cases: checks that print deterministic lines */
#ifndef TL_H
#define TL_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <stddef.h>
#include <stdarg.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <time.h>
#include <poll.h>
#include <sched.h>
#include <pthread.h>
#include <semaphore.h>
#include <dlfcn.h>
#include <link.h>
#include <elf.h>
#include <ucontext.h>
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/time.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <sys/socket.h>
static int tl_bad;
#define CHECK(c) ((c) ? (void)0 : (tl_bad++, (void)printf("FAIL line %d: %s\n", __LINE__, #c)))
#define EQ(a, b)                                                                    \
    do {                                                                            \
        long long a_ = (long long)(a), b_ = (long long)(b);                         \
        if (a_ != b_) {                                                             \
            tl_bad++;                                                               \
            printf("FAIL line %d: %s = %#llx, want %#llx\n", __LINE__, #a, a_, b_); \
        }                                                                           \
    } while (0)
#define NEED(c)                                                                 \
    do {                                                                        \
        if (!(c)) {                                                             \
            printf("FAIL line %d: needs %s (errno %d)\n", __LINE__, #c, errno); \
            exit(99);                                                           \
        }                                                                       \
    } while (0)

static inline int
tl_end(void)
{
    puts(tl_bad ? "BAD" : "OK");
    fflush(stdout);
    return tl_bad ? 1 : 0;
}

static inline uint64_t
tl_fnv(uint64_t h, const void *p, size_t n)
{
    const unsigned char *c = (const unsigned char *)p;
    while (n--)
        h = (h ^ *c++) * 0x100000001b3ull;
    return h;
}

#define FNV0 0xcbf29ce484222325ull

static inline uint64_t
tl_rng(uint64_t *s)
{
    uint64_t x = *s;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *s = x;
}

static inline double
tl_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void *
tl_rwx(void *at, size_t n)
{
    void *p = mmap(at, n, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    NEED(p != MAP_FAILED && (!at || p == at));
    return p;
}

static inline void
tl_on(int sig, void (*h)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = h;
    sa.sa_flags = SA_SIGINFO | flags;
    NEED(sigaction(sig, &sa, 0) == 0);
}

/* runs f in a child, returns its wait status */
static inline int
tl_child(void (*f)(void))
{
    fflush(stdout);
    pid_t p = fork();
    NEED(p >= 0);
    if (!p) {
        f();
        _exit(0);
    }
    int st;
    NEED(waitpid(p, &st, 0) == p);
    return st;
}
#endif
