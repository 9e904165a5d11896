/* SPDX-License-Identifier: BSD-3-Clause */
/* The exit status. */
#include "reports/gate.h"

#include "check.h"

TEST(gate, status_is_the_programs_unless_the_gate_closes)
{
    CHECK_NUMBER(gate_status(&(struct gate){.app_status = 3}), 3);
    CHECK_NUMBER(gate_status(&(struct gate){.app_status = 3, .errors = 5}), 3);
    CHECK_NUMBER(gate_status(&(struct gate){.app_status = 3, .enabled = true, .status_if_errors = 9}), 3);
    CHECK_NUMBER(gate_status(&(struct gate){.enabled = true, .status_if_errors = 9, .errors = 1}), 9);
    CHECK_NUMBER(gate_status(&(struct gate){.app_status = 3, .always_zero = true}), 0);
}

TEST(gate, incomplete_report_never_passes_silently)
{
    struct gate g = {.enabled = true, .status_if_errors = 9, .incomplete = true};

    CHECK_NUMBER(gate_status(&g), 9);
    g.always_zero = true;
    CHECK_NUMBER(gate_status(&g), 9);
    g.enabled = false;
    CHECK_NUMBER(gate_status(&g), 0);
}
