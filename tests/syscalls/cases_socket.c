/* Sockets: addresses, messages, options. */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <unistd.h>

/* A table: most cases take one line. */
/* clang-format off */

static const struct sockaddr_in anywhere = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};   /* 127.0.0.1, any port */

static int
udp(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    must(fd >= 0 && bind(fd, (const struct sockaddr *)&anywhere, sizeof anywhere) == 0, "UDP over loopback");
    return fd;
}

static struct sockaddr_in
address_of(int fd)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;

    must(getsockname(fd, (struct sockaddr *)&a, &n) == 0, "getsockname");
    return a;
}

static int
listener(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    must(fd >= 0 && bind(fd, (const struct sockaddr *)&anywhere, sizeof anywhere) == 0 && listen(fd, 5) == 0, "TCP over loopback");
    return fd;
}

static int
listener_with_caller(void)
{
    int fd = listener(), peer = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = address_of(fd);

    must(connect(peer, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    return fd;
}

/* A socket with a datagram of 10 bytes waiting. */
static int
with_datagram(void)
{
    int fd = udp(), other = udp();
    struct sockaddr_in a = address_of(fd);

    must(sendto(other, "0123456789", 10, 0, (struct sockaddr *)&a, sizeof a) == 10, "sendto");
    return fd;
}

static void
pair(int type, int sv[2])
{
    must(socketpair(AF_UNIX, type, 0, sv) == 0, "socketpair");
}

CASE(socket) { return CALL(socket, AF_UNIX, SOCK_STREAM, 0); }
CASE(socketpair) { return CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, out(r, 8)); }
CASE(bind_inet) { return CALL(bind, socket(AF_INET, SOCK_DGRAM, 0), in(r, &anywhere, sizeof anywhere), sizeof anywhere); }

CASE(bind_inet6)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
        skip(r, "no IPv6 loopback");
    return CALL(bind, socket(AF_INET6, SOCK_DGRAM, 0), in(r, &a, sizeof a), sizeof a);
}

CASE(bind_unix)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    strcpy(a.sun_path, "socket-of-a-case");
    unlink(a.sun_path);
    return CALL(bind, socket(AF_UNIX, SOCK_DGRAM, 0), in(r, &a, sizeof a), sizeof a);
}

CASE(bind_unix_abstract)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0drtools-test"};

    a.sun_path[15] = (char)('a' + getpid() % 26);
    memcpy(a.sun_path + 16, &(pid_t){getpid()}, 4);
    return CALL(bind, socket(AF_UNIX, SOCK_DGRAM, 0), in(r, &a, 22), 22);
}

CASE(bind_netlink)
{
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};

    return CALL(bind, socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), in(r, &a, sizeof a), sizeof a);
}

CASE(connect)
{
    struct sockaddr_in a = address_of(udp());

    return CALL(connect, udp(), in(r, &a, sizeof a), sizeof a);
}

CASE(connect_unspecified)
{
    struct sockaddr a = {.sa_family = AF_UNSPEC};

    return CALL(connect, udp(), in(r, &a, sizeof a), sizeof a);
}

CASE(accept) { const int n = 16; return CALL(accept, listener_with_caller(), out(r, 16), in(r, &n, 4)); }
CASE(accept4) { const int n = 16; return CALL(accept4, listener_with_caller(), out(r, 16), in(r, &n, 4), SOCK_CLOEXEC); }
CASE(accept_with_too_much_room) { const int n = 100; return CALL(accept, listener_with_caller(), room(r, 100), in(r, &n, 4)); }
CASE(accept_with_too_little_room) { const int n = 5; return CALL(accept, listener_with_caller(), out(r, 5), in(r, &n, 4)); }
CASE(accept_without_address) { return CALL(accept, listener_with_caller(), 0, room(r, 4)); }
CASE(getsockname) { const int n = 16; return CALL(getsockname, udp(), out(r, 16), in(r, &n, 4)); }

CASE(getpeername)
{
    struct sockaddr_in a = address_of(udp());
    const int n = 16;
    int fd = udp();

    must(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
    return CALL(getpeername, fd, out(r, 16), in(r, &n, 4));
}

CASE(sendto)
{
    struct sockaddr_in a = address_of(udp());

    return CALL(sendto, udp(), in(r, "abcdef", 6), 6, 0, in(r, &a, sizeof a), sizeof a);
}

CASE(sendto_connected)
{
    int sv[2];

    pair(SOCK_DGRAM, sv);
    return CALL(sendto, sv[0], in(r, "abcdef", 6), 6, 0, 0, 0);
}

CASE(recvfrom) { const int n = 16; return CALL(recvfrom, with_datagram(), room(r, 30), 30, 0, out(r, 16), in(r, &n, 4)); }
CASE(recvfrom_cut_short) { return CALL(recvfrom, with_datagram(), out(r, 4), 4, MSG_TRUNC, 0, 0); }

CASE(recvfrom_stream)
{
    const int n = 20;
    int sv[2];

    pair(SOCK_STREAM, sv);
    must(write(sv[1], "abc", 3) == 3, "write");
    return CALL(recvfrom, sv[0], room(r, 10), 10, 0, room(r, 20), in(r, &n, 4));
}

/* Messages. */

static uint64_t
parts(struct run *r, bool sends, bool all_or_nothing)
{
    struct iovec v[2];

    v[0] = (struct iovec){PTR(sends ? (all_or_nothing ? in : loose)(r, "abc", 3) : room(r, 3)), 3};
    v[1] = (struct iovec){PTR(sends ? (all_or_nothing ? in : loose)(r, "defghij", 7) : room(r, 30)), sends ? 7 : 30};
    return (all_or_nothing ? in : loose)(r, v, sizeof v);
}

static uint64_t
two_parts(struct run *r, bool sends)
{
    return parts(r, sends, true);
}

CASE(sendmsg)
{
    struct sockaddr_in a = address_of(udp());
    struct msghdr m = {.msg_name = PTR(in(r, &a, sizeof a)), .msg_namelen = sizeof a};

    m.msg_iov = PTR(two_parts(r, true));
    m.msg_iovlen = 2;
    return CALL(sendmsg, udp(), in(r, &m, sizeof m), 0);
}

CASE(recvmsg)
{
    struct msghdr m = {.msg_name = PTR(room(r, 40)), .msg_namelen = 40};

    m.msg_iov = PTR(two_parts(r, false));
    m.msg_iovlen = 2;
    return CALL(recvmsg, with_datagram(), in(r, &m, sizeof m), 0);
}

union control { struct cmsghdr h; char room[64]; };

static void
descriptors(union control *c)
{
    memset(c, 0, sizeof *c);
    c->h = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(3 * sizeof(int))};
    memcpy(CMSG_DATA(&c->h), (int[]){0, 1, 2}, 3 * sizeof(int));
}

CASE(sendmsg_with_descriptors)
{
    struct msghdr m = {.msg_controllen = CMSG_SPACE(12)};
    union control c;
    int sv[2];

    descriptors(&c);
    m.msg_control = PTR(in(r, &c, CMSG_SPACE(12)));
    pair(SOCK_DGRAM, sv);
    m.msg_iov = PTR(two_parts(r, true));
    m.msg_iovlen = 2;
    return CALL(sendmsg, sv[0], in(r, &m, sizeof m), 0);
}

CASE(recvmsg_with_descriptors)
{
    union control c;
    struct iovec v = {"xyz", 3};
    struct msghdr sent = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = CMSG_SPACE(12)};
    struct msghdr m = {.msg_control = PTR(room(r, 60)), .msg_controllen = 60};
    int sv[2];

    descriptors(&c);
    pair(SOCK_DGRAM, sv);
    must(sendmsg(sv[1], &sent, 0) == 3, "sendmsg");
    m.msg_iov = PTR(two_parts(r, false));
    m.msg_iovlen = 2;
    return CALL(recvmsg, sv[0], in(r, &m, sizeof m), 0);
}

CASE(sendmmsg)
{
    struct mmsghdr m[2] = {{{0}, 0}};
    int sv[2];

    pair(SOCK_DGRAM, sv);
    for (int i = 0; i < 2; i++) {
        m[i].msg_hdr.msg_iov = PTR(parts(r, true, false));   /* what was done before the fault counts */
        m[i].msg_hdr.msg_iovlen = 2;
    }
    return CALL(sendmmsg, sv[0], loose(r, m, sizeof m), 2, 0);
}

CASE(recvmmsg)
{
    struct mmsghdr m[3] = {{{0}, 0}};
    struct timespec t = {1, 0};
    int sv[2];

    pair(SOCK_DGRAM, sv);
    must(write(sv[1], "one", 3) == 3 && write(sv[1], "second", 6) == 6, "write");
    for (int i = 0; i < 3; i++) {
        m[i].msg_hdr.msg_name = PTR(room(r, 20));
        m[i].msg_hdr.msg_namelen = 20;
        m[i].msg_hdr.msg_iov = PTR(parts(r, false, false));   /* what was done before the fault counts */
        m[i].msg_hdr.msg_iovlen = 2;
    }
    return CALL(recvmmsg, sv[0], loose(r, m, sizeof m), 3, MSG_DONTWAIT, in(r, &t, sizeof t));
}

/* Options. */

CASE(setsockopt_integer)
{
    const int on = 1;

    return CALL(setsockopt, udp(), SOL_SOCKET, SO_REUSEADDR, in(r, &on, 4), 4);
}

CASE(setsockopt_integer_in_a_larger_buffer)
{
    const int on[4] = {1};

    return CALL(setsockopt, udp(), SOL_SOCKET, SO_REUSEADDR, in(r, on, 16), 16);
}

CASE(setsockopt_linger)
{
    const struct linger l = {0, 0};

    return CALL(setsockopt, listener(), SOL_SOCKET, SO_LINGER, in(r, &l, 8), 8);
}

CASE(setsockopt_timeout)
{
    const struct timeval t = {1, 0};

    return CALL(setsockopt, udp(), SOL_SOCKET, SO_RCVTIMEO, in(r, &t, 16), 16);
}

CASE(setsockopt_filter)
{
    struct sock_filter accept_all = {0x06, 0, 0, 0xffffffff};
    struct sock_fprog p = {1, PTR(in(r, &accept_all, sizeof accept_all))};

    return CALL(setsockopt, udp(), SOL_SOCKET, SO_ATTACH_FILTER, in(r, &p, sizeof p), sizeof p);
}

CASE(setsockopt_ip)
{
    const int ttl = 20;

    return CALL(setsockopt, udp(), IPPROTO_IP, IP_TTL, in(r, &ttl, 4), 4);
}

CASE(setsockopt_congestion) { return CALL(setsockopt, listener(), IPPROTO_TCP, TCP_CONGESTION, loose(r, "reno\0\0\0\0", 8), 8); }
CASE(getsockopt_integer) { const int n = 4; return CALL(getsockopt, udp(), SOL_SOCKET, SO_TYPE, out(r, 4), in(r, &n, 4)); }
CASE(getsockopt_with_too_much_room) { const int n = 20; return CALL(getsockopt, udp(), SOL_SOCKET, SO_TYPE, room(r, 20), in(r, &n, 4)); }
CASE(getsockopt_with_too_little_room) { const int n = 2; return CALL(getsockopt, udp(), SOL_SOCKET, SO_TYPE, out(r, 2), in(r, &n, 4)); }
CASE(getsockopt_tcp_info) { const int n = 104; return CALL(getsockopt, listener(), IPPROTO_TCP, TCP_INFO, out(r, 104), in(r, &n, 4)); }

CASE(getsockopt_filter)
{
    struct sock_filter accept_all = {0x06, 0, 0, 0xffffffff};
    struct sock_fprog p = {1, &accept_all};
    const int n = 5;
    int fd = udp();

    must(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) == 0, "filter");
    return CALL(getsockopt, fd, SOL_SOCKET, SO_GET_FILTER, room(r, 40), in(r, &n, 4));
}
