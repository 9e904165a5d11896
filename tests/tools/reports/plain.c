/* A tool that reports when the program asks it to, by system call numbers that do not exist:
 *     syscall(1000000, kind, n): n times the same error of this kind, at the caller
 *     syscall(1000001): nothing, so that the cost of asking is known */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/record.h"
#include "drtools/tool.h"

enum { FIRST_NUMBER = 1000000 };

static volatile uint32_t number;

static void
report(uint8_t kind, uint64_t pc)
{
    uint8_t bytes[512];
    struct record_writer w = {.bytes = bytes, .size = sizeof bytes};
    struct dr_record_stamp s;

    dr_record_stamp(&s);
    record_begin(&w, RECORD_ERROR, s.pid, s.tid, s.time);
    record_put_u32(&w, __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED));
    record_put_u8(&w, kind);
    record_put_u8(&w, ACCESS_READ);
    record_put_u8(&w, PLACE_UNKNOWN);
    record_put_u8(&w, 0);
    record_put_u64(&w, 0x1000);
    record_put_u64(&w, 4);
    record_put_string(&w, "");
    record_put_string(&w, "");
    record_put_u16(&w, 0);
    record_put_u16(&w, 1);
    record_put_u8(&w, STACK_MAIN);
    record_put_string(&w, "");
    record_put_u16(&w, 1);
    record_put_frame(&w, pc, FRAME_EXACT);
    record_end(&w);
    dr_record(bytes, w.used);
}

static void
syscall_pre(struct dr_syscall *s)
{
    if (s->number < FIRST_NUMBER)
        return;
    for (uint64_t i = 0; s->number == FIRST_NUMBER && i < s->arg[1]; i++)
        report((uint8_t)s->arg[0], s->mc->rip);
    s->skip = true;
    s->result = dr_record_enabled();
}

static void
fork_child(dr_thread *t)
{
    (void)t;
    number = 0;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof dr_tool,
    .api = DR_API_VERSION,
    .name = "plain",
    .syscall_pre = syscall_pre,
    .fork_child = fork_child,
};
