/* Asks the tool `control` to stop threads, flush and redirect, and nudges itself. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STOP = 1, FLUSH, FLUSH_SYNCHRONOUSLY, FLUSH_LATER, TRANSLATIONS, REDIRECT, NUDGES, HEAP, NAMES };
static long ask(long what, const void *a, const void *b, const void *c) { return syscall(1000, what, a, b, c); }

static volatile uint64_t counters[8];
static volatile int done, released;
static int pipe_fd[2];

static void *
count(void *arg)
{
    volatile uint64_t *mine = &counters[(intptr_t)arg];

    while (!done)
        ++*mine;
    return NULL;
}

static void *
calls(void *arg)
{
    while (!done) {
        ++counters[(intptr_t)arg];
        getppid();
    }
    return NULL;
}

static void *
sleeps(void *arg)
{
    char c;

    (void)arg;
    return (void *)(intptr_t)read(pipe_fd[0], &c, 1);
}

/* Threads that are hard to reach: each blocks every signal and sleeps in another way. */
static volatile int child_may_go, got_signal;

static void *
waits_for_any_signal(void *arg)
{
    sigset_t all;
    int sig = 0;

    (void)arg;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    sigwait(&all, &sig);
    got_signal = 1;
    return (void *)(intptr_t)sig;
}

static void *
polls_under_a_full_mask(void *arg)
{
    struct pollfd p = {.fd = pipe_fd[0], .events = POLLIN};
    sigset_t all;

    (void)arg;
    sigfillset(&all);
    return (void *)(intptr_t)ppoll(&p, 1, NULL, &all);
}

static void *
waits_for_a_vfork_child(void *arg)
{
    (void)arg;
    if (vfork() == 0) {
        while (!child_may_go)
            usleep(1000);
        _exit(0);
    }
    return (void *)1;
}

/* Never ends by itself. */
void trap(void), trap_end(void), trap_exit(void);
__asm__(".text\ntrap: jmp trap\ntrap_end: nop\ntrap_exit: movl $1, released(%rip)\nret\n");

static void *
trapped(void *arg)
{
    (void)arg;
    trap();
    return (void *)(intptr_t)released;
}

static int
work(int x)
{
    __asm__ volatile("" : "+r"(x));
    return x + 1;
}
static int (*volatile call_work)(int) = work;

static long
translated(void)
{
    return ask(TRANSLATIONS, (void *)work, NULL, NULL) >> 32;
}

static void
flushes(void)
{
    static const int ways[] = {FLUSH, FLUSH_SYNCHRONOUSLY, FLUSH_LATER};

    translated();
    for (int w = 0; w < 3; w++) {
        long before = translated(), n;
        call_work(1);
        n = ask(ways[w], (void *)work, (char *)work + 1, NULL);
        getpid();
        call_work(1);
        printf("way %d: %s, %ld more\n", w, ways[w] == FLUSH_LATER || n > 0 ? "flushed" : "nothing flushed", translated() - before - (w == 0));
    }
}

static void
send_nudge(int arg)
{
    siginfo_t info;

    memset(&info, 0, sizeof info);
    info.si_signo = 4;
    info.si_code = -0x6473;
    info.si_value.sival_int = arg;
    syscall(SYS_rt_sigqueueinfo, getpid(), 4, &info);
}

int
main(void)
{
    pthread_t t[11];
    void *result;
    int wrong = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    pipe(pipe_fd);
    for (intptr_t i = 0; i < 10; i++)
        pthread_create(&t[i], NULL, (void *(*[])(void *)){count, count, calls, calls, count, sleeps, trapped, waits_for_any_signal, polls_under_a_full_mask, waits_for_a_vfork_child}[i], (void *)i);
    for (int i = 0; i < 5; i++)
        while (!counters[i])
            ;
    for (int i = 0; i < 30; i++)
        wrong += ask(STOP, (void *)counters, NULL, NULL) != 11;
    pthread_setname_np(t[0], "counter");
    pthread_setname_np(t[4], "counter");
    printf("named %ld\n", ask(NAMES, NULL, NULL, NULL));
    printf("stopped, wrong %d\n", wrong);
    for (int i = 0; i < 50; i++)
        ask(FLUSH_SYNCHRONOUSLY, (void *)count, (char *)count + 400, NULL);
    while (ask(REDIRECT, (void *)trap, (void *)trap_end, (void *)trap_exit) != 1)
        ;
    pthread_join(t[6], &result);
    printf("released %d\n", (int)(intptr_t)result);
    for (int i = 1; i <= 3; i++) {
        send_nudge(i);
        while (ask(NUDGES, NULL, NULL, NULL) >> 32 < i)
            ;
    }
    printf("nudged %d\n", (int)ask(NUDGES, NULL, NULL, NULL));
    done = 1;
    write(pipe_fd[1], "xx", 2);
    pthread_kill(t[7], SIGTRAP);
    while (!got_signal)              /* before the child's SIGCHLD */
        usleep(1000);
    child_may_go = 1;
    for (int i = 0; i < 10; i++)
        if (i != 6) {
            pthread_join(t[i], &result);
            if (i >= 5)
                printf("%d ", (int)(intptr_t)result);
        }
    puts("results");
    flushes();
    printf("heap %ld\n", ask(HEAP, NULL, NULL, NULL));
    return 0;
}
