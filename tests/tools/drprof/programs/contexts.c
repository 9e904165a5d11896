/* Ways of control other than call and return: setjmp, signals, other stacks. Each leaves a known number of calls in a
 * known context. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

volatile int sink;
NOINLINE void leaf(void) { sink++; }

static jmp_buf place;
volatile int zero;
NOINLINE void jumps_back(int depth)
{
    if (depth)
        jumps_back(depth - 1);
    else if (!zero)
        longjmp(place, 1);
    sink++;
}
NOINLINE void after_longjmp(void) { leaf(); }
NOINLINE void with_longjmp(void)
{
    for (volatile int i = 0; i < 100; i++) {
        if (!setjmp(place))
            jumps_back(i % 7);
        after_longjmp();
    }
}

NOINLINE void handled(void) { leaf(); }
static void handler(int sig) { (void)sig; handled(); }
static sigjmp_buf signal_place;
static void jumping_handler(int sig) { (void)sig; handled(); siglongjmp(signal_place, 1); }
NOINLINE void after_signal(void) { leaf(); }
NOINLINE void with_signals(void)
{
    signal(SIGUSR1, handler);
    for (int i = 0; i < 50; i++) {
        raise(SIGUSR1);
        after_signal();
    }
    signal(SIGUSR2, jumping_handler);
    for (int i = 0; i < 50; i++) {
        if (!sigsetjmp(signal_place, 1))
            raise(SIGUSR2);
        after_signal();
    }
}

static ucontext_t mainly, others[3];
static char stacks[3][65536];
NOINLINE void on_other_stack(void) { leaf(); }
NOINLINE void inner(int k) { on_other_stack(); swapcontext(&others[k], &mainly); on_other_stack(); }
static void coroutine(int k)
{
    for (int i = 0; i < 20; i++)
        inner(k);
}
NOINLINE void resumes(int k) { leaf(); swapcontext(&mainly, &others[k]); leaf(); }
NOINLINE void with_stacks(void)
{
    for (int k = 0; k < 3; k++) {
        getcontext(&others[k]);
        others[k].uc_stack.ss_sp = stacks[k];
        others[k].uc_stack.ss_size = sizeof stacks[k];
        others[k].uc_link = &mainly;
        makecontext(&others[k], (void (*)(void))coroutine, 1, k);
    }
    for (int i = 0; i < 21; i++)
        for (int k = 0; k < 3; k++)
            resumes(k);
}

NOINLINE void with_faults(void)
{
    volatile int *null = NULL;

    signal(SIGSEGV, jumping_handler);
    for (int i = 0; i < 30; i++) {
        if (!sigsetjmp(signal_place, 1))
            *null = 1;
        after_signal();
    }
}

static void ticks(int sig) { (void)sig; }
NOINLINE void with_timer(void)
{
    struct itimerval t = {{0, 500}, {0, 500}};

    signal(SIGALRM, ticks);
    setitimer(ITIMER_REAL, &t, NULL);
    for (int i = 0; i < 3000000; i++)
        leaf();
    memset(&t, 0, sizeof t);
    setitimer(ITIMER_REAL, &t, NULL);
}

int
main(int argc, char **argv)
{
    (void)argv;
    with_longjmp();
    with_signals();
    with_stacks();
    with_faults();
    if (argc > 1)
        with_timer();
    leaf();
    return 0;
}
