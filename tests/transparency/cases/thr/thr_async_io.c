#include "tl.h"
#include <linux/aio_abi.h>
#include <linux/io_uring.h>

/* memory that the kernel writes behind the program's back: native AIO and io_uring, into data and into code */
static int fd;
static unsigned char *code;

static void
emit(unsigned char *q, int v)
{
    q[0] = 0xb8;
    memcpy(q + 1, &v, 4);
    q[5] = 0xc3;
}

static void
aio(void)
{
    aio_context_t c = 0;
    if (syscall(SYS_io_setup, 16, &c)) {
        puts("no aio");
        return;
    }
    char buf[16][512];
    struct iocb cb[16], *p[16];
    memset(cb, 0, sizeof cb);
    for (int i = 0; i < 16; i++) {
        cb[i].aio_fildes = fd;
        cb[i].aio_lio_opcode = IOCB_CMD_PREAD;
        cb[i].aio_buf = (uint64_t)buf[i];
        cb[i].aio_nbytes = 512;
        cb[i].aio_offset = i * 512;
        cb[i].aio_data = i;
        p[i] = cb + i;
    }
    EQ(syscall(SYS_io_submit, c, 16, p), 16);
    struct io_event ev[16];
    int got = 0, sum = 0;
    while (got < 16) {
        int n = syscall(SYS_io_getevents, c, 1, 16, ev, 0);
        for (int i = 0; i < n; i++)
            sum += ev[i].data, CHECK(ev[i].res == 512);
        got += n;
    }
    EQ(sum, 120);
    for (int i = 0; i < 16; i++)
        EQ(buf[i][100], i);
    for (int i = 0; i < 50 && !tl_bad; i++) {
        unsigned char t[6];
        emit(t, i * 3);
        pwrite(fd, t, 6, 16384);
        cb[0].aio_buf = (uint64_t)code;
        cb[0].aio_nbytes = 6;
        cb[0].aio_offset = 16384;
        EQ(syscall(SYS_io_submit, c, 1, p), 1);
        EQ(syscall(SYS_io_getevents, c, 1, 1, ev, 0), 1);
        EQ(((int (*)(void))code)(), i * 3);
    }
    syscall(SYS_io_destroy, c);
    puts("aio");
}

static void
uring(void)
{
    struct io_uring_params q = {0};
    int r = syscall(SYS_io_uring_setup, 8, &q);
    if (r < 0) {
        puts("no io_uring");
        return;
    }
    char *sq =
        mmap(0, q.sq_off.array + q.sq_entries * 4, 3, MAP_SHARED | MAP_POPULATE, r, IORING_OFF_SQ_RING);
    char *cq = mmap(0, q.cq_off.cqes + q.cq_entries * sizeof(struct io_uring_cqe), 3,
                    MAP_SHARED | MAP_POPULATE, r, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqe =
        mmap(0, q.sq_entries * sizeof *sqe, 3, MAP_SHARED | MAP_POPULATE, r, IORING_OFF_SQES);
    NEED(sq != MAP_FAILED && cq != MAP_FAILED && sqe != MAP_FAILED);
    unsigned *tail = (void *)(sq + q.sq_off.tail), mask = *(unsigned *)(sq + q.sq_off.ring_mask),
             *array = (void *)(sq + q.sq_off.array);
    unsigned *head = (void *)(cq + q.cq_off.head), *ctail = (void *)(cq + q.cq_off.tail),
             cmask = *(unsigned *)(cq + q.cq_off.ring_mask);
    struct io_uring_cqe *cqe = (void *)(cq + q.cq_off.cqes);
    for (int i = 0; i < 200 && !tl_bad; i++) {
        char buf[512];
        unsigned char t[6];
        emit(t, i * 7);
        pwrite(fd, t, 6, 16384);
        int to_code = i & 1;
        struct io_uring_sqe *e = sqe + (*tail & mask);
        memset(e, 0, sizeof *e);
        e->opcode = IORING_OP_READ;
        e->fd = fd;
        e->addr = to_code ? (uint64_t)code : (uint64_t)buf;
        e->len = to_code ? 6 : 512;
        e->off = to_code ? 16384 : i % 16 * 512;
        e->user_data = i + 1000;
        array[*tail & mask] = *tail & mask;
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        EQ(syscall(SYS_io_uring_enter, r, 1, 1, IORING_ENTER_GETEVENTS, 0, 0), 1);
        EQ(__atomic_load_n(ctail, __ATOMIC_ACQUIRE), *head + 1);
        EQ(cqe[*head & cmask].user_data, i + 1000);
        EQ(cqe[*head & cmask].res, e->len);
        __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
        if (to_code)
            EQ(((int (*)(void))code)(), i * 7);
        else
            EQ(buf[5], i % 16);
    }
    close(r);
    puts("io_uring");
}

int
main(void)
{
    fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 16; i++) {
        char b[512];
        memset(b, i, sizeof b);
        pwrite(fd, b, 512, i * 512);
    }
    code = tl_rwx(0, 4096);
    emit(code, -1);
    EQ(((int (*)(void))code)(), -1);
    aio();
    uring();
    return tl_end();
}
