/* SPDX-License-Identifier: BSD-3-Clause */
/* Progress by SIGALRM: what it may interrupt needs no looking at the clock. */
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SECONDS_OF_SILENCE = 2 };

static volatile sig_atomic_t seconds, shown;
static int terminal = -1;
static const char *line;
static void (*call)(void);

static void
put(const char *text)
{
    int saved = errno;

    if (write(terminal, text, strlen(text)) < 0)
        terminal = -1;
    errno = saved;
}

static void
tick(int sig)
{
    (void)sig;
    if (call)
        call();
    if (++seconds == SECONDS_OF_SILENCE && terminal >= 0) {
        put(line);
        shown = 1;
    }
}

static void
set_timer(int interval)
{
    struct itimerval t = {{interval, 0}, {interval, 0}};

    setitimer(ITIMER_REAL, &t, NULL);
}

void
progress_begin(int fd, const char *text, void (*each)(void))
{
    struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};

    seconds = shown = 0;
    terminal = fd >= 0 && isatty(fd) ? fd : -1;
    line = text;
    call = each;
    sigaction(SIGALRM, &action, NULL);
    set_timer(1);
}

void
progress_erase(void)
{
    if (shown)
        put("\r\033[K");
    shown = 0;
}

void
progress_end(void)
{
    set_timer(0);
    progress_erase();
}
