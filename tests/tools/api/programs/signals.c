/* What a program sees of signals that a tool changes, suppresses or redirects. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int usr1, usr2, segv, value;

static void
handler(int sig, siginfo_t *info, void *context)
{
    (void)context;
    usr1 += sig == SIGUSR1;
    usr2 += sig == SIGUSR2;
    segv += sig == SIGSEGV;
    value = info->si_value.sival_int;
}

int
main(void)
{
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
    sigaction(SIGSEGV, &a, NULL);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 6});
    int queued = value;
    for (int i = 0; i < 3; i++)
        raise(SIGUSR2);
    raise(SIGTERM);
    kill(getpid(), SIGTERM);
    long rcx = 0;
    __asm__ volatile("mov (%%rax), %%rcx" : "+c"(rcx) : "a"(8L));
    raise(SIGSEGV);
    printf("usr1 %d value %d usr2 %d segv %d rcx %ld\n", usr1, queued, usr2, segv, rcx);
    return 0;
}
