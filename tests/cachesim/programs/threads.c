/* Four threads beside the first, each over its own 64 KiB, twenty times; exits with 0. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdlib.h>

static void *
work(void *arg)
{
    volatile char *p = arg;

    for (int r = 0; r < 20; r++)
        for (int i = 0; i < 65536; i += 64)
            p[i]++;
    return NULL;
}

int
main(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, work, calloc(65536, 1));
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return 0;
}
