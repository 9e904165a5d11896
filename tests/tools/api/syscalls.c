/* Changes system calls: getuid is skipped with the result 4242, getgid's result is raised by 1, getppid becomes
 * getpid, and of write(1, …) one byte more is asked for where the text begins with '+'. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "drtools/tool.h"

enum { SYS_write = 1, SYS_getpid = 39, SYS_getuid = 102, SYS_getgid = 104, SYS_getppid = 110 };

static void
syscall_pre(struct dr_syscall *s)
{
    char first = 0;

    if (s->number == SYS_getuid) {
        s->skip = true;
        s->result = 4242;
    } else if (s->number == SYS_getppid) {
        s->number = SYS_getpid;
    } else if (s->number == SYS_write && s->arg[0] == 1 && dr_safe_read(&first, s->arg[1], 1) && first == '+') {
        s->arg[2]++;
    }
}

static void
syscall_post(struct dr_syscall *s)
{
    if (s->number == SYS_getgid)
        s->result = 1 + s->result;
    if (s->number == SYS_write && s->result == 5)
        s->mc->gpr[R15] = 77;
}

__attribute__((visibility("default"))) const struct dr_tool dr_tool = {
    .size = sizeof(struct dr_tool), .api = DR_API_VERSION, .name = "syscalls", .syscall_pre = syscall_pre, .syscall_post = syscall_post};
