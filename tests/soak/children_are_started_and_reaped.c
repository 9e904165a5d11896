// SPDX-License-Identifier: BSD-3-Clause
/* SOAK_FORKS times: a child is made by fork, vfork or posix_spawn in turn and executes this program again, which
 * answers through a pipe and exits with a status of its own. Every answer and every status is checked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include "soak.h"

extern char **environ;
static const char self[] = "/proc/self/exe";

static int
child(const char *number)
{
    long n = strtol(number, NULL, 10);

    dprintf(3, "child %ld", n);
    return (int)(n % 251);
}

static pid_t
start(long n, char *const argv[], int answer)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    if (n % 3 == 2) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, answer, 3);
        int error = posix_spawn(&pid, self, &actions, NULL, argv, environ);
        SOAK_CHECK(error == 0, "posix_spawn: error %d", error);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
    }
    pid = n % 3 ? vfork() : fork();
    if (pid == 0) {
        dup2(answer, 3);
        execv(self, argv);
        _exit(255);
    }
    SOAK_CHECK(pid > 0, "fork: errno %d", errno);
    return pid;
}

static void
one_child(long n, char *name)
{
    char number[24], want[32], got[32] = "";
    int fds[2], status, made = pipe2(fds, O_CLOEXEC);
    size_t length = 0;
    ssize_t more;

    SOAK_CHECK(made == 0, "pipe2: errno %d", errno);
    snprintf(number, sizeof number, "%ld", n);
    snprintf(want, sizeof want, "child %ld", n);
    pid_t pid = start(n, (char *[]){name, number, NULL}, fds[1]);
    close(fds[1]);
    while ((more = read(fds[0], got + length, sizeof got - 1 - length)) > 0)
        length += (size_t)more;
    close(fds[0]);
    pid_t reaped = waitpid(pid, &status, 0);
    SOAK_CHECK(reaped == pid, "waitpid gave %d for %d", reaped, pid);
    SOAK_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == n % 251, "child %ld: status %#x, said '%s'", n,
               status, got);
    SOAK_CHECK(strcmp(got, want) == 0, "child %ld said '%s'", n, got);
}

int
main(int argc, char **argv)
{
    long forks = soak_size("SOAK_FORKS", 5000);

    if (argc > 1)
        return child(argv[1]);
    for (long n = 1; n <= forks; n++) {
        one_child(n, argv[0]);
        soak_step(n, forks);
    }
    pid_t left = waitpid(-1, NULL, WNOHANG);
    SOAK_CHECK(left == -1 && errno == ECHILD, "another child: %d", left);
    printf("%ld children started and reaped\n", forks);
    return 0;
}
