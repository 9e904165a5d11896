/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs the tests that the other files of the program registered, or those whose name contains argv[1]. */
#include "check.h"

struct test *tests;
int failures;

int
main(int argc, char **argv)
{
    int ran = 0;

    for (struct test *t = tests; t; t = t->next) {
        int before = failures;

        if (argc > 1 && !strstr(t->name, argv[1]))
            continue;
        t->run();
        ran++;
        if (failures > before)
            fprintf(stderr, "FAILED %s\n", t->name);
    }
    printf("%d tests, %d failures\n", ran, failures);
    return failures || !ran;
}
