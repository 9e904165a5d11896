/* ioctl requests. Rows are for those whose number does not say what they do
 * (terminals, sockets, block devices), says it wrongly, or is not all there is
 * to say. Any other request is taken at its number's word: size and direction
 * by _IOC, as `maybe`, and the walk counts as incomplete.
 * Threads: any; see syscall_walk.h. */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <linux/hdreg.h>
#include <linux/if_tun.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/nsfs.h>
#include <linux/perf_event.h>
#include <linux/random.h>
#include <linux/rtc.h>
#include <linux/seccomp.h>
#include <linux/serial.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <linux/vt.h>

#include "syscall_walk.h"

enum { RTENTRY = 120, ARPREQ = 68 }; /* <linux/route.h>, <linux/if_arp.h>: they need a libc */

static uint32_t
request_key(const uint64_t *arg)
{
    return (uint32_t)arg[1];
}

/* What the number says. _IOC_WRITE: the program writes, the kernel reads. */
static void
by_number(struct syscall_walk *w, unsigned k)
{
    uint32_t request = (uint32_t)w->call->arg[1];

    w->maybe = true;
    if (_IOC_DIR(request) & _IOC_WRITE)
        walk_copy(w, w->call->arg[k], _IOC_SIZE(request), NULL);
    if (_IOC_DIR(request) & _IOC_READ)
        walk_out(w, w->call->arg[k], _IOC_SIZE(request), NULL);
}

/* struct ifreq: a name, and a value that the request knows how to read. The
 * kernel fetches all of it, and hands all of it back if there is an answer. */
enum { IFREQ_VALUE = 16, IFREQ = 40 };

static void
ifreq_name(struct syscall_walk *w, uint64_t at)
{
    uint64_t used = 0;
    char c = 1;

    while (!w->post && c && used < IFREQ_VALUE && walk_fetch(w, &c, at + used, 1))
        used++;
    walk_in(w, at, used, "ifr_name");
    walk_copy(w, at + used, IFREQ_VALUE - used, "ifr_name");
}

static void
ifreq(struct syscall_walk *w, unsigned k, uint64_t value_bytes)
{
    uint64_t at = w->call->arg[k];

    ifreq_name(w, at);
    walk_in(w, at + IFREQ_VALUE, value_bytes, "ifr_ifru");
    walk_copy(w, at + IFREQ_VALUE + value_bytes, IFREQ - IFREQ_VALUE - value_bytes, "ifr_ifru");
    if (w->view->arg[k]->access & ACCESS_OUT)
        walk_out(w, at, IFREQ, NULL);
}

static void
ifreq_0(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 0);
}

static void
ifreq_2(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 2);
}

static void
ifreq_4(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 4);
}

static void
ifreq_16(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 16);
}

static void
ifreq_24(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 24);
}

/* SIOCGIFNAME: the number is asked for its name. */
static void
ifreq_index(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    walk_copy(w, at, IFREQ_VALUE, "ifr_name");
    walk_in(w, at + IFREQ_VALUE, 4, "ifr_ifindex");
    walk_copy(w, at + IFREQ_VALUE + 4, IFREQ - IFREQ_VALUE - 4, NULL);
    walk_out(w, at, IFREQ, NULL);
}

/* An ifreq whose data points to a struct that only the driver knows. */
static void
ifreq_pointer(struct syscall_walk *w, unsigned k)
{
    ifreq(w, k, 8);
    walk_unknown(w);
}

static void
ifconf(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], buf = walk_fetch64(w, at + 8);
    uint32_t len = walk_length(w, at);

    walk_in(w, at, 4, "ifc_len");
    walk_copy(w, at + 4, 4, NULL);
    walk_in(w, at + 8, 8, "ifc_buf");
    walk_out(w, at, 4, "ifc_len");
    if (buf)
        walk_out(w, buf, len, "ifc_buf");
}

/* struct fiemap and as many extents as were mapped. */
static void
fiemap(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], extents = at + sizeof(struct fiemap), room = walk_fetch32(w, at + 24);

    walk_in(w, at, 20, NULL); /* fm_start, fm_length, fm_flags */
    walk_copy(w, at + 20, 4, "fm_mapped_extents");
    walk_in(w, at + 24, 4, "fm_extent_count");
    walk_copy(w, at + 28, 4, NULL);
    walk_out(w, at, sizeof(struct fiemap), NULL);
    if (w->post && room)
        room = walk_fetch32(w, at + 20);
    walk_out(w, extents, room * sizeof(struct fiemap_extent), "fm_extents");
}

/* struct file_dedupe_range: read whole, handed back whole. */
static void
dedupe(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];
    uint32_t count = walk_fetch32(w, at + 16) & 0xffff;
    uint64_t info = at + sizeof(struct file_dedupe_range), each = sizeof(struct file_dedupe_range_info);

    walk_in(w, at, sizeof(struct file_dedupe_range), NULL);
    for (uint32_t i = 0; !w->post && i < count && !w->stopped; i++) {
        walk_enter(w, i);
        walk_in(w, info + i * each, 16, "info[%]");
        walk_copy(w, info + i * each + 16, each - 16, "info[%]");
        walk_leave(w);
    }
    walk_out(w, at, sizeof(struct file_dedupe_range) + count * each, NULL);
}

/* userfaultfd: the last member of each struct is the answer, given on errors too. */
static void
uffd_answer(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k], size = _IOC_SIZE((uint32_t)w->call->arg[1]);

    walk_in(w, at, size - 8, NULL);
    w->maybe = w->post && w->result < 0;
    walk_out(w, at + size - 8, 8, NULL);
}

static void
uffd_api(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], 16, NULL);
    walk_copy(w, w->call->arg[k] + 16, 8, "ioctls");
    w->maybe = w->post && w->result < 0;
    walk_out(w, w->call->arg[k], 24, NULL);
}

static void
uffd_copy(struct syscall_walk *w, unsigned k)
{
    uint64_t at = w->call->arg[k];

    uffd_answer(w, k);
    if (!w->post)
        walk_in(w, walk_fetch64(w, at + offsetof(struct uffdio_copy, src)),
                walk_fetch64(w, at + offsetof(struct uffdio_copy, len)), "src");
}

/* struct rand_pool_info: two numbers, the second counts the bytes that follow. */
static void
entropy(struct syscall_walk *w, unsigned k)
{
    uint32_t n = walk_fetch32(w, w->call->arg[k] + 4);

    walk_in(w, w->call->arg[k], 8, NULL);
    walk_in(w, w->call->arg[k] + 8, n <= INT32_MAX ? n : 0, "buf");
}

static void
perf_attr(struct syscall_walk *w, unsigned k)
{
    uint32_t size = walk_fetch32(w, w->call->arg[k] + offsetof(struct perf_event_attr, size));

    walk_in(w, w->call->arg[k], size && size <= 4096 ? size : PERF_ATTR_SIZE_VER0, NULL);
}

/* A first byte chooses among things of which no header speaks. */
static void
console(struct syscall_walk *w, unsigned k)
{
    walk_in(w, w->call->arg[k], 1, "subcode");
    walk_unknown(w);
}

static const struct syscall_field termio_field[] = {{"c_iflag", 0, 17, 0, 0}}; /* and a byte of padding */
static const struct syscall_layout termio_fields = {
    .size = sizeof(struct termio), .nfields = 1, .field = termio_field};

/* clang-format off */
#define R                     COMMAND("request")
#define NOTHING(r)            VARIANT_AS(r, #r, 0, R)
#define VALUE(r)              VARIANT_AS(r, #r, 0, R, LONG("arg"))
#define VALUE_NR(nr, r)       VARIANT_AS(nr, #r, 0, R, LONG("arg"))     /* <linux/input.h> needs a libc */
#define GET(r, bytes)         VARIANT_AS(r, #r, 0, R, OUT("argp", bytes))
#define SET(r, bytes)         VARIANT_AS(r, #r, 0, R, IN("argp", bytes))
#define DRAIN(r, bytes)       VARIANT_AS(r, #r, BLOCKS | RESTARTS, R, IN("argp", bytes))
#define GETSET(r, bytes)      VARIANT_AS(r, #r, 0, R, INOUT("argp", bytes))
#define READS(r, fn)          VARIANT_AS(r, #r, 0, R, IN_WALK("argp", fn))
#define WRITES(r, fn)         VARIANT_AS(r, #r, 0, R, INOUT_WALK("argp", fn))
#define ANSWERS(r, f, fn)     VARIANT_AS(r, #r, f, R, INOUT_WALK("argp", fn, WROTE(ALWAYS)))
static const struct syscall_variant rows[] = {
    /* any descriptor */
    VARIANT(FIOCLEX, FDS, R), VARIANT(FIONCLEX, FDS, R),
    SET(FIONBIO, 4), SET(FIOASYNC, 4), GET(FIOQSIZE, 8), GET(FIONREAD, 4),

    /* terminals: most frequent first */
    GET(TCGETS, sizeof(struct termios)), GET(TIOCGWINSZ, sizeof(struct winsize)), GET(TIOCGPGRP, 4), SET(TIOCSPGRP, 4),
    SET(TCSETS, sizeof(struct termios)), DRAIN(TCSETSW, sizeof(struct termios)), DRAIN(TCSETSF, sizeof(struct termios)),
    GET(TCGETS2, sizeof(struct termios2)), SET(TCSETS2, sizeof(struct termios2)),
    DRAIN(TCSETSW2, sizeof(struct termios2)), DRAIN(TCSETSF2, sizeof(struct termios2)),
    GET(TCGETA, sizeof(struct termio)),
    VARIANT(TCSETA, 0, R, IN_FIELDS("argp", termio_fields)),
    VARIANT(TCSETAW, BLOCKS | RESTARTS, R, IN_FIELDS("argp", termio_fields)),
    VARIANT(TCSETAF, BLOCKS | RESTARTS, R, IN_FIELDS("argp", termio_fields)),
    SET(TIOCSWINSZ, sizeof(struct winsize)), GET(TIOCOUTQ, 4), GET(TIOCGSID, 4),
    VARIANT(TCSBRK, BLOCKS | RESTARTS, R, LONG("arg")), VARIANT(TCSBRKP, BLOCKS | RESTARTS, R, LONG("arg")),
    VALUE(TCXONC), VALUE(TCFLSH), VALUE(TIOCSCTTY), NOTHING(TIOCNOTTY), NOTHING(TIOCEXCL), NOTHING(TIOCNXCL),
    GET(TIOCGEXCL, 4), SET(TIOCSTI, 1), NOTHING(TIOCCONS), NOTHING(TIOCSBRK), NOTHING(TIOCCBRK), NOTHING(TIOCVHANGUP),
    GET(TIOCMGET, 4), SET(TIOCMBIS, 4), SET(TIOCMBIC, 4), SET(TIOCMSET, 4),
    VARIANT(TIOCMIWAIT, BLOCKS | RESTARTS, R, LONG("arg")), GET(TIOCGICOUNT, sizeof(struct serial_icounter_struct)),
    GET(TIOCGSOFTCAR, 4), SET(TIOCSSOFTCAR, 4), GET(TIOCGETD, 4), SET(TIOCSETD, 4), GET(TIOCGDEV, 4),
    SET(TIOCPKT, 4), GET(TIOCGPKT, 4), GET(TIOCGPTN, 4), SET(TIOCSPTLCK, 4), GET(TIOCGPTLCK, 4),
    VARIANT(TIOCGPTPEER, NEWFD, R, FLAGS("arg")), VALUE(TIOCSIG),
    GET(TIOCGSERIAL, sizeof(struct serial_struct)), SET(TIOCSSERIAL, sizeof(struct serial_struct)), GET(TIOCSERGETLSR, 4),
    GET(TIOCGRS485, sizeof(struct serial_rs485)), GETSET(TIOCSRS485, sizeof(struct serial_rs485)),
    READS(TIOCLINUX, console),

    /* consoles */
    GET(KDGETMODE, 4), VALUE(KDSETMODE), GET(KDGKBMODE, 4), VALUE(KDSKBMODE), GET(KDGKBTYPE, 1), GET(KDGETLED, 1), VALUE(KDSETLED),
    VALUE(KIOCSOUND), VALUE(KDMKTONE), GET(VT_OPENQRY, 4), GET(VT_GETMODE, sizeof(struct vt_mode)), SET(VT_SETMODE, sizeof(struct vt_mode)),
    GET(VT_GETSTATE, sizeof(struct vt_stat)), VALUE(VT_RELDISP), VALUE(VT_ACTIVATE), VARIANT(VT_WAITACTIVE, BLOCKS | RESTARTS, R, LONG("arg")),
    VALUE(VT_DISALLOCATE),

    /* sockets */
    GET(SIOCATMARK, 4), GET(SIOCGPGRP, 4), SET(SIOCSPGRP, 4), GET(FIOGETOWN, 4), SET(FIOSETOWN, 4),
    VARIANT_NR(0x8906, SIOCGSTAMP, 0, R, OUT("argp", 16)), VARIANT_NR(0x8907, SIOCGSTAMPNS, 0, R, OUT("argp", 16)), GET(SIOCOUTQNSD, 4),
    VARIANT(SIOCGSKNS, NEWFD, R), WRITES(SIOCGIFCONF, ifconf), WRITES(SIOCGIFNAME, ifreq_index),
    WRITES(SIOCGIFINDEX, ifreq_0), WRITES(SIOCGIFFLAGS, ifreq_0), WRITES(SIOCGIFADDR, ifreq_16), WRITES(SIOCGIFDSTADDR, ifreq_16),
    WRITES(SIOCGIFBRDADDR, ifreq_16), WRITES(SIOCGIFNETMASK, ifreq_16), WRITES(SIOCGIFMETRIC, ifreq_0), WRITES(SIOCGIFMTU, ifreq_0),
    WRITES(SIOCGIFHWADDR, ifreq_0), WRITES(SIOCGIFMAP, ifreq_0), WRITES(SIOCGIFTXQLEN, ifreq_0),
    READS(SIOCSIFFLAGS, ifreq_2), READS(SIOCSIFADDR, ifreq_16), READS(SIOCSIFDSTADDR, ifreq_16), READS(SIOCSIFBRDADDR, ifreq_16),
    READS(SIOCSIFNETMASK, ifreq_16), READS(SIOCSIFMETRIC, ifreq_4), READS(SIOCSIFMTU, ifreq_4), READS(SIOCSIFTXQLEN, ifreq_4),
    READS(SIOCSIFHWADDR, ifreq_16), READS(SIOCSIFMAP, ifreq_24), READS(SIOCSIFNAME, ifreq_16),
    WRITES(SIOCETHTOOL, ifreq_pointer), SET(SIOCADDRT, RTENTRY), SET(SIOCDELRT, RTENTRY),
    SET(SIOCSARP, ARPREQ), SET(SIOCDARP, ARPREQ), GETSET(SIOCGARP, ARPREQ),

    /* files; the flags are declared as long and are int */
    GET(FS_IOC_GETFLAGS, 4), SET(FS_IOC_SETFLAGS, 4), GET(FS_IOC_GETVERSION, 4), SET(FS_IOC_SETVERSION, 4),
    GET(FS_IOC_FSGETXATTR, sizeof(struct fsxattr)), SET(FS_IOC_FSSETXATTR, sizeof(struct fsxattr)), GETSET(FIBMAP, 4), GET(FIGETBSZ, 4),
    GETSET(FITRIM, sizeof(struct fstrim_range)), VARIANT(FICLONE, 0, R, FD("arg")), SET(FICLONERANGE, sizeof(struct file_clone_range)),
    WRITES(FIDEDUPERANGE, dedupe), WRITES(FS_IOC_FIEMAP, fiemap), NOTHING(FIFREEZE), NOTHING(FITHAW),
    VARIANT(FS_IOC_GETFSLABEL, 0, R, OUT("argp", FSLABEL_MAX, MAYBE)), VARIANT(FS_IOC_SETFSLABEL, 0, R, STR("argp", FSLABEL_MAX)),

    /* block devices */
    SET(BLKROSET, 4), GET(BLKROGET, 4), NOTHING(BLKRRPART), GET(BLKGETSIZE, 8), NOTHING(BLKFLSBUF), VALUE(BLKRASET), GET(BLKRAGET, 8),
    VALUE(BLKFRASET), GET(BLKFRAGET, 8), GET(BLKSECTGET, 2), GET(BLKSSZGET, 4), GET(BLKBSZGET, 4), SET(BLKBSZSET, 4), GET(BLKGETSIZE64, 8),
    SET(BLKDISCARD, 16), GET(BLKIOMIN, 4), GET(BLKIOOPT, 4), GET(BLKALIGNOFF, 4), GET(BLKPBSZGET, 4), GET(BLKDISCARDZEROES, 4),
    SET(BLKSECDISCARD, 16), GET(BLKROTATIONAL, 2), SET(BLKZEROOUT, 16), GET(HDIO_GETGEO, sizeof(struct hd_geometry)),
    VARIANT(LOOP_SET_FD, 0, R, FD("arg")), NOTHING(LOOP_CLR_FD), SET(LOOP_SET_STATUS, sizeof(struct loop_info)),
    GET(LOOP_GET_STATUS, sizeof(struct loop_info)), SET(LOOP_SET_STATUS64, sizeof(struct loop_info64)),
    GET(LOOP_GET_STATUS64, sizeof(struct loop_info64)), VARIANT(LOOP_CHANGE_FD, 0, R, FD("arg")), NOTHING(LOOP_SET_CAPACITY),
    VALUE(LOOP_SET_DIRECT_IO), VALUE(LOOP_SET_BLOCK_SIZE), SET(LOOP_CONFIGURE, sizeof(struct loop_config)),
    VALUE(LOOP_CTL_ADD), VALUE(LOOP_CTL_REMOVE), NOTHING(LOOP_CTL_GET_FREE),

    /* userfaultfd: moves memory of the caller's */
    ANSWERS(UFFDIO_API, 0, uffd_api), ANSWERS(UFFDIO_REGISTER, MAPS, uffd_answer), ANSWERS(UFFDIO_COPY, FARMEM, uffd_copy),
    ANSWERS(UFFDIO_ZEROPAGE, FARMEM, uffd_answer), ANSWERS(UFFDIO_CONTINUE, FARMEM, uffd_answer),
    VARIANT(UFFDIO_UNREGISTER, MAPS, R, IN("argp", sizeof(struct uffdio_range))), SET(UFFDIO_WAKE, sizeof(struct uffdio_range)),
    VARIANT(UFFDIO_WRITEPROTECT, MAPS, R, IN("argp", sizeof(struct uffdio_writeprotect))),

    /* events, namespaces, seccomp, random */
    VALUE(PERF_EVENT_IOC_ENABLE), VALUE(PERF_EVENT_IOC_DISABLE), VALUE(PERF_EVENT_IOC_REFRESH), VALUE(PERF_EVENT_IOC_RESET),
    SET(PERF_EVENT_IOC_PERIOD, 8), VARIANT(PERF_EVENT_IOC_SET_OUTPUT, 0, R, FD("arg")), GET(PERF_EVENT_IOC_ID, 8),
    VARIANT(PERF_EVENT_IOC_SET_FILTER, 0, R, STR("argp", 4096)), VARIANT(PERF_EVENT_IOC_SET_BPF, 0, R, FD("arg")),
    VALUE(PERF_EVENT_IOC_PAUSE_OUTPUT), READS(PERF_EVENT_IOC_MODIFY_ATTRIBUTES, perf_attr),
    VARIANT(NS_GET_USERNS, NEWFD, R), VARIANT(NS_GET_PARENT, NEWFD, R), NOTHING(NS_GET_NSTYPE), GET(NS_GET_OWNER_UID, 4),
    VARIANT(SECCOMP_IOCTL_NOTIF_RECV, BLOCKS | RESTARTS, R, INOUT("argp", sizeof(struct seccomp_notif))),
    SET(SECCOMP_IOCTL_NOTIF_SEND, sizeof(struct seccomp_notif_resp)), SET(SECCOMP_IOCTL_NOTIF_ID_VALID, 8),
    VARIANT_NR(_IOR('!', 2, __u64), SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR, 0, R, IN("argp", 8)),
    SET(SECCOMP_IOCTL_NOTIF_ADDFD, sizeof(struct seccomp_notif_addfd)),
    READS(RNDADDENTROPY, entropy), GET(RNDGETENTCNT, 4), SET(RNDADDTOENTCNT, 4), NOTHING(RNDZAPENTCNT), NOTHING(RNDCLEARPOOL), NOTHING(RNDRESEEDCRNG),

    /* numbers that claim a pointer and take a value, or the reverse */
    WRITES(TUNSETIFF, ifreq_2), GET(TUNGETIFF, IFREQ), VALUE(TUNSETNOCSUM), VALUE(TUNSETDEBUG), VALUE(TUNSETPERSIST), VALUE(TUNSETOWNER),
    VALUE(TUNSETLINK), VALUE(TUNSETGROUP), VALUE(TUNSETOFFLOAD), GET(TUNGETFEATURES, 4), GET(TUNGETSNDBUF, 4), SET(TUNSETSNDBUF, 4),
    GET(TUNGETVNETHDRSZ, 4), SET(TUNSETVNETHDRSZ, 4),
    VALUE_NR(_IOW('E', 0x90, int), EVIOCGRAB), VALUE_NR(_IOW('E', 0x91, int), EVIOCREVOKE),
    VALUE_NR(_IOW('E', 0x81, int), EVIOCRMFF), VALUE_NR(_IOW('U', 100, int), UI_SET_EVBIT),
    VALUE_NR(_IOW('U', 101, int), UI_SET_KEYBIT), VALUE_NR(_IOW('U', 102, int), UI_SET_RELBIT),
    VALUE_NR(_IOW('U', 103, int), UI_SET_ABSBIT), VALUE_NR(_IOW('U', 104, int), UI_SET_MSCBIT),
    VALUE_NR(_IOW('U', 105, int), UI_SET_LEDBIT), VALUE_NR(_IOW('U', 106, int), UI_SET_SNDBIT),
    VALUE_NR(_IOW('U', 107, int), UI_SET_FFBIT), VALUE_NR(_IOW('U', 109, int), UI_SET_SWBIT),
    VALUE_NR(_IOW('U', 110, int), UI_SET_PROPBIT),
    VALUE(RTC_IRQP_SET), VALUE(RTC_EPOCH_SET), SET(FUSE_DEV_IOC_CLONE, 4),
};
/* clang-format on */

static const struct syscall_variant unknown_request = {
    .flags = BLOCKS | RESTARTS | FDS | MAPS | FARMEM,
    ARGS(R, INOUT_WALK("argp", by_number)),
};
const struct syscall_variants ioctl_requests = VARIANTS(request_key, 1, rows, .other = &unknown_request);
