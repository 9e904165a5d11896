/* SPDX-License-Identifier: BSD-3-Clause */
/* Stands in for the engine: prints what it was started with, by raw facts of
 * the kernel's, one a line. With it the front end's half of docs/launch.md is
 * tested without the other half.
 *     argv N VALUE | config KEY=VALUE | env NAME=VALUE | fd N | blocked BITS | ignored BITS | pid N */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
print_config(char *config)
{
    for (char *line = strtok(config, "\n"); line; line = strtok(NULL, "\n"))
        printf("config %s\n", line);
}

static void
print_signals(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];

    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "SigBlk:", 7) == 0)
            printf("blocked%s", line + 7);
        if (strncmp(line, "SigIgn:", 7) == 0)
            printf("ignored%s", line + 7);
    }
    if (status)
        fclose(status);
}

int
main(int argc, char **argv, char **envp)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("fd %d\n", fd);
    for (int i = 0; i < argc; i++)
        if (i != 1)
            printf("argv %d %s\n", i, argv[i]);
    if (argc > 1)
        print_config(argv[1]);
    for (; *envp; envp++)
        printf("env %s\n", *envp);
    print_signals();
    printf("pid %d\n", (int)getpid());
    return 0;
}
