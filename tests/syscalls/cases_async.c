/* Asynchronous I/O: the older kind, and the calls of io_uring. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static const struct timespec at_once = {0, 0}, a_while = {100, 0};
static const uint64_t no_signals = 0;

static aio_context_t
context(struct run *r)
{
    aio_context_t c = 0;

    if (syscall(__NR_io_setup, 8, &c) != 0)
        skip(r, "no AIO here");
    return c;
}

CASE(io_setup)
{
    const uint64_t zero = 0;

    context(r);
    return CALL(io_setup, 8, in(r, &zero, 8));
}

CASE(io_submit)
{
    aio_context_t c = context(r);
    struct iocb write_it = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)scratch_file(""), .aio_nbytes = 5};
    struct iocb read_it = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)scratch_file(""), .aio_nbytes = 5};
    uint64_t list[2];

    read_it.aio_key = write_it.aio_key = 0x7777;
    write_it.aio_buf = loose(r, "hello", 5);
    read_it.aio_buf = room(r, 5);            /* nothing to read, nothing changes */
    list[0] = in(r, &write_it, sizeof write_it);
    list[1] = loose(r, &read_it, sizeof read_it);
    return CALL(io_submit, c, 2, loose(r, list, sizeof list));
}

CASE(io_getevents)
{
    static struct iocb read_it, *list[1] = {&read_it};
    static char buf[40];                     /* an earlier call named it */
    aio_context_t c = context(r);

    read_it = (struct iocb){.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)scratch_file("some text"), .aio_nbytes = 40};
    read_it.aio_buf = (uint64_t)(uintptr_t)buf;
    read_it.aio_data = 0x1122334455667788;
    must(syscall(__NR_io_submit, c, 1, list) == 1, "io_submit");
    return CALL(io_getevents, c, 1, 3, room(r, 96), in(r, &a_while, 16));
}

CASE(io_getevents_of_none) { return CALL(io_getevents, context(r), 0, 3, room(r, 96), in(r, &at_once, 16)); }

CASE(io_pgetevents)
{
    struct abi_sigset_pair s = {in(r, &no_signals, 8), 8};

    return CALL(io_pgetevents, context(r), 0, 3, room(r, 96), in(r, &at_once, 16), in(r, &s, sizeof s));
}

/* io_uring */

static int
ring(struct run *r, struct io_uring_params *p)
{
    int fd;

    memset(p, 0, sizeof *p);
    fd = (int)syscall(__NR_io_uring_setup, 4, p);
    if (fd < 0)
        skip(r, "no io_uring here");
    return fd;
}

CASE(io_uring_setup)
{
    struct io_uring_params p;

    close(ring(r, &p));
    memset(&p, 0, sizeof p);
    return CALL(io_uring_setup, 4, in(r, &p, sizeof p));
}

CASE(io_uring_enter)
{
    struct io_uring_params p;
    struct io_uring_getevents_arg ext = {.sigmask_sz = 8};

    ext.sigmask = in(r, &no_signals, 8);
    ext.ts = in(r, &at_once, 16);
    expect(r, -ETIME);
    return CALL(io_uring_enter, ring(r, &p), 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, in(r, &ext, sizeof ext), sizeof ext);
}

CASE(io_uring_enter_without_waiting)
{
    struct io_uring_params p;

    return CALL(io_uring_enter, ring(r, &p), 0, 0, 0, 0, 0);
}

CASE(io_uring_register_buffers)
{
    static char buffer[100];
    struct iovec v = {buffer, sizeof buffer};
    struct io_uring_params p;

    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_BUFFERS, in(r, &v, sizeof v), 1);
}

CASE(io_uring_register_files)
{
    const int fds[3] = {0, 1, -1};
    struct io_uring_params p;

    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_FILES, in(r, fds, sizeof fds), 3);
}

CASE(io_uring_register_files2)
{
    const int fds[2] = {0, -1};
    const uint64_t tags[2] = {0, 0};
    struct io_uring_rsrc_register reg = {.nr = 2};
    struct io_uring_params p;

    reg.data = in(r, fds, sizeof fds);
    reg.tags = in(r, tags, sizeof tags);
    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_FILES2, in(r, &reg, sizeof reg), sizeof reg);
}

CASE(io_uring_register_eventfd)
{
    const int fd = eventfd(0, 0);
    struct io_uring_params p;

    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_EVENTFD, in(r, &fd, 4), 1);
}

CASE(io_uring_register_probe)
{
    const char zeroes[16 + 8 * 10] = {0};
    struct io_uring_params p;

    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_PROBE, in(r, zeroes, sizeof zeroes), 10);
}

CASE(io_uring_register_workers)
{
    const uint32_t most[2] = {0, 0};
    struct io_uring_params p;

    return CALL(io_uring_register, ring(r, &p), IORING_REGISTER_IOWQ_MAX_WORKERS, in(r, most, 8), 2);
}
