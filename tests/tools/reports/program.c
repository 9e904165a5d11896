/* SPDX-License-Identifier: BSD-3-Clause */
/* Does what its arguments say, one after the other:
 *     error KIND      an error, reported at `at_fault`          many N     N of them at one place
 *     fork            the words up to `end` are a child's       vfork      … who executes itself with them
 *     daemon          as fork, but nobody waits                 thread     … a thread's, which ends the process
 *     exec            executes itself with the rest             kill SIG   sends itself a signal
 *     exit N          _exit                                     wait       until nothing is left to wait for
 *     wall            waits with __WALL                         sleep MS
 *     drmemory KIND N A B, depths N, loop N: for the tool `errors`
 *     chatter     a thread prints dots
 *     close2          closes standard error                     noexec     an execve that fails
 *     strict          allows read, write and exit only          files      no further descriptors */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *self;
static char **run(char **word);

__attribute__((noinline)) static void
as_drmemory(long kind, long n, long a, long b)
{
    syscall(1000000 + kind, n, a, b);
}

__attribute__((noinline)) static void
deeper(long depth, long kind, long a)
{
    if (depth)
        deeper(depth - 1, kind, a);
    else
        as_drmemory(kind, 1, a, 0);
    __asm__ volatile("");
}

__attribute__((noinline)) static void
at_fault(long kind, long n)
{
    syscall(1000000L, kind, n);
}

static char **
skip_to_end(char **word)
{
    int depth = 1;

    for (; *word && depth; word++)
        if (!strcmp(*word, "fork") || !strcmp(*word, "vfork") || !strcmp(*word, "daemon"))
            depth++;
        else if (!strcmp(*word, "end"))
            depth--;
    return word;
}

static void
start_self(char **word)
{
    char **argv = calloc(100, sizeof *argv), **stop = skip_to_end(word);
    int n = 1;
    pid_t pid;

    argv[0] = self;
    for (; word + 1 < stop; word++)
        argv[n++] = *word;
    if (posix_spawn(&pid, self, NULL, NULL, argv, environ) != 0)
        perror("posix_spawn");
}

static void
wait_all(int flags)
{
    int status, n = 0;

    while (waitpid(-1, &status, flags) > 0)
        printf("child ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)), n++;
    printf("%d waited for, then %s\n", n, strerrorname_np(errno));
    fflush(stdout);
}

static void *
many_errors(void *n)
{
    for (long i = atol(n); i; i--)
        at_fault(1, 1);
    return NULL;
}

static volatile unsigned chattered;

static void *
chatter(void *none)
{
    for (;;)
        chattered += write(1, ".", 1) == 1;
    return none;
}

static void *
in_thread(void *word)
{
    run(word);
    return NULL;
}

static char **
run(char **word)
{
    while (*word) {
        char *w = *word++;

        if (!strcmp(w, "drmemory")) { /* drmemory KIND N A B */
            as_drmemory(atol(word[0]), atol(word[1]), strtol(word[2], NULL, 0), strtol(word[3], NULL, 0));
            word += 4;
        } else if (!strcmp(w, "depths")) { /* as many different stacks */
            for (long n = atol(*word++); n; n--)
                deeper(n, 0, 0x5010);
        } else if (!strcmp(w, "loop")) { /* N times through the program's own code */
            for (long n = atol(*word++); n; n--)
                as_drmemory(0, 1, 0x5010, 0);
        } else if (!strcmp(w, "error"))
            at_fault(atol(*word++), 1);
        else if (!strcmp(w, "many"))
            at_fault(1, atol(*word++));
        else if (!strcmp(w, "fork") || !strcmp(w, "daemon")) {
            if (fork() == 0) {
                run(word);
                exit(0);
            }
            word = skip_to_end(word);
        } else if (!strcmp(w, "vfork")) {
            start_self(word);
            word = skip_to_end(word);
        } else if (!strcmp(w, "thread")) {
            pthread_t t;
            pthread_create(&t, NULL, in_thread, word);
            pthread_join(t, NULL);
            return word;
        } else if (!strcmp(w, "storm")) { /* N errors in each of eight threads, while children that have one come and go */
            pthread_t t[8];
            for (int i = 0; i < 8; i++)
                pthread_create(&t[i], NULL, many_errors, *word);
            for (int i = 0; i < 40; i++) {
                pid_t pid = fork();
                if (pid == 0) {
                    at_fault(2, 1);
                    _exit(0);
                }
                if (i % 4 == 0)
                    kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
            }
            for (int i = 0; i < 8; i++)
                pthread_join(t[i], NULL);
            word++;
        } else if (!strcmp(w, "chatter")) { /* a thread that prints as long as it can */
            pthread_t t;
            pthread_create(&t, NULL, chatter, NULL);
            while (!chattered)
                usleep(1000);
        } else if (!strcmp(w, "exec")) {
            word[-1] = self;
            execv("/proc/self/exe", word - 1);
        } else if (!strcmp(w, "noexec")) {
            execl("/nonexistent/program", "program", NULL);
        } else if (!strcmp(w, "native")) {
            execl("/proc/self/fd/99", "x", NULL);
        } else if (!strcmp(w, "kill")) {
            kill(getpid(), atoi(*word++));
        } else if (!strcmp(w, "exit")) {
            fflush(stdout);
            _exit(atoi(*word++));
        } else if (!strcmp(w, "wait")) {
            wait_all(0);
        } else if (!strcmp(w, "wall")) {
            wait_all(__WALL);
        } else if (!strcmp(w, "sleep")) {
            usleep((useconds_t)atoi(*word++) * 1000);
        } else if (!strcmp(w, "close2")) {
            close(2);
        } else if (!strcmp(w, "strict")) {
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        } else if (!strcmp(w, "die")) { /* without what libc does at exit */
            syscall(SYS_exit, atoi(*word++));
        } else if (!strcmp(w, "files")) {
            struct rlimit limit = {3, 3};
            setrlimit(RLIMIT_NOFILE, &limit);
        } else if (!strcmp(w, "end")) {
            return word;
        } else {
            fprintf(stderr, "what is %s?\n", w);
            exit(99);
        }
    }
    return word;
}

int
main(int argc, char **argv)
{
    (void)argc;
    self = realpath("/proc/self/exe", NULL);
    run(argv + 1);
    return 0;
}
