/* The cases, one file a subject, are linked in and enlist themselves. Arguments select by part of a name. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

int
main(int argc, char **argv)
{
    return run_cases(argc, argv);
}
