/* SPDX-License-Identifier: BSD-3-Clause */
/* A build-time program: `documents man COMMAND` or `documents completion`. */
#include "documents.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "man") == 0)
        man_page_print(command_of(argv[2]));
    else if (argc == 2 && strcmp(argv[1], "completion") == 0)
        bash_completion_print();
    else
        return 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
