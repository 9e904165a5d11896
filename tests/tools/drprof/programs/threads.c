/* Four threads with different work, and a child process. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline, noclone)) unsigned work(unsigned n)
{
    unsigned v = n;

    for (unsigned i = 0; i < n; i++)
        v = v * 1103515245 + 12345;
    return v;
}
volatile unsigned sink;
__attribute__((noinline, noclone)) void *one(void *arg) { sink = work((unsigned)(unsigned long)arg); return NULL; }

int
main(int argc, char **argv)
{
    pthread_t t[4];

    for (unsigned long i = 0; i < 4; i++)
        if (pthread_create(&t[i], NULL, one, (void *)(100000 * (i + 1))))
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    if (argc > 1) {
        pid_t child = fork();
        if (!child) {
            sink = work(777777);
            if (argc > 2)
                execv(argv[0], (char *[]){argv[0], NULL});
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
