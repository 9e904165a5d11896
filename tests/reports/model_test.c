/* SPDX-License-Identifier: BSD-3-Clause */
/* The report that records amount to: processes, modules, counts, scans. */
#include "reports/model.h"

#include <stdlib.h>

#include "check.h"
#include "reports/gate.h"

static uint8_t bytes[1 << 14];
static struct record_writer w;
static struct report *report;

static void
begin(struct suppressions *suppressions)
{
    w = (struct record_writer){.bytes = bytes, .size = sizeof bytes};
    record_put_stream_header(&w);
    report = report_new(suppressions, NULL, NULL);
}

static void
apply_all(void)
{
    struct record_reader *reader = record_reader_new();
    struct report_change change;
    struct record rec;

    record_feed(reader, bytes, w.used);
    while (record_next(reader, &rec) == RECORD_READY)
        report_apply(report, &rec, &change);
    CHECK_NUMBER(record_pending(reader), 0);
    record_reader_free(reader);
}

static void
put_start(uint32_t pid, uint32_t parent, uint32_t flags)
{
    record_begin(&w, RECORD_PROCESS_START, pid, pid, 0);
    record_put_u32(&w, flags);
    record_put_u32(&w, parent);
    record_put_u64(&w, 0);
    record_put_string(&w, "drmemory");
    record_put_string(&w, "/bin/app");
    record_put_string(&w, "/");
    record_put_u16(&w, 0);
    record_end(&w);
}

static void
put_module(uint32_t pid, uint32_t number, uint64_t start, const char *path)
{
    record_begin(&w, RECORD_MODULE_LOAD, pid, pid, 0);
    record_put_u32(&w, number);
    record_put_u32(&w, 0);
    record_put_u64(&w, start);
    record_put_u64(&w, start);
    record_put_u64(&w, start + 0x1000);
    record_put_string(&w, path);
    record_put_string(&w, "");
    record_put_u16(&w, 0);
    record_end(&w);
}

static void
put_number(enum record_type type, uint32_t pid, uint32_t number)
{
    record_begin(&w, type, pid, pid, 0);
    record_put_u32(&w, number);
    record_end(&w);
}

static void
put_stack(uint64_t pc, uint32_t module)
{
    record_put_u16(&w, 1);
    record_put_u8(&w, STACK_MAIN);
    record_put_string(&w, "");
    record_put_u16(&w, 1);
    record_put_frame(&w, pc, module);
}

static void
put_error(uint32_t pid, uint32_t number, uint64_t pc, uint32_t module)
{
    record_begin(&w, RECORD_ERROR, pid, pid, 0);
    record_put_u32(&w, number);
    record_put_u8(&w, ERROR_UNADDRESSABLE);
    record_put_u8(&w, ACCESS_READ);
    record_put_u16(&w, 0);
    record_put_u64(&w, 0);
    record_put_u64(&w, 1);
    record_put_string(&w, "");
    record_put_string(&w, "");
    record_put_u16(&w, 0);
    put_stack(pc, module);
    record_end(&w);
}

static void
put_count(uint32_t pid, uint32_t number, uint64_t count)
{
    record_begin(&w, RECORD_ERROR_COUNT, pid, pid, 0);
    record_put_u32(&w, number);
    record_put_u64(&w, count);
    record_end(&w);
}

static void
put_leak(uint32_t pid, uint32_t scan, enum record_leak_kind kind)
{
    record_begin(&w, RECORD_LEAK, pid, pid, 0);
    record_put_u32(&w, scan);
    record_put_u8(&w, (uint8_t)kind);
    record_put_u8(&w, 0);
    for (int i = 0; i < 5; i++)
        record_put_u64(&w, 8);
    put_stack(0x1234, 0);
    record_end(&w);
}

static const struct frame *
top(size_t finding)
{
    return &report->findings[finding]->stacks[0].frames[0];
}

TEST(model, unloaded_module_is_still_named_by_number_and_no_longer_by_address)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_module(1, 1, 0x10000, "/lib/one.so");
    put_number(RECORD_MODULE_UNLOAD, 1, 1);
    put_module(1, 2, 0x10000, "/lib/two.so");
    put_error(1, 1, 0x10010, 1);
    put_error(1, 2, 0x10010, 0);
    put_number(RECORD_MODULE_UNLOAD, 1, 2);
    put_error(1, 3, 0x10010, 0);
    apply_all();
    CHECK_TEXT(top(0)->module, "one.so");
    CHECK_TEXT(top(1)->module, "two.so");
    CHECK_NUMBER(top(1)->offset, 0x10);
    CHECK(top(2)->path == NULL);
    report_free(report);
}

TEST(model, forked_child_has_its_parents_modules_as_of_the_fork)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_module(1, 1, 0x10000, "/lib/one.so");
    put_number(RECORD_PROCESS_FORK, 1, 2);
    put_module(1, 2, 0x20000, "/lib/two.so");
    put_start(2, 1, START_FORKED);
    put_error(2, 1, 0x10010, 0);
    put_error(2, 2, 0x20010, 0);
    apply_all();
    CHECK_NUMBER(report->process_count, 2);
    CHECK_TEXT(top(0)->module, "one.so");
    CHECK(top(1)->path == NULL);
    CHECK_NUMBER(report->findings[0]->process->pid, 2);
    report_free(report);
}

TEST(model, exec_forgets_modules_and_error_numbers_but_no_findings)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_module(1, 1, 0x10000, "/lib/one.so");
    put_error(1, 1, 0x10010, 0);
    record_begin(&w, RECORD_PROCESS_EXEC, 1, 1, 0);
    record_put_string(&w, "/bin/other");
    record_end(&w);
    put_start(1, 0, START_EXECED);
    put_error(1, 1, 0x10010, 0);
    put_count(1, 1, 7);
    apply_all();
    CHECK_NUMBER(report->process_count, 1);
    CHECK_NUMBER(report->finding_count, 2);
    CHECK(top(1)->path == NULL);
    CHECK_NUMBER(report->findings[0]->count, 1);
    CHECK_NUMBER(report->findings[1]->count, 7);
    report_free(report);
}

TEST(model, reused_pid_is_another_process)
{
    begin(NULL);
    put_start(5, 1, 0);
    record_begin(&w, RECORD_PROCESS_EXIT, 5, 5, 0);
    record_put_u8(&w, EXIT_SIGNAL);
    record_put_u32(&w, 9);
    record_end(&w);
    put_start(5, 1, START_FORKED);
    put_error(5, 1, 0x1, 0);
    apply_all();
    CHECK_NUMBER(report->process_count, 2);
    CHECK(report->findings[0]->process == report->processes[1]);
    report_free(report);
}

TEST(model, counts_are_totals_that_only_grow)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_error(1, 1, 0x1, 0);
    put_count(1, 1, 1000000);
    put_count(1, 1, 999);
    put_count(1, 77, 5);
    put_count(1, 0xffffffff, 5);
    apply_all();
    CHECK_NUMBER(report->findings[0]->count, 1000000);
    report_free(report);
}

TEST(model, later_leak_scan_replaces_the_earlier)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_leak(1, 1, LEAK_DEFINITE);
    put_leak(1, 1, LEAK_POSSIBLE);
    put_leak(1, 2, LEAK_DEFINITE);
    put_leak(1, 2, LEAK_REACHABLE);
    put_leak(1, 1, LEAK_DEFINITE); /* late */
    apply_all();
    CHECK_NUMBER(gate_count(report, false), 1);
    CHECK_NUMBER(gate_count(report, true), 2);
    report_free(report);
}

TEST(model, suppressed_findings_take_no_number_and_count_as_used)
{
    static const char rules[] = "UNADDRESSABLE ACCESS\nname=n\none.so!...\n";
    struct suppressions *s = suppressions_new();
    char *error;

    CHECK(suppressions_parse(s, rules, sizeof rules - 1, "f", &error));
    begin(s);
    put_start(1, 0, 0);
    put_module(1, 1, 0x10000, "/lib/one.so");
    put_error(1, 1, 0x10010, 0);
    put_count(1, 1, 4);
    put_error(1, 2, 0x1, 0);
    apply_all();
    CHECK_NUMBER(report->findings[0]->number, 0);
    CHECK_NUMBER(report->findings[1]->number, 1);
    CHECK_NUMBER(suppressions_get(s, 0)->used, 4);
    CHECK_NUMBER(gate_count(report, false), 1);
    report_free(report);
    suppressions_free(s);
}

TEST(model, fingerprint_ignores_addresses)
{
    begin(NULL);
    put_start(1, 0, 0);
    put_module(1, 1, 0x10000, "/lib/one.so");
    put_error(1, 1, 0x10010, 0);
    put_error(1, 2, 0x10020, 0);
    put_error(1, 3, 0x1, 0);
    apply_all();
    CHECK(report->findings[0]->fingerprint == report->findings[1]->fingerprint);
    CHECK(report->findings[0]->fingerprint != report->findings[2]->fingerprint);
    report_free(report);
}

TEST(model, process_that_says_no_end_makes_the_report_incomplete)
{
    begin(NULL);
    put_start(1, 0, 0);
    apply_all();
    report_finish(report, NULL);
    CHECK(report->incomplete);
    CHECK_TEXT(report->missing, "a process ended without saying so");
    report_free(report);
}
