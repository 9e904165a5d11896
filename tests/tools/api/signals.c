/* Decides about signals: SIGUSR1 is delivered with another value, SIGUSR2 and SIGTERM are suppressed, and a
 * fault of `mov (%rax), %rcx` (48 8b 08) is redirected past it with rcx 99. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGTERM = 15, VALUE_AT = 24 };
static int seen[65];

static enum dr_signal_action
signal(struct dr_signal *s)
{
    static const uint8_t load[3] = {0x48, 0x8b, 0x08};
    uint8_t at[3];

    seen[s->number]++;
    switch (s->number) {
    case SIGUSR1:
        *(int *)((char *)s->info + VALUE_AT) += 1;
        return DR_SIGNAL_DELIVER;
    case SIGUSR2:
    case SIGTERM:
        return DR_SIGNAL_SUPPRESS;
    case SIGSEGV:
        if (!s->fault || !dr_safe_read(at, s->mc->rip, 3) || at[0] != load[0] || at[1] != load[1] || at[2] != load[2])
            return DR_SIGNAL_DELIVER;
        s->mc->rip += 3;
        s->mc->gpr[RCX] = 99;
        return DR_SIGNAL_REDIRECT;
    }
    return DR_SIGNAL_DELIVER;
}

static void
at_exit(void)
{
    dr_print("signals: USR1 %d USR2 %d TERM %d SEGV %d\n", seen[SIGUSR1], seen[SIGUSR2], seen[SIGTERM], seen[SIGSEGV]);
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "signals", .signal = signal, .exit = at_exit};
