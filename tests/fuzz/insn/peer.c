/* Starts subjects, feeds them, and notices when they die or hang. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "peer.h"
#include "recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A run takes microseconds; a sequence that loops is ended after TIMEOUT, a
 * process that does not react to that is given up after GIVE_UP. */
enum {
    STEP_MS = 100,
    TIMEOUT_STEPS = 10,
    GIVE_UP_STEPS = 300,
    GIVE_UP_TRIAL = 40,
    FD_FIRST = 20,
    WORDS_MAX = 64
};

static void *
share(size_t size, const char *name, int *fd)
{
    void *p;

    *fd = memfd_create(name, MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)size) < 0 ||
        (p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0)) == MAP_FAILED) {
        fprintf(stderr, "insn_fuzz: cannot create shared memory: %s\n", strerror(errno));
        exit(2);
    }
    return p;
}

struct case_file *
cases_create(int *fd)
{
    struct case_file *c = share(sizeof *c, "cases", fd);

    return c;
}

void
peer_init(struct peer *p, const char *name, const char *subject, char **command, struct case_file *cases,
          int cases_fd)
{
    memset(p, 0, sizeof *p);
    p->name = name;
    p->subject = subject;
    p->command = command;
    p->cases = cases;
    p->cases_fd = cases_fd;
    p->results = share(sizeof *p->results, "results", &p->results_fd);
}

/* The child: descriptors FD_FIRST.. are cases, results, commands, answers. */
static _Noreturn void
become_subject(const struct peer *p, int commands, int answers)
{
    const int fds[] = {p->cases_fd, p->results_fd, commands, answers};
    char numbers[5][12];
    char *argv[WORDS_MAX + 8];
    int n = 0, null;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (p->in_trial && (null = open("/dev/null", O_WRONLY)) >= 0)
        dup2(null, 2);
    if (p->fixed_layout)
        personality(ADDR_NO_RANDOMIZE);
    for (int i = 0; i < 4; i++) {
        dup2(fds[i], FD_FIRST + i);
        snprintf(numbers[i], sizeof numbers[i], "%d", FD_FIRST + i);
    }
    snprintf(numbers[4], sizeof numbers[4], "%d", p->plant);
    for (char **w = p->command; w && *w && n < WORDS_MAX; w++)
        argv[n++] = *w;
    argv[n++] = (char *)p->subject;
    for (int i = 0; i < 5; i++)
        argv[n++] = numbers[i];
    argv[n] = NULL;
    execvp(argv[0], argv);
    fprintf(stderr, "insn_fuzz: cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void
note_death(struct peer *p)
{
    int status;

    waitpid(p->pid, &status, 0);
    if (p->results->error[0])
        snprintf(p->death, sizeof p->death, "%.90s", p->results->error);
    else if (WIFSIGNALED(status))
        snprintf(p->death, sizeof p->death, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(p->death, sizeof p->death, "exited with status %d", WEXITSTATUS(status));
}

static void
forget(struct peer *p)
{
    close(p->to);
    close(p->from);
    p->pid = 0;
}

/* Waits for one message. */
static bool
receive(struct peer *p)
{
    struct pollfd f = {.fd = p->from, .events = POLLIN};
    uint64_t progress = p->results->progress;
    uint32_t reply[2];
    int idle = 0, patience = p->in_trial ? GIVE_UP_TRIAL : GIVE_UP_STEPS;

    for (;;) {
        int n = poll(&f, 1, STEP_MS);

        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0)
            break;
        idle = p->results->progress == progress ? idle + 1 : 0;
        progress = p->results->progress;
        if (idle >= TIMEOUT_STEPS && p->results->ready)
            kill(p->pid, SIGUSR2);
        if (idle < patience)
            continue;
        kill(p->pid, SIGKILL);
        note_death(p);
        snprintf(p->death, sizeof p->death, "hung: no progress in %d s", patience * STEP_MS / 1000);
        forget(p);
        return false;
    }
    if (read(p->from, reply, sizeof reply) == sizeof reply)
        return true;
    note_death(p);
    forget(p);
    return false;
}

bool
peer_start(struct peer *p)
{
    int commands[2], answers[2];

    if (p->pid)
        return true;
    p->results->error[0] = 0;
    memcpy(p->cases->zone_base, zone_base, sizeof zone_base);
    p->results->current = 0;
    p->results->ready = 0;
    if (pipe2(commands, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0) {
        snprintf(p->death, sizeof p->death, "pipe: %s", strerror(errno));
        return false;
    }
    p->pid = fork();
    if (p->pid == 0)
        become_subject(p, commands[0], answers[1]);
    if (p->pid < 0) {
        snprintf(p->death, sizeof p->death, "fork: %s", strerror(errno));
        p->pid = 0;
        return false;
    }
    close(commands[0]);
    close(answers[1]);
    p->to = commands[1];
    p->from = answers[0];
    peer_send(p, 0, 0); /* it answers when it is ready */
    return receive(p);
}

void
peer_stop(struct peer *p)
{
    if (!p->pid)
        return;
    close(p->to);
    close(p->from);
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}

void
peer_send(struct peer *p, uint32_t slot, uint32_t count)
{
    uint32_t request[2] = {slot, count};

    if (write(p->to, request, sizeof request) < 0 && errno != EPIPE)
        perror("insn_fuzz: write");
}

bool
peer_wait(struct peer *p)
{
    return receive(p);
}
