/* Asynchronous I/O in both kinds, and the struct of perf_event_open. What a
 * ring's entries ask for is not seen here: the call only says that there are some.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/aio_abi.h>
#include <linux/errno.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/time_types.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum {
    MAX_IOCBS = 1 << 16,
    HAS_RESULT_FD = 1, /* IOCB_FLAG_RESFD  */
    HAS_PRIORITY = 2,  /* IOCB_FLAG_IOPRIO */
    PTR = 8,
};

/* aio_data is the program's own, aio_key the kernel's. */
/* clang-format off */
static const struct syscall_layout iocb_fields = LAYOUT_IF(struct iocb, aio_flags,
    FIELD(struct iocb, aio_rw_flags),
    FIELD(struct iocb, aio_lio_opcode),
    FIELD_IF(struct iocb, aio_reqprio, HAS_PRIORITY, 0),
    FIELD(struct iocb, aio_fildes),
    FIELD(struct iocb, aio_buf),
    FIELD(struct iocb, aio_nbytes),
    FIELD(struct iocb, aio_offset),
    FIELD(struct iocb, aio_reserved2),
    FIELD(struct iocb, aio_flags),
    FIELD_IF(struct iocb, aio_resfd, HAS_RESULT_FD, 0));

/* clang-format on */

/* Buffers are written when the operation is done: before submission they must be there, written only by io_getevents. */
static void
iocb_buffers(struct syscall_walk *w, const struct iocb *c, uint64_t limit)
{
    uint64_t n = c->aio_nbytes < limit ? c->aio_nbytes : limit;

    switch (c->aio_lio_opcode) {
    case IOCB_CMD_PREAD: walk_out(w, c->aio_buf, n, "aio_buf"); break;
    case IOCB_CMD_PWRITE: walk_in(w, c->aio_buf, n, "aio_buf"); break;
    case IOCB_CMD_PREADV:
        walk_iovec(w, c->aio_buf, c->aio_nbytes, ACCESS_OUT, limit, "aio_buf", "aio_buf[%].iov_base");
        break;
    case IOCB_CMD_PWRITEV:
        walk_iovec(w, c->aio_buf, c->aio_nbytes, ACCESS_IN, limit, "aio_buf", "aio_buf[%].iov_base");
        break;
    default: break;
    }
}

void
walk_io_submit(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, 1);

    if (n > MAX_IOCBS)
        n = MAX_IOCBS;
    if (n > walk_limit(w))
        n = walk_limit(w);
    walk_in(w, at, n * PTR, NULL);
    for (uint32_t i = 0; i < n && !w->stopped; i++) {
        uint64_t to = walk_fetch64(w, at + i * PTR);
        struct iocb c;

        walk_enter(w, i);
        w->outer = "[%]";
        walk_layout_in(w, to, &iocb_fields, iocb_fields.size);
        walk_out(w, to + offsetof(struct iocb, aio_key), 4, "aio_key");
        if (!w->post && walk_fetch(w, &c, to, sizeof c))
            iocb_buffers(w, &c, walk_limit(w));
        w->outer = NULL;
        walk_leave(w);
    }
}

/* An event leads back to its iocb, and so to the buffer that is now full, if
 * the program has left the iocb where it was. */
static void
finished_buffer(struct syscall_walk *w, uint64_t event_at)
{
    struct io_event e;
    struct iocb c;

    if (!walk_fetch(w, &e, event_at, sizeof e) || e.res <= 0 || !walk_fetch(w, &c, e.obj, sizeof c))
        return;
    if (c.aio_lio_opcode == IOCB_CMD_PREAD || c.aio_lio_opcode == IOCB_CMD_PREADV)
        iocb_buffers(w, &c, (uint64_t)e.res);
}

void
walk_io_events(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], n = walk_count(w, 2);

    if (n > walk_limit(w))
        n = walk_limit(w);
    walk_out(w, at, n * sizeof(struct io_event), NULL);
    for (uint32_t i = 0; w->post && i < n && !w->stopped; i++) {
        walk_enter(w, i);
        w->outer = "[%].obj";
        finished_buffer(w, at + i * sizeof(struct io_event));
        w->outer = NULL;
        walk_leave(w);
    }
}

void
walk_io_cancel(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k] + offsetof(struct iocb, aio_key), 4, "aio_key");
}

/* io_uring */

/* clang-format off */
static const struct syscall_layout uring_params_fields = LAYOUT_IF(struct io_uring_params, flags,
    FIELD_IF(struct io_uring_params, cq_entries, IORING_SETUP_CQSIZE, 0),
    FIELD(struct io_uring_params, flags),
    FIELD_IF(struct io_uring_params, sq_thread_cpu, IORING_SETUP_SQ_AFF, 0),
    FIELD_IF(struct io_uring_params, sq_thread_idle, IORING_SETUP_SQPOLL, 0),
    FIELD_IF(struct io_uring_params, wq_fd, IORING_SETUP_ATTACH_WQ, 0),
    FIELD(struct io_uring_params, resv));

/* clang-format on */

/* The kernel hands back the struct it read, with its answers in it. */
void
walk_uring_params(struct syscall_walk *w, unsigned k)
{
    walk_layout_in(w, w->call->arg[k], &uring_params_fields, uring_params_fields.size);
    walk_out(w, w->call->arg[k], uring_params_fields.size, NULL);
}

enum { ENTER_EXT_ARG = 8, ENTER_EXT_ARG_REG = 64 };

/* A signal set, or with EXT_ARG a struct of a signal set and a timeout; with EXT_ARG_REG an offset. */
void
walk_uring_enter(struct syscall_walk *w, unsigned k)
{
    uint64_t flags = walk_arg(w, 3), at = w->call->arg[k];

    struct {
        uint64_t sigmask;
        uint32_t sigmask_size, min_wait;
        uint64_t ts;
    } ext;

    if (flags & ENTER_EXT_ARG_REG)
        return;
    if (!(flags & ENTER_EXT_ARG)) {
        if (at)
            walk_in(w, at, ABI_SIGSET_SIZE, NULL);
        return;
    }
    walk_in(w, at, sizeof ext, NULL);
    if (!walk_fetch(w, &ext, at, sizeof ext))
        return;
    if (ext.sigmask)
        walk_in(w, ext.sigmask, ABI_SIGSET_SIZE, "sigmask");
    if (ext.ts)
        walk_in(w, ext.ts, sizeof(struct __kernel_timespec), "ts");
}

/* struct io_uring_files_update: an offset, and a pointer to nr_args descriptors. */
static void
files_update(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    walk_in(w, at, 16, NULL);
    walk_in(w, walk_fetch64(w, at + 8), walk_count(w, 3) * 4, "fds");
}

/* A header and nr_args entries, all of them zero before. */
static void
probe(struct syscall_walk *w, unsigned k)
{
    uint64_t n = 16 + walk_count(w, 3) * 8;

    walk_in(w, w->call->arg[k], n, NULL);
    w->maybe = true;
    walk_out(w, w->call->arg[k], n, NULL);
}

/* struct io_uring_rsrc_register, and iovecs or descriptors with a tag each. */
static void
resources(struct syscall_walk *w, uint64_t at, uint64_t nr_at, uint64_t data_at, uint64_t each)
{
    uint64_t n = walk_fetch32(w, at + nr_at), data = walk_fetch64(w, at + data_at),
             tags = walk_fetch64(w, at + data_at + 8);

    walk_in(w, at, walk_count(w, 3), NULL);
    if (data)
        walk_in(w, data, n * each, "data");
    if (tags)
        walk_in(w, tags, n * 8, "tags");
}

static void
register_files(struct syscall_walk *w, unsigned k)
{
    resources(w, w->call->arg[k], 0, 16, 4);
}

static void
register_buffers(struct syscall_walk *w, unsigned k)
{
    resources(w, w->call->arg[k], 0, 16, 16);
}

static void
update_files(struct syscall_walk *w, unsigned k)
{
    resources(w, w->call->arg[k], 24, 8, 4);
}

static void
update_buffers(struct syscall_walk *w, unsigned k)
{
    resources(w, w->call->arg[k], 24, 8, 16);
}

static uint32_t
opcode_key(const uint64_t *arg)
{
    return (uint32_t)arg[1] & ~((uint32_t)1 << 31); /* IORING_REGISTER_USE_REGISTERED_RING */
}

/* clang-format off */
#define OP COMMAND("opcode")
#define NR INT("nr_args")
static const struct syscall_variant rows[] = {
    VARIANT(IORING_REGISTER_BUFFERS,        FARMEM, OP, IOV_ONLY("arg", 3), NR),
    VARIANT(IORING_UNREGISTER_BUFFERS,      0, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_FILES,          FDS, OP, IN_COUNT("arg", 3, 4), NR),
    VARIANT(IORING_UNREGISTER_FILES,        FDS, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_EVENTFD,        0, OP, IN("arg", 4), NR),
    VARIANT(IORING_UNREGISTER_EVENTFD,      0, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_FILES_UPDATE,   FDS, OP, IN_WALK("arg", files_update), NR),
    VARIANT(IORING_REGISTER_EVENTFD_ASYNC,  0, OP, IN("arg", 4), NR),
    VARIANT(IORING_REGISTER_PROBE,          0, OP, INOUT_WALK("arg", probe), NR),
    VARIANT(IORING_REGISTER_PERSONALITY,    0, OP, LONG("arg"), NR),
    VARIANT(IORING_UNREGISTER_PERSONALITY,  0, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_RESTRICTIONS,   0, OP, IN_COUNT("arg", 3, 16), NR),
    VARIANT(IORING_REGISTER_ENABLE_RINGS,   FARMEM, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_FILES2,         FDS, OP, IN_WALK("arg", register_files), NR),
    VARIANT(IORING_REGISTER_FILES_UPDATE2,  FDS, OP, IN_WALK("arg", update_files), NR),
    VARIANT(IORING_REGISTER_BUFFERS2,       FARMEM, OP, IN_WALK("arg", register_buffers), NR),
    VARIANT(IORING_REGISTER_BUFFERS_UPDATE, FARMEM, OP, IN_WALK("arg", update_buffers), NR),
    VARIANT(IORING_REGISTER_IOWQ_AFF,       0, OP, IN_COUNT("arg", 3, 1), NR),
    VARIANT(IORING_UNREGISTER_IOWQ_AFF,     0, OP, LONG("arg"), NR),
    VARIANT(IORING_REGISTER_IOWQ_MAX_WORKERS, 0, OP, INOUT("arg", 8), NR),
    VARIANT(IORING_REGISTER_RING_FDS,       FDS, OP, INOUT_COUNT("arg", 3, 16), NR),
    VARIANT(IORING_UNREGISTER_RING_FDS,     FDS, OP, IN_COUNT("arg", 3, 16), NR),
    VARIANT(IORING_REGISTER_PBUF_RING,      FARMEM, OP, IN("arg", 40), NR),
    VARIANT(IORING_UNREGISTER_PBUF_RING,    0, OP, IN("arg", 40), NR),
    VARIANT(IORING_REGISTER_SYNC_CANCEL,    BLOCKS, OP, IN("arg", 64), NR),
    VARIANT(IORING_REGISTER_FILE_ALLOC_RANGE, 0, OP, IN("arg", 16), NR),
    VARIANT_NR(26, IORING_REGISTER_PBUF_STATUS,    0, OP, INOUT("arg", 40), NR),
    VARIANT_NR(27, IORING_REGISTER_NAPI,           0, OP, INOUT("arg", 16), NR),
    VARIANT_NR(28, IORING_UNREGISTER_NAPI,         0, OP, OUT("arg", 16, OPTIONAL), NR),
    VARIANT_NR(29, IORING_REGISTER_CLOCK,          0, OP, IN("arg", 16), NR),
    VARIANT_NR(30, IORING_REGISTER_CLONE_BUFFERS,  0, OP, IN("arg", 32), NR),
    VARIANT_NR(31, IORING_REGISTER_SEND_MSG_RING,  0, OP, IN("arg", 64), NR),
    VARIANT_NR(32, IORING_REGISTER_ZCRX_IFQ,       FARMEM, OP, INOUT("arg", 96), NR),
    VARIANT_NR(33, IORING_REGISTER_RESIZE_RINGS,   FARMEM, OP, INOUT("arg", sizeof(struct io_uring_params)), NR),
    VARIANT_NR(34, IORING_REGISTER_MEM_REGION,     FARMEM, OP, IN("arg", 32), NR),
};
const struct syscall_variants io_uring_register_commands = VARIANTS(opcode_key, 1, rows);

/* clang-format on */

/* struct perf_event_attr says its own size, 0 means the first version; too large a one is answered with the kernel's. */
void
walk_perf_attr(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], size_at = at + offsetof(struct perf_event_attr, size);
    uint32_t size = walk_fetch32(w, size_at);

    if (w->post ? w->result == -E2BIG : size && (size < PERF_ATTR_SIZE_VER0 || size > 4096)) {
        walk_in(w, size_at, 4, "size");
        w->maybe = true;
        walk_out(w, size_at, 4, "size");
        return;
    }
    walk_in(w, at, size ? size : PERF_ATTR_SIZE_VER0, NULL);
}
