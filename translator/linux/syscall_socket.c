/* Socket addresses, messages and options: which bytes of them the kernel looks at.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <linux/time_types.h>
#include <asm/socket.h>

#include "syscall_abi.h"
#include "syscall_walk.h"

enum {
    MAX_ADDRESS = 128, /* sizeof(struct sockaddr_storage): longer is EINVAL, unread */
    FAMILY_UNIX = 1,
    FAMILY_INET = 2,
    FAMILY_INET6 = 10,
    FAMILY_NETLINK = 16,
    FAMILY_PACKET = 17,
    FAMILY_VSOCK = 40,
    LEVEL_SOCKET = SOL_SOCKET,
    LEVEL_IP = 0,
    LEVEL_TCP = 6,
    ANY_OPTION = 0xffff,
};

/* Address families: the fields that count, after the family itself. Others are
 * copied and not examined: a family that is missing here gives no false alarm. */
struct family {
    uint16_t family;
    struct syscall_layout layout;
};

/* clang-format off */
static const struct family families[] = {
    {FAMILY_INET,    LAYOUT(struct sockaddr_in, FIELD(struct sockaddr_in, sin_family),
                            FIELD(struct sockaddr_in, sin_port), FIELD(struct sockaddr_in, sin_addr))},
    {FAMILY_INET6,   LAYOUT(struct sockaddr_in6, FIELD(struct sockaddr_in6, sin6_family),   /* flow label only if asked for, scope below */
                            FIELD(struct sockaddr_in6, sin6_port), FIELD(struct sockaddr_in6, sin6_addr))},
    {FAMILY_NETLINK, LAYOUT(struct sockaddr_nl, FIELD(struct sockaddr_nl, nl_family),
                            FIELD(struct sockaddr_nl, nl_pid), FIELD(struct sockaddr_nl, nl_groups))},
    {FAMILY_PACKET,  LAYOUT(struct sockaddr_ll, FIELD(struct sockaddr_ll, sll_family),
                            FIELD(struct sockaddr_ll, sll_protocol), FIELD(struct sockaddr_ll, sll_ifindex))},
    {FAMILY_VSOCK,   {.size = 16, FIELDS({"svm_family", 0, 2, 0, 0}, {"svm_port", 4, 4, 0, 0}, {"svm_cid", 8, 4, 0, 0})}},
};

/* clang-format on */

static const struct syscall_layout *
family_layout(unsigned family)
{
    for (unsigned i = 0; i < sizeof families / sizeof families[0]; i++)
        if (families[i].family == family)
            return &families[i].layout;
    return NULL;
}

/* sun_path counts up to its NUL, or to the end; an abstract name, which begins with one, always to the end. */
static void
unix_address(struct syscall_walk *w, uint64_t addr, uint64_t len)
{
    uint64_t path = addr + 2, room = len - 2, used = 0;
    char first, c;

    walk_in(w, addr, 2, "sun_family");
    if (room == 0 || !walk_fetch(w, &first, path, 1))
        return;
    if (first == 0) {
        used = room;
    } else {
        do
            if (!walk_fetch(w, &c, path + used++, 1))
                break;
        while (c && used < room);
    }
    walk_in(w, path, used, "sun_path");
    walk_copy(w, path + used, room - used, "sun_path");
}

/* The interface number counts for link-local addresses only: fe80::/10 and ff?2::. */
static void
inet6_scope(struct syscall_walk *w, uint64_t addr)
{
    uint8_t a[2];

    if (!walk_fetch(w, a, addr + offsetof(struct sockaddr_in6, sin6_addr), sizeof a))
        return;
    if ((a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || (a[0] == 0xff && (a[1] & 0xf) == 2))
        walk_in(w, addr + offsetof(struct sockaddr_in6, sin6_scope_id), 4, "sin6_scope_id");
}

static void
address(struct syscall_walk *w, uint64_t addr, uint64_t len)
{
    const struct syscall_layout *l;
    uint16_t family;

    if (w->post || len == 0 || len > MAX_ADDRESS)
        return;
    if (len < 2 || !walk_fetch(w, &family, addr, 2)) {
        walk_in(w, addr, len, "sa_family");
        return;
    }
    l = family_layout(family);
    if (family == FAMILY_UNIX) {
        unix_address(w, addr, len);
    } else if (l) {
        walk_layout_in(w, addr, l, len < l->size ? len : l->size);
        if (len > l->size)
            walk_copy(w, addr + l->size, len - l->size, NULL);
        if (family == FAMILY_INET6 && len >= l->size)
            inet6_scope(w, addr);
    } else {
        walk_in(w, addr, 2, "sa_family");
        walk_copy(w, addr + 2, len - 2, NULL);
    }
}

void
walk_sockaddr(struct syscall_walk *w, unsigned k)
{
    address(w, w->call->arg[k], walk_count(w, k + 1));
}

/* Message headers, alone and in arrays. */

/* Control messages: headers and data count, the alignment between them does not. */
static void
control_in(struct syscall_walk *w, uint64_t at, uint64_t len)
{
    while (len >= sizeof(struct abi_cmsghdr) && !w->stopped) {
        uint64_t n = walk_fetch64(w, at), next;

        if (n < sizeof(struct abi_cmsghdr) || n > len)
            break; /* EINVAL */
        walk_in(w, at, n, "msg_control");
        next = (n + 7) & ~(uint64_t)7;
        if (next > len)
            next = len;
        walk_copy(w, at + n, next - n, "msg_control");
        at += next;
        len -= next;
    }
    walk_copy(w, at, len, "msg_control");
}

static void
control_out(struct syscall_walk *w, uint64_t at, uint64_t len)
{
    while (len >= sizeof(struct abi_cmsghdr) && !w->stopped) {
        uint64_t n = walk_fetch64(w, at), next;

        if (n < sizeof(struct abi_cmsghdr))
            break;
        walk_out(w, at, n < len ? n : len, "msg_control");
        next = (n + 7) & ~(uint64_t)7;
        if (next >= len)
            break;
        at += next;
        len -= next;
    }
}

#define MSG_AT(h, field) ((h) + offsetof(struct abi_msghdr, field))

static void
send_header(struct syscall_walk *w, uint64_t h, bool flags_count)
{
    struct abi_msghdr m;

    walk_in(w, MSG_AT(h, msg_name), 8, "msg_name");
    if (!walk_fetch(w, &m, h, sizeof m)) {
        walk_in(w, h, sizeof m, NULL);
        return;
    }
    (m.msg_name ? walk_in : walk_copy)(w, MSG_AT(h, msg_namelen), 4, "msg_namelen");
    walk_copy(w, MSG_AT(h, pad), 4, NULL);
    (m.msg_iovlen ? walk_in : walk_copy)(w, MSG_AT(h, msg_iov), 8, "msg_iov");
    walk_in(w, MSG_AT(h, msg_iovlen), 8, "msg_iovlen");
    (m.msg_controllen ? walk_in : walk_copy)(w, MSG_AT(h, msg_control), 8, "msg_control");
    walk_in(w, MSG_AT(h, msg_controllen), 8, "msg_controllen");
    (flags_count ? walk_in : walk_copy)(w, MSG_AT(h, msg_flags), 4, "msg_flags"); /* sendmmsg: MSG_EOR */
    walk_copy(w, MSG_AT(h, tail_pad), 4, NULL);

    if (m.msg_name && m.msg_namelen > 0)
        address(w, m.msg_name, (uint64_t)m.msg_namelen < MAX_ADDRESS ? (uint64_t)m.msg_namelen : MAX_ADDRESS);
    walk_iovec(w, m.msg_iov, m.msg_iovlen, ACCESS_IN, walk_limit(w), "msg_iov", "msg_iov[%].iov_base");
    if (m.msg_controllen <= INT32_MAX)
        control_in(w, m.msg_control, m.msg_controllen);
}

/* `received`: bytes of this message, after the call. */
static void
receive_header(struct syscall_walk *w, uint64_t h, uint64_t received)
{
    struct abi_msghdr m;
    uint32_t name_len;

    walk_in(w, MSG_AT(h, msg_name), 8, "msg_name");
    if (!walk_fetch(w, &m, h, sizeof m)) {
        walk_in(w, h, sizeof m, NULL);
        return;
    }
    (m.msg_name ? walk_in : walk_copy)(w, MSG_AT(h, msg_namelen), 4, "msg_namelen");
    walk_copy(w, MSG_AT(h, pad), 4, NULL);
    (m.msg_iovlen ? walk_in : walk_copy)(w, MSG_AT(h, msg_iov), 8, "msg_iov");
    walk_in(w, MSG_AT(h, msg_iovlen), 8, "msg_iovlen");
    walk_in(w, MSG_AT(h, msg_control), 8, "msg_control");
    (m.msg_control ? walk_in : walk_copy)(w, MSG_AT(h, msg_controllen), 8, "msg_controllen");
    walk_copy(w, MSG_AT(h, msg_flags), 8, NULL);

    name_len = walk_length(w, MSG_AT(h, msg_namelen));
    if (m.msg_name) {
        walk_out(w, MSG_AT(h, msg_namelen), 4, "msg_namelen");
        walk_out(w, m.msg_name, name_len < MAX_ADDRESS ? name_len : MAX_ADDRESS, "msg_name");
    }
    walk_out(w, MSG_AT(h, msg_controllen), 8, "msg_controllen");
    walk_out(w, MSG_AT(h, msg_flags), 4, "msg_flags");
    walk_iovec(w, m.msg_iov, m.msg_iovlen, ACCESS_OUT, received, "msg_iov", "msg_iov[%].iov_base");
    if (!m.msg_control || m.msg_controllen > INT32_MAX)
        return;
    if (w->post)
        control_out(w, m.msg_control, m.msg_controllen);
    else
        walk_out(w, m.msg_control, m.msg_controllen, "msg_control");
}

void
walk_sendmsg(struct syscall_walk *w, unsigned k)
{
    send_header(w, w->call->arg[k], false);
}

void
walk_recvmsg(struct syscall_walk *w, unsigned k)
{
    receive_header(w, w->call->arg[k], walk_limit(w));
}

/* Messages of an array that the call deals with: after it, those it says. */
static uint32_t
messages(const struct syscall_walk *w, unsigned k)
{
    uint64_t n = walk_arg(w, k + 1);

    if (n > SYSCALL_MAX_IOV)
        n = SYSCALL_MAX_IOV;
    return (uint32_t)(n < walk_limit(w) ? n : walk_limit(w));
}

void
walk_sendmmsg(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    for (uint32_t i = 0, n = messages(w, k); i < n && !w->stopped; i++, at += sizeof(struct abi_mmsghdr)) {
        walk_enter(w, i);
        if (!w->post) {
            w->outer = "[%].msg_hdr";
            send_header(w, at, true);
        }
        w->outer = "[%]";
        walk_out(w, at + offsetof(struct abi_mmsghdr, msg_len), 4, "msg_len");
        walk_leave(w);
    }
}

void
walk_recvmmsg(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    for (uint32_t i = 0, n = messages(w, k); i < n && !w->stopped; i++, at += sizeof(struct abi_mmsghdr)) {
        uint64_t len_at = at + offsetof(struct abi_mmsghdr, msg_len);

        walk_enter(w, i);
        w->outer = "[%].msg_hdr";
        receive_header(w, at, w->post ? walk_fetch32(w, len_at) : walk_limit(w));
        w->outer = "[%]";
        walk_out(w, len_at, 4, "msg_len");
        walk_leave(w);
    }
}

/* Options. */

enum option_kind {
    OPTION_BYTES,   /* at most `size` bytes are read; 0: optlen       */
    OPTION_STRING,  /* up to a NUL, the rest is copied                */
    OPTION_FILTER,  /* struct sock_fprog                              */
    OPTION_COPY,    /* read without a look that is known here         */
    OPTION_FILTERS, /* get: the length counts BPF instructions        */
    OPTION_INOUT,   /* get: reads before it writes                    */
};

struct option {
    uint16_t level, name;
    uint8_t kind, size;
};

/* clang-format off */
static const struct option set_options[] = {   /* default: OPTION_BYTES, 4 bytes at socket level, else optlen */
    {LEVEL_SOCKET, SO_LINGER,                OPTION_BYTES,  8},
    {LEVEL_SOCKET, SO_RCVTIMEO_OLD,          OPTION_BYTES,  sizeof(struct __kernel_old_timeval)},
    {LEVEL_SOCKET, SO_SNDTIMEO_OLD,          OPTION_BYTES,  sizeof(struct __kernel_old_timeval)},
    {LEVEL_SOCKET, SO_RCVTIMEO_NEW,          OPTION_BYTES,  16},
    {LEVEL_SOCKET, SO_SNDTIMEO_NEW,          OPTION_BYTES,  16},
    {LEVEL_SOCKET, SO_MAX_PACING_RATE,       OPTION_BYTES,  8},
    {LEVEL_SOCKET, SO_TXTIME,                OPTION_BYTES,  8},
    {LEVEL_SOCKET, SO_TIMESTAMPING_OLD,      OPTION_BYTES,  8},
    {LEVEL_SOCKET, SO_TIMESTAMPING_NEW,      OPTION_BYTES,  8},
    {LEVEL_SOCKET, SO_BINDTODEVICE,          OPTION_STRING, 15},
    {LEVEL_SOCKET, SO_ATTACH_FILTER,         OPTION_FILTER, 0},
    {LEVEL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, OPTION_FILTER, 0},
    {LEVEL_SOCKET, 80 /* SO_DEVMEM_DONTNEED */, OPTION_BYTES, 0},
    {LEVEL_TCP,    TCP_CONGESTION,           OPTION_STRING, 15},
    {LEVEL_TCP,    TCP_ULP,                  OPTION_STRING, 15},
    {LEVEL_TCP,    TCP_MD5SIG,               OPTION_COPY,   0},
};
static const struct option get_options[] = {   /* default: optlen bytes are written */
    {LEVEL_SOCKET, SO_GET_FILTER,            OPTION_FILTERS, 0},
    {LEVEL_TCP,    TCP_ZEROCOPY_RECEIVE,     OPTION_INOUT,   0},
    {LEVEL_IP,     64 /* IPT_SO_GET_INFO */, OPTION_INOUT,   0},
    {LEVEL_IP,     65 /* IPT_SO_GET_ENTRIES */, OPTION_INOUT, 0},
    {LEVEL_IP,     66 /* …GET_REVISION_MATCH */, OPTION_INOUT, 0},
    {LEVEL_IP,     67 /* …GET_REVISION_TARGET */, OPTION_INOUT, 0},
    {41 /* IPv6 */, 64,                      OPTION_INOUT,   0},
    {41,           65,                       OPTION_INOUT,   0},
    {132 /* SCTP */, ANY_OPTION,             OPTION_INOUT,   0},
};

/* clang-format on */

static const struct option *
find_option(const struct option *o, unsigned n, uint64_t level, uint64_t name)
{
    for (unsigned i = 0; i < n; i++)
        if (o[i].level == level && (o[i].name == name || o[i].name == ANY_OPTION))
            return &o[i];
    return NULL;
}

static void
option_string(struct syscall_walk *w, uint64_t addr, uint64_t len)
{
    uint64_t used = 0;
    char c = 1;

    while (c && used < len && walk_fetch(w, &c, addr + used, 1))
        used++;
    walk_in(w, addr, used, NULL);
    walk_copy(w, addr + used, len - used, NULL);
}

void
walk_setsockopt(struct syscall_walk *w, unsigned k)
{
    uint64_t level = walk_arg(w, 1), name = walk_arg(w, 2), addr = w->call->arg[k],
             len = walk_count(w, k + 1);
    const struct option *o =
        find_option(set_options, sizeof set_options / sizeof set_options[0], level, name);
    uint64_t most = o ? o->size : level == LEVEL_SOCKET ? 4 : 0;

    if (most && len > most)
        len = most;
    switch (o ? o->kind : OPTION_BYTES) {
    case OPTION_STRING: option_string(w, addr, len); break;
    case OPTION_FILTER: walk_sock_fprog(w, addr); break;
    case OPTION_COPY: walk_copy(w, addr, len, NULL); break;
    default: walk_in(w, addr, len, NULL); break;
    }
}

void
walk_getsockopt(struct syscall_walk *w, unsigned k)
{
    uint64_t level = walk_arg(w, 1), name = walk_arg(w, 2), addr = w->call->arg[k];
    const struct option *o =
        find_option(get_options, sizeof get_options / sizeof get_options[0], level, name);
    uint64_t len = walk_length(w, w->call->arg[k + 1]);

    if (o && o->kind == OPTION_INOUT)
        walk_copy(w, addr, len, NULL);
    walk_out(w, addr, o && o->kind == OPTION_FILTERS ? len * sizeof(struct sock_filter) : len, NULL);
}
