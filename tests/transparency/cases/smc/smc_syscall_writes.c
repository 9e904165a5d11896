#include "tl.h"

/* code that system calls write: read, pread, readv, recv, recvmsg, getrandom, getcwd, uname, process_vm_readv, splice's cousin */
static unsigned char *p;
static int fd, sv[2];

static int
run(void)
{
    return ((int (*)(void))(p + 64))();
}

int
main(void)
{
    p = tl_rwx(0, 8192);
    unsigned char c[6] = {0xb8, 0, 0, 0, 0, 0xc3};
    memcpy(p + 64, c, 6);
    fd = open("code", O_RDWR | O_CREAT | O_TRUNC, 0600);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
    int pp[2];
    pipe(pp);
    for (int i = 0; i < 2000 && !tl_bad; i++) {
        memcpy(c + 1, &i, 4);
        struct iovec iv[2] = {{p + 64, 3}, {p + 67, 3}}, mine = {c, 6};
        switch (i % 9) {
        case 0:
            pwrite(fd, c, 6, 0);
            lseek(fd, 0, 0);
            EQ(read(fd, p + 64, 6), 6);
            break;
        case 1:
            pwrite(fd, c, 6, 100);
            EQ(pread(fd, p + 64, 6, 100), 6);
            break;
        case 2:
            write(pp[1], c, 6);
            EQ(readv(pp[0], iv, 2), 6);
            break;
        case 3:
            send(sv[1], c, 6, 0);
            EQ(recv(sv[0], p + 64, 6, 0), 6);
            break;
        case 4: {
            struct msghdr m = {.msg_iov = iv, .msg_iovlen = 2};
            send(sv[1], c, 6, 0);
            EQ(recvmsg(sv[0], &m, 0), 6);
            break;
        }
        case 5: EQ(process_vm_readv(getpid(), iv, 2, &mine, 1, 0), 6); break;
        case 6:
            pwrite(fd, c, 6, 0);
            EQ(preadv(fd, iv, 2, 0), 6);
            break;
        case 7: {
            struct mmsghdr m = {.msg_hdr = {.msg_iov = iv, .msg_iovlen = 2}};
            send(sv[1], c, 6, 0);
            EQ(recvmmsg(sv[0], &m, 1, 0, 0), 1);
            break;
        }
        case 8:
            pwrite(fd, c, 6, 0);
            EQ(preadv2(fd, iv, 2, 0, 0), 6);
            break;
        }
        EQ(run(), i);
        /* only the operand, in the middle */
        int v = i ^ 0x5a5a5a;
        write(pp[1], &v, 4);
        EQ(read(pp[0], p + 65, 4), 4);
        EQ(run(), v);
    }
    /* results of other calls: a time, a wait status, a directory name */
    p[64] = 0xb8;
    p[69] = 0xc3;
    for (int i = 0; i < 50; i++) {
        int st;
        run();
        pid_t k = fork();
        if (!k)
            _exit(i);
        EQ(waitpid(k, (int *)(p + 65), 0), k);
        EQ(run(), i << 8);
        *(int *)(p + 65) = 0;
        run();
        EQ(getcwd((char *)p + 65, 4000) != 0, 1);
        memcpy(p + 69, "\xc3", 1);
        EQ(run() & 0xff, '/');
    }
    return tl_end();
}
