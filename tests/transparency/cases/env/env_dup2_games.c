#include "tl.h"

int
main(void)
{
    for (int k = 3; k < 1024; k++) {
        if (dup2(1, k) != k) {
            EQ(dup2(1, k), k);
            break;
        }
    }
    for (int k = 3; k < 1024; k++)
        close(k);
    int s = dup(1);
    EQ(s, 3);
    close(1);
    int f = open("out", O_RDWR | O_CREAT, 0600);
    EQ(f, 1);
    puts("to the file");
    fflush(stdout);
    lseek(1, 0, 0);
    char b[40] = {0};
    EQ(read(1, b, 39), 12);
    dup2(s, 1);
    printf("read %s", b);
    int hi = fcntl(1, F_DUPFD, 900);
    EQ(hi, 900);
    EQ(fcntl(1, F_DUPFD_CLOEXEC, 900), 901);
    EQ(fcntl(901, F_GETFD), 1);
    EQ(dup3(1, 1, 0), -1);
    EQ(errno, EINVAL);
    EQ(dup2(1, 1), 1);
    EQ(dup2(77, 1), -1);
    close(2);
    EQ(dup(1), 2);
    close(0);
    EQ(open("/dev/null", 0), 0);
    int p[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, p);
    int x = open("out", 0);
    struct msghdr m = {0};
    char cb[64] = {0};
    char zb[2] = "z";
    struct iovec iv = {zb, 1};
    m.msg_iov = &iv;
    m.msg_iovlen = 1;
    m.msg_control = cb;
    m.msg_controllen = CMSG_SPACE(4);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(4);
    *(int *)CMSG_DATA(c) = x;
    EQ(sendmsg(p[0], &m, 0), 1);
    EQ(recvmsg(p[1], &m, 0), 1);
    int y = *(int *)CMSG_DATA(CMSG_FIRSTHDR(&m));
    struct stat a, d;
    fstat(x, &a);
    fstat(y, &d);
    EQ(a.st_ino, d.st_ino);
    EQ(y, x + 1);
    return tl_end();
}
