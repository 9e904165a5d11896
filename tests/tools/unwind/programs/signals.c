/* Handlers on the same stack and on an alternate one, nested, of faults and of what the program sends
 * itself, at a function's first instruction too; threads; coroutines on stacks of their own. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int depth, handled;
static char *page;

__attribute__((noinline)) static int
recurse(int n)
{
    return n ? recurse(n - 1) + 1 : handled;
}

static void
on_usr1(int sig)
{
    (void)sig;
    handled += recurse(3) > 100;
    if (depth++ < 3)
        raise(SIGUSR2);
    depth--;
}

static void
on_usr2(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)info, (void)context;
    handled += 1 + (recurse(2) < 0);
}

static void
on_segv(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    recurse(2);
    mprotect((char *)((unsigned long)info->si_addr & ~4095ul), 4096, PROT_READ | PROT_WRITE);
}

__attribute__((noinline)) static void
touch(char *p)
{
    p[7]++;
    handled++;
}

static void
on_alarm(int sig)
{
    (void)sig;
    recurse(1);
}

static void *
worker(void *arg)
{
    for (int i = 0; i < 20; i++) {
        recurse(i);
        pthread_kill(pthread_self(), SIGUSR2);
    }
    return arg;
}

static ucontext_t main_context, coroutine;
static void
in_coroutine(void)
{
    for (int i = 0; i < 5; i++) {
        recurse(2);
        swapcontext(&coroutine, &main_context);
    }
}

int
main(int argc, char **argv)
{
    static char stack[1 << 16];
    struct itimerval every = {{0, 2000}, {0, 2000}};
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction a = {.sa_handler = on_usr1, .sa_flags = SA_NODEFER};
    pthread_t t[2];

    (void)argv;
    sigaction(SIGUSR1, &a, NULL);
    sigaltstack(&alt, NULL);
    a.sa_flags = SA_ONSTACK | SA_SIGINFO;
    a.sa_sigaction = on_usr2;
    sigaction(SIGUSR2, &a, NULL);
    a.sa_sigaction = on_segv;
    sigaction(SIGSEGV, &a, NULL);
    a.sa_handler = on_alarm;
    a.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &a, NULL);
    raise(SIGUSR1);
    page = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 8; i++)
        touch(page + 4096 * i);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 40; i++)
        recurse(200);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, worker, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    if (argc > 1) {                  /* stacks of the program's own: the truth is not known to the tool */
        getcontext(&coroutine);
        coroutine.uc_stack.ss_sp = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        coroutine.uc_stack.ss_size = 65536;
        coroutine.uc_link = &main_context;
        makecontext(&coroutine, in_coroutine, 0);
        for (int i = 0; i < 5; i++)
            swapcontext(&main_context, &coroutine);
    }
    printf("%d\n", handled > 0);
    return 0;
}
